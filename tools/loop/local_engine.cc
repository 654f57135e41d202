#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "datasets/storage/installed.h"
#include "tools/cli/signals.h"
#include "tools/loop/engine.h"

namespace auforge::tools {
namespace {

constexpr int kLookMilliseconds = 100;

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() { Close(); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }
  void Close() {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = -1;
  }

 private:
  int descriptor_;
};

// In the child: gone with the loop, however that ends; Ctrl-C is the loop's, which passes it on.
[[noreturn]] void BecomeChild(const std::vector<char*>& arguments, const char* folder, int output, int messages, pid_t loop) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != loop) _exit(127);
  setpgid(0, 0);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(messages, STDERR_FILENO);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(signal, SIG_DFL);
  if (chdir(folder) == 0) execv(arguments[0], arguments.data());
  const std::string text = std::string(arguments[0]) + ": cannot be started: " + std::strerror(errno) + "\n";
  [[maybe_unused]] const ssize_t wrote = write(STDERR_FILENO, text.data(), text.size());
  _exit(127);
}

void WriteAll(int file, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t wrote = write(file, bytes, size);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;  // a log on a full disk; the command itself says so
    bytes += wrote;
    size -= static_cast<std::size_t>(wrote);
  }
}

class LocalEngine : public Engine {
 public:
  LocalEngine(bool quiet, std::string folder) : quiet_(quiet), folder_(std::move(folder)) {}

  void Check() const override {}

  JobEnd Run(const std::vector<Job>& jobs, std::map<std::string, std::string>&, const std::function<void()>&) override {
    for (const Job& job : jobs) {
      const int code = RunOne(job);
      if (code != 0 || StopSignal() != 0) return {code, job};
    }
    return {};
  }

 private:
  int RunOne(const Job& job) const {
    const File log(open(job.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    if (log.get() < 0) throw std::runtime_error(job.log + ": cannot be written: " + std::strerror(errno));
    const std::string output = job.output.empty() ? job.log : job.output;
    const File out(open(output.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (job.output.empty() ? O_APPEND : O_TRUNC), 0666));
    if (out.get() < 0) throw std::runtime_error(output + ": cannot be written: " + std::strerror(errno));
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error(std::string("no pipe: ") + std::strerror(errno));
    const File read_end(ends[0]);
    File write_end(ends[1]);
    std::vector<std::string> command{ThisProgram()};
    command.insert(command.end(), job.arguments.begin(), job.arguments.end());
    std::vector<char*> arguments;
    for (std::string& argument : command) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    const pid_t loop = getpid(), child = fork();
    if (child < 0) throw std::runtime_error(std::string("no process for ") + job.name + ": " + std::strerror(errno));
    if (child == 0) BecomeChild(arguments, folder_.c_str(), out.get(), write_end.get(), loop);
    write_end.Close();
    const int status = Relay(child, read_end.get(), log.get());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  // Passes on what the child says until it has ended; its status. Whatever the child has left running is not waited for.
  int Relay(pid_t child, int messages, int log) const {
    bool is_told = false, is_open = true;
    int status = 0;
    for (;;) {
      if (StopSignal() != 0 && !is_told) {
        kill(child, StopSignal());
        is_told = true;
      }
      pollfd waiting{messages, POLLIN, 0};
      if (is_open && poll(&waiting, 1, kLookMilliseconds) > 0) {
        is_open = Pass(messages, log);
        continue;
      }
      const pid_t ended = waitpid(child, &status, is_open ? WNOHANG : 0);
      if (ended == child) return status;
    }
  }

  // False at the end.
  bool Pass(int messages, int log) const {
    char bytes[4096];
    const ssize_t got = read(messages, bytes, sizeof(bytes));
    if (got < 0 && errno == EINTR) return true;
    if (got <= 0) return false;
    WriteAll(log, bytes, static_cast<std::size_t>(got));
    if (!quiet_) WriteAll(STDERR_FILENO, bytes, static_cast<std::size_t>(got));
    return true;
  }

  bool quiet_;
  std::string folder_;
};

}  // namespace

std::string ThisProgram() {
  const std::string beside = datasets::storage::ProgramBeside("auforge");
  return beside.empty() ? datasets::storage::ProgramPath() : beside;
}

std::unique_ptr<Engine> MakeLocalEngine(bool quiet, const std::string& folder) { return std::make_unique<LocalEngine>(quiet, folder); }

}  // namespace auforge::tools
