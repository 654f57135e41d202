#include "tools/crawl/serve_http.h"

#include <arpa/inet.h>
#include <httplib.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>

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

namespace {

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// The name of a Host header in lower case; empty when it is for another port, which is another site.
std::string NameOf(const std::string& header, int port) {
  const std::string end = ":" + std::to_string(port);
  if (header.ends_with(end)) return Lower(header.substr(0, header.size() - end.size()));
  return port == 80 ? Lower(header) : "";
}

// "10.0.0.7", "[fd00::1]".
bool IsAddress(const std::string& name) {
  in6_addr address;
  if (name.starts_with('[') && name.ends_with(']'))
    return inet_pton(AF_INET6, name.substr(1, name.size() - 2).c_str(), &address) == 1;
  return inet_pton(AF_INET, name.c_str(), &address) == 1;
}

bool IsWildcard(const std::string& host) { return host == "0.0.0.0" || host == "::" || host == "0"; }
bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

// Of all networks of this machine but the loopback, in figures.
std::vector<std::string> OwnAddresses(bool with_ipv6) {
  std::vector<std::string> addresses;
  ifaddrs* first = nullptr;
  if (getifaddrs(&first) != 0) return addresses;
  for (const ifaddrs* at = first; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || (at->ifa_flags & IFF_LOOPBACK) != 0) continue;
    const int family = at->ifa_addr->sa_family;
    if (family != AF_INET && (family != AF_INET6 || !with_ipv6)) continue;
    char text[NI_MAXHOST] = {};
    const socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    if (getnameinfo(at->ifa_addr, size, text, sizeof(text), nullptr, 0, NI_NUMERICHOST) != 0) continue;
    // Addresses of one cable alone have its name behind a %, which no browser takes.
    if (std::string_view(text).find('%') == std::string_view::npos) addresses.emplace_back(text);
  }
  freeifaddrs(first);
  return addresses;
}

// An IPv4 address that came by an IPv6 socket.
std::string Plain(const std::string& address) {
  return address.starts_with("::ffff:") && address.find('.') != std::string::npos ? address.substr(7) : address;
}

}  // namespace

std::string HostInUrl(const std::string& host) {
  return host.find(':') != std::string::npos ? "[" + host + "]" : host;
}

bool IsAllowedHost(const std::string& header, int port, const std::vector<std::string>& allowed) {
  const std::string name = NameOf(header, port);
  return name == "localhost" || name == "127.0.0.1" || name == "[::1]" ||
         (!name.empty() && std::find(allowed.begin(), allowed.end(), name) != allowed.end());
}

struct HttpServer::Impl {
  HttpOptions options;
  Handler handler;
  httplib::Server server;
  int port = 0;
  std::atomic<bool> running{false}, stopped{false};

  // Addresses in figures cannot be made to point elsewhere, as names can.
  bool IsOwnAddress(const httplib::Request& request) const {
    const std::string name = NameOf(request.get_header_value("Host"), port);
    if (name == HostInUrl(Plain(request.local_addr))) return true;
    return !IsLoopback(options.bind) && IsAddress(name);
  }

  // True when the request may go on.
  bool Admit(const httplib::Request& request, httplib::Response& response) const {
    const std::string host = request.get_header_value("Host");
    if (!IsAllowedHost(host, port, options.allowed_hosts) && !IsOwnAddress(request)) {
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
    return request.method != "POST" || AdmitPost(request, response);
  }

  bool AdmitPost(const httplib::Request& request, httplib::Response& response) const {
    // The library would wait for the end of the connection, or read pieces without a limit.
    const std::string length = request.get_header_value("Content-Length");
    if (length.empty() || request.has_header("Transfer-Encoding")) {
      Refuse(response, 411, "Say the length of the body (Content-Length).\n");
      return false;
    }
    if (length.find_first_not_of("0123456789") != std::string::npos) {
      Refuse(response, 400, "The length of the body is no number.\n");
      return false;
    }
    if (!request.has_header("Origin")) return true;
    const std::string origin = request.get_header_value("Origin");
    const std::size_t slashes = origin.find("//");
    const std::string site = slashes == std::string::npos ? "" : origin.substr(slashes + 2);
    if (IsAllowedHost(site, port, options.allowed_hosts) || Lower(site) == Lower(request.get_header_value("Host")))
      return true;
    Refuse(response, 403, "Asked by another site.\n");
    return false;
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
  for (std::string& name : impl_->options.allowed_hosts) name = Lower(std::move(name));
  if (!IsWildcard(options.bind)) impl_->options.allowed_hosts.push_back(Lower(HostInUrl(options.bind)));
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
        "cannot listen on " + HostInUrl(options.bind) + ":" + std::to_string(options.port) +
        ": the port is in use, or the address is not this machine's; choose another with --port");
  }
}
HttpServer::~HttpServer() = default;

int HttpServer::port() const { return impl_->port; }

std::string HttpServer::Url() const {
  const std::string& bind = impl_->options.bind;
  const std::string host = !IsWildcard(bind) ? HostInUrl(bind) : bind == "::" ? "[::1]" : "127.0.0.1";
  return "http://" + host + ":" + std::to_string(impl_->port) + "/";
}

std::vector<std::string> HttpServer::OtherUrls() const {
  std::vector<std::string> urls;
  if (!IsWildcard(impl_->options.bind)) return urls;
  for (const std::string& address : OwnAddresses(impl_->options.bind == "::"))
    urls.push_back("http://" + HostInUrl(address) + ":" + std::to_string(impl_->port) + "/");
  return urls;
}

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
