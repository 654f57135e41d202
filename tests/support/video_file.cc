#include "tests/support/video_file.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
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

void DamageFrames(const std::string& path, const std::vector<int>& frames) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  const auto is_wanted = [&](int n) { return std::find(frames.begin(), frames.end(), n) != frames.end(); };
  // "00dc" (OpenCV writes them with a JPEG behind the length) begins a frame's chunk; the index at the end names the
  // chunks once more, without pictures.
  int frame = 0;
  for (std::size_t at = bytes.find("00dc"); at != std::string::npos; at = bytes.find("00dc", at + 4)) {
    if (bytes.compare(at + 8, 2, "\xFF\xD8") != 0 || !is_wanted(++frame)) continue;
    const auto length = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[at + 4 + i])) << (8 * i); };
    const std::size_t size = length(0) + length(1) + length(2) + length(3);
    for (std::size_t i = 0; i < size; ++i) bytes[at + 8 + i] = static_cast<char>(0x5A ^ (i * 31));
  }
  std::ofstream(path, std::ios::binary) << bytes;
}

void CutShort(const std::string& path, double share) {
  const auto size = static_cast<double>(std::filesystem::file_size(path));
  std::filesystem::resize_file(path, static_cast<std::uintmax_t>(share * size));
}

}  // namespace auforge::tests
