// Chooses the photos that faces are rebuilt from.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "datasets/synthetic/photo_source.h"

namespace auforge::datasets::synthetic {

struct PhotoLibraryOptions {
  int most = 200;                 // sources kept at most, in input order, >= 1: variety beyond some 30 changes little
  float yaw = 22;                 // largest |yaw| of a source, degrees
  float residual = 0.27F;         // largest residual of the fit, cm
  float lips = 0.06F;             // largest gap between the inner lips, inter-ocular distances: mouths are closed
  float inter_ocular = 28;        // least distance between the eyes, pixels
  std::string landmarks;          // as annotator::LandmarkFile's; empty: annotator::DefaultLandmarks()
  void Validate() const;          // throws std::invalid_argument naming field and value
};

// No photo among those that were looked at can be used; a retry will not help.
struct NoUsablePhoto : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct PhotoLibrary {
  std::vector<PhotoSource> sources;
  // Photos by what became of them: "used", "no_face", "turned", "open_mouth", "small", "poor_fit", and the codec's
  // "undecodable", "too_small", ….
  std::map<std::string, std::uint64_t> counts;
};

// inputs: files, folders, lists, tars, as for annotation. One face (the surest) of each photo. Throws std::runtime_error
// naming an input that does not exist, NoUsablePhoto saying why not.
// progress(photos looked at, sources found); may be empty.
PhotoLibrary CollectPhotos(const std::vector<std::string>& inputs, const PhotoTaker& taker, const PhotoLibraryOptions& options,
                           const std::function<void(std::uint64_t, std::uint64_t)>& progress);

}  // namespace auforge::datasets::synthetic
