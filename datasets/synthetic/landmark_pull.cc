#include "datasets/synthetic/landmark_pull.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <stdexcept>
#include <string>

#include "datasets/synthetic/internal/face_topology.h"

namespace auforge::datasets::synthetic {
namespace {

constexpr std::size_t kJawCount = 17;
using Offsets = std::array<Vec3, features::kLandmarkCount>;

// Points that meet when an eye or the mouth shuts.
constexpr std::array<std::array<std::size_t, 2>, 7> kMeeting{{{37, 41}, {38, 40}, {43, 47}, {44, 46}, {61, 67}, {62, 66}, {63, 65}}};

// From where each point of the mesh is to where the photo has it, model space.
Offsets Residuals(std::span<const Vec3> shape, std::span<const MeshPoint, features::kLandmarkCount> points,
                  const Camera& camera, const features::Landmarks68& landmarks, float limit) {
  Offsets offsets;
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    const Vec3 view = camera.View(points[i].On(shape));
    const features::Point2 p = camera.Project(view);
    const float scale = -view.z / camera.focal;  // cm a pixel at this depth
    Vec3 across{(landmarks[i].x - p.x) * scale, (p.y - landmarks[i].y) * scale, 0};
    if (Length(across) > limit) across = Normalised(across) * limit;
    offsets[i] = camera.view_from_model.Inverse(across);
  }
  for (const auto& [a, b] : kMeeting) offsets[a] = offsets[b] = (offsets[a] + offsets[b]) * 0.5F;
  return offsets;
}

void ShiftWhole(std::int32_t begin, std::int32_t end, std::vector<Vec3>& field) {
  const auto from = field.begin() + begin, to = field.begin() + end;
  Vec3 mean;
  for (auto at = from; at != to; ++at) mean += *at;
  std::fill(from, to, mean * (1 / static_cast<float>(end - begin)));
}

}  // namespace

void PullOptions::Validate() const {
  const auto need = [](float value, const char* name) {
    if (!(value > 0)) throw std::invalid_argument("pull." + std::string(name) + " = " + std::to_string(value) + "; must be > 0 cm");
  };
  need(reach, "reach");
  need(spread, "spread");
  need(noise, "noise");
  need(jaw_noise, "jaw_noise");
  need(limit, "limit");
}

LandmarkPuller::LandmarkPuller(const FaceModel& model, const PullOptions& options)
    : model_(model), options_(options), points_(model) {
  options_.Validate();
}

std::vector<Vec3> LandmarkPuller::Pull(std::span<const Vec3> shape, const Camera& camera,
                                       const features::Landmarks68& landmarks) const {
  const auto points = points_.Locate(shape, camera);
  const Offsets offsets = Residuals(shape, points, camera, landmarks, options_.limit);
  constexpr int kCount = static_cast<int>(features::kLandmarkCount);
  std::array<Vec3, features::kLandmarkCount> places;  // on the neutral face, where distances are the skin's
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = points[i].On(model_.neutral);
  const auto kernel = [&](Vec3 a, Vec3 b) {
    const float d = Length(a - b) / options_.reach;
    return options_.spread * options_.spread * std::exp(-0.5F * d * d);
  };
  cv::Mat covariance(kCount, kCount, CV_64F), said(kCount, 3, CV_64F), weights;
  for (int i = 0; i < kCount; ++i) {
    const auto at = static_cast<std::size_t>(i);
    for (int j = 0; j < kCount; ++j) covariance.at<double>(i, j) = kernel(places[at], places[static_cast<std::size_t>(j)]);
    const float noise = at < kJawCount ? options_.jaw_noise : options_.noise;
    covariance.at<double>(i, i) += noise * noise;
    said.at<double>(i, 0) = offsets[at].x;
    said.at<double>(i, 1) = offsets[at].y;
    said.at<double>(i, 2) = offsets[at].z;
  }
  cv::solve(covariance, said, weights, cv::DECOMP_CHOLESKY);
  Offsets strength;
  for (int i = 0; i < kCount; ++i) {
    const auto* w = weights.ptr<double>(i);
    strength[static_cast<std::size_t>(i)] = {static_cast<float>(w[0]), static_cast<float>(w[1]), static_cast<float>(w[2])};
  }
  std::vector<Vec3> field(model_.VertexCount());
  for (std::size_t v = 0; v < field.size(); ++v) {
    for (std::size_t i = 0; i < places.size(); ++i) field[v] += strength[i] * kernel(model_.neutral[v], places[i]);
  }
  ShiftWhole(internal::kLeftIrisBegin, internal::kLeftIrisEnd, field);
  ShiftWhole(internal::kRightIrisBegin, internal::kRightIrisEnd, field);
  ShiftWhole(internal::kEyeSocketEnd, internal::kTeethEnd, field);
  return field;
}

}  // namespace auforge::datasets::synthetic
