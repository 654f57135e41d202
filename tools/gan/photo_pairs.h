// Pairs of photographs for the training of a generator: each face as it is and moved by AUs (gan/warp/face_warper.h).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "features/au_schema.h"
#include "gan/warp/face_warper.h"

namespace auforge::tools {

struct PhotoPairsOptions {
  std::vector<std::string> shards;  // of annotated photographs, or folders of them
  std::string output;               // folder of the new shards, one for each or several; created
  int image_size = 128;             // side of the pictures written, 16..1024
  features::AuSchema aus = features::GanSchema();  // that edits set: those that the generator will be told
  int expressions = 2;              // pictures a scene, the photograph first, >= 2
  int scenes = 8;                   // of each face, each with other edits, >= 1
  double one_sided = 0;             // 0..1, share of the AUs that rise and have sides that rise less on one half
  std::size_t shard_pictures = 10000;  // of a shard of pairs at most, but for those of one face; they are in memory until it is whole
  double min_quality = 0.5;         // of the faces taken, 0..1
  double max_yaw = 35;              // degrees
  std::uint64_t seed = 1;
  int jobs = 1;                     // threads, >= 1
};

struct PhotoPairsSummary {
  std::uint64_t faces = 0, left_out = 0, pictures = 0;  // of this run
  std::size_t shards_written = 0, shards_skipped = 0;
  double seconds = 0;
  bool stopped = false;
};

// Writes shards with /synthetic/pair as `synth faces --expressions` does (docs/synthetic-faces.md): a face's own labels are its
// shard's, an edit's those that were asked for. /synthetic/source names the photograph, so that who learns keeps people apart. Where
// one_sided > 0, /synthetic/au_left and au_right tell the halves: of an AU that an edit has set exactly (its intensity is the stronger
// one's), of others as the shard has them, NaN where it has not. Finished shards are skipped; the same options give the same bytes
// with any number of threads. progress: faces done, of how many, seconds. stop_requested: polled from any thread before each face; the unfinished shard is
// dropped. Throws BadInputError, before anything is written, for shards that cannot be used, where no face is good enough, and
// for a folder with other pairs or other shards; std::runtime_error (I/O; names the file).
PhotoPairsSummary WritePhotoPairs(const PhotoPairsOptions& options, const warp::FaceWarper& warper,
                                  const std::string& face_model_digest,
                                  const std::function<void(std::uint64_t, std::uint64_t, double)>& progress,
                                  const std::function<bool()>& stop_requested);

}  // namespace auforge::tools
