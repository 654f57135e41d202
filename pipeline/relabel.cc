#include "pipeline/relabel.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <opencv2/core/utility.hpp>
#include <optional>
#include <stdexcept>

#include "annotator/emotions.h"
#include "annotator/face_detector.h"
#include "annotator/landmarker.h"
#include "datasets/creation_time.h"
#include "datasets/image_codec.h"
#include "datasets/leftovers.h"
#include "datasets/shard.h"
#include "datasets/shard_outline.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/paths.h"
#include "features/align.h"
#include "features/feature_extractor.h"
#include "features/number.h"
#include "pipeline/face_labels.h"
#include "pipeline/feed.h"
#include "pipeline/folder_lock.h"

namespace auforge::pipeline {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using datasets::storage::BadContent;
using nlohmann::json;

// Faces that are labelled together: the matrix products like company, and a stop should not wait for many.
constexpr std::size_t kBlock = 32;
constexpr const char* kVisibleColumn = "/faces/au_visible";

// A shard to label, and where it goes.
struct Job {
  std::string from;
  std::string folder;  // of the result
  int index = 0;
  std::uint64_t faces = 0;

  std::string To() const { return (fs::path(folder) / datasets::ShardFileName(index)).string(); }
};

std::string Beside(const std::string& folder, const std::string& name) { return (fs::path(folder) / name).string(); }
std::string FolderOf(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

int IndexOf(const std::string& path) {
  const std::string name = fs::path(path).filename().string();
  const auto index = features::ParseWhole(fs::path(path).stem().string(), 0, 999'999'999);
  if (!index || datasets::ShardFileName(static_cast<int>(*index)) != name) {
    throw std::invalid_argument(path + ": is not named as annotate names shards (00000.h5, 00001.h5, ...); rename it and its "
                                       "_stats.json");
  }
  return static_cast<int>(*index);
}

// What may pass: the shard stays, and the others are done.
struct Unread : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Held while a shard is replaced. Readers do not mind and are not minded; who writes into the file, or replaces it too,
// would lose what it does.
class ShardLock {
 public:
  explicit ShardLock(const std::string& path) {
    do {
      Close();
      descriptor_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
      if (descriptor_ < 0) return;  // reading it says why
      // A reader of HDF5 files holds a lock of its own that others may share.
      if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK && flock(descriptor_, LOCK_SH | LOCK_NB) != 0 &&
          errno == EWOULDBLOCK) {
        Close();
        throw Unread(path + ": is in use by another process that may change it; stays as it is, run the same "
                                        "command again when that has ended");
      }
    } while (!IsStill(path));
  }
  ~ShardLock() { Close(); }
  ShardLock(const ShardLock&) = delete;
  ShardLock& operator=(const ShardLock&) = delete;

 private:
  // Whoever held the lock may have put another file there.
  bool IsStill(const std::string& path) const {
    struct stat ours {}, there {};
    if (fstat(descriptor_, &ours) != 0 || stat(path.c_str(), &there) != 0) return true;
    return ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
  }
  void Close() {
    if (descriptor_ >= 0) close(descriptor_);
    descriptor_ = -1;
  }
  int descriptor_ = -1;
};

// {} where there is none, or no object.
json ReadStats(const std::string& folder, int index) {
  const std::string path = Beside(folder, datasets::StatsFileName(index));
  if (!datasets::storage::IsThere(path)) return json::object();
  json stats = json::parse(datasets::storage::ReadFile(path), nullptr, false);
  return stats.is_object() ? stats : json::object();
}

// The configuration of annotate with this model, where the stats file says what it was with the other: the folder can
// then go on with the new model.
struct Renewed {
  json stats;
  std::string config_digest;
};
Renewed Renew(json stats, const std::string& old_config_digest, const std::string& model_digest) {
  Renewed renewed{std::move(stats), {}};
  if (const json before = renewed.stats.value("model_digest", json()); before.is_string() && before != model_digest)
    renewed.stats["relabelled_from"] = before;
  if (renewed.stats.contains("config") && renewed.stats["config"].is_object()) {
    renewed.stats["config"]["model"] = model_digest;
    renewed.config_digest = datasets::storage::Sha256Hex(renewed.stats["config"].dump());
  } else {
    renewed.config_digest = datasets::storage::Sha256Hex(old_config_digest + " with " + model_digest);
  }
  return renewed;
}

std::string StatsText(const json& stats) {
  return stats.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

// A run was killed behind its shard and before its stats file.
void MendStats(const Job& job, const datasets::ShardHeader& header) {
  json stats = ReadStats(job.folder, job.index);
  if (stats.value("model_digest", json()) == header.model_digest && stats.value("config_digest", json()) == header.config_digest)
    return;
  stats = Renew(std::move(stats), "", header.model_digest).stats;
  stats["config_digest"] = header.config_digest;
  stats["model_digest"] = header.model_digest;
  stats["tool_version"] = header.tool_version;
  datasets::storage::WriteFileAtomically(Beside(job.folder, datasets::StatsFileName(job.index)), StatsText(stats));
}

// The new labels of all faces of a shard.
class Labels {
 public:
  Labels(const annotator::AuModel& model, const features::FeatureExtractor& extractor, const datasets::ShardReader& shard)
      : model_(model), extractor_(extractor), shard_(shard), records_(shard.FaceCount()),
        visible_(records_.size() * model.info().schema.size()) {
    if (auto trust = shard.Extra(kTrustColumn); trust && trust->values.size() == records_.size()) trust_ = std::move(trust->values);
    if (auto scale = shard.Extra(kScaleColumn); scale && scale->values.size() == shard.SampleCount()) scale_ = std::move(scale->values);
  }

  // Any thread; blocks do not overlap.
  void Label(std::size_t begin, std::size_t end, const std::function<bool()>& stop) {
    const std::size_t dimension = extractor_.Dimension();
    std::vector<float> rows((end - begin) * dimension);
    std::vector<annotator::QualityEvidence> evidence;
    for (std::size_t i = begin; i < end; ++i) {
      if (stop()) return;
      evidence.push_back(Read(i, std::span(rows).subspan((i - begin) * dimension, dimension)));
    }
    const auto visible = LabelFaces(model_, rows, evidence, std::span(records_).subspan(begin, end - begin));
    const std::size_t aus = model_.info().schema.size();
    std::copy(visible.begin(), visible.end(), visible_.begin() + static_cast<std::ptrdiff_t>(begin * aus));
  }

  std::vector<datasets::FaceRecord>& records() { return records_; }
  const std::vector<float>& visible() const { return visible_; }
  // Of the smallest crop, pixels; 0 without faces.
  int least_side() const { return least_side_; }

 private:
  // The face's record and features, as Examiner::Crop makes them.
  annotator::QualityEvidence Read(std::size_t i, std::span<float> features) {
    datasets::FaceRecord record = shard_.Face(i);
    record.image = shard_.FaceImage(i);
    const datasets::DecodedImage crop = datasets::DecodeImage(record.image, {});
    if (crop.status != datasets::Outcome::kOk) {
      throw BadContent(shard_.path() + ": face " + std::to_string(i) + ": its picture does not decode (" + crop.message +
                       "); annotate the images again");
    }
    extractor_.Extract(crop.bgr, features::Transform(record.crop_from_image, record.landmarks), features);
    const float scale = scale_.empty() ? 1 : scale_[static_cast<std::size_t>(record.sample)];
    annotator::QualityEvidence evidence =
        annotator::EvidenceOf(crop.bgr, features::Transform({scale, 0, 0, 0}, record.landmarks),
                              annotator::HogScoreOf(shard_.header().detector, record.detector_score));
    evidence.pose = record.pose;
    record.aus = {};
    record.aus.quality = trust_.empty() ? 1 : trust_[i];
    records_[i] = std::move(record);
    NoteSide(std::min(crop.bgr.cols, crop.bgr.rows));
    return evidence;
  }

  void NoteSide(int side) {
    int least = least_side_;
    while ((least == 0 || side < least) && !least_side_.compare_exchange_weak(least, side)) {
    }
  }

  const annotator::AuModel& model_;
  const features::FeatureExtractor& extractor_;
  const datasets::ShardReader& shard_;
  std::vector<float> trust_, scale_;
  std::vector<datasets::FaceRecord> records_;
  std::vector<float> visible_;  // faces x AUs
  std::atomic<int> least_side_{0};
};

class Run {
 public:
  Run(const RelabelOptions& options, const std::function<void(const RelabelProgress&)>& progress,
      const std::function<bool()>& stop_requested)
      : options_(options),
        progress_(progress),
        stop_(stop_requested),
        model_(annotator::AuModel::Load(options.model.empty() ? annotator::DefaultAuModelPath() : options.model)),
        extractor_(model_.info().features) {
    // One pool of threads: ours. OpenCV would start another inside every task.
    cv::setNumThreads(0);
    summary_.model_digest = model_.info().digest;
  }

  RelabelSummary Do() {
    if (!options_.output.empty()) datasets::storage::RequireOutputFolder(options_.output);
    const std::vector<Job> jobs = Plan();
    if (!options_.output.empty() && !jobs.empty()) {
      datasets::storage::MakeFolder(options_.output);
      LockFolder(options_.output);
    }
    state_.shards_expected = jobs.size();
    for (const Job& job : jobs) state_.faces_expected += job.faces;
    for (const Job& job : jobs) {
      if (stop_()) break;
      Try(job);
    }
    Report(true);
    summary_.stopped = stop_();
    summary_.seconds = Seconds();
    return std::move(summary_);
  }

 private:
  double Seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  void Tell(const std::string& text) const {
    if (options_.notice) options_.notice(text);
  }

  // What there is to do. Nothing is written before all of it has been looked at.
  std::vector<Job> Plan() {
    std::vector<Job> all, jobs;
    std::map<std::string, std::string> taken;
    for (const std::string& path : datasets::FindShards(options_.shards)) {
      Job job{path, options_.output.empty() ? FolderOf(path) : options_.output, IndexOf(path)};
      const auto [other, is_new] = taken.try_emplace(job.To(), path);
      if (is_new) {
        all.push_back(std::move(job));
      } else if (fs::weakly_canonical(other->second) != fs::weakly_canonical(path)) {  // else named twice
        throw std::invalid_argument(path + " and " + other->second + " would both become " + job.To() +
                                    "; give the shards of each folder an --out of their own");
      }
    }
    for (const Job& job : all) LockFolder(job.folder);
    for (Job& job : all) {
      if (LookAt(job)) jobs.push_back(std::move(job));
    }
    if (!options_.output.empty()) RequireSameModel(options_.output);
    return jobs;
  }

  // Shards of other numbers, too, are of one folder with those to come.
  void RequireSameModel(const std::string& folder) const {
    const auto there = datasets::FirstFinishedShard(folder);
    if (!there) return;
    const std::string path = Beside(folder, datasets::ShardFileName(*there));
    if (datasets::ReadOutline(path).header.model_digest != summary_.model_digest)
      throw BadContent(path + ": is there already with another model's labels; choose another --out; no shard was changed");
  }

  void LockFolder(const std::string& folder) {
    if (!datasets::storage::IsThere(folder) || locks_.contains(folder)) return;
    const std::string remedy = "; run the same command again when that has ended";
    locks_.emplace(folder, std::make_unique<FolderLock>(
                               folder, "another auforge relabel or annotate --watch changes its shards" + remedy));
    // A run of annotate holds no lock.
    if (const std::string file = datasets::FileInWork(folder); !file.empty())
      throw std::runtime_error(folder + ": another process is writing a shard there (" + file + ")" + remedy);
  }

  // False where nothing is to be done, or can be.
  bool LookAt(Job& job) {
    try {
      const datasets::ShardOutline outline = datasets::ReadOutline(job.from);
      Refuse(job, outline);
      job.faces = outline.faces;
      return !IsDone(job, outline.header);
    } catch (const Refusal& refusal) {
      throw BadContent(refusal.what());
    } catch (const BadContent& error) {
      summary_.damaged.push_back(error.what());
    } catch (const std::runtime_error& error) {
      summary_.unread.push_back(error.what());
    }
    return false;
  }

  // Of the whole run, where damage is of one shard.
  struct Refusal : std::runtime_error {
    using std::runtime_error::runtime_error;
  };

  void Refuse(const Job& job, const datasets::ShardOutline& outline) const {
    const auto refuse = [&job](const std::string& why) { throw Refusal(job.from + ": " + why + "; no shard was changed"); };
    if (outline.header.model_digest == "exact")
      refuse("its labels are exact (synthetic faces), a model's would be worse; leave it out");
    try {
      annotator::RequireSameLandmarker(outline.header.landmarker, model_.info().landmarker, "the AU model");
    } catch (const BadContent& error) {
      refuse(std::string("its landmarks are of another landmarker: ") + error.what() + "; such shards must be annotated again");
    }
    if (outline.faces > 0 && outline.image_bytes == 0)
      refuse("it has no crops (annotate --no-crops), from which its faces could be labelled again; annotate its images again with this model");
  }

  bool IsDone(const Job& job, const datasets::ShardHeader& from) {
    const bool in_place = options_.output.empty();
    if (in_place) {
      if (from.model_digest != summary_.model_digest) return false;
      MendStats(job, from);
      ++summary_.shards_left;
      return true;
    }
    if (!datasets::storage::IsThere(job.To())) return false;
    const datasets::ShardHeader there = datasets::ReadOutline(job.To()).header;
    const Renewed renewed = Renew(ReadStats(FolderOf(job.from), job.index), from.config_digest, summary_.model_digest);
    const bool is_copy = from.model_digest == summary_.model_digest && from.config_digest == there.config_digest;
    if (there.source != from.source || (there.config_digest != renewed.config_digest && !is_copy))
      throw Refusal(job.To() + ": is there already and is not " + job.from + " with this model's labels; choose another --out; no shard was changed");
    if (!datasets::ShardIsDone(job.folder, job.index)) return false;
    ++summary_.shards_left;
    return true;
  }

  void Try(const Job& job) {
    try {
      const ShardLock lock(job.from);
      Relabel(job);
    } catch (const BadContent& error) {
      summary_.damaged.push_back(error.what());
    } catch (const Unread& error) {
      summary_.unread.push_back(error.what());
    } catch (const std::invalid_argument& error) {
      // The writer's: a number that no shard may hold.
      summary_.damaged.push_back(job.from + ": " + error.what());
    }
  }

  static datasets::ShardReader Open(const std::string& path) {
    try {
      return datasets::ShardReader(path);
    } catch (const BadContent&) {
      throw;
    } catch (const std::runtime_error& error) {
      throw Unread(error.what());
    }
  }

  void Relabel(const Job& job) {
    const datasets::ShardReader shard = Open(job.from);
    Labels labels(model_, extractor_, shard);
    tbb::parallel_for(tbb::blocked_range<std::size_t>(0, shard.FaceCount(), kBlock), [&](const auto& range) {
      for (std::size_t begin = range.begin(); begin < range.end(); begin += kBlock) {
        const std::size_t end = std::min(range.end(), begin + kBlock);
        labels.Label(begin, end, [this] { return stop_(); });
        if (stop_()) return;
        const std::lock_guard lock(report_mutex_);
        state_.faces += end - begin;
        Report(false);
      }
    });
    if (stop_()) return;
    TellOfCrops(job, shard, labels.least_side());
    Write(job, shard, labels);
    ++summary_.shards_written;
    ++state_.shards;
    summary_.faces += shard.FaceCount();
    datasets::Leftovers(job.folder).Remove(job.index);
  }

  void TellOfCrops(const Job& job, const datasets::ShardReader& shard, int side) {
    const int wanted = features::FeatureCrop(model_.info().features.gabor_options.crop_size).size;
    if (side > 0 && side < wanted && model_.info().features.LooksAtPicture() && !told_of_size_) {
      told_of_size_ = true;
      Tell(job.from + ": has crops of " + std::to_string(side) + " pixels, the model looks at faces of " + std::to_string(wanted) +
           ": its AUs are as coarse as those of annotate --crop-size " + std::to_string(side));
    }
    if (DoubtsFaces(shard.header().detector) && shard.FaceCount() > 0 && !shard.Extra(kTrustColumn) && !told_of_trust_) {
      told_of_trust_ = true;
      Tell(job.from + ": does not say how far its detections were confirmed (it is of an older version): the quality is the model's alone");
    }
  }

  void Write(const Job& job, const datasets::ShardReader& shard, Labels& labels) const {
    Renewed renewed = Renew(ReadStats(FolderOf(job.from), job.index), shard.header().config_digest, summary_.model_digest);
    datasets::ShardHeader header = shard.header();
    header.schema = model_.info().schema;
    header.model_digest = summary_.model_digest;
    header.config_digest = renewed.config_digest;
    header.emotion_names = annotator::EmotionNames();
    header.created = datasets::CreationTime();
    datasets::ShardWriter writer(job.folder, job.index, std::move(header));
    for (std::size_t i = 0; i < shard.SampleCount(); ++i) writer.AddSample(shard.Sample(i));
    bool has_halves = false;
    for (datasets::FaceRecord& record : labels.records()) {
      has_halves = has_halves || !record.aus.left.empty();
      writer.AddFace(std::move(record));
    }
    const std::uint64_t aus = model_.info().schema.size();
    writer.AddExtra(datasets::ExtraDataset{kVisibleColumn, {labels.visible().size() / aus, aus}, labels.visible()});
    for (datasets::storage::StoredObject& object : shard.Further()) {
      // Columns that the new model does not fill are gone, not empty groups.
      if (!has_halves && (object.path == "/faces/au_left" || object.path == "/faces/au_right")) continue;
      writer.AddFurther(std::move(object));
    }
    std::optional<std::string> errors;
    if (const std::string path = Beside(FolderOf(job.from), datasets::ErrorsFileName(job.index)); datasets::storage::IsThere(path))
      errors = datasets::storage::ReadFile(path);
    writer.Finish(renewed.stats.dump(-1, ' ', false, json::error_handler_t::replace), options_.output.empty() ? std::nullopt : errors);
  }

  void Report(bool now) {
    const Clock::time_point time = Clock::now();
    if (!progress_ || (!now && time - reported_ < std::chrono::milliseconds(250))) return;
    reported_ = time;
    state_.seconds = Seconds();
    progress_(state_);
  }

  const RelabelOptions& options_;
  const std::function<void(const RelabelProgress&)>& progress_;
  StopRequest stop_;
  annotator::AuModel model_;
  features::FeatureExtractor extractor_;
  std::map<std::string, std::unique_ptr<FolderLock>> locks_;  // of the folders that shards are written to
  RelabelSummary summary_;
  RelabelProgress state_;
  std::mutex report_mutex_;
  bool told_of_size_ = false, told_of_trust_ = false;
  Clock::time_point start_ = Clock::now(), reported_ = start_;
};

}  // namespace

void RelabelOptions::Validate() const {
  if (shards.empty()) throw std::invalid_argument("no shards; name some, or folders of them");
  if (jobs < 1) throw std::invalid_argument("jobs = " + std::to_string(jobs) + "; must be >= 1");
}

RelabelSummary Relabel(const RelabelOptions& options, const std::function<void(const RelabelProgress&)>& progress,
                       const std::function<bool()>& stop_requested) {
  options.Validate();
  const tbb::global_control cap(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(options.jobs));
  return Run(options, progress, stop_requested).Do();
}

}  // namespace auforge::pipeline
