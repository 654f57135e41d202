#include "annotator/net_training/point_set.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <stdexcept>

#include "annotator/landmarker.h"
#include "annotator/point_file.h"
#include "datasets/image_codec.h"
#include "datasets/shard.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/paths.h"
#include "features/align.h"

namespace auforge::annotator {
namespace {

namespace fs = std::filesystem;
using features::Point2;

constexpr std::size_t kFirstInner = 17, kLeastKnown = 26;  // of 51 inner points

// Points that are not known come where the mean face, laid on the others, has them.
bool FillUnknown(PointFace& face) {
  std::vector<Point2> mean, known;
  std::size_t inner = 0;
  for (std::size_t i = 0; i < face.points.size(); ++i) {
    if (!face.known[i]) continue;
    inner += i >= kFirstInner ? 1 : 0;
    mean.push_back(features::MeanFace()[i]);
    known.push_back(face.points[i]);
  }
  if (inner < kLeastKnown) return false;
  const features::Similarity place = features::FitSimilarity(mean, known);
  for (std::size_t i = 0; i < face.points.size(); ++i) {
    if (!face.known[i]) face.points[i] = place(features::MeanFace()[i]);
  }
  return true;
}

// Cuts away what no jitter reaches, and halves what is larger than nets see it.
void Trim(PointFace& face, const KeptPicture& wanted) {
  const features::Box box = BoxAround(face.points);
  const float reach = wanted.boxes / 2 * box.width, x = box.x + box.width / 2, y = box.y + box.height / 2;
  const cv::Rect whole(0, 0, face.picture.cols, face.picture.rows);
  cv::Rect kept = cv::Rect(cv::Point(static_cast<int>(std::floor(x - reach)), static_cast<int>(std::floor(y - reach))),
                           cv::Point(static_cast<int>(std::ceil(x + reach)), static_cast<int>(std::ceil(y + reach)))) & whole;
  if (kept.width < 16 || kept.height < 16) kept = whole;
  const double scale = std::min(1.0, static_cast<double>(wanted.box / std::max(box.width, 1.0F)));
  cv::Mat part;
  cv::resize(face.picture(kept), part, cv::Size(std::max(8, static_cast<int>(std::lround(kept.width * scale))), std::max(8, static_cast<int>(std::lround(kept.height * scale)))), 0, 0,
             scale < 1 ? cv::INTER_AREA : cv::INTER_NEAREST);
  const auto sx = static_cast<float>(part.cols) / static_cast<float>(kept.width),
             sy = static_cast<float>(part.rows) / static_cast<float>(kept.height);
  const auto move = [&](std::span<Point2> points) {
    for (Point2& p : points) p = {(p.x - static_cast<float>(kept.x)) * sx, (p.y - static_cast<float>(kept.y)) * sy};
  };
  move(face.points);
  move(face.dense);
  face.picture = part;
}

cv::Mat Decode(std::span<const std::uint8_t> bytes, const std::string& name) {
  const datasets::DecodedImage image = datasets::DecodeImage(bytes, {});
  if (image.status != datasets::Outcome::kOk) throw datasets::storage::BadContent(name + ": " + image.message);
  return image.bgr;
}

void AddTable(const std::string& path, const KeptPicture& kept, std::vector<PointFace>& faces, std::size_t& left_out) {
  std::map<std::string, DenseRow> dense;
  if (kept.dense) {
    for (DenseRow& row : ReadDenseTables(path)) dense.emplace(row.picture, std::move(row));
  }
  for (const PointRow& row : ReadPointTables(path)) {
    PointFace face{{}, row.points, row.known, row.seen, {}, {}};
    if (kept.dense) {
      const auto found = dense.find(row.picture);
      if (found == dense.end()) continue;
      face.dense = found->second.points;
      face.dense_seen = found->second.seen;
    }
    if (!FillUnknown(face)) {
      ++left_out;
      continue;
    }
    const std::string bytes = datasets::storage::ReadFile(row.picture);
    face.picture = Decode({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, row.picture);
    Trim(face, kept);
    faces.push_back(std::move(face));
  }
}

void AddShard(const std::string& path, std::vector<PointFace>& faces) {
  const datasets::ShardReader shard(path);
  const auto exact = shard.Extra("/synthetic/landmarks");
  if (!exact || exact->values.size() != shard.FaceCount() * 2 * features::kLandmarkCount)
    throw datasets::storage::BadContent(path + ": has no exact points; name shards of 'auforge synth faces'");
  for (std::size_t i = 0; i < shard.FaceCount(); ++i) {
    PointFace face;
    face.picture = Decode(shard.FaceImage(i), path + ": face " + std::to_string(i));
    face.known.fill(true);
    face.seen.fill(-1);
    const float* at = exact->values.data() + i * 2 * features::kLandmarkCount;
    for (Point2& p : face.points) p = {at[0], at[1]}, at += 2;
    face.points = features::Transform(shard.CropFromImage(i), face.points);
    faces.push_back(std::move(face));
  }
}

bool HoldsTables(const std::string& path) {
  if (!datasets::storage::IsThere(path) || !fs::is_directory(path)) return path.ends_with(".csv");
  return std::any_of(fs::directory_iterator(path), fs::directory_iterator(), [](const fs::directory_entry& entry) {
    const std::string name = entry.path().filename().string();
    return name.starts_with("points_") && name.ends_with(".csv");
  });
}

}  // namespace

std::vector<PointFace> LoadPointFaces(const std::vector<std::string>& sources, const PointSetLog& log,
                                      const KeptPicture& kept) {
  std::vector<PointFace> faces;
  for (const std::string& source : sources) {
    const std::size_t before = faces.size();
    std::size_t left_out = 0;
    if (kept.dense || HoldsTables(source)) {
      AddTable(source, kept, faces, left_out);
    } else {
      for (const std::string& shard : datasets::FindShards({source})) AddShard(shard, faces);
    }
    if (log) {
      log(source + ": " + std::to_string(faces.size() - before) + " faces" +
          (left_out > 0 ? ", " + std::to_string(left_out) + " with too few points" : ""));
    }
  }
  return faces;
}

}  // namespace auforge::annotator
