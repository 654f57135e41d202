#include "annotator/net_training/augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "datasets/image_codec.h"

namespace auforge::annotator {
namespace {

bool Happens(std::mt19937_64& random, double chance) { return Uniform(random, 0, 1) < chance; }

// The crop's place with jitter about its middle: 2 x 3, target from source, pixel centres at .5.
cv::Matx23d Jittered(const features::Similarity& net_from_picture, int side, bool mirrored, double strength,
                     std::mt19937_64& random) {
  const double angle = strength * Uniform(random, -.16, .16), size = 1 + strength * Uniform(random, -.1, .1);
  const double tall = size * (1 + strength * Uniform(random, -.05, .05)), shear = strength * Uniform(random, -.05, .05);
  const double dx = strength * side * Uniform(random, -.045, .045), dy = strength * side * Uniform(random, -.045, .045);
  const double middle = side / 2.0, flip = mirrored ? -1 : 1;
  const cv::Matx22d turn(std::cos(angle) * size, -std::sin(angle) * tall + shear, std::sin(angle) * size,
                         std::cos(angle) * tall);
  const features::Similarity& s = net_from_picture;
  const cv::Matx22d rest(s.a, -s.b, s.b, s.a);
  const cv::Matx22d mirror(flip, 0, 0, 1);
  const cv::Matx22d linear = mirror * turn * rest;
  const cv::Vec2d at_rest(s.tx - middle, s.ty - middle);
  const cv::Vec2d shift = mirror * (turn * at_rest + cv::Vec2d(dx, dy));
  return {linear(0, 0), linear(0, 1), shift[0] + middle, linear(1, 0), linear(1, 1), shift[1] + middle};
}

// Coordinates with pixel centres at .5 to OpenCV's, whose pixel centres are whole numbers.
cv::Matx23d ToWholeCentres(cv::Matx23d m) {
  m(0, 2) += 0.5 * (m(0, 0) + m(0, 1)) - 0.5;
  m(1, 2) += 0.5 * (m(1, 0) + m(1, 1)) - 0.5;
  return m;
}

// Gain of each channel, gamma, contrast about the mean, brightness: one table a channel.
void ChangeTone(cv::Mat& crop, double strength, std::mt19937_64& random) {
  if (Happens(random, 0.25 * std::min(1.0, strength))) {
    cv::Mat grey;
    cv::cvtColor(crop, grey, cv::COLOR_BGR2GRAY);
    cv::cvtColor(grey, crop, cv::COLOR_GRAY2BGR);
  }
  const double gamma = std::exp(strength * Uniform(random, -.55, .55)),
               contrast = std::exp(strength * Uniform(random, -.5, .4)), brightness = strength * Uniform(random, -.15, .15);
  const cv::Scalar mean = cv::mean(crop);
  const double middle = std::pow((mean[0] + mean[1] + mean[2]) / (3 * 255), gamma);
  cv::Mat table(1, 256, CV_8UC3);
  for (int channel = 0; channel < 3; ++channel) {
    const double gain = 1 + strength * Uniform(random, -.18, .18);
    for (int v = 0; v < 256; ++v) {
      const double lit = std::pow(std::min(1.0, gain * v / 255), gamma);
      table.at<cv::Vec3b>(v)[channel] =
          cv::saturate_cast<std::uint8_t>(255 * ((lit - middle) * contrast + middle + brightness));
    }
  }
  cv::LUT(crop, table, crop);
}

// Light that falls off across the face.
void LightFromASide(cv::Mat& crop, double strength, std::mt19937_64& random) {
  const double direction = Uniform(random, 0, 2 * CV_PI), depth = strength * Uniform(random, .1, .7);
  const double gx = std::cos(direction) * depth / crop.cols, gy = std::sin(direction) * depth / crop.rows;
  for (int y = 0; y < crop.rows; ++y) {
    auto* row = crop.ptr<cv::Vec3b>(y);
    for (int x = 0; x < crop.cols; ++x) {
      const auto light = static_cast<float>(1 + 2 * (gx * (x - crop.cols / 2) + gy * (y - crop.rows / 2)));
      for (int c = 0; c < 3; ++c) row[x][c] = cv::saturate_cast<std::uint8_t>(static_cast<float>(row[x][c]) * light);
    }
  }
}

void LoseResolution(cv::Mat& crop, double least, std::mt19937_64& random) {
  const int side = crop.cols, small = static_cast<int>(Uniform(random, side * least, side));
  cv::Mat reduced;
  cv::resize(crop, reduced, {small, small}, 0, 0, cv::INTER_AREA);
  if (Happens(random, .5)) cv::GaussianBlur(reduced, reduced, {3, 3}, Uniform(random, .3, 1));
  cv::resize(reduced, crop, crop.size(), 0, 0, Happens(random, .5) ? cv::INTER_LINEAR : cv::INTER_CUBIC);
}

void AddNoise(cv::Mat& crop, double strength, std::mt19937_64& random) {
  const double spread = strength * Uniform(random, 1, 13);
  cv::RNG noise(random());
  cv::Mat values(crop.size(), CV_16SC3);
  noise.fill(values, cv::RNG::NORMAL, 0, spread);
  cv::add(crop, values, crop, cv::noArray(), CV_8UC3);
}

cv::Rect CoverAPatch(cv::Mat& crop, std::mt19937_64& random) {
  const double side = crop.cols;
  const int w = static_cast<int>(side * Uniform(random, .08, .45)), h = static_cast<int>(side * Uniform(random, .08, .45));
  const int x = static_cast<int>(side * Uniform(random, 0, 1)) - w / 2, y = static_cast<int>(side * Uniform(random, 0, 1)) - h / 2;
  const cv::Rect patch = cv::Rect(x, y, w, h) & cv::Rect(0, 0, crop.cols, crop.rows);
  if (!patch.empty())
    crop(patch).setTo(cv::Scalar(Uniform(random, 0, 255), Uniform(random, 0, 255), Uniform(random, 0, 255)));
  return patch;
}

}  // namespace

double Uniform(std::mt19937_64& random, double low, double high) {
  return low + (high - low) * static_cast<double>(random() >> 11) * 0x1p-53;
}

cv::Matx23d JitteredPlace(const features::Similarity& place, int side, bool mirrored, const Jitter& jitter,
                          std::mt19937_64& random) {
  const auto even = [&random](double most) { return Uniform(random, -most, most); };
  const double angle = Uniform(random, 0, 1) < jitter.often ? even(jitter.turn) : even(jitter.turn / 5);
  const double size = std::exp(even(jitter.size)), tall = size * std::exp(even(jitter.tall)), shear = even(jitter.shear);
  const cv::Vec2d moved(side * even(jitter.shift), side * even(jitter.shift));
  const double middle = side / 2.0;
  const cv::Matx22d turn(std::cos(angle) * size, -std::sin(angle) * tall + shear, std::sin(angle) * size,
                         std::cos(angle) * tall);
  const cv::Matx22d rest(place.a, -place.b, place.b, place.a), mirror(mirrored ? -1 : 1, 0, 0, 1);
  const cv::Matx22d linear = mirror * turn * rest;
  const cv::Vec2d shift = mirror * (turn * cv::Vec2d(place.tx - middle, place.ty - middle) + moved);
  return {linear(0, 0), linear(0, 1), shift[0] + middle, linear(1, 0), linear(1, 1), shift[1] + middle};
}

cv::Mat AugmentedCrop(const cv::Mat& picture, const features::Similarity& net_from_picture, int side, bool mirrored,
                      const AugmentOptions& options, std::mt19937_64& random) {
  const cv::Matx23d place =
      ToWholeCentres(Jittered(net_from_picture, side, mirrored, options.geometry, random));
  cv::Mat crop;
  cv::warpAffine(picture, crop, place, {side, side}, cv::INTER_LINEAR, cv::BORDER_REPLICATE);
  ChangeValues(crop, options.tone, random);
  return crop;
}

cv::Rect ChangeValues(cv::Mat& crop, double tone, std::mt19937_64& random, double least_resolution) {
  if (tone <= 0) return {};
  ChangeTone(crop, tone, random);
  if (Happens(random, .35 * tone)) LightFromASide(crop, tone, random);
  if (Happens(random, .5 * tone)) LoseResolution(crop, least_resolution, random);
  if (Happens(random, .3 * tone)) {
    crop = datasets::DecodeImage(datasets::EncodeJpeg(crop, static_cast<int>(Uniform(random, 25, 90))), {}).bgr;
  }
  if (Happens(random, .6 * tone)) AddNoise(crop, tone, random);
  return Happens(random, .3 * tone) ? CoverAPatch(crop, random) : cv::Rect();
}

cv::Mat WarpedCrop(const cv::Mat& picture, cv::Matx23d crop_from_picture, int side) {
  // Bilinear sampling alone would alias where the picture shrinks.
  cv::Mat source = picture;
  const double size = std::sqrt(std::abs(crop_from_picture(0, 0) * crop_from_picture(1, 1) -
                                         crop_from_picture(0, 1) * crop_from_picture(1, 0)));
  for (double shrink = 1 / size; shrink >= 2 && std::min(source.cols, source.rows) >= 4; shrink /= 2) {
    cv::Mat half;
    cv::resize(source(cv::Rect(0, 0, source.cols / 2 * 2, source.rows / 2 * 2)), half, {}, 0.5, 0.5, cv::INTER_AREA);
    source = half;
    for (int row = 0; row < 2; ++row) crop_from_picture(row, 0) *= 2, crop_from_picture(row, 1) *= 2;
  }
  cv::Mat crop;
  cv::warpAffine(source, crop, ToWholeCentres(crop_from_picture), {side, side}, cv::INTER_LINEAR, cv::BORDER_REPLICATE);
  return crop;
}

}  // namespace auforge::annotator
