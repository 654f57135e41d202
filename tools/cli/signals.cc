#include "tools/cli/signals.h"

#include <csignal>

#include "datasets/storage/child_groups.h"
#include "datasets/storage/temporary_files.h"

namespace auforge::tools {
namespace {

// A signal handler can reach nothing but a global.
volatile std::sig_atomic_t stop_signal = 0;

extern "C" void OnEndSignal(int signal) {
  datasets::storage::RemoveTemporaryFiles();
  datasets::storage::EndChildGroups();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

extern "C" void OnStopSignal(int signal) {
  if (stop_signal != 0) OnEndSignal(signal);
  stop_signal = signal;
}

void HandleUnlessIgnored(int signal, void (*handler)(int)) {
  struct sigaction now{};
  const bool is_ignored = sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
  if (!is_ignored) std::signal(signal, handler);
}

}  // namespace

void InstallEndSignals() {
  for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGPIPE, SIGXCPU}) HandleUnlessIgnored(signal, OnEndSignal);
  std::signal(SIGXFSZ, SIG_IGN);
}

void InstallStopSignals() {
  std::signal(SIGINT, OnStopSignal);
  std::signal(SIGTERM, OnStopSignal);
  HandleUnlessIgnored(SIGHUP, OnStopSignal);
}

int StopSignal() { return stop_signal; }

}  // namespace auforge::tools
