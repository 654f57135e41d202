#include "tools/gan/gan_faces.h"

#include <cmath>

#include "datasets/image_codec.h"
#include "datasets/shard.h"
#include "datasets/storage/paths.h"
#include "tools/cli/cli.h"
#include "tools/gan/face_finder.h"

namespace auforge::tools {
namespace {

features::Box TransformedBox(const features::Similarity& map, const features::Box& box) {
  const features::Point2 centre = map({box.x + box.width / 2, box.y + box.height / 2});
  const float width = box.width * map.Scale(), height = box.height * map.Scale();
  return {centre.x - width / 2, centre.y - height / 2, width, height};
}

GanFaces FromShards(const std::string& source, const GanFaceOptions& options) {
  struct Candidate {
    std::size_t shard, face;
  };
  std::vector<datasets::ShardReader> shards;
  std::vector<Candidate> candidates;
  for (const std::string& path : datasets::FindShards({source})) {
    shards.emplace_back(path);
    const datasets::ShardReader& shard = shards.back();
    if (shard.header().schema.Names() != shards.front().header().schema.Names()) {
      throw BadInputError(path + ": has other AUs than " + shards.front().path() +
                          "; give shards of one model");
    }
    for (std::size_t i = 0; i < shard.FaceCount(); ++i) {
      if (shard.FaceBox(i).width < options.min_box || std::abs(shard.Pose(i).yaw) > options.max_yaw) continue;
      if (shard.Quality()[i] >= options.min_quality) candidates.push_back({shards.size() - 1, i});
    }
  }
  if (candidates.empty()) throw BadInputError(source + ": no frontal face that is large and sharp enough");
  const std::size_t count = std::min(static_cast<std::size_t>(options.count), candidates.size());
  GanFaces result;
  result.schema = shards.front().header().schema;
  for (std::size_t i = 0; i < count; ++i) {
    const auto [at, face] = candidates[i * candidates.size() / count];
    const datasets::ShardReader& shard = shards[at];
    const datasets::DecodedImage image = datasets::DecodeImage(shard.FaceImage(face), {});
    if (image.status != datasets::Outcome::kOk) {
      throw BadInputError(shard.path() + ": face " + std::to_string(face) + ": " + image.message);
    }
    const features::Similarity map = shard.CropFromImage(face);
    result.faces.push_back({image.bgr, shard.Face(face).aus.intensity,
                            features::Transform(map, shard.Landmarks(face)),
                            TransformedBox(map, shard.FaceBox(face))});
  }
  return result;
}

GanFaces FromPhoto(const std::string& source, const GanFaceOptions& options, int crop_size) {
  FaceFinder finder(static_cast<int>(options.min_box), crop_size, options.detector);
  GanFaces result;
  result.schema = finder.schema();
  for (FoundFace& found : finder.Find(ReadPhoto(source))) {
    if (static_cast<int>(result.faces.size()) == options.count) break;
    const features::Similarity& map = found.aligned.crop_from_image;
    result.faces.push_back({found.aligned.crop, found.aus.intensity,
                            features::Transform(map, found.landmarks), TransformedBox(map, found.box)});
  }
  if (result.faces.empty()) throw BadInputError(source + ": no face found; try a larger photo of it");
  return result;
}

}  // namespace

GanFaces LoadGanFaces(const std::string& source, const GanFaceOptions& options, int crop_size) {
  const bool is_shard = datasets::storage::IsFolder(source) || source.ends_with(".h5");
  return is_shard ? FromShards(source, options) : FromPhoto(source, options, crop_size);
}

}  // namespace auforge::tools
