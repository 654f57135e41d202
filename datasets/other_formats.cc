#include "datasets/internal/other_formats.h"

#include <opencv2/imgcodecs.hpp>

namespace auforge::datasets {

bool ReadsOtherFormats() { return true; }

cv::Mat DecodeOtherFormat(std::span<const std::uint8_t> bytes) {
  const cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8UC1, const_cast<std::uint8_t*>(bytes.data()));
  return cv::imdecode(raw, cv::IMREAD_UNCHANGED);
}

std::vector<std::uint8_t> PngOf(const cv::Mat& bgr) {
  std::vector<std::uint8_t> bytes;
  if (!cv::imencode(".png", bgr, bytes)) bytes.clear();
  return bytes;
}

}  // namespace auforge::datasets
