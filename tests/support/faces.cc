#include "tests/support/faces.h"

#include <array>
#include <opencv2/imgproc.hpp>
#include <random>

namespace auforge::tests {
namespace {

// The mean of a morphable face model seen from the front, in inter-ocular distances from the middle of the eyes.
constexpr std::array<features::Point2, features::kLandmarkCount> kNeutral{{
    {-1.168F, -0.053F}, {-1.154F, 0.294F}, {-1.101F, 0.603F}, {-1.040F, 0.904F}, {-0.908F, 1.242F},
    {-0.683F, 1.515F}, {-0.484F, 1.627F}, {-0.244F, 1.682F}, {-0.000F, 1.731F}, {0.244F, 1.682F},
    {0.484F, 1.627F}, {0.683F, 1.515F}, {0.908F, 1.242F}, {1.040F, 0.904F}, {1.101F, 0.603F},
    {1.154F, 0.294F}, {1.168F, -0.053F}, {-0.923F, -0.295F}, {-0.783F, -0.418F}, {-0.602F, -0.462F},
    {-0.383F, -0.452F}, {-0.186F, -0.407F}, {0.186F, -0.407F}, {0.383F, -0.452F}, {0.602F, -0.462F},
    {0.783F, -0.418F}, {0.923F, -0.295F}, {-0.000F, -0.063F}, {-0.000F, 0.112F}, {-0.000F, 0.275F},
    {-0.000F, 0.466F}, {-0.199F, 0.712F}, {-0.096F, 0.711F}, {-0.000F, 0.721F}, {0.096F, 0.711F},
    {0.199F, 0.712F}, {-0.707F, -0.014F}, {-0.614F, -0.085F}, {-0.441F, -0.094F}, {-0.293F, 0.014F},
    {-0.433F, 0.041F}, {-0.612F, 0.043F}, {0.293F, 0.014F}, {0.441F, -0.094F}, {0.614F, -0.085F},
    {0.707F, -0.014F}, {0.612F, 0.043F}, {0.433F, 0.041F}, {-0.402F, 1.089F}, {-0.270F, 0.971F},
    {-0.116F, 0.915F}, {-0.000F, 0.924F}, {0.116F, 0.915F}, {0.270F, 0.971F}, {0.402F, 1.089F},
    {0.286F, 1.174F}, {0.164F, 1.213F}, {-0.000F, 1.225F}, {-0.164F, 1.213F}, {-0.286F, 1.174F},
    {-0.351F, 1.084F}, {-0.158F, 1.053F}, {-0.000F, 1.058F}, {0.158F, 1.053F}, {0.350F, 1.084F},
    {0.170F, 1.066F}, {-0.000F, 1.070F}, {-0.170F, 1.066F},
}};

}  // namespace

features::Landmarks68 NeutralFace() {
  features::Landmarks68 face;
  for (std::size_t i = 0; i < face.size(); ++i) face[i] = {128 + 60 * kNeutral[i].x, 100 + 60 * kNeutral[i].y};
  return face;
}

features::Landmarks68 ShakenFace(std::uint64_t seed, float pixels) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<float> move(-pixels, pixels);
  features::Landmarks68 face = NeutralFace();
  for (features::Point2& point : face) {
    point.x += move(random);
    point.y += move(random);
  }
  return face;
}

cv::Mat Texture(int width, int height, int channels, std::uint64_t seed) {
  cv::RNG random(seed);
  cv::Mat noise(height, width, CV_8UC(channels));
  random.fill(noise, cv::RNG::UNIFORM, 0, 256);
  cv::GaussianBlur(noise, noise, cv::Size(0, 0), 2);
  cv::normalize(noise, noise, 0, 255, cv::NORM_MINMAX);
  return noise;
}

}  // namespace auforge::tests
