// The server through its socket: who is answered, what is refused, and how it ends.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "tests/datasets/query/crawl.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tools/crawl/edit_process.h"
#include "tools/crawl/serve_http.h"

namespace auforge::tools {
namespace {

// Sends bytes to a port of this machine and returns all that comes back.
std::string Exchange(int port, const std::string& request) {
  const int file = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (connect(file, static_cast<const sockaddr*>(static_cast<const void*>(&address)), sizeof(address)) == 0) {
    for (std::size_t sent = 0; sent < request.size();) {
      const ssize_t now = send(file, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
      if (now <= 0) break;
      sent += static_cast<std::size_t>(now);
    }
    std::array<char, 4096> bytes;
    for (ssize_t got = 0; (got = recv(file, bytes.data(), bytes.size(), 0)) > 0;)
      answer.append(bytes.data(), static_cast<std::size_t>(got));
  }
  close(file);
  return answer;
}

// The same with "127.0.0.1:8080" or "[::1]:8080", as a browser finds it in an address.
std::string ExchangeWith(const std::string& authority, const std::string& request) {
  const std::size_t colon = authority.rfind(':');
  std::string host = authority.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  addrinfo* found = nullptr;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(host.c_str(), authority.c_str() + colon + 1, &hints, &found) != 0) return "";
  std::string answer;
  for (const addrinfo* at = found; at != nullptr && answer.empty(); at = at->ai_next) {
    const int file = socket(at->ai_family, at->ai_socktype, 0);
    if (connect(file, at->ai_addr, at->ai_addrlen) == 0 &&
        send(file, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
      std::array<char, 4096> bytes;
      for (ssize_t got = 0; (got = recv(file, bytes.data(), bytes.size(), 0)) > 0;)
        answer.append(bytes.data(), static_cast<std::size_t>(got));
    }
    close(file);
  }
  freeaddrinfo(found);
  return answer;
}

class Http : public testing::Test {
 protected:
  Http()
      : server_(Options(), [](const HttpRequest& request) { return Echo(request); }),
        thread_([this] { server_.Run(); }) {}
  ~Http() override {
    server_.Stop();
    thread_.join();
  }
  static HttpOptions Options() {
    HttpOptions options;
    options.port = 0;
    options.allowed_hosts = {"lab.example"};
    options.threads = 4;
    return options;
  }
  static HttpResponse Echo(const HttpRequest& request) {
    if (request.path == "/throw") throw std::runtime_error("a secret of the inside");
    HttpResponse response;
    response.body = (request.is_post ? "POST " : "GET ") + request.path + " q=" + request.Get("q") + " " +
                    std::to_string(request.body.size());
    return response;
  }
  std::string Ask(const std::string& line, const std::string& headers, const std::string& body = "") {
    return Exchange(server_.port(), line + " HTTP/1.1\r\n" + headers + "Connection: close\r\n\r\n" + body);
  }
  std::string Host(const std::string& name = "localhost") const {
    return "Host: " + name + ":" + std::to_string(server_.port()) + "\r\n";
  }
  static std::string Status(const std::string& answer) { return answer.substr(0, answer.find('\r')); }

  HttpServer server_;
  std::thread thread_;
};

TEST_F(Http, AnswersUnderItsOwnNamesOnly) {
  for (const char* name : {"localhost", "127.0.0.1", "[::1]", "LOCALHOST", "lab.example"}) {
    EXPECT_EQ(Status(Ask("GET /x", Host(name))), "HTTP/1.1 200 OK") << name;
  }
  // A name that an attacker's DNS makes point here, and forms that look like ours.
  for (const char* name :
       {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example#localhost", ""}) {
    EXPECT_EQ(Status(Ask("GET /x", Host(name))).substr(0, 12), "HTTP/1.1 403") << name;
  }
  EXPECT_EQ(Status(Ask("GET /x", "Host: localhost\r\n")).substr(0, 12), "HTTP/1.1 403")
      << "another port is another site";
  EXPECT_EQ(Status(Ask("GET /x", "")).substr(0, 12), "HTTP/1.1 403");
}

TEST_F(Http, OtherSitesMayNotPost) {
  EXPECT_EQ(
      Status(Ask("POST /x", Host() + "Origin: https://evil.example\r\nContent-Length: 0\r\n")).substr(0, 12),
      "HTTP/1.1 403");
  EXPECT_EQ(Status(Ask("POST /x", Host() + "Origin: null\r\nContent-Length: 0\r\n")).substr(0, 12),
            "HTTP/1.1 403");
  EXPECT_EQ(Status(Ask("POST /x", Host() + "Origin: http://localhost:" + std::to_string(server_.port()) +
                                      "\r\nContent-Length: 0\r\n")),
            "HTTP/1.1 200 OK");
}

TEST_F(Http, OnlyReadsAndSmallPosts) {
  for (const char* method : {"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"}) {
    const std::string status = Status(Ask(std::string(method) + " /x", Host() + "Content-Length: 0\r\n"));
    EXPECT_NE(status.substr(0, 10), "HTTP/1.1 2") << method << " " << status;
  }
  const std::string large(70000, 'x');
  EXPECT_EQ(Status(Ask("POST /x", Host() + "Content-Length: " + std::to_string(large.size()) + "\r\n", large))
                .substr(0, 12),
            "HTTP/1.1 413");
  EXPECT_EQ(
      Status(Ask("POST /x", Host() + "Content-Encoding: gzip\r\nContent-Length: 1\r\n", "x")).substr(0, 12),
      "HTTP/1.1 415");
  EXPECT_NE(Status(Ask("GET /" + std::string(20000, 'a'), Host())).substr(0, 10), "HTTP/1.1 2");
}

TEST_F(Http, APostMustSayItsLengthAndIsAnsweredAtOnce) {
  const auto start = std::chrono::steady_clock::now();
  for (const char* headers : {"", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"})
    EXPECT_EQ(Status(Ask("POST /x", Host() + headers)).substr(0, 12), "HTTP/1.1 411") << headers;
  // As a browser that keeps the connection asks.
  EXPECT_EQ(Status(Exchange(server_.port(), "POST /x HTTP/1.1\r\n" + Host() + "\r\n")).substr(0, 12), "HTTP/1.1 411");
  for (const char* length : {"-1", "+5", "five", "5, 5", "0x5", " "})
    EXPECT_EQ(Status(Ask("POST /x", Host() + "Content-Length: " + length + "\r\n")).substr(0, 10), "HTTP/1.1 4") << length;
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(8));
  EXPECT_EQ(Status(Ask("POST /x", Host() + "Content-Length: 5\r\n", "12345")), "HTTP/1.1 200 OK");
}

TEST_F(Http, APostOfThePageItIsOnIsAnswered) {
  EXPECT_EQ(Status(Ask("POST /x", Host("lab.example") + "Origin: http://LAB.example:" + std::to_string(server_.port()) +
                                      "\r\nContent-Length: 0\r\n")),
            "HTTP/1.1 200 OK");
  EXPECT_EQ(Status(Ask("POST /x", Host() + "Origin: http://10.0.0.1:" + std::to_string(server_.port()) +
                                      "\r\nContent-Length: 0\r\n"))
                .substr(0, 12),
            "HTTP/1.1 403")
      << "an address in figures is another site";
}

// What the program prints must answer, whatever it was bound to.
class Bound : public testing::TestWithParam<const char*> {};

TEST_P(Bound, PrintsAnAddressThatAnswers) {
  HttpOptions options;
  options.port = 0;
  options.bind = GetParam();
  std::unique_ptr<HttpServer> server;
  try {
    server = std::make_unique<HttpServer>(options, [](const HttpRequest&) {
      HttpResponse response;
      response.body = "here";
      return response;
    });
  } catch (const std::runtime_error&) {
    GTEST_SKIP() << "this machine has no " << options.bind;
  }
  std::thread thread([&server] { server->Run(); });
  std::vector<std::string> urls = server->OtherUrls();
  urls.push_back(server->Url());
  for (const std::string& url : urls) {
    ASSERT_TRUE(url.starts_with("http://") && url.ends_with("/")) << url;
    const std::string authority = url.substr(7, url.size() - 8);
    EXPECT_NE(ExchangeWith(authority, "GET /x HTTP/1.1\r\nHost: " + authority + "\r\nConnection: close\r\n\r\n")
                  .find("\r\n\r\nhere"),
              std::string::npos)
        << url;
  }
  // Names that somebody made point here still do not.
  const std::string port = std::to_string(server->port());
  const std::string first = urls.back().substr(7, urls.back().size() - 8);
  EXPECT_EQ(ExchangeWith(first, "GET /x HTTP/1.1\r\nHost: evil.example:" + port + "\r\nConnection: close\r\n\r\n")
                .substr(0, 12),
            "HTTP/1.1 403");
  server->Stop();
  thread.join();
}
INSTANTIATE_TEST_SUITE_P(Addresses, Bound,
                         testing::Values("127.0.0.1", "0.0.0.0", "::1", "::", "127.0.0.2", "localhost"));

TEST_F(Http, SaysWhatBrowsersMustNotDo) {
  const std::string answer = Ask("GET /x?q=a%20b%3Cc", Host());
  EXPECT_NE(answer.find("GET /x q=a b<c 0"), std::string::npos) << answer;
  for (const char* header : {"Content-Security-Policy: default-src 'none'; script-src 'self'",
                             "X-Content-Type-Options: nosniff", "Cross-Origin-Resource-Policy: same-origin",
                             "Referrer-Policy: no-referrer", "frame-ancestors 'none'"}) {
    EXPECT_NE(answer.find(header), std::string::npos) << header;
  }
  EXPECT_EQ(answer.find("Access-Control-Allow-Origin"), std::string::npos);
}

TEST_F(Http, FaultsTellNothingOfTheInside) {
  const std::string answer = Ask("GET /throw", Host());
  EXPECT_EQ(Status(answer).substr(0, 12), "HTTP/1.1 500");
  EXPECT_EQ(answer.find("secret"), std::string::npos);
  EXPECT_EQ(Status(Exchange(server_.port(), "nonsense\r\n\r\n")).substr(0, 12), "HTTP/1.1 400");
  EXPECT_EQ(Status(Ask("GET /x", Host())), "HTTP/1.1 200 OK") << "and it goes on";
}

TEST_F(Http, APortInUseIsSaid) {
  HttpOptions options = Options();
  options.port = server_.port();
  try {
    const HttpServer second(options, [](const HttpRequest&) { return HttpResponse{}; });
    FAIL() << "two servers share a port";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("--port"), std::string::npos);
  }
}

// The program itself, as a child.
class Serve {
 public:
  explicit Serve(const std::string& arguments) {
    int from[2];
    EXPECT_EQ(pipe(from), 0);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(from[1], STDOUT_FILENO);
      close(from[0]);
      const std::string command =
          "exec " + std::string(AUFORGE_PROGRAM) + " serve " + arguments + " -q 2>/dev/null";
      execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      _exit(127);
    }
    close(from[1]);
    std::FILE* out = fdopen(from[0], "r");
    char line[200] = {};
    if (std::fgets(line, sizeof(line), out) != nullptr) std::sscanf(line, "http://127.0.0.1:%d/", &port_);
    std::fclose(out);
  }
  int port() const { return port_; }
  int End(int signal) {
    kill(pid_, signal);
    int status = 0;
    waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  int port_ = 0;
};

TEST(ServeCommand, ServesOnLoopbackAndEndsWhenTold) {
  const tests::TempDir dir;
  tests::WriteCrawl(dir.path().string());
  Serve serve(dir.path().string() + " --port 0");
  ASSERT_GT(serve.port(), 0);
  const std::string host =
      "Host: 127.0.0.1:" + std::to_string(serve.port()) + "\r\nConnection: close\r\n\r\n";
  EXPECT_NE(Exchange(serve.port(), "GET / HTTP/1.1\r\n" + host).find("<title>AuForge explorer</title>"),
            std::string::npos);
  for (const char* path : {"/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd",
                           "//etc/passwd", "/00000.h5"}) {
    const std::string answer = Exchange(serve.port(), std::string("GET ") + path + " HTTP/1.1\r\n" + host);
    EXPECT_EQ(answer.find("root:"), std::string::npos) << path;
    EXPECT_NE(answer.substr(0, 12), "HTTP/1.1 200") << path;
  }
  // Not on any other address of the machine.
  std::FILE* listeners = std::fopen("/proc/net/tcp", "r");
  char wanted[16];
  std::snprintf(wanted, sizeof(wanted), ":%04X ", serve.port());
  char line[300];
  int found = 0;
  while (std::fgets(line, sizeof(line), listeners) != nullptr) {
    const std::string text = line;
    if (text.find(wanted) == std::string::npos || text.find(" 0A ") == std::string::npos) continue;
    EXPECT_NE(text.find(" 0100007F:"), std::string::npos) << text;
    ++found;
  }
  std::fclose(listeners);
  EXPECT_EQ(found, 1);
  EXPECT_EQ(serve.End(SIGTERM), 143);
}

TEST(ServeCommand, APortInUseIsOneAndCtrlCIs130) {
  const tests::TempDir dir;
  tests::WriteCrawl(dir.path().string());
  Serve serve(dir.path().string() + " --port 0");
  ASSERT_GT(serve.port(), 0);
  std::FILE* pipe = popen((std::string(AUFORGE_PROGRAM) + " serve " + dir.path().string() + " --port " +
                           std::to_string(serve.port()) + " 2>&1")
                              .c_str(),
                          "r");
  std::string text;
  std::array<char, 1000> bytes;
  while (const std::size_t got = std::fread(bytes.data(), 1, bytes.size(), pipe))
    text.append(bytes.data(), got);
  EXPECT_EQ(WEXITSTATUS(pclose(pipe)), 1);
  EXPECT_NE(text.find("the port is in use"), std::string::npos) << text;
  EXPECT_EQ(serve.End(SIGINT), 130);
}

// A generator of a few lines in Python that keeps the protocol, or breaks it on demand.
const char* const kGenerator = R"py(
import sys, time
mode = sys.argv[1]
if mode == "broken": print("no such checkpoint", flush=True); sys.exit(1)
if mode == "silent": time.sleep(60)
out = sys.stdout.buffer
out.write(b"READY 4 12\n"); out.flush()
while True:
    line = sys.stdin.buffer.readline()
    if not line: break
    word, size, rows = line.split()
    aus = [sys.stdin.buffer.readline().decode().split() for _ in range(int(rows))]
    crop = sys.stdin.buffer.read(int(size))
    if mode == "dies": sys.exit(3)
    if mode == "hangs": time.sleep(60)
    if mode == "huge": out.write(b"OK 99999999999\n"); out.flush(); continue
    if mode == "refuses": out.write(b"ERROR not today\n"); out.flush(); continue
    answer = (";".join(" ".join(row) for row in aus) + "|").encode() + crop
    out.write(b"OK %d\n" % len(answer) + answer); out.flush()
)py";

class EditProcess : public testing::Test {
 protected:
  EditProcess() { tests::WriteText(dir_ / "generator.py", kGenerator); }
  std::unique_ptr<FaceEditor> Start(const std::string& mode) {
    return StartEditor({"/usr/bin/python3", dir_ / "generator.py", mode}, 5, 1);
  }
  static std::string Edit(FaceEditor& editor) {
    return editor.Edit({'x', 'y', '\n', 0}, {{4, 1.5F}, {6, 2}, {12, 0}}, {{12, 3}});
  }
  static std::string Fault(FaceEditor& editor) {
    try {
      Edit(editor);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }
  tests::TempDir dir_;
};

TEST_F(EditProcess, AsksForWhatIsWantedAndKeepsTheRest) {
  const auto editor = Start("good");
  EXPECT_EQ(editor->Aus(), (std::vector<int>{4, 12}));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Edit(*editor), std::string("4 1.5 1.5;12 0 3|xy\n\0", 21));
}

TEST_F(EditProcess, SurvivesGeneratorsThatDoNot) {
  EXPECT_EQ(Fault(*Start("refuses")), "not today");
  EXPECT_EQ(Fault(*Start("huge")), "the generator talks nonsense");
  const auto dying = Start("dies");
  EXPECT_EQ(Fault(*dying), "the generator ended");
  EXPECT_EQ(Fault(*dying), "the generator ended") << "it was started again";
  EXPECT_EQ(Fault(*Start("hangs")), "the generator took too long");
  EXPECT_THROW(Start("broken"), std::runtime_error);
  EXPECT_THROW(StartEditor({"/no/such/program"}, 5, 1), std::runtime_error);
}

}  // namespace
}  // namespace auforge::tools
