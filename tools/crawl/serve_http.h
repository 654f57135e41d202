// HTTP for the explorer, without the library's headers: who may ask, how much, and for how long. What is
// answered is the handler's business.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace auforge::tools {

struct HttpRequest {
  bool is_post = false;
  std::string path;                               // "/api/faces", decoded
  std::map<std::string, std::string> parameters;  // of the address, decoded; the first of each name
  std::string body;                               // at most HttpOptions::largest_body
  // The parameter, or a default.
  std::string Get(const std::string& name, const std::string& otherwise = "") const;
};

struct HttpResponse {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  bool may_be_kept = false;  // a picture of a shard never changes
  std::string file_name;     // offered as a download under this name when not empty
  // Instead of body: called until it returns false, each time with an empty text to fill.
  std::function<bool(std::string&)> stream;
};

struct HttpOptions {
  std::string bind = "127.0.0.1";
  int port = 8080;  // 0: a free one
  std::vector<std::string>
      allowed_hosts;                 // names by which it may be asked, beside those that HttpServer says
  int threads = 32;                  // connections served at once, >= 1
  std::size_t largest_body = 65536;  // bytes
};

// Thread-safe: the handler is called from many threads at once.
class HttpServer {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest&)>;
  // Binds. Throws std::runtime_error when the port is in use or the address is not ours. Answers to localhost,
  // 127.0.0.1, [::1], to what it was bound to, to the address that the caller has reached, and, where others than this
  // machine may ask, to any address in figures (behind a router or a container it has another); never to a name that
  // was not allowed.
  HttpServer(const HttpOptions& options, Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const;
  // "http://127.0.0.1:8080/": where a browser on this machine finds it, whatever it listens on.
  std::string Url() const;
  // Where others do, when it listens on more than this machine's loopback.
  std::vector<std::string> OtherUrls() const;
  void Run();   // until Stop
  void Stop();  // from any thread

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Whether a Host header names this server: what a page of another site, whose name was made to point at us,
// cannot send. allowed: in lower case.
bool IsAllowedHost(const std::string& header, int port, const std::vector<std::string>& allowed);
// A host as it stands in an address: IPv6 in brackets.
std::string HostInUrl(const std::string& host);

}  // namespace auforge::tools
