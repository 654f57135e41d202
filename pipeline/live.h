// Annotation that goes on while images come: into a folder, or through a pipe. The same pipeline as annotate.h, the
// same labels; only where images come from, and when a shard is full, differ.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "pipeline/annotate.h"

namespace auforge::pipeline {

struct Committed {
  std::string shard;         // its file's name
  std::uint64_t images = 0;  // rows of it
  std::uint64_t faces = 0;
};

struct LiveOptions {
  AnnotateOptions annotate;  // inputs, index and count are not used
  double commit_seconds = 60;  // a shard is committed when its first image is so old, or when it has
                               // annotate.source.shard_size images; > 0
  std::function<void(const Committed&)> committed;   // after each; may be empty
  std::function<void(const std::string&)> answered;  // a line of JSON (datasets::ImageJson) for each image, in order, as
                                                     // it is done; may be empty. What it throws ends the run
};

// Pictures of a folder: those that are there, then those that come, until stop_requested. What is done by then is
// committed. A later run goes on: images that have a row get no other, all others do, those too that came meanwhile.
// One process at a time may write to an output folder. Throws what Annotate throws; std::runtime_error when the folder
// cannot be watched or goes away (after what is done was committed).
AnnotateSummary AnnotateWatched(const std::string& folder, const LiveOptions& options,
                                const std::function<void(const AnnotateProgress&)>& progress,
                                const std::function<bool()>& stop_requested);

// Requests (datasets::ReadRequests) from a file descriptor until it ends or stop_requested. `name` stands for it in
// messages. With annotate.output, shards are written as well: behind those that are there. Throws likewise, and
// storage::BadContent when the input ends within an image.
AnnotateSummary AnnotateRequests(int descriptor, const std::string& name, const LiveOptions& options,
                                 const std::function<void(const AnnotateProgress&)>& progress,
                                 const std::function<bool()>& stop_requested);

}  // namespace auforge::pipeline
