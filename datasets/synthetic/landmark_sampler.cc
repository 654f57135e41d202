#include "datasets/synthetic/landmark_sampler.h"

#include <algorithm>
#include <cmath>

#include "features/align.h"

namespace auforge::datasets::synthetic {
namespace {

// Purposes of random streams.
enum : std::uint64_t { kIdentity = 1, kExpression = 2, kCamera = 3, kNoise = 4 };

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
  AddRestingFace(model_, identity_random, weights);
  AddNuisance(model_, expression, expression_random, weights);
  const std::vector<float> none(weights.size(), 0.0F);
  const std::vector<Vec3> neutral = model_.EvaluateAt(LandmarkVertices(), identity, none);
  const std::vector<Vec3> shape = model_.EvaluateAt(LandmarkVertices(), identity, weights);
  sample.intensity = expression.Labels();
  sample.intensity[*features::CatalogueSchema().Find(25)] = shapes_.LipsPart(shape, neutral);

  Random camera(seed, index, kCamera);
  const auto draw = [&camera](float deviation) { return std::clamp(camera.Normal(0, deviation), -2.5F * deviation, 2.5F * deviation); };
  const float yaw = draw(options_.yaw), pitch = draw(options_.pitch), roll = draw(options_.roll);
  const Rotation rotation = RotationOf({yaw, pitch, roll});
  const float distance = camera.Uniform(45, 200);  // cm
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const Vec3 p = rotation(shape[i]);
    const float scale = 100 / 6.3F * distance / (distance - p.z);
    sample.landmarks[i] = {scale * p.x, -scale * p.y};
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
