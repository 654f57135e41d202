#include "tools/annotate/annotate_live.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "pipeline/live.h"
#include "tools/cli/progress.h"
#include "tools/cli/signals.h"
#include "tools/cli/streams.h"

namespace auforge::tools {
namespace {

void Print(const std::string& line) {
  std::cout << line << "\n" << std::flush;
  if (!std::cout) throw std::runtime_error(kStdoutFault);
}

std::string Text(const pipeline::Committed& news, bool json) {
  if (json) return nlohmann::json{{"shard", news.shard}, {"images", news.images}, {"faces", news.faces}}.dump();
  return news.shard + ": " + std::to_string(news.images) + " images, " + std::to_string(news.faces) + " faces";
}

// Where requests come from; closed at the end but for the standard input.
class Requests {
 public:
  explicit Requests(const std::string& path) : descriptor_(STDIN_FILENO), is_ours_(path != "-") {
    if (is_ours_) descriptor_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0) throw std::runtime_error(path + ": " + std::strerror(errno));
  }
  ~Requests() {
    if (is_ours_) close(descriptor_);
  }
  Requests(const Requests&) = delete;
  Requests& operator=(const Requests&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
  bool is_ours_;
};

}  // namespace

pipeline::AnnotateSummary AnnotateLive(const pipeline::AnnotateOptions& options, const LiveArguments& arguments,
                                       bool quiet, bool json) {
  pipeline::LiveOptions live;
  live.annotate = options;
  live.commit_seconds = arguments.commit_seconds;
  const auto is_stopped = [] { return StopSignal() != 0; };
  ProgressLine line("annotate", quiet);
  const auto report = [&line](const pipeline::AnnotateProgress& progress) {
    line.Update(progress.images, 0, progress.seconds, "images",
                ", " + std::to_string(progress.faces) + " faces, " + std::to_string(progress.shards) + " shards");
  };
  pipeline::AnnotateSummary summary;
  if (!arguments.watch.empty()) {
    live.committed = [json](const pipeline::Committed& news) { Print(Text(news, json)); };
    if (!quiet) std::cerr << "annotate: watching " << arguments.watch << "; Ctrl-C ends it\n";
    summary = pipeline::AnnotateWatched(arguments.watch, live, report, is_stopped);
  } else {
    live.answered = Print;
    const Requests requests(arguments.stream);
    summary = pipeline::AnnotateRequests(requests.descriptor(),
                                         arguments.stream == "-" ? "standard input" : arguments.stream, live, report,
                                         is_stopped);
  }
  line.Finish();
  return summary;
}

}  // namespace auforge::tools
