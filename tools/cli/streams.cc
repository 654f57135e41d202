#include "tools/cli/streams.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

namespace auforge::tools {
namespace {

bool ReaderLeft() {
  pollfd stdout_end{STDOUT_FILENO, POLLOUT, 0};
  return poll(&stdout_end, 1, 0) == 1 && (stdout_end.revents & POLLERR) != 0;
}

}  // namespace

void GuardStandardStreams() {
  // In this order each open gets the lowest number that is free: the one that was found closed. What cannot be read
  // or written fails with the same error as a closed descriptor; messages on stderr are merely lost.
  constexpr int kModes[] = {O_WRONLY, O_RDONLY, O_WRONLY};
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (fcntl(stream, F_GETFD) >= 0 || errno != EBADF) continue;
    [[maybe_unused]] const int same = open("/dev/null", kModes[stream]);
  }
}

StdoutFault FlushStdout() {
  StdoutFault fault;
  errno = 0;
  std::cout.flush();
  const bool flushed = std::fflush(stdout) == 0;
  const int error = errno;
  fault.failed = !flushed || std::ferror(stdout) != 0 || !std::cout;
  if (!fault.failed) return fault;
  fault.reader_left = error == EPIPE || ReaderLeft();
  if (!flushed) fault.reason = std::strerror(error);
  return fault;
}

}  // namespace auforge::tools
