// Image decoding: any bytes give a picture within the limits or a status.
#include <cstdlib>

#include "datasets/image_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace auforge::datasets;
  constexpr std::uint64_t kMostPixels = 1 << 18;
  for (const double scale : {1.0, 0.2}) {
    const DecodedImage image = DecodeImage({data, size}, {.max_pixels = kMostPixels, .least_scale = scale});
    const bool is_picture = image.status == Outcome::kOk;
    if (is_picture == image.bgr.empty()) std::abort();
    if (is_picture && (image.bgr.type() != CV_8UC3 || image.bgr.total() > kMostPixels)) std::abort();
    if (!is_picture && image.message.empty()) std::abort();
  }
  return 0;
}
