#include "pipeline/run_config.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "annotator/landmark_fault.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/paths.h"

namespace auforge::pipeline {
namespace {

using nlohmann::json;

// Identity of the 100 MB landmark file without reading all of it: its size and its first megabyte.
std::string LandmarkDigest(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(annotator::LandmarkFault(path, std::string("cannot be read: ") + std::strerror(errno)));
  const std::uint64_t size = datasets::storage::FileSize(path);
  std::vector<char> head(1 << 20);
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  const std::string text(head.data(), static_cast<std::size_t>(file.gcount()));
  return datasets::storage::Sha256Hex(text + std::to_string(size)).substr(0, 16);
}

}  // namespace

RunConfig MakeRunConfig(const AnnotateOptions& options, const std::string& model_digest, const std::string& detector,
                        const std::string& landmark_path, const std::string& dense_digest) {
  json config = {{"crop_eye_height", options.crop.eye_height},
                       {"crop_inter_ocular", options.crop.inter_ocular},
                       {"crop_size", options.crop.size},
                       {"detector", detector},
                       {"detector_threshold", options.detector_threshold},
                       {"emotion", "nearest"},
                       {"duplicates", options.skip_duplicates ? "skipped" : "kept"},
                       {"jpeg_quality", options.jpeg_quality},
                       {"landmarks", LandmarkDigest(landmark_path)},
                       {"max_bytes", options.source.max_bytes},
                       {"max_pixels", options.decode.max_pixels},
                       {"min_face", options.min_face},
                       {"min_quality", options.min_quality},
                       {"min_side", options.decode.min_side},
                       {"model", model_digest},
                       {"reduce", options.reduce},
                       {"shard_size", options.source.shard_size}};
  // Options that came later are named only where they change something: folders made before go on.
  if (!options.store_crops) config["crops"] = "none";
  if (!dense_digest.empty()) config["dense"] = dense_digest;
  if (options.skip_near_duplicates) config["near_duplicates"] = "skipped";
  if ((options.skip_duplicates || options.skip_near_duplicates) && options.count > 1) {
    // Each process knows only its own shards: another split would skip others.
    config["index"] = options.index;
    config["count"] = options.count;
  }
  const std::string text = config.dump();
  return {text, datasets::storage::Sha256Hex(text), model_digest};
}

}  // namespace auforge::pipeline
