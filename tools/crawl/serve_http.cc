#include "tools/crawl/serve_http.h"

#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

namespace auforge::tools {
namespace {

// Nothing but what this server sends may run, load or be asked; no other page may show or read it.
httplib::Headers SafetyHeaders() {
  return {
      {"Content-Security-Policy",
       "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
       "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Cross-Origin-Opener-Policy", "same-origin"}};
}

void Refuse(httplib::Response& response, int status, const char* why) {
  response.status = status;
  response.set_content(why, "text/plain");
}

void Send(HttpResponse answer, httplib::Response& response) {
  response.status = answer.status;
  response.set_header("Cache-Control", answer.may_be_kept ? "private, max-age=3600, immutable" : "no-store");
  if (!answer.file_name.empty()) {
    response.set_header("Content-Disposition", "attachment; filename=\"" + answer.file_name + "\"");
  }
  if (!answer.stream) {
    response.set_content(answer.body, answer.type);
    return;
  }
  response.set_chunked_content_provider(
      answer.type, [stream = std::move(answer.stream)](std::size_t, httplib::DataSink& sink) {
        std::string text;
        const bool goes_on = stream(text);
        if (!text.empty() && !sink.write(text.data(), text.size())) return false;
        if (!goes_on) sink.done();
        return true;
      });
}

}  // namespace

std::string HttpRequest::Get(const std::string& name, const std::string& otherwise) const {
  const auto found = parameters.find(name);
  return found == parameters.end() ? otherwise : found->second;
}

bool IsAllowedHost(const std::string& header, int port, const std::vector<std::string>& allowed) {
  std::string name = header;
  const std::string end = ":" + std::to_string(port);
  if (name.ends_with(end)) {
    name.resize(name.size() - end.size());
  } else if (port != 80) {
    return false;
  }
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name == "localhost" || name == "127.0.0.1" || name == "[::1]" ||
         std::find(allowed.begin(), allowed.end(), name) != allowed.end();
}

struct HttpServer::Impl {
  HttpOptions options;
  Handler handler;
  httplib::Server server;
  int port = 0;
  std::atomic<bool> running{false}, stopped{false};

  // True when the request may go on.
  bool Admit(const httplib::Request& request, httplib::Response& response) const {
    if (!IsAllowedHost(request.get_header_value("Host"), port, options.allowed_hosts)) {
      Refuse(response, 403, "This server answers under its own address only (see --allow-host).\n");
      return false;
    }
    if (request.method != "GET" && request.method != "HEAD" && request.method != "POST") {
      Refuse(response, 405, "Only GET and POST.\n");
      return false;
    }
    // A packed body could grow beyond every limit.
    if (request.has_header("Content-Encoding")) {
      Refuse(response, 415, "No encoded bodies.\n");
      return false;
    }
    if (request.method == "POST" && request.has_header("Origin")) {
      const std::string origin = request.get_header_value("Origin");
      const std::size_t slashes = origin.find("//");
      if (slashes == std::string::npos ||
          !IsAllowedHost(origin.substr(slashes + 2), port, options.allowed_hosts)) {
        Refuse(response, 403, "Asked by another site.\n");
        return false;
      }
    }
    return true;
  }

  void Answer(const httplib::Request& request, httplib::Response& response) const {
    HttpRequest plain;
    plain.is_post = request.method == "POST";
    plain.path = request.path;
    plain.body = request.body;
    for (const auto& [name, value] : request.params) plain.parameters.try_emplace(name, value);
    Send(handler(plain), response);
  }
};

HttpServer::HttpServer(const HttpOptions& options, Handler handler) : impl_(std::make_unique<Impl>()) {
  impl_->options = options;
  impl_->handler = std::move(handler);
  httplib::Server& server = impl_->server;
  // The library's own options let two servers share a port, so that neither would notice.
  server.set_socket_options([](socket_t socket) {
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  });
  server.set_default_headers(SafetyHeaders());
  server.set_payload_max_length(options.largest_body);
  server.set_read_timeout(10);
  server.set_write_timeout(30);
  server.set_keep_alive_timeout(3);
  server.set_keep_alive_max_count(1000);
  server.set_tcp_nodelay(true);
  const auto threads = static_cast<std::size_t>(options.threads);
  server.new_task_queue = [threads] { return new httplib::ThreadPool(threads); };
  server.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    return impl_->Admit(request, response) ? httplib::Server::HandlerResponse::Unhandled
                                           : httplib::Server::HandlerResponse::Handled;
  });
  const auto answer = [this](const httplib::Request& request, httplib::Response& response) {
    impl_->Answer(request, response);
  };
  server.Get(".*", answer);
  server.Post(".*", answer);
  server.set_exception_handler([](const httplib::Request&, httplib::Response& response, std::exception_ptr) {
    Refuse(response, 500, "Something went wrong.\n");
  });
  if (options.port == 0) {
    impl_->port = server.bind_to_any_port(options.bind);
  } else if (server.bind_to_port(options.bind, options.port)) {
    impl_->port = options.port;
  }
  if (impl_->port <= 0) {
    throw std::runtime_error(
        "cannot listen on " + options.bind + ":" + std::to_string(options.port) +
        ": the port is in use, or the address is not this machine's; choose another with --port");
  }
}
HttpServer::~HttpServer() = default;

int HttpServer::port() const { return impl_->port; }

void HttpServer::Run() {
  impl_->running = true;
  if (!impl_->stopped) impl_->server.listen_after_bind();
  impl_->running = false;
}

void HttpServer::Stop() {
  impl_->stopped = true;
  // The library forgets a stop that comes before it listens.
  while (impl_->running) {
    impl_->server.stop();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace auforge::tools
