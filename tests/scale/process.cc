#include "tests/scale/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <thread>

namespace auforge::tests {
namespace {

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Process::Process(const std::vector<std::string>& arguments, const std::string& log) : start_(Now()) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) {
    const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(file, 1);
    dup2(file, 2);
    execv(argv[0], argv.data());
    _exit(127);
  }
}

Process::~Process() {
  if (!ended_) {
    Signal(SIGKILL);
    Reap(0);
  }
}

void Process::Signal(int signal) const {
  if (!ended_) kill(pid_, signal);
}

bool Process::IsRunning() { return !Reap(WNOHANG); }

ProcessEnd Process::Wait(double seconds) {
  while (!Reap(WNOHANG)) {
    if (Now() - start_ > seconds) Signal(SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return end_;
}

bool Process::Reap(int flags) {
  if (ended_) return true;
  int status = 0;
  rusage usage{};
  if (wait4(pid_, &status, flags, &usage) != pid_) return false;
  ended_ = true;
  end_.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  end_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  end_.peak_kilobytes = usage.ru_maxrss;
  end_.seconds = Now() - start_;
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  end_.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  return true;
}

ProcessEnd RunProcess(const std::vector<std::string>& arguments, const std::string& log) {
  return Process(arguments, log).Wait();
}

}  // namespace auforge::tests
