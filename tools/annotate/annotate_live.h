// auforge annotate --watch and --stream: the command's side of pipeline/live.h.
#pragma once

#include <string>

#include "pipeline/annotate.h"

namespace auforge::tools {

inline constexpr double kCommitSeconds = 60;

struct LiveArguments {
  std::string watch;           // a folder, or
  std::string stream;          // "-" for the standard input, or a path
  double commit_seconds = kCommitSeconds;

  bool IsAsked() const { return !watch.empty() || !stream.empty(); }
  bool ChangesCommits() const { return commit_seconds != kCommitSeconds; }
};

// Until the input ends or a stop signal comes (InstallStopSignals). With --watch each committed shard is a line on the
// standard output, of JSON where asked for; with --stream the answers are. Throws what pipeline::AnnotateWatched and
// AnnotateRequests throw.
pipeline::AnnotateSummary AnnotateLive(const pipeline::AnnotateOptions& options, const LiveArguments& live, bool quiet,
                                       bool json);

}  // namespace auforge::tools
