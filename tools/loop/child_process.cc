#include "tools/loop/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>

namespace auforge::tools {
namespace {

// False at the end.
bool ReadSome(int file, std::string& text) {
  char bytes[4096];
  const ssize_t got = read(file, bytes, sizeof(bytes));
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) return false;
  text.append(bytes, static_cast<std::size_t>(got));
  return true;
}

[[noreturn]] void BecomeChild(const std::vector<char*>& arguments, int out, int err) {
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(signal, SIG_DFL);
  execvp(arguments[0], arguments.data());
  const std::string text = std::string(arguments[0]) + ": " + std::strerror(errno);
  [[maybe_unused]] const ssize_t wrote = write(STDERR_FILENO, text.data(), text.size());
  _exit(127);
}

}  // namespace

Answer Ask(const std::vector<std::string>& command) {
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int out[2], err[2];
  if (pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error(std::string("no pipe: ") + std::strerror(errno));
  if (pipe2(err, O_CLOEXEC) != 0) {
    close(out[0]);
    close(out[1]);
    throw std::runtime_error(std::string("no pipe: ") + std::strerror(errno));
  }
  const pid_t child = fork();
  if (child == 0) BecomeChild(arguments, out[1], err[1]);
  close(out[1]);
  close(err[1]);
  Answer answer;
  bool is_out = child > 0, is_err = child > 0;
  while (is_out || is_err) {
    std::array<pollfd, 2> waiting{{{is_out ? out[0] : -1, POLLIN, 0}, {is_err ? err[0] : -1, POLLIN, 0}}};
    if (poll(waiting.data(), 2, -1) < 0) continue;
    if (waiting[0].revents != 0) is_out = ReadSome(out[0], answer.out);
    if (waiting[1].revents != 0) is_err = ReadSome(err[0], answer.err);
  }
  close(out[0]);
  close(err[0]);
  if (child < 0) throw std::runtime_error("no process for " + command[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  answer.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return answer;
}

}  // namespace auforge::tools
