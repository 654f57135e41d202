#include "tools/cli/program_start.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <initializer_list>

#include "datasets/storage/memory_fault.h"
#include "tools/cli/cli.h"
#include "tools/cli/memory.h"
#include "tools/cli/processor.h"

namespace auforge::tools {
namespace {

constexpr const char* kOneThread = "OPENBLAS_NUM_THREADS=1";
// The libraries' own start needs this much, apart from their files.
constexpr unsigned long kStartKilobytes = 24'000;

void Say(std::initializer_list<const char*> texts) {
  for (const char* text : texts) {
    [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, text, std::strlen(text));
  }
}

// Kilobytes of address space in use. Without the heap and the C++ library, which have not started.
unsigned long MappedKilobytes() {
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  char text[32] = {};
  const ssize_t length = file >= 0 ? read(file, text, sizeof(text) - 1) : 0;
  if (file >= 0) close(file);
  return length > 0 ? std::strtoul(text, nullptr, 10) * static_cast<unsigned long>(getpagesize() / 1024) : 0;
}

// Digits of a number, without allocating.
struct Digits {
  explicit Digits(unsigned long number) {
    char* at = text + sizeof(text) - 1;
    do *--at = static_cast<char>('0' + number % 10);
    while ((number /= 10) != 0);
    begin = at;
  }
  char text[24] = {};
  const char* begin = text;
};

bool HasPrefix(const char* text, const char* prefix) { return std::strncmp(text, prefix, std::strlen(prefix)) == 0; }

// As a loader's argument: /proc/self/exe is the loader then.
bool IsStartedByLoader() {
  char path[4096] = {};
  if (readlink("/proc/self/exe", path, sizeof(path) - 1) <= 0) return false;
  const char* slash = std::strrchr(path, '/');
  return slash != nullptr && HasPrefix(slash + 1, "ld-linux");
}

// Before the constructors of any library.
[[maybe_unused]] void BeforeLibraries(int, char** argv, char** envp) {
  RequireProcessor(argv[0]);
  const MemoryLimit limit = FindMemoryLimit();
  if (limit.kilobytes == 0) return;
  if (limit.letter == 'v' && limit.kilobytes < MappedKilobytes() + kStartKilobytes) {
    const Digits digits(limit.kilobytes), needed(MappedKilobytes() + kStartKilobytes);
    Say({argv[0], ": out of memory: the process may use ", digits.begin, " KB (ulimit -v), and needs ", needed.begin,
         " KB to start; raise the limit\n"});
    _exit(kFailed);
  }
  if (IsStartedByLoader()) return;
  constexpr std::size_t kMost = 4096;
  static char* environment[kMost];
  std::size_t count = 0;
  for (; envp[count] != nullptr; ++count) {
    if (HasPrefix(envp[count], "OPENBLAS_NUM_THREADS=") || count + 2 >= kMost) return;
    environment[count] = envp[count];
  }
  environment[count] = const_cast<char*>(kOneThread);
  execve("/proc/self/exe", argv, environment);
}

// Sanitizers have not started by then, and no limit leaves room for their shadow memory.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
__attribute__((section(".preinit_array"), used)) void (*const before_libraries)(int, char**, char**) = BeforeLibraries;
#endif

[[noreturn]] void OnTerminate() {
  if (const std::exception_ptr current = std::current_exception()) {
    try {
      std::rethrow_exception(current);
    } catch (const std::exception& error) {
      if (datasets::storage::IsOutOfMemory(error)) {
        Say({"auforge: out of memory\n"});
        std::_Exit(kFailed);
      }
      Say({"auforge: ", error.what(), "\n"});
    } catch (...) {
    }
  }
  std::abort();
}

}  // namespace

void FailWhenMemoryRunsOut() { std::set_terminate(OnTerminate); }

}  // namespace auforge::tools
