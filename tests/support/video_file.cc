#include "tests/support/video_file.h"

#include <cmath>
#include <filesystem>
#include <opencv2/videoio.hpp>
#include <stdexcept>

namespace auforge::tests {

void WriteVideo(const std::string& path, const std::vector<cv::Mat>& frames) {
  cv::VideoWriter writer(path, cv::CAP_OPENCV_MJPEG, cv::VideoWriter::fourcc('M', 'J', 'P', 'G'), 20,
                         frames.at(0).size());
  if (!writer.isOpened()) throw std::runtime_error(path + ": the video cannot be written");
  for (const cv::Mat& frame : frames) writer.write(frame);
}

std::vector<cv::Mat> NumberedFrames(int count) {
  std::vector<cv::Mat> frames;
  for (int n = 1; n <= count; ++n) frames.emplace_back(48, 64, CV_8UC3, cv::Scalar::all(20 + 5 * n));
  return frames;
}

int NumberOfFrame(const cv::Mat& frame) {
  return static_cast<int>(std::lround((frame.at<cv::Vec3b>(frame.rows / 2, frame.cols / 2)[1] - 20) / 5.0));
}

void CutShort(const std::string& path, double share) {
  const auto size = static_cast<double>(std::filesystem::file_size(path));
  std::filesystem::resize_file(path, static_cast<std::uintmax_t>(share * size));
}

}  // namespace auforge::tests
