#include "pipeline/live.h"

#include <tbb/global_control.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <stdexcept>

#include "datasets/export/face_text.h"
#include "datasets/live_source.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "features/number.h"
#include "pipeline/folder_lock.h"
#include "pipeline/live_feed.h"
#include "pipeline/near_duplicate_filter.h"
#include "pipeline/run_pipeline.h"
#include "pipeline/shard_sink.h"
#include "pipeline/stopwatch.h"

namespace auforge::pipeline {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

void Validate(const LiveOptions& options) {
  options.annotate.ValidateWork();
  if (!(options.commit_seconds > 0)) throw std::invalid_argument("commit-seconds must be > 0");
}

// Of the finished shards of a folder, in order.
std::vector<int> FinishedShards(const std::string& folder) {
  std::vector<int> indices;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const auto index = features::ParseCount(entry.path().stem().string(), 1'000'000'000);
    if (entry.path().extension() != ".h5" || !index) continue;
    const int number = static_cast<int>(*index);
    if (datasets::ShardFileName(number) == entry.path().filename() && datasets::ShardIsDone(folder, number))
      indices.push_back(number);
  }
  std::sort(indices.begin(), indices.end());
  return indices;
}

// The end of the pipeline. Called in order.
class LiveRecorder {
 public:
  LiveRecorder(const LiveOptions& options, const datasets::ShardHeader& header, ShardSink* sink, AnnotateSummary& summary,
               const std::function<void(const AnnotateProgress&)>& report, NearDuplicateFilter* near_duplicates)
      : options_(options),
        header_(header),
        sink_(sink),
        summary_(summary),
        report_(report),
        near_duplicates_(near_duplicates) {}

  void Write(std::unique_ptr<ExaminedGroup> group) {
    // After a stop, groups may lack images; none that came later may pass them.
    halted_ = halted_ || group->abandoned;
    if (halted_) return;
    double seconds = 0;
    {
      const Stopwatch watch(seconds);
      if (group->kind == Group::Kind::kBegin) {
        sink_->Begin(*group->shard, std::move(group->input));
        shard_ = datasets::ShardFileName(group->shard->index);
        faces_before_ = summary_.faces;
      } else if (group->kind == Group::Kind::kEnd) {
        Commit();
      } else {
        WriteImages(std::move(*group));
      }
    }
    summary_.stage_seconds[static_cast<std::size_t>(Stage::kWrite)] += seconds;
    if (report_) {
      report_({summary_.images, 0, summary_.faces, summary_.shards_written, 0,
               std::chrono::duration<double>(Clock::now() - start_).count()});
    }
  }

  // What is done of a shard that has not come to its end.
  void Finish() {
    if (sink_ != nullptr && sink_->uncommitted() > 0) Commit();
  }

 private:
  void WriteImages(ExaminedGroup group) {
    for (std::size_t i = 0; i < kStageCount; ++i) summary_.stage_seconds[i] += group.seconds[i];
    for (ExaminedImage& image : group.images) {
      DropPoorFaces(image, header_.schema.size(), options_.annotate.min_quality);
      if (near_duplicates_ != nullptr) summary_.near_duplicates += near_duplicates_->Filter(image, header_.schema.size());
      if (options_.answered)
        options_.answered(datasets::ImageJson(summary_.images, image.sample, image.message, image.faces, header_));
      ++summary_.images;
      summary_.faces += image.faces.size();
      ++summary_.by_status[std::string(datasets::OutcomeName(image.sample.status))];
      if (!seen_.Insert(image.sample.sha256)) ++summary_.duplicates;
    }
    if (sink_ != nullptr) sink_->Write(std::move(group));
  }

  void Commit() {
    const std::uint64_t rows = sink_->uncommitted();
    sink_->Commit({});
    ++summary_.shards_written;
    if (options_.committed) options_.committed({shard_, rows, summary_.faces - faces_before_});
  }

  const LiveOptions& options_;
  const datasets::ShardHeader& header_;
  ShardSink* sink_;  // nullptr: no shards
  AnnotateSummary& summary_;
  const std::function<void(const AnnotateProgress&)>& report_;
  NearDuplicateFilter* near_duplicates_;  // nullptr: they are kept
  Clock::time_point start_ = Clock::now();
  DuplicateSet seen_;
  std::string shard_;
  std::uint64_t faces_before_ = 0;
  bool halted_ = false;
};

// What the shards that are there tell a run that goes on behind them.
struct Before {
  std::vector<int> shards;
  datasets::KnownFiles files;
  DuplicateSet seen;
};

Before LookBack(const LiveOptions& options, const InputRecord& input, const RunConfig& config) {
  const std::string& output = options.annotate.output;
  Before before;
  before.shards = FinishedShards(output);
  for (const int index : before.shards) {
    RequireSameRun(output, index, input, config);
    const datasets::ShardReader shard((fs::path(output) / datasets::ShardFileName(index)).string());
    before.files.Learn(shard);
    if (!options.annotate.skip_duplicates) continue;
    for (std::size_t i = 0; i < shard.SampleCount(); ++i) before.seen.Insert(shard.Sample(i).sha256);
  }
  return before;
}

NearDuplicateFilter KnownFaces(const std::string& output, const std::vector<int>& shards) {
  std::vector<std::pair<int, std::string>> files;
  for (const int index : shards) files.emplace_back(index, (fs::path(output) / datasets::ShardFileName(index)).string());
  NearDuplicateFilter filter(std::move(files));
  if (!shards.empty()) filter.Begin(shards.back() + 1);
  return filter;
}

using MakeSource = std::function<std::unique_ptr<datasets::LiveSource>(datasets::KnownFiles)>;

AnnotateSummary Run(const LiveOptions& options, InputRecord input, const MakeSource& make_source, std::string& fault,
                    const std::function<void(const AnnotateProgress&)>& progress,
                    const std::function<bool()>& stop_requested) {
  Validate(options);
  const AnnotateOptions& annotate = options.annotate;
  const tbb::global_control cap(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(annotate.jobs));
  const Clock::time_point start = Clock::now();
  const Labeller labeller(annotate);
  const RunConfig config =
      MakeRunConfig(annotate, labeller.model().info().digest, labeller.detector_name(), labeller.landmark_file(), DenseDigest(labeller));
  const datasets::ShardHeader header = MakeShardHeader(labeller, config);

  AnnotateSummary summary;
  StopRequest stop(stop_requested);
  std::optional<FolderLock> lock;
  std::optional<ShardSink> sink;
  Before before;
  if (!annotate.output.empty()) {
    datasets::storage::RequireOutputFolder(annotate.output);
    fs::create_directories(annotate.output);
    lock.emplace(annotate.output, "another auforge annotate --watch or --stream, or auforge relabel, writes there; stop it first, "
                                  "or choose another -o");
    before = LookBack(options, input, config);
    datasets::Leftovers leftovers(annotate.output);
    for (const int index : before.shards) leftovers.Remove(index);
    sink.emplace(annotate.output, header, config, annotate.min_quality, std::move(leftovers));
  }
  summary.shards_skipped = before.shards.size();
  const std::unique_ptr<datasets::LiveSource> source = make_source(std::move(before.files));
  LiveFeed feed(*source,
                {.group_images = static_cast<std::size_t>(annotate.batch),
                 .skip_duplicates = annotate.skip_duplicates,
                 .seen = std::move(before.seen),
                 .with_shards = sink.has_value(),
                 .shard_size = annotate.source.shard_size,
                 .commit_after = std::chrono::duration<double>(options.commit_seconds),
                 .first_index = before.shards.empty() ? 0 : before.shards.back() + 1,
                 .input = std::move(input)},
                stop);
  ExamineShared shared{annotate, labeller.landmarker(), labeller.dense(), labeller.extractor(), labeller.model(), {}};
  std::optional<NearDuplicateFilter> near_duplicates;
  if (annotate.skip_near_duplicates) near_duplicates = KnownFaces(annotate.output, before.shards);
  LiveRecorder recorder(options, header, sink ? &*sink : nullptr, summary, progress,
                        near_duplicates ? &*near_duplicates : nullptr);
  RunPipeline(annotate.jobs, shared, stop, [&feed] { return feed.Next(); },
              [&recorder](std::unique_ptr<ExaminedGroup> group) { recorder.Write(std::move(group)); });
  recorder.Finish();
  fault = source->Fault();
  summary.stopped = stop();
  summary.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return summary;
}

}  // namespace

AnnotateSummary AnnotateWatched(const std::string& folder, const LiveOptions& options,
                                const std::function<void(const AnnotateProgress&)>& progress,
                                const std::function<bool()>& stop_requested) {
  std::error_code error;
  const fs::path resolved = fs::weakly_canonical(folder, error);
  const InputRecord input{"pictures that come to " + folder, error ? folder : resolved.string(), "", ""};
  const std::uint64_t max_bytes = options.annotate.source.max_bytes;
  std::string fault;
  const AnnotateSummary summary = Run(
      options, input,
      [&](datasets::KnownFiles known) { return datasets::WatchFolder(folder, max_bytes, std::move(known)); }, fault,
      progress, stop_requested);
  if (!fault.empty()) throw std::runtime_error(fault);
  return summary;
}

AnnotateSummary AnnotateRequests(int descriptor, const std::string& name, const LiveOptions& options,
                                 const std::function<void(const AnnotateProgress&)>& progress,
                                 const std::function<bool()>& stop_requested) {
  const std::uint64_t max_bytes = options.annotate.source.max_bytes;
  std::string fault;
  const AnnotateSummary summary = Run(
      options, {"requests from " + name, name, "", ""},
      [&](const datasets::KnownFiles&) { return datasets::ReadRequests(descriptor, max_bytes); }, fault, progress,
      stop_requested);
  if (!fault.empty()) throw datasets::storage::BadContent(name + ": " + fault);
  return summary;
}

}  // namespace auforge::pipeline
