// A small learnable problem in the shape of real training data: faces whose mouth and brows move with two
// AUs.
#pragma once

#include <algorithm>
#include <memory>
#include <opencv2/core.hpp>
#include <random>
#include <span>

#include "annotator/training.h"
#include "features/shape.h"
#include "tests/support/faces.h"
#include "tests/support/learnt_net.h"

namespace auforge::annotator {

inline TrainingData ToyData(std::size_t rows, std::uint64_t seed) {
  TrainingData data;
  data.spec.gabor = false;
  data.schema = features::AuSchema({1, 12});
  data.rows = rows;
  data.features.resize(rows * features::kShapeFeatureCount);
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<float> uniform(0, 5);
  for (std::size_t i = 0; i < rows; ++i) {
    const float brows = random() % 3 == 0 ? uniform(random) : 0,
                smile = random() % 2 == 0 ? uniform(random) : 0;
    features::Landmarks68 face = tests::ShakenFace(seed * 100000 + i, 0.8F);
    for (std::size_t p = 20; p <= 23; ++p) face[p].y -= 1.5F * brows;
    face[48].x -= 2 * smile;
    face[54].x += 2 * smile;
    face[48].y -= 1.2F * smile;
    face[54].y -= 1.2F * smile;
    features::ShapeFeatures(
        face,
        std::span(data.features).subspan(i * features::kShapeFeatureCount, features::kShapeFeatureCount));
    data.labels.insert(data.labels.end(), {brows, smile});
    data.identity.push_back(static_cast<std::int64_t>(i / 2));
  }
  return data;
}

// The misfit of the landmarks tells how far the labels are off.
inline TrainingData ShakyData(std::size_t rows, std::uint64_t seed) {
  TrainingData data = ToyData(rows, seed);
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::uniform_real_distribution<float> uniform(0, 1);
  data.evidence.resize(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    const float shake = uniform(random);
    for (float& label : std::span(data.labels).subspan(2 * i, 2))
      label = std::clamp(label + 2 * shake * normal(random), 0.0F, 5.0F);
    data.evidence[i] = {.detector_score = 1,
                        .inter_ocular = 60,
                        .sharpness = 0.4F,
                        .pose = {},
                        .landmark_misfit = 0.05F + 0.1F * shake};
  }
  return data;
}

// The same faces with what a net of random weights sees of a picture whose brightness tells of both AUs.
inline TrainingData LearntData(std::size_t rows, std::uint64_t seed) {
  const TrainingData toy = ToyData(rows, seed);
  TrainingData data = toy;
  data.spec.net = std::make_shared<const features::LearntNet>(
      features::LearntNet::FromWeights(tests::RandomNet({32, 8, 2, {{16, 2}, {16, 2}}}, 5)));
  const features::FeatureExtractor extractor(data.spec);
  const std::size_t d = extractor.Dimension(), shape = features::kShapeFeatureCount;
  data.features.assign(rows * d, 0.0F);
  std::vector<float> row(d);
  for (std::size_t i = 0; i < rows; ++i) {
    cv::Mat picture = tests::Texture(256, 256, 3, seed * 1000 + i);
    picture(cv::Rect(0, 0, 256, 110)) *= 0.5F + 0.1F * toy.labels[2 * i];
    picture(cv::Rect(0, 110, 256, 146)) *= 0.5F + 0.1F * toy.labels[2 * i + 1];
    extractor.Extract(picture, tests::NeutralFace(), row);
    std::copy_n(toy.features.begin() + static_cast<std::ptrdiff_t>(i * shape), shape, row.begin());
    std::copy(row.begin(), row.end(), data.features.begin() + static_cast<std::ptrdiff_t>(i * d));
  }
  return data;
}

inline TrainOptions ToyOptions() {
  TrainOptions options;
  options.centres = 60;
  options.shape_components = 20;
  return options;
}

}  // namespace auforge::annotator
