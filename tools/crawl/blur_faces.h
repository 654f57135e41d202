// Whole images of a labelled crawl with every face made unrecognisable, for who must publish them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "datasets/query/search.h"

namespace auforge::tools {

struct BlurOptions {
  std::vector<std::string> images;  // where the images are: what annotate was given
  std::string output;               // a new folder
  int jobs = 1;
  bool chosen_only = false;         // only images with a chosen face; else all of the crawl
  bool quiet = false;
};

struct BlurSummary {
  std::uint64_t images = 0;          // written
  std::uint64_t faces = 0;           // blurred
  std::uint64_t without_face = 0;    // of the images
  std::uint64_t undecodable = 0;     // left out, as when they were labelled
  std::uint64_t changed = 0;         // left out: the image of that key has other bytes now
  std::uint64_t missing = 0;         // left out: no image with the bytes that were labelled
  std::uint64_t unknown = 0;         // among the images and never labelled
};

// An image is known by its bytes (SHA-256), whatever it is called now. Blurred is what the shards hold, what a search for faces
// down to 40 pixels finds beside them (faces may have been left out of the shards), and what is still found afterwards. An image
// is decoded, blurred and encoded anew at its own size: no EXIF, no thumbnail, no place. Images of which a face might remain are
// left out. What is left out stands in left-out.jsonl in the output. Ends with the stop signals (QueryStopped; nothing is
// written).
BlurSummary BlurFaces(const datasets::query::FaceIndex& index, const datasets::query::Selection& selection,
                      const BlurOptions& options);

}  // namespace auforge::tools
