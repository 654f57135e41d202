#include "datasets/synthetic/skin_unwrap.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <string>

#include "datasets/synthetic/internal/face_topology.h"

namespace auforge::datasets::synthetic {

SkinUnwrap::SkinUnwrap(const FaceModel& model, int side) : side_(side) {
  if (side < 64 || side > 4096) throw std::invalid_argument("texture side = " + std::to_string(side) + "; must be 64..4096");
  const internal::FaceTopology topology = internal::MakeTopology(model);
  const auto first = topology.first[static_cast<std::size_t>(FacePart::kSkin)];
  const auto last = topology.first[static_cast<std::size_t>(FacePart::kSkin) + 1];
  std::vector<ScreenVertex> corners;
  std::vector<MeshTriangle> layout;
  for (std::size_t t = first; t < last; ++t) {
    const auto base = static_cast<std::int32_t>(corners.size());
    for (const auto& uv : topology.texcoords[t]) {
      corners.push_back({uv[0] * static_cast<float>(side), (1 - uv[1]) * static_cast<float>(side), 1});
    }
    layout.push_back({base, base + 1, base + 2});
    triangles_.push_back(topology.triangles[t]);
  }
  texels_.Reset(side, side);
  texels_.Draw(corners, layout, Facing::kBoth, 0);
}

bool SkinUnwrap::At(int x, int y, MeshTriangle& triangle, std::array<float, 3>& weights) const {
  const auto& hit = texels_.At(x, y);
  if (hit.triangle == VisibilityBuffer::kNothing) return false;
  triangle = triangles_[static_cast<std::size_t>(hit.triangle)];
  weights = {1 - hit.b1 - hit.b2, hit.b1, hit.b2};
  return true;
}

cv::Mat SkinUnwrap::Paint(const std::vector<float>& values) const {
  cv::Mat painted(side_, side_, CV_32FC1, cv::Scalar(-1));
  MeshTriangle t{};
  std::array<float, 3> w{};
  for (int y = 0; y < side_; ++y) {
    for (int x = 0; x < side_; ++x) {
      if (!At(x, y, t, w)) continue;
      float sum = 0;
      for (std::size_t k = 0; k < 3; ++k) sum += w[k] * values[static_cast<std::size_t>(t[k])];
      painted.at<float>(y, x) = sum;
    }
  }
  return painted;
}

cv::Mat PushPull(const cv::Mat& colours, const cv::Mat& weights) {
  // Push: premultiplied means of coarser and coarser pictures.
  cv::Mat clipped = cv::min(weights, 1.0);
  std::vector<cv::Mat> sums(1), masses{clipped};
  std::vector<cv::Mat> channels(3, clipped);
  cv::Mat mass3;
  cv::merge(channels, mass3);
  cv::multiply(colours, mass3, sums[0]);
  while (sums.back().cols > 1 && sums.back().rows > 1) {
    cv::Mat sum, mass;
    cv::resize(sums.back(), sum, {}, 0.5, 0.5, cv::INTER_AREA);
    cv::resize(masses.back(), mass, {}, 0.5, 0.5, cv::INTER_AREA);
    // A coarse texel is known as soon as a good part of it is.
    sum *= 4;
    mass *= 4;
    for (int y = 0; y < mass.rows; ++y) {
      for (int x = 0; x < mass.cols; ++x) {
        float& m = mass.at<float>(y, x);
        if (m > 1) {
          sum.at<cv::Vec3f>(y, x) *= 1 / m;
          m = 1;
        }
      }
    }
    sums.push_back(sum);
    masses.push_back(mass);
  }
  // Pull: what is missing comes from the coarser picture.
  cv::Mat filled = sums.back();
  for (std::size_t level = sums.size() - 1; level-- > 0;) {
    cv::Mat coarse;
    cv::resize(filled, coarse, sums[level].size(), 0, 0, cv::INTER_LINEAR);
    cv::Mat fine = sums[level].clone();
    for (int y = 0; y < fine.rows; ++y) {
      for (int x = 0; x < fine.cols; ++x) {
        fine.at<cv::Vec3f>(y, x) += coarse.at<cv::Vec3f>(y, x) * (1 - masses[level].at<float>(y, x));
      }
    }
    filled = fine;
  }
  return filled;
}

std::vector<float> DistanceFromFaceEdge(const FaceModel& model) {
  const internal::FaceTopology topology = internal::MakeTopology(model);
  std::vector<std::int32_t> edge;
  const auto begin_of = [&](std::int32_t v) { return topology.neighbour_begin[static_cast<std::size_t>(v)]; };
  for (std::int32_t v = 0; v < internal::kNarrowFaceEnd; ++v) {
    for (auto k = begin_of(v); k < begin_of(v + 1); ++k) {
      if (topology.neighbours[static_cast<std::size_t>(k)] >= internal::kNarrowFaceEnd) {
        edge.push_back(v);
        break;
      }
    }
  }
  std::vector<float> distance(model.VertexCount(), 0.0F);
  for (std::int32_t v = 0; v < internal::kNarrowFaceEnd; ++v) {
    float nearest = 1e9F;
    for (const std::int32_t e : edge) {
      nearest = std::min(nearest, Length(model.neutral[static_cast<std::size_t>(v)] - model.neutral[static_cast<std::size_t>(e)]));
    }
    distance[static_cast<std::size_t>(v)] = nearest;
  }
  return distance;
}

}  // namespace auforge::datasets::synthetic
