// Files of detectors: any file gives a detector whose boxes are finite, or is refused with a message. The checksum is
// made right first: a hostile file has the right one.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <opencv2/core.hpp>
#include <span>
#include <string>
#include <vector>

#include "annotator/net_detector.h"
#include "datasets/storage/bad_content.h"
#include "features/internal/learnt_net_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace auforge;
  constexpr std::size_t kMostMultiplyAdds = 20'000'000;  // others take too long
  constexpr int kWidth = 53, kHeight = 31;
  std::vector<std::uint8_t> bytes(data, data + size);
  constexpr std::size_t kSum = sizeof(std::uint64_t);
  if (size >= kSum) {
    const std::uint64_t sum = features::internal::NetChecksum(std::span(bytes).first(size - kSum));
    std::memcpy(bytes.data() + size - kSum, &sum, kSum);
  }
  try {
    auto net = std::make_shared<const features::GridNet>(annotator::ParseDetector(bytes, "input"));
    if (annotator::DetectorBytes(*net) != bytes) std::abort();
    if (net->multiply_adds(kWidth, kHeight) > kMostMultiplyAdds) return 0;
    cv::Mat picture(kHeight, kWidth, CV_8UC3);
    for (int y = 0; y < picture.rows; ++y) {
      for (int x = 0; x < 3 * picture.cols; ++x) picture.ptr(y)[x] = static_cast<std::uint8_t>(x * 37 + y * 91);
    }
    for (const features::Detection& found : annotator::MakeNetDetector(net, "fuzz", -0.4F)->Detect(picture)) {
      if (!std::isfinite(found.box.x + found.box.y + found.box.width + found.score) || found.box.width <= 0) std::abort();
    }
  } catch (const datasets::storage::BadContent& error) {
    if (std::string(error.what()).find("input") == std::string::npos) std::abort();
  }
  return 0;
}
