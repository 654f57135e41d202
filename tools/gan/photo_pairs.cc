#include "tools/gan/photo_pairs.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>

#include "annotator/emotions.h"
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
#include "datasets/synthetic/random.h"
#include "features/align.h"
#include "tools/cli/cli.h"
#include "tools/gan/pair_requests.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using datasets::FaceRecord;
using datasets::SampleRecord;
using datasets::ShardReader;
using datasets::synthetic::Expression;

constexpr char kMethod[] = "warp";
constexpr float kUnknown = std::numeric_limits<float>::quiet_NaN();
constexpr int kJpegQuality = 95;        // what a generator learns from should not teach it JPEG
constexpr std::size_t kFacesAtOnce = 64;  // that wait for the writer

struct Picture {
  SampleRecord sample;
  FaceRecord face;
  float pair = 0;
  Expression halves;
  std::string source;  // the photograph
};

// The pairs of one shard of photographs.
class ShardOfPairs {
 public:
  ShardOfPairs(const PhotoPairsOptions& options, const warp::FaceWarper& warper, const annotator::Landmarker& landmarker,
               const ShardReader& photos, int number)
      : options_(options), warper_(warper), landmarker_(landmarker), photos_(photos), number_(number) {
    for (const std::string& name : features::CatalogueSchema().Names()) {
      const auto au = features::ParseAu(name);
      const auto column = photos.header().schema.Find(*au);
      if (!column) {
        throw BadInputError(photos.path() + ": has no " + name + ", which edits need; annotate with a model of all AUs");
      }
      columns_.push_back(*column);
    }
    for (const int au : options.aus.numbers()) edited_.push_back(*features::CatalogueSchema().Find(au));
    photos.RequireCrops();
    for (std::size_t i = 0; i < photos.FaceCount(); ++i) {
      if (photos.Quality()[i] >= static_cast<float>(options.min_quality) &&
          std::abs(static_cast<double>(photos.Pose(i).yaw)) <= options.max_yaw) {
        faces_.push_back(i);
      }
    }
  }

  const std::vector<std::size_t>& faces() const { return faces_; }

  // All pictures of a face: scenes x expressions.
  std::vector<Picture> Make(std::size_t at) const {
    const std::size_t face = faces_[at];
    const datasets::DecodedImage photo = datasets::DecodeImage(photos_.FaceImage(face), {});
    if (photo.status != datasets::Outcome::kOk) {
      throw BadInputError(photos_.path() + ": face " + std::to_string(face) + ": " + photo.message);
    }
    const features::Similarity map = photos_.CropFromImage(face);
    const features::Landmarks68 landmarks = features::Transform(map, photos_.Landmarks(face));
    const std::vector<float> own = Intensities(face);
    std::vector<Picture> pictures;
    for (int scene = 0; scene < options_.scenes; ++scene) {
      datasets::synthetic::Random random(options_.seed, face * 1000003U + static_cast<std::uint64_t>(scene),
                                         static_cast<std::uint64_t>(number_));
      for (int i = 0; i < options_.expressions; ++i) {
        Expression shown{own, own};
        cv::Mat picture = photo.bgr.clone();
        if (i > 0) {
          const auto step = static_cast<std::size_t>(1 + random.Index(std::max(1, static_cast<int>(faces_.size()) - 1)));
          const std::size_t other = faces_[(at + step) % faces_.size()];
          const std::vector<float> wanted = DrawRequest(random, edited_, own, Intensities(other));
          shown = ApartInHalves(random, own, wanted, static_cast<float>(options_.one_sided));
          warper_.Edit(picture, landmarks, {own, own}, shown);
        }
        pictures.push_back(Record(picture, face, shown.Labels()));
        pictures.back().halves = KnownHalves(face, own, std::move(shown));
        pictures.back().sample.key += "-" + std::to_string(scene) + "-" + std::to_string(i);
        pictures.back().pair = static_cast<float>(at * static_cast<std::size_t>(options_.scenes) + static_cast<std::size_t>(scene));
      }
    }
    return pictures;
  }

 private:
  std::vector<float> Intensities(std::size_t face) const {
    const std::size_t width = photos_.header().schema.size();
    std::vector<float> values;
    for (const std::size_t column : columns_) values.push_back(photos_.AuIntensity()[face * width + column]);
    return values;
  }

  // Of AUs that an edit has left alone the shard's own word on the halves; where it has none, nobody knows them.
  Expression KnownHalves(std::size_t face, const std::vector<float>& own, Expression shown) const {
    const std::vector<int>& aus = features::CatalogueSchema().numbers();
    for (std::size_t j = 0; j < own.size(); ++j) {
      if (!features::AuHasSides(aus[j]) || shown.left[j] != own[j] || shown.right[j] != own[j]) continue;
      const std::size_t at = face * photos_.header().schema.size() + columns_[j];
      shown.left[j] = photos_.AuLeft().empty() ? kUnknown : photos_.AuLeft()[at];
      shown.right[j] = photos_.AuRight().empty() ? kUnknown : photos_.AuRight()[at];
    }
    return shown;
  }

  // What an annotator would see: the picture written is the image, and its crop.
  Picture Record(const cv::Mat& crop, std::size_t face, const std::vector<float>& shown) const {
    Picture result;
    const FaceRecord original = photos_.Face(face);
    result.sample = photos_.Sample(static_cast<std::size_t>(original.sample));
    result.source = result.sample.key;
    result.sample.sha256 = {};  // of another picture
    result.sample.hash = {};
    result.sample.key += "-" + std::to_string(original.face_index);
    result.sample.width = result.sample.height = options_.image_size;
    cv::Mat picture;
    cv::resize(crop, picture, {options_.image_size, options_.image_size}, 0, 0,
               crop.cols > options_.image_size ? cv::INTER_AREA : cv::INTER_LINEAR);
    FaceRecord& out = result.face;
    out.image = datasets::EncodeJpeg(picture, kJpegQuality);
    const float scale = static_cast<float>(options_.image_size) / static_cast<float>(crop.cols);
    const features::Point2 centre = original.crop_from_image({original.box.x + original.box.width / 2, original.box.y + original.box.height / 2});
    const float side = original.box.width * original.crop_from_image.Scale() * scale;
    out.box = {centre.x * scale - side / 2, centre.y * scale - side / 2, side, side};
    out.landmarks = landmarker_.FindSteady(picture, out.box);
    out.pose = original.pose;
    out.detector_score = original.detector_score;
    out.aus.intensity = shown;
    for (const float v : shown) {
      out.aus.present.push_back(v >= 1 ? 1 : 0);
      out.aus.probability.push_back(v >= 1 ? 1.0F : 0.0F);
    }
    out.aus.quality = original.aus.quality;
    const auto nearest = annotator::EmotionNearest(features::CatalogueSchema(), shown);
    out.emotion = nearest.category;
    out.emotion_score = nearest.score;
    out.emotion_rule = annotator::EmotionFromAus(features::CatalogueSchema(), out.aus.present).category;
    return result;
  }

  const PhotoPairsOptions& options_;
  const warp::FaceWarper& warper_;
  const annotator::Landmarker& landmarker_;
  const ShardReader& photos_;
  int number_;
  std::vector<std::size_t> columns_;  // of the photographs' schema, in the catalogue's order
  std::vector<std::size_t> edited_;   // of the catalogue, that edits set
  std::vector<std::size_t> faces_;    // that are taken
};

// The faces from `first` on of those that are taken of a shard.
struct Part {
  std::size_t first, count;
};

// A shard is in memory until it is whole, and a kill costs what is not: of many pictures several are made.
std::vector<Part> PartsOf(std::size_t taken, const PhotoPairsOptions& options) {
  const std::size_t most = std::max<std::size_t>(1, options.shard_pictures / static_cast<std::size_t>(options.scenes * options.expressions));
  std::vector<Part> parts;
  for (std::size_t first = 0; first < taken || parts.empty(); first += most) parts.push_back({first, std::min(most, taken - first)});
  return parts;
}

std::string Digest(const PhotoPairsOptions& options, const ShardReader& photos, std::optional<Part> part, const std::string& face_model, const std::string& landmarker) {
  // requests: counts up when DrawRequest draws others, which must not mix with those of before.
  nlohmann::json config{{"requests", 2}, {"photos", photos.header().config_digest}, {"labels", photos.header().model_digest},
                              {"source", photos.header().source}, {"faces", photos.FaceCount()},
                              {"face_model", face_model}, {"landmarker", landmarker}, {"image_size", options.image_size},
                              {"aus", options.aus.Names()}, {"expressions", options.expressions}, {"scenes", options.scenes},
                              {"min_quality", options.min_quality}, {"max_yaw", options.max_yaw}, {"seed", options.seed}};
  if (options.one_sided > 0) config["one_sided"] = options.one_sided;
  if (part) config["part"] = {part->first, part->count};
  return datasets::storage::Sha256Hex(config.dump());
}

std::string ShardPath(const std::string& folder, int number) { return (fs::path(folder) / datasets::ShardFileName(number)).string(); }

// What is in the way under the name of a shard to be written is other pairs or, without a stats file, perhaps anything.
void RequireOurs(const std::string& folder, int number, const std::string& digest) {
  const std::string path = ShardPath(folder, number);
  if (!datasets::storage::IsThere(path)) return;
  try {
    if (datasets::storage::Hdf5Reader(path).ReadString("/", "config_digest") == digest) return;
  } catch (const datasets::storage::BadContent&) {
    throw BadInputError(path + ": is there and is no shard; remove it, or use another folder");
  }
  throw BadInputError(path + ": holds other faces or pairs (other photographs or options); use the same, or another folder");
}

// The faces of other shards would be taken for pairs, and pairs for photographs.
void RequireFolderOfPairs(const std::string& folder) {
  const auto number = datasets::FirstFinishedShard(folder);
  if (!number) return;
  const ShardReader shard(ShardPath(folder, *number));
  const auto method = shard.ExtraText("/synthetic/method");
  if (!method || method->values != std::vector<std::string>{kMethod})
    throw BadInputError(shard.path() + ": holds no pairs of photographs, and the folder would mix; use another folder");
}

// A shard of pairs to be.
struct Job {
  int number;
  int photos;        // number of the shard of photographs
  std::string path;  // of that
  std::string digest;
  Part part;
  std::size_t left_out;  // faces of the shard, told with its first part
  bool is_done;
};

// All shards are looked at before the first is written.
std::vector<Job> PlanJobs(const PhotoPairsOptions& options, const warp::FaceWarper& warper, const annotator::Landmarker& landmarker,
                          const std::string& face_model) {
  RequireFolderOfPairs(options.output);
  std::vector<Job> jobs;
  std::size_t taken = 0;
  int shard = 0;
  for (const std::string& path : datasets::FindShards(options.shards)) {
    const ShardReader photos(path);
    const std::size_t usable = ShardOfPairs(options, warper, landmarker, photos, shard).faces().size();
    const std::vector<Part> parts = PartsOf(usable, options);
    for (const Part& part : parts) {
      const int number = static_cast<int>(jobs.size());
      const std::string digest = Digest(options, photos, parts.size() > 1 ? std::optional(part) : std::nullopt, face_model, landmarker.Name());
      RequireOurs(options.output, number, digest);
      jobs.push_back({number, shard, path, digest, part, part.first == 0 ? photos.FaceCount() - usable : 0,
                      datasets::ShardIsDone(options.output, number)});
    }
    taken += usable;
    ++shard;
  }
  if (taken == 0)
    throw BadInputError(jobs.front().path + ": has no face that is good enough and looks ahead enough; lower --min-quality or raise --max-yaw");
  return jobs;
}

// False where it was told to stop.
bool WriteShard(const PhotoPairsOptions& options, const ShardOfPairs& pairs, const Part& part, datasets::ShardWriter& writer,
                const std::function<void(std::size_t)>& on_faces, const std::function<bool()>& stop) {
  std::vector<float> pair, left, right;
  std::vector<std::string> source;
  for (std::size_t done = 0; done < part.count; done += kFacesAtOnce) {
    const std::size_t first = part.first + done, count = std::min(kFacesAtOnce, part.count - done);
    std::vector<std::vector<Picture>> made(count);
    tbb::parallel_for(std::size_t{0}, count, [&](std::size_t i) {
      if (!stop()) made[i] = pairs.Make(first + i);
    });
    if (stop()) return false;
    for (std::vector<Picture>& pictures : made) {
      for (Picture& picture : pictures) {
        picture.face.sample = writer.AddSample(std::move(picture.sample));
        writer.AddFace(std::move(picture.face));
        pair.push_back(picture.pair);
        source.push_back(std::move(picture.source));
        left.insert(left.end(), picture.halves.left.begin(), picture.halves.left.end());
        right.insert(right.end(), picture.halves.right.begin(), picture.halves.right.end());
      }
    }
    on_faces(count);
  }
  writer.AddExtra(datasets::ExtraStrings{"/synthetic/method", {kMethod}});
  writer.AddExtra(datasets::ExtraStrings{"/synthetic/seed", {std::to_string(options.seed)}});
  writer.AddExtra(datasets::ExtraDataset{"/synthetic/pair", {pair.size()}, pair});
  writer.AddExtra(datasets::ExtraStrings{"/synthetic/source", source});
  if (options.one_sided > 0) {
    const std::size_t aus = features::CatalogueSchema().size();
    writer.AddExtra(datasets::ExtraDataset{"/synthetic/au_left", {pair.size(), aus}, left});
    writer.AddExtra(datasets::ExtraDataset{"/synthetic/au_right", {pair.size(), aus}, right});
  }
  return true;
}

}  // namespace

PhotoPairsSummary WritePhotoPairs(const PhotoPairsOptions& options, const warp::FaceWarper& warper,
                                  const std::string& face_model_digest,
                                  const std::function<void(std::uint64_t, std::uint64_t, double)>& progress,
                                  const std::function<bool()>& stop_requested) {
  const auto start = Clock::now();
  const auto seconds = [start] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  const tbb::global_control cap(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(options.jobs));
  const annotator::Landmarker landmarker(annotator::DefaultLandmarks());
  const std::vector<Job> jobs = PlanJobs(options, warper, landmarker, face_model_digest);
  datasets::Leftovers leftovers(options.output);
  std::uint64_t expected = 0, done = 0;
  for (const Job& job : jobs) expected += job.part.count + job.left_out;
  PhotoPairsSummary summary;
  for (const Job& job : jobs) {
    if (job.is_done) {
      leftovers.Remove(job.number);
      ++summary.shards_skipped;
      done += job.part.count + job.left_out;
      continue;
    }
    const ShardReader photos(job.path);
    const ShardOfPairs pairs(options, warper, landmarker, photos, job.photos);
    done += job.left_out;
    datasets::ShardHeader header;
    header.schema = features::CatalogueSchema();
    header.model_digest = photos.header().model_digest;
    header.detector = photos.header().detector;
    header.landmarker = landmarker.Name();
    header.config_digest = job.digest;
    header.source = "pairs of " + photos.header().source;
    header.created = datasets::CreationTime();
    header.emotion_names = annotator::EmotionNames();
    datasets::ShardWriter writer(options.output, job.number, header);
    const auto on_faces = [&](std::size_t faces) {
      done += faces;
      if (progress) progress(done, expected, seconds());
    };
    const bool whole = WriteShard(options, pairs, job.part, writer, on_faces, [&] { return stop_requested && stop_requested(); });
    if (!whole) {
      summary.stopped = true;
      break;
    }
    writer.Finish("{}", {}, [&] { RequireOurs(options.output, job.number, job.digest); });
    leftovers.Remove(job.number);
    ++summary.shards_written;
    summary.faces += job.part.count;
    summary.left_out += job.left_out;
    summary.pictures += job.part.count * static_cast<std::uint64_t>(options.scenes) * static_cast<std::uint64_t>(options.expressions);
  }
  summary.seconds = seconds();
  return summary;
}

}  // namespace auforge::tools
