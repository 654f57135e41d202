#include "tools/gan/gan_paste.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace auforge::tools {
namespace {

// 1 inside, falling to 0 at the border of the crop, so that no edge shows where it was pasted.
cv::Mat SoftWindow(int size) {
  cv::Mat window(size, size, CV_32FC1);
  const float rim = 0.15F * static_cast<float>(size);
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      const auto from_edge = static_cast<float>(std::min({x, y, size - 1 - x, size - 1 - y}));
      const float t = std::min(1.0F, from_edge / rim);
      window.at<float>(y, x) = t * t * (3 - 2 * t);
    }
  }
  return window;
}

// edited - crop at the size of edited, faded out at the border. CV_32FC3.
cv::Mat Change(const cv::Mat& crop, const cv::Mat& edited) {
  cv::Mat before = crop;
  if (crop.size() != edited.size()) {
    cv::resize(crop, before, edited.size(), 0, 0, crop.rows > edited.rows ? cv::INTER_AREA : cv::INTER_CUBIC);
  }
  before.convertTo(before, CV_32FC3, 1 / 255.0);
  const cv::Mat soft = SoftWindow(edited.rows);
  cv::Mat window;
  cv::merge(std::vector<cv::Mat>{soft, soft, soft}, window);
  return cv::Mat(edited - before).mul(window);
}

void Add(const cv::Mat& change, cv::Mat& picture) {
  cv::Mat sum;
  picture.convertTo(sum, CV_32FC3, 1 / 255.0);
  sum += change;
  sum.convertTo(picture, CV_8UC3, 255);
}

}  // namespace

void PasteChange(const cv::Mat& crop, const cv::Mat& edited, const features::Similarity& crop_from_image,
                 cv::Mat& photo) {
  // Ours has pixel centres at .5, OpenCV's at integers; dst(x) = src(S x).
  const features::Similarity& s = crop_from_image;
  const cv::Matx23d map(s.a, -s.b, s.tx + 0.5 * (s.a - s.b) - 0.5, s.b, s.a, s.ty + 0.5 * (s.b + s.a) - 0.5);
  cv::Mat full;
  cv::warpAffine(Change(crop, edited), full, map, photo.size(), cv::INTER_CUBIC | cv::WARP_INVERSE_MAP,
                 cv::BORDER_CONSTANT);
  Add(full, photo);
}

cv::Mat ApplyChange(const cv::Mat& crop, const cv::Mat& edited) {
  cv::Mat change = Change(crop, edited);
  if (change.size() != crop.size()) cv::resize(change, change, crop.size(), 0, 0, cv::INTER_CUBIC);
  cv::Mat result = crop.clone();
  Add(change, result);
  return result;
}

}  // namespace auforge::tools
