#include "datasets/synthetic/landmark_sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "features/align.h"

namespace auforge::datasets::synthetic {
namespace {

// Purposes of random streams.
enum : std::uint64_t { kIdentity = 1, kExpression = 2, kCamera = 3, kNoise = 4 };

using Rotation = std::array<std::array<float, 3>, 3>;

// Ry(yaw) Rx(pitch) Rz(roll) in the model's axes (y up, z to the viewer): yaw > 0 turns the face to the image's
// right, pitch > 0 up, roll > 0 clockwise as seen.
Rotation MakeRotation(float yaw, float pitch, float roll) {
  const float degree = std::numbers::pi_v<float> / 180;
  const float cy = std::cos(yaw * degree), sy = std::sin(yaw * degree);
  const float cp = std::cos(pitch * degree), sp = -std::sin(pitch * degree);
  const float cr = std::cos(-roll * degree), sr = std::sin(-roll * degree);
  const Rotation ry{{{cy, 0, sy}, {0, 1, 0}, {-sy, 0, cy}}};
  const Rotation rx{{{1, 0, 0}, {0, cp, -sp}, {0, sp, cp}}};
  const Rotation rz{{{cr, -sr, 0}, {sr, cr, 0}, {0, 0, 1}}};
  const auto multiply = [](const Rotation& a, const Rotation& b) {
    Rotation c{};
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j) {
        for (std::size_t k = 0; k < 3; ++k) c[i][j] += a[i][k] * b[k][j];
      }
    }
    return c;
  };
  return multiply(multiply(ry, rx), rz);
}

}  // namespace

LandmarkSampler::LandmarkSampler(const FaceModel& model, const LandmarkSamplerOptions& options)
    : model_(model), options_(options), shapes_(model) {}

LandmarkSample LandmarkSampler::Sample(std::uint64_t seed, std::uint64_t index) const {
  LandmarkSample sample;
  sample.identity = static_cast<std::int64_t>(index / static_cast<std::uint64_t>(options_.faces_per_identity));
  Random identity_random(seed, static_cast<std::uint64_t>(sample.identity), kIdentity);
  std::vector<float> identity(model_.identities.size());
  for (float& w : identity) w = std::clamp(identity_random.Normal(0, options_.identity_deviation), -2.5F, 2.5F);

  Random expression_random(seed, index, kExpression);
  const Expression expression = SampleExpression(expression_random);
  std::vector<float> weights = shapes_.Weights(expression, expression_random.Uniform(0.85F, 1.15F));
  AddNuisance(model_, expression_random, weights);
  const std::vector<float> none(weights.size(), 0.0F);
  const std::vector<Vec3> neutral = model_.EvaluateAt(LandmarkVertices(), identity, none);
  const std::vector<Vec3> shape = model_.EvaluateAt(LandmarkVertices(), identity, weights);
  sample.intensity = expression.Labels();
  sample.intensity[*features::CatalogueSchema().Find(25)] = shapes_.LipsPart(shape, neutral);

  Random camera(seed, index, kCamera);
  const auto draw = [&camera](float deviation) { return std::clamp(camera.Normal(0, deviation), -2.5F * deviation, 2.5F * deviation); };
  const float yaw = draw(options_.yaw), pitch = draw(options_.pitch), roll = draw(options_.roll);
  const Rotation r = MakeRotation(yaw, pitch, roll);
  const float distance = camera.Uniform(45, 200);  // cm
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const Vec3& p = shape[i];
    const float x = r[0][0] * p.x + r[0][1] * p.y + r[0][2] * p.z;
    const float y = r[1][0] * p.x + r[1][1] * p.y + r[1][2] * p.z;
    const float z = r[2][0] * p.x + r[2][1] * p.y + r[2][2] * p.z;
    const float scale = 100 / 6.3F * distance / (distance - z);
    sample.landmarks[i] = {scale * x, -scale * y};
  }
  Random noise(seed, index, kNoise);
  const float unit = features::InterOcularDistance(sample.landmarks);
  for (std::size_t i = 0; i < sample.landmarks.size(); ++i) {
    const float deviation = unit * (i < 17 ? options_.jaw_noise : options_.noise);
    sample.landmarks[i].x += noise.Normal(0, deviation);
    sample.landmarks[i].y += noise.Normal(0, deviation);
  }
  return sample;
}

}  // namespace auforge::datasets::synthetic
