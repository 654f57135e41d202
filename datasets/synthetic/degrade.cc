#include "datasets/synthetic/degrade.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <string>

#include "datasets/image_codec.h"

namespace auforge::datasets::synthetic {
namespace {

void Tone(cv::Mat& image, Random& random) {
  const double gamma = std::exp(random.Normal(0, 0.16F)), contrast = std::exp(random.Normal(0, 0.12F));
  const double shift = random.Normal(0, 10);
  cv::Mat table(1, 256, CV_8UC1);
  for (int i = 0; i < 256; ++i) {
    const double v = 255 * std::pow(i / 255.0, gamma);
    table.at<std::uint8_t>(i) = cv::saturate_cast<std::uint8_t>((v - 110) * contrast + 110 + shift);
  }
  cv::LUT(image, table, image);
}

void Cast(cv::Mat& image, Random& random) {
  const cv::Scalar gain(std::exp(random.Normal(0, 0.10F)), std::exp(random.Normal(0, 0.04F)), std::exp(random.Normal(0, 0.10F)));
  cv::multiply(image, gain, image);
}

void Motion(cv::Mat& image, Random& random) {
  const int length = std::max(3, static_cast<int>(random.Uniform(0.008F, 0.025F) * static_cast<float>(image.cols)));
  const int side = length | 1;
  cv::Mat kernel = cv::Mat::zeros(side, side, CV_32FC1);
  const float angle = random.Uniform(0, std::numbers::pi_v<float>);
  const float c = std::cos(angle) * static_cast<float>(side) / 2, s = std::sin(angle) * static_cast<float>(side) / 2;
  const float middle = static_cast<float>(side) / 2;
  cv::line(kernel, cv::Point2f(middle - c, middle - s), cv::Point2f(middle + c, middle + s), 1.0, 1, cv::LINE_AA);
  kernel /= cv::sum(kernel)[0];
  cv::filter2D(image, image, -1, kernel, {-1, -1}, 0, cv::BORDER_REPLICATE);
}

// share: of the grain that is left; a picture that was made smaller has averaged the rest away.
void Noise(cv::Mat& image, float share, Random& random) {
  const float deviation = share * random.Uniform(1, 12) * random.Uniform(0.3F, 1);
  const bool coloured = random.Chance(0.6F);
  // Sums of uniform bits are normal enough for grain, and ten times as fast as Box and Muller.
  const auto grain = [&random] {
    const std::uint64_t bits = random.Bits();
    const auto part = [bits](int at) { return static_cast<float>((bits >> at) & 0xFFFF); };
    return (part(0) + part(16) + part(32) + part(48) - 131070) / 37837;
  };
  for (int y = 0; y < image.rows; ++y) {
    auto* row = image.ptr<cv::Vec3b>(y);
    for (int x = 0; x < image.cols; ++x) {
      float g = deviation * grain();
      for (int c = 0; c < 3; ++c) {
        if (coloured && c > 0) g = deviation * grain();
        row[x][c] = cv::saturate_cast<std::uint8_t>(static_cast<float>(row[x][c]) + g);
      }
    }
  }
}

}  // namespace

void DegradeOptions::Validate() const {
  const auto check = [](float rate, const char* name) {
    if (!(rate >= 0 && rate <= 1)) throw std::invalid_argument("degrade." + std::string(name) + " = " + std::to_string(rate) + "; must be 0..1");
  };
  check(tone, "tone");
  check(cast, "cast");
  check(grey, "grey");
  check(small, "small");
  check(blur, "blur");
  check(motion, "motion");
  check(noise, "noise");
  check(jpeg, "jpeg");
}

cv::Mat Degrade(const cv::Mat& image, const DegradeOptions& options, Random& random) {
  if (image.type() != CV_8UC3 || image.empty()) throw std::invalid_argument("Degrade: the picture must be CV_8UC3");
  cv::Mat out = image.clone();
  if (random.Chance(options.tone)) Tone(out, random);
  if (random.Chance(options.cast)) Cast(out, random);
  if (random.Chance(options.grey)) {
    cv::Mat grey;
    cv::cvtColor(out, grey, cv::COLOR_BGR2GRAY);
    cv::cvtColor(grey, out, cv::COLOR_GRAY2BGR);
  }
  if (random.Chance(options.motion)) Motion(out, random);
  if (random.Chance(options.blur)) {
    const double sigma = random.Uniform(0.002F, 0.009F) * static_cast<float>(out.cols);
    cv::GaussianBlur(out, out, {}, sigma);
  }
  if (random.Chance(options.small)) {
    const double factor = random.Uniform(0.3F, 0.9F);
    cv::Mat reduced;
    cv::resize(out, reduced, {}, factor, factor, cv::INTER_AREA);
    if (random.Chance(options.noise)) Noise(reduced, std::sqrt(static_cast<float>(factor)), random);
    if (random.Chance(options.jpeg)) reduced = DecodeImage(EncodeJpeg(reduced, 40 + random.Index(55)), {}).bgr;
    cv::resize(reduced, out, out.size(), 0, 0, random.Chance(0.5F) ? cv::INTER_LINEAR : cv::INTER_CUBIC);
  } else if (random.Chance(options.noise)) {
    Noise(out, 1, random);
  }
  if (random.Chance(options.jpeg)) out = DecodeImage(EncodeJpeg(out, 25 + random.Index(71)), {}).bgr;
  return out;
}

}  // namespace auforge::datasets::synthetic
