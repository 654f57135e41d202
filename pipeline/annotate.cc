#include "pipeline/annotate.h"

#include <tbb/enumerable_thread_specific.h>
#include <tbb/global_control.h>
#include <tbb/parallel_pipeline.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <opencv2/core/utility.hpp>
#include <optional>
#include <stdexcept>

#include "annotator/au_model.h"
#include "annotator/emotions.h"
#include "pipeline/examine.h"
#include "pipeline/run_config.h"
#include "pipeline/shard_sink.h"
#include "pipeline/stopwatch.h"

namespace auforge::pipeline {
namespace {

using Clock = std::chrono::steady_clock;

void Require(bool condition, const std::string& text) {
  if (!condition) throw std::invalid_argument(text);
}

// What travels through the pipeline: an image, or the news that a shard begins or ends.
struct Work {
  enum class Kind { kBegin, kImage, kEnd } kind = Kind::kImage;
  const datasets::InputShard* shard = nullptr;
  datasets::ImageItem item;
  double read_seconds = 0;
  ExaminedImage examined;
};
using Batch = std::vector<std::unique_ptr<Work>>;

// First filter. Reads items in order; called by one thread at a time.
class Feed {
 public:
  Feed(const datasets::ImageSource& source, std::vector<const datasets::InputShard*> shards,
       const std::function<bool()>& stop)
      : source_(source), shards_(std::move(shards)), stop_(stop) {}

  std::unique_ptr<Work> Next() {
    if (stop_ && stop_()) {
      stopped_ = true;
      return nullptr;
    }
    if (next_ == shards_.size()) return nullptr;
    auto work = std::make_unique<Work>();
    work->shard = shards_[next_];
    if (!reader_) {
      reader_ = source_.Open(*shards_[next_]);
      work->kind = Work::Kind::kBegin;
      return work;
    }
    {
      Stopwatch watch(work->read_seconds);
      if (reader_->Next(work->item)) return work;
    }
    reader_.reset();
    ++next_;
    work->kind = Work::Kind::kEnd;
    return work;
  }
  bool stopped() const { return stopped_; }

 private:
  const datasets::ImageSource& source_;
  std::vector<const datasets::InputShard*> shards_;
  const std::function<bool()>& stop_;
  std::size_t next_ = 0;
  std::unique_ptr<datasets::ItemReader> reader_;
  bool stopped_ = false;
};

// Third filter. Collects images until there are faces enough for one classification. Called in order.
class Gatherer {
 public:
  explicit Gatherer(int faces) : faces_wanted_(static_cast<std::size_t>(faces)) {}

  // A full batch, or an empty one while it is still filling.
  Batch Add(std::unique_ptr<Work> work) {
    faces_ += work->examined.faces.size();
    pending_.push_back(std::move(work));
    // Images without faces must not pile up either.
    if (faces_ < faces_wanted_ && pending_.size() < 4 * faces_wanted_) return {};
    return Take();
  }
  Batch Take() {
    faces_ = 0;
    return std::exchange(pending_, {});
  }

 private:
  std::size_t faces_wanted_;
  std::size_t faces_ = 0;
  Batch pending_;
};

// Fourth filter: AUs, quality and emotion of all faces of a batch.
class Classifier {
 public:
  explicit Classifier(const annotator::AuModel& model) : model_(model) {}

  void Classify(Batch& batch) const {
    std::vector<float> rows;
    std::size_t faces = 0;
    for (const auto& work : batch) {
      rows.insert(rows.end(), work->examined.features.begin(), work->examined.features.end());
      faces += work->examined.faces.size();
    }
    if (faces == 0) return;
    double seconds = 0;
    {
      Stopwatch watch(seconds);
      std::vector<features::AuEstimate> estimates = model_.Predict(rows, faces);
      std::size_t next = 0;
      for (const auto& work : batch) {
        for (datasets::FaceRecord& face : work->examined.faces) Label(std::move(estimates[next++]), face);
      }
    }
    for (const auto& work : batch) {
      const double share = static_cast<double>(work->examined.faces.size()) / static_cast<double>(faces);
      work->examined.stage_seconds[static_cast<std::size_t>(Stage::kClassify)] += seconds * share;
    }
  }

 private:
  void Label(features::AuEstimate estimate, datasets::FaceRecord& face) const {
    const float quality = face.aus.quality;
    face.aus = std::move(estimate);
    face.aus.quality = quality;
    face.emotion = annotator::EmotionFromAus(model_.info().schema, face.aus.present).category;
  }

  const annotator::AuModel& model_;
};

// Last filter. Called in order.
class Recorder {
 public:
  Recorder(ShardSink& sink, AnnotateSummary& summary, std::size_t shards_expected, std::uint64_t images_expected,
           const std::function<void(const AnnotateProgress&)>& report)
      : sink_(sink),
        summary_(summary),
        shards_expected_(shards_expected),
        images_expected_(images_expected),
        report_(report) {}

  void Write(Batch batch) {
    for (auto& work : batch) {
      double seconds = 0;
      {
        Stopwatch watch(seconds);
        if (work->kind == Work::Kind::kBegin) {
          sink_.Begin(*work->shard);
        } else if (work->kind == Work::Kind::kEnd) {
          sink_.Commit();
          ++summary_.shards_written;
        } else {
          AddSeconds(*work);
          sink_.Write(std::move(work->examined));
        }
      }
      summary_.stage_seconds[static_cast<std::size_t>(Stage::kWrite)] += seconds;
      Report(false);
    }
  }

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
  void AddSeconds(Work& work) {
    work.examined.stage_seconds[static_cast<std::size_t>(Stage::kRead)] += work.read_seconds;
    for (std::size_t i = 0; i < kStageCount; ++i) summary_.stage_seconds[i] += work.examined.stage_seconds[i];
  }

  ShardSink& sink_;
  AnnotateSummary& summary_;
  std::size_t shards_expected_;
  std::uint64_t images_expected_;
  const std::function<void(const AnnotateProgress&)>& report_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_report_ = start_;
};

void RunPipeline(int jobs, Feed& feed, tbb::enumerable_thread_specific<Examiner>& examiners, Gatherer& gatherer,
                 const Classifier& classifier, Recorder& recorder) {
  using tbb::filter_mode;
  using WorkPtr = std::unique_ptr<Work>;
  const auto next = [&feed](tbb::flow_control& control) {
    WorkPtr work = feed.Next();
    if (!work) control.stop();
    return work;
  };
  const auto examine = [&examiners](WorkPtr work) {
    if (work->kind == Work::Kind::kImage) work->examined = examiners.local().Examine(std::move(work->item));
    work->item = {};
    return work;
  };
  const auto gather = [&gatherer](WorkPtr work) { return gatherer.Add(std::move(work)); };
  const auto classify = [&classifier](Batch batch) {
    classifier.Classify(batch);
    return batch;
  };
  const auto write = [&recorder](Batch batch) { recorder.Write(std::move(batch)); };
  // Four images in flight for each thread: enough to keep all busy behind one slow image, little enough to bound
  // memory at a few decoded pictures a thread.
  tbb::parallel_pipeline(static_cast<std::size_t>(4 * jobs),
                         tbb::make_filter<void, WorkPtr>(filter_mode::serial_in_order, next) &
                             tbb::make_filter<WorkPtr, WorkPtr>(filter_mode::parallel, examine) &
                             tbb::make_filter<WorkPtr, Batch>(filter_mode::serial_in_order, gather) &
                             tbb::make_filter<Batch, Batch>(filter_mode::parallel, classify) &
                             tbb::make_filter<Batch, void>(filter_mode::serial_in_order, write));
  Batch rest = gatherer.Take();
  classifier.Classify(rest);
  recorder.Write(std::move(rest));
}

}  // namespace

const char* StageName(Stage stage) {
  constexpr const char* kNames[kStageCount] = {"read",     "decode", "detect",   "landmarks",
                                               "features", "crop",   "classify", "write"};
  return kNames[static_cast<std::size_t>(stage)];
}

void AnnotateOptions::Validate() const {
  const auto text = [](const char* field, auto value, const char* constraint) {
    return std::string(field) + " = " + std::to_string(value) + "; must be " + constraint;
  };
  Require(!inputs.empty(), "no input; name images, folders, @lists or tars");
  Require(!output.empty(), "no output folder; give one with -o");
  Require(jobs >= 1, text("jobs", jobs, ">= 1"));
  Require(min_face >= 20 && min_face <= 2000, text("min-face", min_face, "20..2000 pixels"));
  Require(min_quality >= 0 && min_quality <= 1, text("min-quality", min_quality, "0..1"));
  Require(jpeg_quality >= 1 && jpeg_quality <= 100, text("jpeg-quality", jpeg_quality, "1..100"));
  Require(batch >= 1 && batch <= 4096, text("batch", batch, "1..4096"));
  Require(count >= 1, text("count", count, ">= 1"));
  Require(index >= 0 && index < count, text("index", index, "0..count-1"));
  crop.Validate();
  source.Validate();
  decode.Validate();
}

AnnotateSummary Annotate(const AnnotateOptions& options, const std::function<void(const AnnotateProgress&)>& progress,
                         const std::function<bool()>& stop_requested) {
  options.Validate();
  // One pool of threads: ours. OpenCV would start another inside every task.
  cv::setNumThreads(0);
  const tbb::global_control cap(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(options.jobs));

  const Clock::time_point start = Clock::now();
  const datasets::ImageSource source = datasets::ImageSource::Plan(options.inputs, options.source);
  const annotator::AuModel model =
      annotator::AuModel::Load(options.model.empty() ? annotator::DefaultAuModelPath() : options.model);
  const std::string landmark_path = options.landmarks.empty() ? annotator::DefaultLandmarkPath() : options.landmarks;
  const std::string detector = annotator::MakeHogDetector({})->Name();
  const RunConfig config = MakeRunConfig(options, model.info().digest, detector, landmark_path);

  AnnotateSummary summary;
  std::vector<const datasets::InputShard*> todo;
  std::uint64_t images_expected = 0;
  bool all_counted = true;
  for (const datasets::InputShard& shard : source.Shards()) {
    if (shard.index % options.count != options.index) continue;
    if (IsFinishedShard(options.output, shard, config)) {
      ++summary.shards_skipped;
      continue;
    }
    todo.push_back(&shard);
    images_expected += shard.count;
    all_counted = all_counted && shard.count != 0;
  }
  if (!todo.empty()) {
    const annotator::Landmarker landmarker(landmark_path);
    const features::FeatureExtractor extractor(model.info().features);
    const ExamineShared shared{options, landmarker, extractor};
    datasets::ShardHeader header;
    header.schema = model.info().schema;
    header.model_digest = model.info().digest;
    header.detector = detector;
    header.config_digest = config.digest;
    header.emotion_names = annotator::EmotionNames();
    ShardSink sink(options.output, std::move(header), config, options.min_quality);
    const std::size_t shard_count = todo.size();
    Feed feed(source, std::move(todo), stop_requested);
    tbb::enumerable_thread_specific<Examiner> examiners([&shared] { return Examiner(shared); });
    Gatherer gatherer(options.batch);
    const Classifier classifier(model);
    Recorder recorder(sink, summary, shard_count, all_counted ? images_expected : 0, progress);
    RunPipeline(options.jobs, feed, examiners, gatherer, classifier, recorder);
    recorder.Report(true);
    summary.images = sink.images();
    summary.faces = sink.faces();
    summary.by_status = sink.by_status();
    summary.stopped = feed.stopped();
  }
  summary.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return summary;
}

}  // namespace auforge::pipeline
