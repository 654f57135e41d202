#include "datasets/synthetic/light.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "datasets/synthetic/photo_source.h"

namespace auforge::datasets::synthetic {
namespace {

Vec3 RandomDirection(Random& random) { return Normalised({random.Normal(), random.Normal(), random.Normal()}); }

TEST(Light, ALampInHarmonicsIsCloseToTheCosineItself) {
  Random random(1, 0);
  for (int lamp = 0; lamp < 10; ++lamp) {
    const Vec3 d = RandomDirection(random);
    ShLight light{};
    AddLamp(light, d, {1, 2, 3});
    double square = 0;
    constexpr int kSamples = 2000;
    for (int i = 0; i < kSamples; ++i) {
      const Vec3 n = RandomDirection(random);
      const double wanted = std::max(0.0F, Dot(n, d));
      square += std::pow(Irradiance(light, n).x - wanted, 2);
      EXPECT_NEAR(Irradiance(light, n).y, 2 * Irradiance(light, n).x, 1e-5);
    }
    // Second order leaves 1 % of a clamped cosine's energy (Ramamoorthi & Hanrahan 2001).
    EXPECT_LT(std::sqrt(square / kSamples), 0.06);
  }
}

TEST(EstimateLight, FindsTheLightOfAnEvenSurface) {
  Random random(2, 0);
  ShLight truth{};
  truth[0] = {0.6F, 0.6F, 0.6F};
  AddLamp(truth, Normalised({0.6F, 0.4F, 0.7F}), {0.6F, 0.6F, 0.6F});
  std::vector<Vec3> normals;
  std::vector<float> values;
  for (int i = 0; i < 3000; ++i) {
    const Vec3 n = RandomDirection(random);
    if (n.z < 0.2F) continue;  // a camera sees half of it
    normals.push_back(n);
    values.push_back(0.35F * Irradiance(truth, n).x);
  }
  const ShLight found = EstimateLight(normals, values, 1e-4F);
  const float scale = Irradiance(truth, {0, 0, 1}).x;
  for (const Vec3 n : normals) EXPECT_NEAR(Irradiance(found, n).x, Irradiance(truth, n).x / scale, 0.05F);
  EXPECT_NEAR(Irradiance(found, {0, 0, 1}).x, 1, 1e-4);
}

TEST(Light, SampledLightsExposeAFaceAlike) {
  for (std::uint64_t i = 0; i < 200; ++i) {
    Random random(9, i);
    const Light light = SampleLight(random);
    const Vec3 e = Irradiance(light.Total(), {0, 0, 1});
    EXPECT_GT(e.y, 0.15F);
    EXPECT_LT(e.y, 4.0F);
  }
}

TEST(PushPull, KeepsWhatIsKnownAndFillsTheRestFromIt) {
  cv::Mat colours = cv::Mat::zeros(64, 64, CV_32FC3), weights = cv::Mat::zeros(64, 64, CV_32FC1);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 20; ++x) {
      colours.at<cv::Vec3f>(y, x) = {0.2F, 0.4F, 0.6F};
      weights.at<float>(y, x) = 1;
    }
  }
  const cv::Mat filled = PushPull(colours, weights);
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      for (int c = 0; c < 3; ++c) EXPECT_NEAR(filled.at<cv::Vec3f>(y, x)[c], 0.2F * static_cast<float>(c + 1), 1e-3) << x << "," << y;
    }
  }
}

}  // namespace
}  // namespace auforge::datasets::synthetic
