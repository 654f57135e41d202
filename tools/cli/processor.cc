#include "tools/cli/processor.h"

#include <unistd.h>

#include <cstddef>

#include "tools/cli/cli.h"

namespace auforge::tools {
namespace {

#ifndef AUFORGE_ARCH
#define AUFORGE_ARCH "this machine"
#endif

// Compiled for every x86-64, whatever the rest is compiled for.
#ifdef __x86_64__
#define AUFORGE_ANY_PROCESSOR __attribute__((target("arch=x86-64"), noinline))
#else
#define AUFORGE_ANY_PROCESSOR __attribute__((noinline))
#endif

AUFORGE_ANY_PROCESSOR const char* MissingInstructions() {
#ifdef __x86_64__
  __builtin_cpu_init();
#ifdef __SSE4_2__
  if (!__builtin_cpu_supports("sse4.2")) return "SSE4.2";
#endif
#ifdef __AVX2__
  if (!__builtin_cpu_supports("avx2")) return "AVX2";
#endif
#ifdef __FMA__
  if (!__builtin_cpu_supports("fma")) return "FMA";
#endif
#ifdef __BMI2__
  if (!__builtin_cpu_supports("bmi2")) return "BMI2";
#endif
#ifdef __AVX512VL__
  if (!__builtin_cpu_supports("avx512vl")) return "AVX-512";
#endif
#endif
  return nullptr;
}

AUFORGE_ANY_PROCESSOR void Say(const char* text) {
  std::size_t length = 0;
  while (text[length] != 0) ++length;
  [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, text, length);
}

}  // namespace

AUFORGE_ANY_PROCESSOR void RequireProcessor(const char* program) {
  const char* missing = MissingInstructions();
  if (missing == nullptr) return;
  Say(program);
  Say(": this processor lacks ");
  Say(missing);
  Say("; the program was built for " AUFORGE_ARCH ". Build it with -DAUFORGE_ARCH=x86-64, or run it on another machine\n");
  _exit(kFailed);
}

}  // namespace auforge::tools
