// Preloaded into a program, makes files fail as bad disks, network file systems and rights do, whoever runs it:
//
//   AUFORGE_TROUBLE=locks                  flock and fcntl locks fail with ENOLCK, as on NFS without its lock daemon
//   AUFORGE_TROUBLE=open:ERRNO:PART        opening a file whose path contains PART fails with that error
//   AUFORGE_TROUBLE=read:ERRNO:PART        so does reading it
//   AUFORGE_TROUBLE=memory:BYTES:PART      a library whose path contains PART gets no block of BYTES or more
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

const std::string& Trouble() {
  static const std::string trouble = std::getenv("AUFORGE_TROUBLE") != nullptr ? std::getenv("AUFORGE_TROUBLE") : "";
  return trouble;
}

// The error for that call of that path; 0: none.
int ErrorOf(const char* call, const char* path) {
  if (path == nullptr || Trouble().rfind(call, 0) != 0) return 0;
  const std::string rest = Trouble().substr(std::strlen(call));
  const std::size_t colon = rest.find(':');
  if (colon == std::string::npos || std::strstr(path, rest.c_str() + colon + 1) == nullptr) return 0;
  return std::atoi(rest.c_str());
}

bool IsRefused(const char* call, const char* path) {
  const int error = ErrorOf(call, path);
  if (error != 0) errno = error;
  return error != 0;
}

bool IsRefused(int file) {
  if (Trouble().rfind("read:", 0) != 0) return false;
  char path[4096] = {};
  const ssize_t length = readlink(("/proc/self/fd/" + std::to_string(file)).c_str(), path, sizeof(path) - 1);
  return length > 0 && IsRefused("read:", path);
}

template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// Whether the code at that address, the caller of an allocator, is to get nothing. Allocates nothing itself.
bool IsStarved(const void* caller, std::size_t size) {
  static const char* const trouble = std::getenv("AUFORGE_TROUBLE");
  if (trouble == nullptr || std::strncmp(trouble, "memory:", 7) != 0) return false;
  char* part = nullptr;
  if (size < std::strtoul(trouble + 7, &part, 10) || *part != ':') return false;
  Dl_info library{};
  const bool is_starved = dladdr(caller, &library) != 0 && std::strstr(library.dli_fname, part + 1) != nullptr;
  if (is_starved) errno = ENOMEM;
  return is_starved;
}

bool IsLock(int command) {
  return command == F_SETLK || command == F_SETLKW || command == F_GETLK || command == F_OFD_SETLK ||
         command == F_OFD_SETLKW || command == F_OFD_GETLK;
}

}  // namespace

extern "C" {

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* block, size_t size);

void* malloc(size_t size) { return IsStarved(__builtin_return_address(0), size) ? nullptr : __libc_malloc(size); }
void* calloc(size_t count, size_t size) {
  return IsStarved(__builtin_return_address(0), count * size) ? nullptr : __libc_calloc(count, size);
}
void* realloc(void* block, size_t size) {
  return IsStarved(__builtin_return_address(0), size) ? nullptr : __libc_realloc(block, size);
}

int flock(int file, int operation) {
  if (Trouble() == "locks") {
    errno = ENOLCK;
    return -1;
  }
  return Next<int(int, int)>("flock")(file, operation);
}

int fcntl(int file, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  if (Trouble() == "locks" && IsLock(command)) {
    errno = ENOLCK;
    return -1;
  }
  return Next<int(int, int, ...)>("fcntl")(file, command, argument);
}
int fcntl64(int file, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  return fcntl(file, command, argument);
}

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = va_arg(arguments, mode_t);
  va_end(arguments);
  return IsRefused("open:", path) ? -1 : Next<int(const char*, int, ...)>("open")(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = va_arg(arguments, mode_t);
  va_end(arguments);
  return IsRefused("open:", path) ? -1 : Next<int(const char*, int, ...)>("open64")(path, flags, mode);
}

ssize_t read(int file, void* to, size_t size) {
  return IsRefused(file) ? -1 : Next<ssize_t(int, void*, size_t)>("read")(file, to, size);
}
ssize_t pread(int file, void* to, size_t size, off_t at) {
  return IsRefused(file) ? -1 : Next<ssize_t(int, void*, size_t, off_t)>("pread")(file, to, size, at);
}
ssize_t pread64(int file, void* to, size_t size, off_t at) {
  return IsRefused(file) ? -1 : Next<ssize_t(int, void*, size_t, off_t)>("pread64")(file, to, size, at);
}

}  // extern "C"
