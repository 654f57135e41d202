#include "pipeline/annotate.h"

#include <tbb/global_control.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>

#include "datasets/storage/atomic_file.h"
#include "pipeline/examine.h"
#include "pipeline/feed.h"
#include "pipeline/near_duplicate_filter.h"
#include "pipeline/resume.h"
#include "pipeline/run_config.h"
#include "pipeline/run_pipeline.h"
#include "pipeline/shard_sink.h"
#include "pipeline/stopwatch.h"

namespace auforge::pipeline {
namespace {

using Clock = std::chrono::steady_clock;

void Require(bool condition, const std::string& text) {
  if (!condition) throw std::invalid_argument(text);
}

// Last filter. Called in order.
class Recorder {
 public:
  // near_duplicates: nullptr where they are kept.
  Recorder(ShardSink& sink, NearDuplicateFilter* near_duplicates, std::size_t aus, float min_quality,
           AnnotateSummary& summary, std::size_t shards_expected, std::uint64_t images_expected,
           const std::function<void(const std::string&)>& notice, const std::function<void(const AnnotateProgress&)>& report)
      : sink_(sink),
        near_duplicates_(near_duplicates),
        aus_(aus),
        min_quality_(min_quality),
        summary_(summary),
        shards_expected_(shards_expected),
        images_expected_(images_expected),
        notice_(notice),
        report_(report) {}

  void Write(std::unique_ptr<ExaminedGroup> group) {
    // After a stop, groups may lack images, and the end of their shard may already be on its way.
    halted_ = halted_ || group->abandoned;
    if (halted_) return;
    const bool ends_shard = group->kind == Group::Kind::kEnd;
    double seconds = 0;
    {
      const Stopwatch watch(seconds);
      if (group->kind == Group::Kind::kBegin) {
        if (near_duplicates_ != nullptr) near_duplicates_->Begin(group->shard->index);
        sink_.Begin(*group->shard, std::move(group->input));
      } else if (ends_shard && !group->fault.empty()) {
        sink_.Abandon();
        if (notice_) notice_(group->fault);
        summary_.failed.push_back({group->shard->name, group->fault});
      } else if (ends_shard) {
        sink_.Commit(group->notes);
        summary_.notes.Add(group->notes);
        ++summary_.shards_written;
      } else {
        for (std::size_t i = 0; i < kStageCount; ++i) summary_.stage_seconds[i] += group->seconds[i];
        if (near_duplicates_ != nullptr) DropNearDuplicates(*group);
        sink_.Write(std::move(*group));
      }
    }
    summary_.stage_seconds[static_cast<std::size_t>(Stage::kWrite)] += seconds;
    Report(ends_shard);
  }

  bool halted() const { return halted_; }

  void Report(bool now) {
    const Clock::time_point time = Clock::now();
    if (!report_ || (!now && time - last_report_ < std::chrono::milliseconds(250))) return;
    last_report_ = time;
    AnnotateProgress progress{sink_.images(), images_expected_, sink_.faces(), summary_.shards_written,
                              shards_expected_, std::chrono::duration<double>(time - start_).count()};
    // Tars do not say how many images they hold: expect of each what the finished ones had.
    if (progress.images_expected == 0 && summary_.shards_written > 0) {
      progress.images_expected = progress.images * shards_expected_ / summary_.shards_written;
    }
    report_(progress);
  }

 private:
  void DropNearDuplicates(ExaminedGroup& group) {
    for (ExaminedImage& image : group.images) {
      DropPoorFaces(image, aus_, min_quality_);  // a poor copy must not stand in the way of a good one
      summary_.near_duplicates += near_duplicates_->Filter(image, aus_);
    }
  }

  ShardSink& sink_;
  NearDuplicateFilter* near_duplicates_;
  std::size_t aus_;
  float min_quality_;
  AnnotateSummary& summary_;
  std::size_t shards_expected_;
  std::uint64_t images_expected_;
  const std::function<void(const std::string&)>& notice_;
  const std::function<void(const AnnotateProgress&)>& report_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_report_ = start_;
  bool halted_ = false;
};

// What this process has to do.
struct Plan {
  std::vector<const datasets::InputShard*> todo;
  std::vector<std::pair<int, std::string>> finished;  // by earlier runs: index and file
  std::uint64_t images = 0;                           // to do; 0 when that is not known beforehand
};

Plan FindWork(const AnnotateOptions& options, const datasets::ImageSource& source, const RunConfig& config,
              StopRequest& stop) {
  const ResumeOptions resume{options.output, config, [&stop] { return stop(); }, options.notice};
  Plan plan;
  bool all_counted = true, any_anew = false;
  for (const datasets::InputShard& shard : source.Shards()) {
    if (shard.index % options.count != options.index) continue;
    const bool is_there = datasets::ShardIsDone(options.output, shard.index);
    // What counts as a duplicate depends on all shards before.
    const bool is_moot = any_anew && (options.skip_duplicates || options.skip_near_duplicates);
    if (is_there && !is_moot && IsFinishedShard(source, shard, resume)) {
      const auto path = std::filesystem::path(options.output) / datasets::ShardFileName(shard.index);
      plan.finished.emplace_back(shard.index, path.string());
      continue;
    }
    any_anew = any_anew || is_there;
    plan.todo.push_back(&shard);
    plan.images += shard.count;
    all_counted = all_counted && shard.count != 0;
  }
  if (!all_counted) plan.images = 0;
  return plan;
}

}  // namespace

const char* StageName(Stage stage) {
  constexpr const char* kNames[kStageCount] = {"read",     "decode", "detect",   "landmarks",
                                               "features", "crop",   "classify", "write"};
  return kNames[static_cast<std::size_t>(stage)];
}

void AnnotateOptions::Validate() const {
  Require(!inputs.empty(), "no input; name images, folders, @lists or tars");
  Require(!output.empty(), "no output folder; give one with -o");
  ValidateWork();
}

void AnnotateOptions::ValidateWork() const {
  const auto text = [](const char* field, auto value, const char* constraint) {
    return std::string(field) + " = " + std::to_string(value) + "; must be " + constraint;
  };
  Require(jobs >= 1, text("jobs", jobs, ">= 1"));
  Require(min_quality >= 0 && min_quality <= 1, text("min-quality", min_quality, "0..1"));
  Require(batch >= 1 && batch <= 1024, text("batch", batch, "1..1024"));
  Require(count >= 1, text("count", count, ">= 1"));
  Require(index >= 0 && index < count, text("index", index, "0..count-1"));
  LabelOptions::Validate();
  source.Validate();
}

AnnotateSummary Annotate(const AnnotateOptions& options, const std::function<void(const AnnotateProgress&)>& progress,
                         const std::function<bool()>& stop_requested) {
  options.Validate();
  const tbb::global_control cap(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(options.jobs));

  const Clock::time_point start = Clock::now();
  const Labeller labeller(options);
  const annotator::AuModel& model = labeller.model();
  StopRequest stop(stop_requested);
  datasets::SourceOptions source_options = options.source;
  source_options.fetch.stop = [&stop] { return stop(); };
  const datasets::ImageSource source = datasets::ImageSource::Plan(options.inputs, source_options);
  const RunConfig config = MakeRunConfig(options, model.info().digest, labeller.detector_name(), labeller.landmark_file(), DenseDigest(labeller));

  AnnotateSummary summary;
  summary.notes = source.Notes();
  Plan plan = FindWork(options, source, config, stop);
  summary.shards_skipped = plan.finished.size();
  datasets::Leftovers leftovers(options.output);
  for (const auto& [index, path] : plan.finished) leftovers.Remove(index);
  if (!plan.todo.empty()) {
    datasets::storage::RequireOutputFolder(options.output);
    RequireSameOptions(options.output, config);
    ExamineShared shared{options, labeller.landmarker(), labeller.dense(), labeller.extractor(), model, {}};
    ShardSink sink(options.output, MakeShardHeader(labeller, config), config, options.min_quality, std::move(leftovers));
    std::optional<NearDuplicateFilter> near_duplicates;
    if (options.skip_near_duplicates) near_duplicates.emplace(plan.finished);
    Recorder recorder(sink, near_duplicates ? &*near_duplicates : nullptr, model.info().schema.size(), options.min_quality,
                      summary, plan.todo.size(), plan.images, options.notice, progress);
    Feed feed(source, std::move(plan.todo),
              {static_cast<std::size_t>(options.batch), options.skip_duplicates, std::move(plan.finished),
               options.skip_duplicates || options.skip_near_duplicates},
              stop);
    RunPipeline(options.jobs, shared, stop, [&feed] { return feed.Next(); },
                [&recorder](std::unique_ptr<ExaminedGroup> group) { recorder.Write(std::move(group)); });
    recorder.Report(true);
    summary.images = sink.images();
    summary.faces = sink.faces();
    summary.by_status = sink.by_status();
    summary.duplicates = sink.duplicates();
    summary.stopped = feed.stopped() || recorder.halted();
  }
  summary.stopped = summary.stopped || stop();
  summary.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return summary;
}

}  // namespace auforge::pipeline
