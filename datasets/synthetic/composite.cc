#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "datasets/synthetic/internal/composite.h"

namespace auforge::datasets::synthetic::internal {
namespace {

constexpr int kGridStep = 8;  // pixels of the target between grid points

// 1 where only the drawn face shows.
cv::Mat Coverage(const RenderedFace& face, const cv::Mat& blend) {
  cv::Mat coverage = face.alpha.clone();
  const auto side = static_cast<float>(blend.cols);
  for (int y = 0; y < coverage.rows; ++y) {
    auto* a = coverage.ptr<float>(y);
    const auto* part = face.part.ptr<std::uint8_t>(y);
    const auto* uv = face.texcoord.ptr<cv::Vec2f>(y);
    for (int x = 0; x < coverage.cols; ++x) {
      if (a[x] == 0 || static_cast<FacePart>(part[x]) != FacePart::kSkin) continue;
      const int u = std::clamp(static_cast<int>(uv[x][0] * side), 0, blend.cols - 1);
      const int v = std::clamp(static_cast<int>((1 - uv[x][1]) * side), 0, blend.rows - 1);
      a[x] *= std::max(0.0F, blend.at<float>(v, u));
    }
  }
  return coverage;
}

}  // namespace

cv::Mat WarpBackground(const cv::Mat& photo, const std::vector<Drag>& drags, const features::Similarity& photo_from_target, int size) {
  const int nodes = size / kGridStep + 2;
  cv::Mat grid(nodes, nodes, CV_32FC2);
  for (int gy = 0; gy < nodes; ++gy) {
    for (int gx = 0; gx < nodes; ++gx) {
      const features::Point2 p = photo_from_target({static_cast<float>(gx * kGridStep), static_cast<float>(gy * kGridStep)});
      float sum = 0, dx = 0, dy = 0;
      for (const Drag& d : drags) {
        const float ex = p.x - d.to.x, ey = p.y - d.to.y, square = ex * ex + ey * ey + 9;
        const float w = 1 / (square * square);
        sum += w;
        dx += w * (d.from.x - d.to.x);
        dy += w * (d.from.y - d.to.y);
      }
      grid.at<cv::Vec2f>(gy, gx) = {p.x + dx / sum, p.y + dy / sum};
    }
  }
  cv::Mat map(size, size, CV_32FC2);
  for (int y = 0; y < size; ++y) {
    const float gy = (static_cast<float>(y) + 0.5F) / kGridStep;
    const int y0 = static_cast<int>(gy);
    const float fy = gy - static_cast<float>(y0);
    const auto* above = grid.ptr<cv::Vec2f>(y0);
    const auto* below = grid.ptr<cv::Vec2f>(y0 + 1);
    auto* out = map.ptr<cv::Vec2f>(y);
    for (int x = 0; x < size; ++x) {
      const float gx = (static_cast<float>(x) + 0.5F) / kGridStep;
      const int x0 = static_cast<int>(gx);
      const float fx = gx - static_cast<float>(x0);
      const cv::Vec2f p = (above[x0] * (1 - fx) + above[x0 + 1] * fx) * (1 - fy) + (below[x0] * (1 - fx) + below[x0 + 1] * fx) * fy;
      out[x] = {p[0] - 0.5F, p[1] - 0.5F};
    }
  }
  cv::Mat warped, linear;
  cv::remap(photo, warped, map, {}, cv::INTER_LINEAR, cv::BORDER_REFLECT_101);
  warped.convertTo(linear, CV_32FC3, 1.0 / 255);
  return linear.mul(linear);
}

cv::Mat Compose(const cv::Mat& background, const RenderedFace& face, const cv::Mat& blend) {
  const cv::Mat coverage = Coverage(face, blend);
  const int rows = background.rows, cols = background.cols;
  // Along the soft edge both pictures show the same skin: their ratio is how the light has changed.
  cv::Mat drawn = cv::Mat::zeros(rows, cols, CV_32FC3), photo = cv::Mat::zeros(rows, cols, CV_32FC3);
  for (int y = 0; y < rows; ++y) {
    for (int x = 0; x < cols; ++x) {
      const float alpha = face.alpha.at<float>(y, x), a = coverage.at<float>(y, x);
      if (alpha < 1) continue;
      const float w = a * (1 - a) + 0.02F * a;
      drawn.at<cv::Vec3f>(y, x) = face.linear.at<cv::Vec3f>(y, x) * w;
      photo.at<cv::Vec3f>(y, x) = background.at<cv::Vec3f>(y, x) * w;
    }
  }
  cv::Mat drawn_low, photo_low;
  const cv::Size low(std::max(8, cols / 8), std::max(8, rows / 8));
  cv::resize(drawn, drawn_low, low, 0, 0, cv::INTER_AREA);
  cv::resize(photo, photo_low, low, 0, 0, cv::INTER_AREA);
  const double sigma = low.width * 0.11;
  cv::GaussianBlur(drawn_low, drawn_low, {}, sigma, sigma, cv::BORDER_CONSTANT);
  cv::GaussianBlur(photo_low, photo_low, {}, sigma, sigma, cv::BORDER_CONSTANT);
  cv::Mat gain(low, CV_32FC3), wide;
  for (int y = 0; y < low.height; ++y) {
    for (int x = 0; x < low.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        constexpr float kPrior = 2e-4F;  // far from the face the photo stays
        const float d = drawn_low.at<cv::Vec3f>(y, x)[c], p = photo_low.at<cv::Vec3f>(y, x)[c];
        gain.at<cv::Vec3f>(y, x)[c] = std::clamp((d + kPrior) / (p + kPrior), 0.35F, 2.8F);
      }
    }
  }
  cv::resize(gain, wide, background.size(), 0, 0, cv::INTER_LINEAR);
  cv::Mat out(rows, cols, CV_8UC3);
  for (int y = 0; y < rows; ++y) {
    for (int x = 0; x < cols; ++x) {
      const float alpha = face.alpha.at<float>(y, x), a = coverage.at<float>(y, x);
      const cv::Vec3f behind = background.at<cv::Vec3f>(y, x).mul(wide.at<cv::Vec3f>(y, x));
      const cv::Vec3f front = alpha > 0 ? face.linear.at<cv::Vec3f>(y, x) * (1 / alpha) : cv::Vec3f{};
      for (int c = 0; c < 3; ++c) {
        const float v = behind[c] * (1 - a) + front[c] * a;
        out.at<cv::Vec3b>(y, x)[c] = cv::saturate_cast<std::uint8_t>(255 * std::sqrt(std::max(0.0F, v)));
      }
    }
  }
  return out;
}

}  // namespace auforge::datasets::synthetic::internal
