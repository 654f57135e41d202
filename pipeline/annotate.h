// The annotation run: images in, labelled shards out, as one TBB pipeline that fills one machine.
//
//   read groups of images (in order) -> examine (parallel) -> write (in order)
//
// A group is some images that travel together, so that landmarks, features and AUs of many faces are computed at once.
// Memory is bounded by the number of groups in flight; the order of the output, and so every byte of it, does not
// depend on the number of threads or the size of groups. A shard that is finished (its stats file is there) is skipped.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "datasets/image_source.h"
#include "pipeline/labeller.h"

namespace auforge::pipeline {

struct AnnotateOptions : LabelOptions {
  std::vector<std::string> inputs;   // see datasets::ImageSource::Plan
  std::string output;                // folder of shards; created
  int jobs = 1;                      // threads, >= 1
  float min_quality = 0;             // faces below are not written, 0..1
  int batch = 16;                    // images that travel together, 1..1024; costs memory, saves time
  bool skip_duplicates = false;      // images whose bytes were seen before get status duplicate and no faces
  bool skip_near_duplicates = false; // faces that look like one that was kept before are left out (pipeline/near_duplicates.h)
  int index = 0;                     // this process does shards i with i % count == index
  int count = 1;
  datasets::SourceOptions source;
  std::function<void(const std::string&)> notice;  // a line that the user should see at once: an input has changed, …

  void Validate() const;             // throws std::invalid_argument naming field, value and constraint
  void ValidateWork() const;         // the same but for inputs and output
};

// Where the time went, summed over threads: processor seconds.
enum class Stage : std::uint8_t { kRead, kDecode, kDetect, kLandmarks, kFeatures, kCrop, kClassify, kWrite };
inline constexpr std::size_t kStageCount = 8;
using StageSeconds = std::array<double, kStageCount>;
const char* StageName(Stage stage);

struct AnnotateProgress {
  std::uint64_t images = 0;          // done so far, this run
  std::uint64_t images_expected = 0; // of this run, estimated; 0 while unknown
  std::uint64_t faces = 0;
  std::size_t shards = 0;            // finished, of this run
  std::size_t shards_expected = 0;
  double seconds = 0;
};

// An input of which no shard was made: it could not be read to its end, and another run may.
struct FailedInput {
  std::string name;
  std::string fault;
};

struct AnnotateSummary {
  std::uint64_t images = 0;
  std::uint64_t faces = 0;
  std::map<std::string, std::uint64_t> by_status;  // images per outcome name, this run
  std::size_t shards_written = 0;
  std::size_t shards_skipped = 0;                  // were finished before
  std::vector<FailedInput> failed;                 // addresses only
  double seconds = 0;
  std::uint64_t duplicates = 0;                    // images whose bytes came before in this run
  std::uint64_t near_duplicates = 0;               // faces left out because they look like one that came before
  datasets::SideNotes notes;                       // what was beside the images of this run's shards and in the folders
  StageSeconds stage_seconds{};
  bool stopped = false;                            // stop_requested ended it early
};

// progress: called from one thread at a time, a few times a second; may be empty. stop_requested: polled per image,
// by one thread at a time;
// when it turns true the unfinished shard is dropped and the call returns soon.
// Throws std::runtime_error for configuration and I/O (the message names the file and what to do), and
// ConfigMismatch when the folder holds shards made otherwise.
AnnotateSummary Annotate(const AnnotateOptions& options, const std::function<void(const AnnotateProgress&)>& progress,
                         const std::function<bool()>& stop_requested);

}  // namespace auforge::pipeline
