#include "datasets/internal/fetch_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <string_view>

#include "datasets/internal/text_encoding.h"
#include "datasets/storage/child_groups.h"

namespace auforge::datasets {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kLookMs = 100;                   // how often stop is asked
constexpr milliseconds kGrace{300};            // between SIGTERM and SIGKILL
constexpr std::size_t kKeptStderr = 4096;      // its last bytes
constexpr std::size_t kLongestLine = 300;      // of it in a message
constexpr int kPipeBytes = 1 << 20;

// A pipe's two ends, closed on exec. -1, -1 with errno where there can be none.
std::array<int, 2> MakePipe() {
  std::array<int, 2> ends{-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) ends = {-1, -1};
  return ends;
}

// The last line that says something, without what would upset a terminal.
std::string LastLine(const std::string& text) {
  std::string line;
  for (std::size_t end = text.size(); end > 0 && line.empty();) {
    const std::size_t before = text.find_last_of("\r\n", end - 1);
    const std::size_t begin = before == std::string::npos ? 0 : before + 1;
    for (const char c : Utf8Text(text.substr(begin, end - begin))) {
      const bool is_control = static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
      if (!is_control && !(line.empty() && c == ' ')) line += c;
    }
    end = before == std::string::npos ? 0 : before;
  }
  if (line.size() <= kLongestLine) return line;
  std::size_t cut = kLongestLine;
  while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xC0) == 0x80) --cut;
  return line.substr(0, cut) + "…";
}

std::vector<std::string> Environment(const std::string& address) {
  std::vector<std::string> variables;
  for (char** at = environ; *at != nullptr; ++at) {
    if (std::strncmp(*at, "AUFORGE_ADDRESS=", 16) != 0) variables.emplace_back(*at);
  }
  variables.push_back("AUFORGE_ADDRESS=" + address);
  return variables;
}

}  // namespace

struct FetchStream::Impl {
  std::string address;
  FetchOptions options;
  bool is_started = false, is_over = false;
  pid_t pid = -1;
  std::optional<storage::ChildGroup> group;
  int out = -1, err = -1;
  std::string said;  // the end of stderr
  std::string fault;

  void Start() {
    is_started = true;
    KeepStatuses();
    const std::string script = FetchScript(options.command);
    const std::array<int, 2> output = MakePipe(), errors = MakePipe();
    if (output[0] < 0 || errors[0] < 0) {
      const int error = errno;
      for (const int end : {output[0], output[1], errors[0], errors[1]}) {
        if (end >= 0) close(end);
      }
      return Fail("the command cannot be started: " + std::string(std::strerror(error)));
    }
    const int error = Spawn(script, output[1], errors[1]);
    close(output[1]);
    close(errors[1]);
    out = output[0];
    err = errors[0];
    fcntl(out, F_SETFL, O_NONBLOCK);
    fcntl(err, F_SETFL, O_NONBLOCK);
    fcntl(out, F_SETPIPE_SZ, kPipeBytes);  // fewer changes between us; a smaller pipe does, too
    if (error != 0) Fail("/bin/sh cannot be started: " + std::string(std::strerror(error)));
  }

  // Whoever starts us may ignore SIGCHLD: then the system forgets how children ended.
  static void KeepStatuses() {
    struct sigaction now {};
    if (sigaction(SIGCHLD, nullptr, &now) == 0 && now.sa_handler == SIG_IGN) std::signal(SIGCHLD, SIG_DFL);
  }

  int Spawn(const std::string& script, int output, int errors) {
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, ordinary;
    sigemptyset(&none);
    sigemptyset(&ordinary);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGCHLD, SIGXFSZ}) sigaddset(&ordinary, signal);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &ordinary);
    // A group of its own, so that all that the shell starts can be ended together.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    std::vector<std::string> variables = Environment(address);
    std::vector<char*> environment;
    for (std::string& variable : variables) environment.push_back(variable.data());
    environment.push_back(nullptr);
    char* const arguments[] = {const_cast<char*>("sh"), const_cast<char*>("-c"), const_cast<char*>(script.c_str()), nullptr};
    const int error = posix_spawn(&pid, "/bin/sh", &files, &attributes, arguments, environment.data());
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) pid = -1;
    if (pid > 0) group.emplace(pid);
    return error;
  }

  std::size_t Read(std::span<std::uint8_t> buffer) {
    if (!is_started) Start();
    const Clock::time_point last = Clock::now() + std::chrono::seconds(options.seconds);
    while (!is_over) {
      pollfd waiting[2] = {{out, POLLIN, 0}, {err, POLLIN, 0}};
      const int ready = poll(waiting, 2, kLookMs);
      if (options.stop && options.stop()) {
        Fail("stopped");
        break;
      }
      if (ready > 0 && waiting[1].revents != 0) Listen();
      if (ready > 0 && waiting[0].revents != 0) {
        const ssize_t got = read(out, buffer.data(), buffer.size());
        if (got > 0) return static_cast<std::size_t>(got);
        if (got == 0) Finish(last);
        if (got < 0 && errno != EINTR && errno != EAGAIN) Fail(std::strerror(errno));
      } else if (Clock::now() > last) {
        Fail("the command of --fetch gave nothing for " + std::to_string(options.seconds) + " s");
      }
    }
    return 0;
  }

  // What there is of stderr now.
  void Listen() {
    std::array<char, 4096> bytes;
    while (err >= 0) {
      const ssize_t got = read(err, bytes.data(), bytes.size());
      if (got > 0) {
        said.append(bytes.data(), static_cast<std::size_t>(got));
        if (said.size() > 2 * kKeptStderr) said.erase(0, said.size() - kKeptStderr);
        continue;
      }
      if (got < 0 && errno == EINTR) continue;
      if (got == 0 || errno != EAGAIN) {
        close(err);
        err = -1;  // which poll passes over
      }
      return;
    }
  }

  // The output has ended: whether it was all of it, the exit status says.
  void Finish(Clock::time_point last) {
    while (!HasEnded()) {
      pollfd waiting{err, POLLIN, 0};
      poll(&waiting, 1, 10);
      Listen();
      if (options.stop && options.stop()) return Fail("stopped");
      if (Clock::now() > last) {
        return Fail("the command of --fetch had not ended " + std::to_string(options.seconds) + " s after its last byte");
      }
    }
    Listen();
    const int status = Reap();
    is_over = true;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
    Fail("the command of --fetch " + (WIFEXITED(status) ? "ended with status " + std::to_string(WEXITSTATUS(status))
                                                       : "was ended by signal " + std::to_string(WTERMSIG(status))));
  }

  // Without reaping it: its number stays its own until the others of its group are gone.
  bool HasEnded() const {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid;
  }

  int Reap() {
    kill(-pid, SIGKILL);  // what it left behind
    int status = 0;
    pid_t reaped = 0;
    while ((reaped = waitpid(pid, &status, 0)) < 0 && errno == EINTR) {
    }
    if (reaped < 0) status = SIGKILL;  // somebody else has reaped it: not known to be well
    group.reset();
    pid = -1;
    return status;
  }

  void Fail(const std::string& why) {
    const std::string line = LastLine(said);
    fault = address + ": " + why + (line.empty() ? "" : ": " + line);
    is_over = true;
    End();
  }

  void End() {
    for (int* end : {&out, &err}) {
      if (*end >= 0) close(*end);
      *end = -1;
    }
    if (pid <= 0) return;
    kill(-pid, SIGTERM);
    const Clock::time_point last = Clock::now() + kGrace;
    while (!HasEnded() && Clock::now() < last) poll(nullptr, 0, 5);
    Reap();
  }
};

FetchStream::FetchStream(std::string address, FetchOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->address = std::move(address);
  impl_->options = std::move(options);
}
FetchStream::~FetchStream() { impl_->End(); }

std::size_t FetchStream::Read(std::span<std::uint8_t> buffer) { return impl_->Read(buffer); }
const std::string& FetchStream::Fault() const { return impl_->fault; }

bool FetchPicture(const std::string& address, const FetchOptions& options, std::uint64_t max_bytes, ImageItem& item) {
  FetchStream stream(address, options);
  std::vector<std::uint8_t> piece(1 << 16);
  while (const std::size_t got = stream.Read(piece)) {
    if (got > max_bytes - item.bytes.size()) {
      item.status = Outcome::kTooLarge;
      item.message = "more than " + std::to_string(max_bytes) + " bytes";
      item.bytes = {};
      return true;
    }
    item.bytes.insert(item.bytes.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got));
  }
  if (stream.Fault().empty()) return true;
  item.status = Outcome::kUnreadable;
  item.message = stream.Fault();
  item.bytes = {};
  return !(options.stop && options.stop());
}

}  // namespace auforge::datasets
