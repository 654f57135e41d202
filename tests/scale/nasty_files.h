// The worst of the web, made on the spot: pictures of every format, whole and damaged, bombs, and archives.
#pragma once

#include <cstdint>
#include <map>
#include <opencv2/core/mat.hpp>
#include <set>
#include <string>
#include <vector>

namespace auforge::tests {

// A file (or archive member) and what may become of it: names of datasets::Outcome.
struct NastyFile {
  std::string name;
  std::string content;
  std::set<std::string> may_be;
};

// photo: a picture with at least one face that is found. More than 200 files.
std::vector<NastyFile> NastyFiles(const cv::Mat& photo);

std::string EncodeAs(const cv::Mat& picture, const std::string& ending, const std::vector<int>& how = {});
std::string EncodeCmykJpeg(const cv::Mat& bgr);
std::string EncodeGif(const cv::Mat& bgr, bool second_frame);
// A JPEG that a viewer turns by this EXIF orientation to show `upright`.
std::string EncodeTurned(const cv::Mat& upright, int orientation);

}  // namespace auforge::tests
