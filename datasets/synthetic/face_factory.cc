#include "datasets/synthetic/face_factory.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "annotator/emotions.h"
#include "annotator/face_detector.h"
#include "annotator/face_quality.h"
#include "annotator/landmarker.h"
#include "datasets/creation_time.h"
#include "datasets/image_codec.h"
#include "datasets/leftovers.h"
#include "datasets/shard.h"
#include "datasets/shard_outline.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/hdf5_file.h"
#include "datasets/storage/paths.h"
#include "datasets/synthetic/geometry.h"

namespace auforge::datasets::synthetic {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// One finished picture; the picture itself is kept as JPEG only.
struct Product {
  std::uint64_t index = 0;  // of the run
  std::int64_t pair = -1;   // its scene, when others of it were found, too
  SyntheticFace truth;             // its image is released
  std::optional<FaceRecord> face;  // nullopt: the detector did not find it
  SampleRecord sample;
  std::vector<std::uint8_t> picture;  // only when plain images are wanted
};

// Of a scene with several expressions the pictures are numbered from 0.
std::string Key(const FaceGenerator& generator, std::uint64_t seed, std::uint64_t scene, int number) {
  char text[96];
  std::snprintf(text, sizeof(text), "%s-%llu-%08llu", generator.Method().c_str(), static_cast<unsigned long long>(seed),
                static_cast<unsigned long long>(scene));
  return generator.Expressions() > 1 ? text + ("-" + std::to_string(number)) : text;
}

constexpr double kLeastFace = 80;  // pixels, of the detector's search, as annotation has it

// What the detector must have found to have found this face.
bool IsThisFace(const features::Box& box, const features::Landmarks68& exact) {
  const features::Point2 centre = features::Midpoint(exact[30], features::Midpoint(exact[36], exact[45]));
  const float eyes = features::InterOcularDistance(exact);
  const float dx = box.x + box.width / 2 - centre.x, dy = box.y + box.height / 2 - centre.y;
  return std::hypot(dx, dy) < 0.8F * eyes && box.width > 1.2F * eyes && box.width < 4.5F * eyes;
}

// The examining part of one thread.
class Inspector {
 public:
  Inspector(const FaceGenerator& generator, const FactoryOptions& options, const annotator::Landmarker& landmarker)
      : generator_(generator), options_(options), landmarker_(landmarker), detector_(annotator::MakeDetector({})) {}

  std::string landmarker() const { return landmarker_.Name(); }
  std::string detector() const { return detector_->Name(); }

  // All pictures of a scene. Those whose face is found are cut out alike, as the first of them is, and are each other's
  // pairs; a lonely one has none.
  std::vector<Product> Make(std::uint64_t scene) {
    std::vector<Product> products;
    crop_from_image_.reset();
    for (int number = 0; number < generator_.Expressions(); ++number) products.push_back(MakeOne(scene, number));
    const auto found = std::ranges::count_if(products, [](const Product& p) { return p.face.has_value(); });
    if (found < 2) return products;
    for (Product& product : products) {
      if (product.face) product.pair = static_cast<std::int64_t>(scene);
    }
    return products;
  }

 private:
  Product MakeOne(std::uint64_t scene, int number) {
    Product product;
    product.index = scene * static_cast<std::uint64_t>(generator_.Expressions()) + static_cast<std::uint64_t>(number);
    product.truth = generator_.Generate(options_.seed, product.index);
    const cv::Mat image = product.truth.image;
    product.sample.key = Key(generator_, options_.seed, scene, number);
    product.sample.width = image.cols;
    product.sample.height = image.rows;
    if (!options_.images.empty()) product.picture = EncodeJpeg(image, options_.jpeg_quality);
    product.sample.sha256 = storage::Sha256({image.ptr<std::uint8_t>(), image.total() * image.elemSize()});
    for (const features::Detection& found : annotator::DetectFaces(*detector_, image, kLeastFace)) {
      if (!IsThisFace(found.box, product.truth.landmarks)) continue;
      product.face = Record(image, found, product.truth);
      break;
    }
    if (!product.face) product.sample.status = Outcome::kNoFace;
    product.truth.image.release();
    return product;
  }

  FaceRecord Record(const cv::Mat& image, const features::Detection& found, const SyntheticFace& truth) {
    FaceRecord face;
    face.box = found.box;
    face.detector_score = found.score;
    face.landmarks = landmarker_.Find(image, found.box);
    face.pose = annotator::EstimatePose(face.landmarks);
    if (!crop_from_image_) crop_from_image_ = features::CropFromImage(face.landmarks, options_.crop);
    face.crop_from_image = *crop_from_image_;
    const cv::Mat crop = features::Warp(image, *crop_from_image_, options_.crop.size, options_.crop.size);
    face.image = EncodeJpeg(crop, options_.jpeg_quality);
    face.aus.intensity = truth.au;
    for (const float v : truth.au) {
      face.aus.present.push_back(v >= 1 ? 1 : 0);
      face.aus.probability.push_back(v >= 1 ? 1.0F : 0.0F);
    }
    face.aus.quality =
        annotator::FaceQuality(annotator::EvidenceOf(crop, face.landmarks, detector_->HogScore(face.detector_score)));
    const features::AuSchema& schema = features::CatalogueSchema();
    face.aus.left.assign(schema.size(), NAN);
    face.aus.right = face.aus.left;
    for (std::size_t j = 0; j < schema.size(); ++j) {
      if (!features::AuHasSides(schema.numbers()[j])) continue;
      face.aus.left[j] = truth.au_left[j];
      face.aus.right[j] = truth.au_right[j];
    }
    const auto nearest = annotator::EmotionNearest(schema, face.aus.intensity);
    face.emotion = nearest.category;
    face.emotion_score = nearest.score;
    face.emotion_rule = annotator::EmotionFromAus(schema, face.aus.present).category;
    return face;
  }

  const FaceGenerator& generator_;
  const FactoryOptions& options_;
  const annotator::Landmarker& landmarker_;
  std::unique_ptr<annotator::FaceDetector> detector_;
  std::optional<features::Similarity> crop_from_image_;  // of the scene in work
};

// The columns of /synthetic, one row for each found face.
class Truths {
 public:
  void Add(const SyntheticFace& truth, std::uint64_t index, std::int64_t pair) {
    ++rows_;
    pair_.push_back(static_cast<float>(pair));
    index_.push_back(static_cast<float>(index));
    identity_.push_back(static_cast<float>(truth.identity));
    occluders_.push_back(static_cast<float>(truth.occluders));
    visible_.push_back(truth.visible_fraction);
    source_.push_back(truth.source_key);
    const auto append = [](std::vector<float>& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
    append(pose_, std::array{truth.pose.yaw, truth.pose.pitch, truth.pose.roll});
    append(light_, truth.light);
    for (const features::Point2& p : truth.landmarks) append(landmarks_, std::array{p.x, p.y});
    append(au_left_, truth.au_left);
    append(au_right_, truth.au_right);
    append(au_visibility_, truth.au_visibility);
  }
  // Of every picture, whether its face was found or not.
  void AddPicture(const SyntheticFace& truth) {
    for (const float v : {truth.pose.yaw, truth.pose.pitch, truth.pose.roll}) picture_pose_.push_back(v);
    picture_occluders_.push_back(static_cast<float>(truth.occluders));
  }
  void Write(ShardWriter& writer, const FaceGenerator& generator, std::uint64_t seed) {
    const std::uint64_t n = rows_, a = features::CatalogueSchema().size();
    writer.AddExtra(ExtraStrings{"/synthetic/method", {generator.Method()}});
    writer.AddExtra(ExtraStrings{"/synthetic/seed", {std::to_string(seed)}});
    writer.AddExtra(ExtraDataset{"/synthetic/index", {n}, index_});
    if (generator.Expressions() > 1) writer.AddExtra(ExtraDataset{"/synthetic/pair", {n}, pair_});
    writer.AddExtra(ExtraDataset{"/synthetic/identity", {n}, identity_});
    writer.AddExtra(ExtraStrings{"/synthetic/source", source_});
    writer.AddExtra(ExtraDataset{"/synthetic/pose", {n, 3}, pose_});
    writer.AddExtra(ExtraDataset{"/synthetic/light", {n, 9, 3}, light_});
    writer.AddExtra(ExtraDataset{"/synthetic/occluders", {n}, occluders_});
    writer.AddExtra(ExtraDataset{"/synthetic/visible_fraction", {n}, visible_});
    writer.AddExtra(ExtraDataset{"/synthetic/landmarks", {n, features::kLandmarkCount, 2}, landmarks_});
    writer.AddExtra(ExtraDataset{"/synthetic/au_left", {n, a}, au_left_});
    writer.AddExtra(ExtraDataset{"/synthetic/au_right", {n, a}, au_right_});
    writer.AddExtra(ExtraDataset{"/synthetic/au_visibility", {n, a}, au_visibility_});
    const std::uint64_t pictures = picture_occluders_.size();
    writer.AddExtra(ExtraDataset{"/synthetic/picture_pose", {pictures, 3}, picture_pose_});
    writer.AddExtra(ExtraDataset{"/synthetic/picture_occluders", {pictures}, picture_occluders_});
  }

 private:
  std::uint64_t rows_ = 0;
  std::vector<float> index_, pair_, identity_, occluders_, visible_, pose_, light_, landmarks_, au_left_, au_right_, au_visibility_;
  std::vector<float> picture_pose_, picture_occluders_;
  std::vector<std::string> source_;
};

// The scenes of one shard, made by several threads, handed out in order. At most `ahead` wait.
class OrderedProducts {
 public:
  OrderedProducts(std::uint64_t first, std::uint64_t last, std::uint64_t ahead)
      : next_(first), last_(last), wanted_(first), ahead_(ahead) {}

  // The next scene to make; nullopt when there is none.
  std::optional<std::uint64_t> Claim() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || next_ >= last_ || next_ < wanted_ + ahead_; });
    if (closed_ || next_ >= last_) return std::nullopt;
    return next_++;
  }
  void Deliver(std::uint64_t scene, std::vector<Product> products) {
    const std::lock_guard lock(mutex_);
    ready_.emplace(scene, std::move(products));
    changed_.notify_all();
  }
  void Fail(std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = failure;
    closed_ = true;
    changed_.notify_all();
  }
  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }
  // Waits for the next one in order.
  std::vector<Product> Take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return failure_ || ready_.contains(wanted_); });
    if (failure_) std::rethrow_exception(failure_);
    auto node = ready_.extract(wanted_++);
    changed_.notify_all();
    return std::move(node.mapped());
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, std::vector<Product>> ready_;
  std::uint64_t next_, last_, wanted_, ahead_;
  bool closed_ = false;
  std::exception_ptr failure_;
};

std::string ConfigDigest(const FaceGenerator& generator, const FactoryOptions& options, const std::string& landmarker) {
  nlohmann::json config{{"generator", generator.ConfigDigest()}, {"method", generator.Method()},
                              {"seed", options.seed},                  {"shard_size", options.shard_size},
                              {"crop_size", options.crop.size},        {"crop_inter_ocular", options.crop.inter_ocular},
                              {"crop_eye_height", options.crop.eye_height}, {"jpeg_quality", options.jpeg_quality}};
  if (landmarker != ShardHeader{}.landmarker) config["landmarker"] = landmarker;
  return storage::Sha256Hex(config.dump());
}

// What a finished shard tells of itself, which must be of our making.
nlohmann::json StatsOfOurs(const std::string& folder, int shard, const std::string& digest) {
  const std::string path = (fs::path(folder) / StatsFileName(shard)).string();
  nlohmann::json stats;
  try {
    stats = nlohmann::json::parse(storage::ReadFile(path));
  } catch (const nlohmann::json::exception& error) {
    throw storage::BadContent(path + ": is damaged (" + error.what() + "); remove it and its shard, and run again");
  }
  if (stats.value("config_digest", "") != digest) {
    throw FactoryMismatch(path + ": was made with other options, another face model or other photos; use the same, or another folder");
  }
  return stats;
}

// True when the shard is there and was made alike.
bool IsFinished(const FactoryOptions& options, int shard, std::uint64_t pictures, const std::string& digest) {
  if (!ShardIsDone(options.output, shard)) return false;
  const nlohmann::json stats = StatsOfOurs(options.output, shard, digest);
  if (stats.value("samples", std::uint64_t{0}) != pictures) return false;  // the last, shorter shard of a smaller --count
  return true;
}

// Another process may have put its shard there since this run began.
void RequireOurs(const FactoryOptions& options, int shard, const std::string& digest) {
  const std::string path = (fs::path(options.output) / ShardFileName(shard)).string();
  try {
    if (!storage::IsThere(path) || storage::Hdf5Reader(path).ReadString("/", "config_digest") == digest) return;
  } catch (const storage::BadContent&) {
    return;  // half a file is nobody's
  }
  throw FactoryMismatch(path + ": another run has put it there meanwhile, with other options, another face model or other "
                               "photos; it is left: use another folder");
}

std::string CsvLine(const Product& product, const std::string& file, std::optional<std::uint64_t> scene) {
  std::string line = file + "," + std::to_string(product.truth.identity);
  if (scene) line += "," + std::to_string(*scene);
  char text[32];
  for (const float v : product.truth.au) {
    std::snprintf(text, sizeof(text), ",%.3f", static_cast<double>(v));
    line += text;
  }
  return line + "\n";
}

// Of points_NNNNN.csv (docs/synthetic-faces.md).
std::string PointsHeader() {
  std::string line = "file,yaw,pitch,roll";
  for (std::size_t i = 0; i < features::kLandmarkCount; ++i)
    line += ",x" + std::to_string(i) + ",y" + std::to_string(i);
  for (std::size_t i = 0; i < features::kLandmarkCount; ++i) line += ",v" + std::to_string(i);
  return line + "\n";
}

std::string PointsLine(const SyntheticFace& truth, const std::string& file) {
  std::string line = file;
  char text[32];
  const auto append = [&](float value) {
    std::snprintf(text, sizeof(text), ",%.2f", static_cast<double>(value));
    line += text;
  };
  for (const float v : {truth.pose.yaw, truth.pose.pitch, truth.pose.roll}) append(v);
  for (const features::Point2& p : truth.landmarks) append(p.x), append(p.y);
  for (const bool seen : truth.landmark_seen) line += seen ? ",1" : ",0";
  return line + "\n";
}

// Of dense_NNNNN.csv.
std::string DenseHeader() {
  std::string line = "file";
  for (std::size_t i = 0; i < features::kDenseCount; ++i) line += ",x" + std::to_string(i) + ",y" + std::to_string(i);
  for (std::size_t i = 0; i < features::kDenseCount; ++i) line += ",v" + std::to_string(i);
  return line + "\n";
}

std::string DenseLine(const SyntheticFace& truth, const std::string& file) {
  std::string line = file;
  char text[48];
  for (const features::Point2& p : truth.dense) {
    std::snprintf(text, sizeof(text), ",%.2f,%.2f", static_cast<double>(p.x), static_cast<double>(p.y));
    line += text;
  }
  for (const bool seen : truth.dense_seen) line += seen ? ",1" : ",0";
  return line + "\n";
}

}  // namespace

void FactoryOptions::Validate() const {
  const auto need = [](bool ok, const std::string& text) {
    if (!ok) throw std::invalid_argument("synth." + text);
  };
  need(!output.empty(), "output is empty; name a folder");
  need(count >= 1, "count = 0; must be >= 1");
  need(shard_size >= 1, "shard_size = 0; must be >= 1");
  need(jobs >= 1 && jobs <= 1024, "jobs = " + std::to_string(jobs) + "; must be 1..1024");
  need(processes >= 1 && index >= 0 && index < processes, "index = " + std::to_string(index) + "; must be 0..count-1");
  need(jpeg_quality >= 1 && jpeg_quality <= 100, "jpeg_quality = " + std::to_string(jpeg_quality) + "; must be 1..100");
  crop.Validate();
}

namespace {

// One shard: products in order into a writer. Returns false when stopped.
class ShardJob {
 public:
  ShardJob(const FaceGenerator& generator, const FactoryOptions& options, std::vector<std::unique_ptr<Inspector>>& inspectors)
      : generator_(generator), options_(options), inspectors_(inspectors) {}

  // on_scene(pictures, faces found): false to stop.
  template <typename OnScene>
  bool Run(int shard, std::uint64_t first, std::uint64_t last, const std::string& digest, const OnScene& on_scene) {
    ShardHeader header;
    header.schema = features::CatalogueSchema();
    header.model_digest = "exact";
    header.detector = inspectors_.front()->detector();
    header.landmarker = inspectors_.front()->landmarker();
    header.config_digest = digest;
    header.source = generator_.Method() + " faces " + std::to_string(first) + ".." + std::to_string(last - 1);
    header.created = CreationTime();
    header.emotion_names = annotator::EmotionNames();
    ShardWriter writer(options_.output, shard, header);
    OrderedProducts products(first, last, 8 * inspectors_.size());
    std::vector<std::jthread> threads;
    for (auto& inspector : inspectors_) {
      threads.emplace_back([&products, &inspector] {
        try {
          while (const auto scene = products.Claim()) products.Deliver(*scene, inspector->Make(*scene));
        } catch (...) {
          products.Fail(std::current_exception());
        }
      });
    }
    Truths truths;
    std::string csv, points, dense;
    for (std::uint64_t scene = first; scene < last; ++scene) {
      std::uint64_t found = 0;
      std::vector<Product> pictures = products.Take();
      const std::uint64_t drawn = pictures.size();
      for (Product& product : pictures) {
        found += product.face ? 1 : 0;
        if (!options_.images.empty()) {
          const std::string file = product.sample.key + ".jpg";
          WriteImage(product, file);
          csv += CsvLine(product, file, HasScenes() ? std::optional(scene) : std::nullopt);
          points += PointsLine(product.truth, file);
          dense += DenseLine(product.truth, file);
        }
        Add(std::move(product), writer, truths);
      }
      if (!on_scene(drawn, found)) {
        products.Close();
        return false;
      }
    }
    truths.Write(writer, generator_, options_.seed);
    if (!options_.images.empty()) {
      const std::string end = "_" + StatsFileName(shard).substr(0, 5) + ".csv";
      storage::WriteFileAtomically((fs::path(options_.images) / ("labels" + end)).string(), CsvHeader() + csv);
      storage::WriteFileAtomically((fs::path(options_.images) / ("points" + end)).string(), PointsHeader() + points);
      storage::WriteFileAtomically((fs::path(options_.images) / ("dense" + end)).string(), DenseHeader() + dense);
    }
    writer.Finish("{}", {}, [&] { RequireOurs(options_, shard, digest); });
    return true;
  }

 private:
  bool HasScenes() const { return generator_.Expressions() > 1; }

  static void Add(Product product, ShardWriter& writer, Truths& truths) {
    truths.AddPicture(product.truth);
    const std::int64_t row = writer.AddSample(std::move(product.sample));
    if (!product.face) return;
    product.face->sample = row;
    writer.AddFace(std::move(*product.face));
    truths.Add(product.truth, product.index, product.pair);
  }

  void WriteImage(const Product& product, const std::string& file) const {
    storage::WriteFileAtomically((fs::path(options_.images) / file).string(),
                                 {reinterpret_cast<const char*>(product.picture.data()), product.picture.size()});
  }

  std::string CsvHeader() const {
    std::string line = HasScenes() ? "file,identity,scene" : "file,identity";
    for (const int au : features::CatalogueSchema().numbers()) line += ",AU" + std::to_string(au);
    return line + "\n";
  }

  const FaceGenerator& generator_;
  const FactoryOptions& options_;
  std::vector<std::unique_ptr<Inspector>>& inspectors_;
};

}  // namespace

FactorySummary MakeFaces(const FaceGenerator& generator, const FactoryOptions& options,
                         const std::function<void(const FactoryProgress&)>& progress,
                         const std::function<bool()>& stop_requested) {
  options.Validate();
  const auto start = Clock::now();
  const auto seconds = [start] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  if (!options.images.empty()) storage::MakeFolder(options.images);
  const annotator::Landmarker landmarker(options.landmarks.empty() ? annotator::DefaultLandmarks() : options.landmarks);
  std::vector<std::unique_ptr<Inspector>> inspectors;
  for (int i = 0; i < options.jobs; ++i) inspectors.push_back(std::make_unique<Inspector>(generator, options, landmarker));
  const std::string digest = ConfigDigest(generator, options, landmarker.Name());

  struct Piece {
    int shard;
    std::uint64_t first, last;  // scenes
  };
  // A folder is read as one: shards of other faces and ours would mix.
  if (const auto there = FirstFinishedShard(options.output)) StatsOfOurs(options.output, *there, digest);
  Leftovers leftovers(options.output);
  std::vector<Piece> pieces;
  FactorySummary summary;
  FactoryProgress state;
  const auto per_scene = static_cast<std::uint64_t>(generator.Expressions());
  for (std::uint64_t first = 0, shard = 0; first < options.count; first += options.shard_size, ++shard) {
    const std::uint64_t last = std::min(options.count, first + options.shard_size);
    if (static_cast<int>(shard % static_cast<std::uint64_t>(options.processes)) != options.index) continue;
    if (IsFinished(options, static_cast<int>(shard), (last - first) * per_scene, digest)) {
      leftovers.Remove(static_cast<int>(shard));
      ++summary.shards_skipped;
      continue;
    }
    pieces.push_back({static_cast<int>(shard), first, last});
    state.expected += (last - first) * per_scene;
  }
  ShardJob job(generator, options, inspectors);
  for (const Piece& piece : pieces) {
    const bool whole = job.Run(piece.shard, piece.first, piece.last, digest, [&](std::uint64_t pictures, std::uint64_t found) {
      state.pictures += pictures;
      state.faces += found;
      state.seconds = seconds();
      if (progress) progress(state);
      return !(stop_requested && stop_requested());
    });
    if (!whole) {
      summary.stopped = true;
      break;
    }
    leftovers.Remove(piece.shard);
    ++summary.shards_written;
  }
  summary.pictures = state.pictures;
  summary.faces = state.faces;
  summary.seconds = seconds();
  return summary;
}

}  // namespace auforge::datasets::synthetic
