#include "datasets/synthetic/backdrop.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>

#include "datasets/synthetic/internal/noise.h"

namespace auforge::datasets::synthetic {
namespace {

constexpr int kSide = 96;  // painted small, then enlarged: it is out of focus

cv::Scalar Colour(Random& random, float low, float high, float strength) {
  const float value = std::exp(random.Uniform(std::log(low), std::log(high))),
              hue = random.Uniform(0, 2 * std::numbers::pi_v<float>);
  return {value * (1 + strength * std::cos(hue)), value * (1 + strength * std::cos(hue - 2.1F)),
          value * (1 + strength * std::cos(hue + 2.1F))};
}

void Gradient(cv::Mat& image, const cv::Scalar& a, const cv::Scalar& b, float angle) {
  const float c = std::cos(angle), s = std::sin(angle);
  for (int y = 0; y < image.rows; ++y) {
    for (int x = 0; x < image.cols; ++x) {
      const float t = std::clamp(0.5F + 0.7F * (c * (static_cast<float>(x) / kSide - 0.5F) +
                                                s * (static_cast<float>(y) / kSide - 0.5F)),
                                 0.0F, 1.0F);
      auto& p = image.at<cv::Vec3f>(y, x);
      for (int k = 0; k < 3; ++k) p[k] = static_cast<float>(a[k] * (1 - t) + b[k] * t);
    }
  }
}

void Mottle(cv::Mat& image, float size, float strength, std::uint32_t seed) {
  for (int y = 0; y < image.rows; ++y) {
    for (int x = 0; x < image.cols; ++x) {
      const float n =
          internal::Turbulence({static_cast<float>(x) / size, static_cast<float>(y) / size, 0}, 3, seed);
      image.at<cv::Vec3f>(y, x) *= std::max(0.1F, 1 + strength * n);
    }
  }
}

int Place(Random& random) { return random.Index(kSide); }

void Room(cv::Mat& image, Random& random) {
  Gradient(image, Colour(random, 0.12F, 0.7F, 0.15F), Colour(random, 0.12F, 0.7F, 0.15F),
           random.Uniform(0, 6));
  const int things = 3 + random.Index(8);
  for (int i = 0; i < things; ++i) {
    const int x = Place(random), y = Place(random), w = 4 + random.Index(34), h = 8 + random.Index(60);
    cv::rectangle(image, cv::Rect(x - w / 2, y - h / 2, w, h), Colour(random, 0.02F, 0.8F, 0.35F), -1);
  }
  if (random.Chance(0.3F)) {  // shelves with books
    const int pitch = 14 + random.Index(12);
    for (int y = random.Index(pitch); y < kSide; y += pitch) {
      for (int x = 0; x < kSide;) {
        const int w = 1 + random.Index(4);
        cv::rectangle(image, cv::Rect(x, y + random.Index(4), w, pitch - 4),
                      Colour(random, 0.03F, 0.6F, 0.5F), -1);
        x += w;
      }
    }
  }
  if (random.Chance(0.35F)) {  // a window
    const int x = Place(random), w = 14 + random.Index(26);
    cv::rectangle(image, cv::Rect(x, -5, w, 40 + random.Index(50)),
                  cv::Scalar(1.5, 1.35, 1.2) * random.Uniform(0.6F, 1.2F), -1);
    cv::line(image, {x + w / 2, 0}, {x + w / 2, 80}, cv::Scalar(0.3, 0.3, 0.3), 2);
  }
}

void Outdoors(cv::Mat& image, Random& random) {
  const cv::Scalar sky = cv::Scalar(1.0, 0.85, 0.7) * random.Uniform(0.5F, 1.2F);
  Gradient(image, sky, sky * 0.8, 1.6F);
  const int horizon = 20 + random.Index(50);
  const bool green = random.Chance(0.6F);
  const cv::Scalar ground =
      green ? cv::Scalar(0.05, 0.18, 0.10) * random.Uniform(0.5F, 1.5F) : Colour(random, 0.1F, 0.4F, 0.1F);
  cv::rectangle(image, cv::Rect(0, horizon, kSide, kSide), ground, -1);
  for (int i = 0; i < 26; ++i) {
    if (green) {
      cv::circle(image, {Place(random), horizon - 12 + random.Index(40)}, 3 + random.Index(12),
                 cv::Scalar(0.04, 0.15, 0.08) * random.Uniform(0.3F, 2.4F), -1);
    } else {
      const int x = Place(random), w = 4 + random.Index(16), h = 10 + random.Index(50);
      cv::rectangle(image, cv::Rect(x, horizon - h, w, h + 20), Colour(random, 0.06F, 0.6F, 0.15F), -1);
    }
  }
}

void Lights(cv::Mat& image, Random& random) {
  Gradient(image, Colour(random, 0.01F, 0.08F, 0.3F), Colour(random, 0.01F, 0.1F, 0.3F),
           random.Uniform(0, 6));
  for (int i = 0; i < 14 + random.Index(30); ++i)
    cv::circle(image, {Place(random), Place(random)}, 2 + random.Index(5), Colour(random, 0.2F, 1.2F, 0.6F),
               -1, cv::LINE_AA);
}

}  // namespace

cv::Mat PaintBackdrop(int width, int height, Vec3 light, Random& random) {
  cv::Mat image(kSide, kSide, CV_32FC3, cv::Scalar(0.2, 0.2, 0.2));
  const auto seed = static_cast<std::uint32_t>(random.Bits());
  const float kind = random.Uniform();
  float blur = random.Uniform(0.6F, 5);
  if (kind < 0.30F) {  // a studio's cloth
    Gradient(image, Colour(random, 0.04F, 0.8F, 0.3F), Colour(random, 0.04F, 0.8F, 0.3F),
             random.Uniform(0, 6));
    Mottle(image, random.Uniform(12, 40), random.Uniform(0, 0.5F), seed);
  } else if (kind < 0.42F) {
    const cv::Scalar plain = Colour(random, 0.05F, 0.9F, 0.12F);
    Gradient(image, plain, plain * random.Uniform(0.75F, 1), random.Uniform(0, 6));
    Mottle(image, 5, 0.06F, seed);
    blur = 0.5F;
  } else if (kind < 0.70F) {
    Room(image, random);
  } else if (kind < 0.92F) {
    Outdoors(image, random);
    Mottle(image, 6, 0.35F, seed);
  } else {
    Lights(image, random);
  }
  cv::GaussianBlur(image, image, {}, blur);
  cv::Mat full;
  cv::resize(image, full, {width, height}, 0, 0, cv::INTER_CUBIC);
  const cv::Scalar tint(light.x, light.y, light.z);
  cv::multiply(full, tint, full);
  return cv::max(full, 0.0);
}

}  // namespace auforge::datasets::synthetic
