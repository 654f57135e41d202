#include "tools/gan/photo_pairs.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/imgproc.hpp>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>

#include "annotator/emotions.h"
#include "annotator/landmarker.h"
#include "datasets/creation_time.h"
#include "datasets/image_codec.h"
#include "datasets/shard.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/checksum.h"
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

constexpr int kJpegQuality = 95;        // what a generator learns from should not teach it JPEG
constexpr std::size_t kFacesAtOnce = 64;  // that wait for the writer

struct Picture {
  SampleRecord sample;
  FaceRecord face;
  float pair = 0;
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
        std::vector<float> shown = own;
        cv::Mat picture = photo.bgr.clone();
        if (i > 0) {
          const auto step = static_cast<std::size_t>(1 + random.Index(std::max(1, static_cast<int>(faces_.size()) - 1)));
          const std::size_t other = faces_[(at + step) % faces_.size()];
          shown = DrawRequest(random, edited_, own, Intensities(other));
          warper_.Edit(picture, landmarks, own, shown);
        }
        pictures.push_back(Record(picture, face, shown));
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

  // What an annotator would see: the picture written is the image, and its crop.
  Picture Record(const cv::Mat& crop, std::size_t face, const std::vector<float>& shown) const {
    Picture result;
    const FaceRecord original = photos_.Face(face);
    result.sample = photos_.Sample(static_cast<std::size_t>(original.sample));
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

std::string Digest(const PhotoPairsOptions& options, const ShardReader& photos, const std::string& face_model, const std::string& landmarker) {
  const nlohmann::json config{{"photos", photos.header().config_digest}, {"labels", photos.header().model_digest},
                              {"source", photos.header().source}, {"faces", photos.FaceCount()},
                              {"face_model", face_model}, {"landmarker", landmarker}, {"image_size", options.image_size},
                              {"aus", options.aus.Names()}, {"expressions", options.expressions}, {"scenes", options.scenes},
                              {"min_quality", options.min_quality}, {"max_yaw", options.max_yaw}, {"seed", options.seed}};
  return datasets::storage::Sha256Hex(config.dump());
}

bool IsFinished(const std::string& folder, int number, const std::string& digest) {
  if (!datasets::ShardIsDone(folder, number)) return false;
  const std::string path = (fs::path(folder) / datasets::ShardFileName(number)).string();
  if (ShardReader(path).header().config_digest == digest) return true;
  throw BadInputError(path + ": holds other pairs (other photographs or options); use the same, or another folder");
}

// False where it was told to stop.
bool WriteShard(const PhotoPairsOptions& options, const ShardOfPairs& pairs, datasets::ShardWriter& writer,
                const std::function<void(std::size_t)>& on_faces, const std::function<bool()>& stop) {
  std::vector<float> pair;
  for (std::size_t first = 0; first < pairs.faces().size(); first += kFacesAtOnce) {
    const std::size_t count = std::min(kFacesAtOnce, pairs.faces().size() - first);
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
      }
    }
    on_faces(count);
  }
  writer.AddExtra(datasets::ExtraStrings{"/synthetic/method", {"warp"}});
  writer.AddExtra(datasets::ExtraStrings{"/synthetic/seed", {std::to_string(options.seed)}});
  writer.AddExtra(datasets::ExtraDataset{"/synthetic/pair", {pair.size()}, pair});
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
  const std::vector<std::string> paths = datasets::FindShards(options.shards);
  std::uint64_t expected = 0, done = 0;
  for (const std::string& path : paths) expected += ShardReader(path).FaceCount();
  PhotoPairsSummary summary;
  for (std::size_t i = 0; i < paths.size() && !summary.stopped; ++i) {
    const int number = static_cast<int>(i);
    const ShardReader photos(paths[i]);
    const std::string digest = Digest(options, photos, face_model_digest, landmarker.Name());
    if (IsFinished(options.output, number, digest)) {
      ++summary.shards_skipped;
      done += photos.FaceCount();
      continue;
    }
    const ShardOfPairs pairs(options, warper, landmarker, photos, number);
    done += photos.FaceCount() - pairs.faces().size();
    datasets::ShardHeader header;
    header.schema = features::CatalogueSchema();
    header.model_digest = photos.header().model_digest;
    header.detector = photos.header().detector;
    header.landmarker = landmarker.Name();
    header.config_digest = digest;
    header.source = "pairs of " + photos.header().source;
    header.created = datasets::CreationTime();
    header.emotion_names = annotator::EmotionNames();
    datasets::ShardWriter writer(options.output, number, header);
    const auto on_faces = [&](std::size_t faces) {
      done += faces;
      if (progress) progress(done, expected, seconds());
    };
    const bool whole = WriteShard(options, pairs, writer, on_faces, [&] { return stop_requested && stop_requested(); });
    if (!whole) {
      summary.stopped = true;
      break;
    }
    writer.Finish();
    ++summary.shards_written;
    summary.faces += pairs.faces().size();
    summary.left_out += photos.FaceCount() - pairs.faces().size();
    summary.pictures += pairs.faces().size() * static_cast<std::uint64_t>(options.scenes) * static_cast<std::uint64_t>(options.expressions);
  }
  summary.seconds = seconds();
  return summary;
}

}  // namespace auforge::tools
