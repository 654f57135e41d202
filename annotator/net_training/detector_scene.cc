#include "annotator/net_training/detector_scene.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <stdexcept>

#include "annotator/face_points.h"
#include "annotator/landmarker.h"
#include "annotator/net_training/augment.h"
#include "datasets/image_codec.h"
#include "datasets/image_source.h"
#include "datasets/storage/bad_content.h"
#include "features/align.h"

namespace auforge::annotator {
namespace {

using features::Box;
using features::Landmarks68;
using features::Point2;

constexpr double kTone = 0.8;              // of the augmentation
constexpr double kLeastResolution = 0.55;  // a face of 20 pixels that has lost more is none
constexpr double kRad = std::numbers::pi / 180;
constexpr double kMostRoll = 52 * kRad, kOnHead = 120 * kRad;  // between them: neither face nor none
constexpr double kLeastVisible = 0.55;     // share of a face's box
constexpr int kTries = 4;

bool Happens(std::mt19937_64& random, double chance) { return Uniform(random, 0, 1) < chance; }
double Log(std::mt19937_64& random, double low, double high) {
  return std::exp(Uniform(random, std::log(low), std::log(high)));
}
cv::Scalar AnyColour(std::mt19937_64& random) {
  const double grey = Uniform(random, 0, 255), spread = Uniform(random, 0, 90);
  const auto channel = [&] { return std::clamp(grey + Uniform(random, -spread, spread), 0.0, 255.0); };
  const double b = channel(), g = channel(), r = channel();
  return {b, g, r};
}
template <typename T>
const T& AnyOf(const std::vector<T>& all, std::mt19937_64& random) {
  return all[random() % all.size()];
}

// scale and turn, mirrored or not, that bring `from` to `to`.
cv::Matx23d Placed(double scale_x, double scale_y, double angle, bool mirrored, Point2 from, Point2 to) {
  const double c = std::cos(angle), s = std::sin(angle), flip = mirrored ? -1 : 1;
  const cv::Matx22d linear(c * scale_x * flip, -s * scale_y, s * scale_x * flip, c * scale_y);
  const cv::Vec2d moved = linear * cv::Vec2d(from.x, from.y);
  return {linear(0, 0), linear(0, 1), to.x - moved[0], linear(1, 0), linear(1, 1), to.y - moved[1]};
}

Point2 Mapped(const cv::Matx23d& map, Point2 p) {
  const cv::Vec2d q = map * cv::Vec3d(p.x, p.y, 1);
  return {static_cast<float>(q[0]), static_cast<float>(q[1])};
}

// Part of a picture without faces, from a few pixels enlarged to the whole of it.
cv::Mat Background(const cv::Mat& picture, int side, std::mt19937_64& random) {
  const double shorter = std::min(picture.cols, picture.rows);
  const double seen = Log(random, std::min(48.0, shorter), 1.25 * shorter), scale = side / seen;
  double angle = Happens(random, .3) ? Uniform(random, -.4, .4) : 0;
  if (Happens(random, .12)) angle += std::numbers::pi / 2 * static_cast<double>(random() % 4);
  const auto place = [&](int pixels) {
    const double room = std::max(0.0, pixels - seen) / 2;
    return static_cast<float>(pixels / 2.0 + Uniform(random, -room, room));
  };
  const float x = place(picture.cols), y = place(picture.rows), middle = static_cast<float>(side) / 2;
  const double wide = scale * Uniform(random, .85, 1.18);
  const bool mirrored = (random() >> 63) != 0;
  const cv::Matx23d map = Placed(wide, scale, angle, mirrored, {x, y}, {middle, middle});
  return WarpedCrop(picture, map, side);
}

cv::Mat AnyGround(const SceneSources& sources, int side, std::mt19937_64& random) {
  const double kind = Uniform(random, 0, 1);
  if (kind < .74) return Background(AnyOf(*sources.backgrounds, random), side, random);
  if (kind < .84) return {side, side, CV_8UC3, cv::Scalar::all(127)};  // what a detector sees beyond its picture
  if (kind < .89) return {side, side, CV_8UC3, cv::Scalar::all(0)};
  cv::Mat ground(side, side, CV_8UC3, AnyColour(random));
  if (kind < .94) {
    cv::Mat corners(2, 2, CV_8UC3);
    for (int i = 0; i < 4; ++i) {
      const cv::Scalar colour = AnyColour(random);
      corners.at<cv::Vec3b>(i / 2, i % 2) = cv::Vec3b(cv::saturate_cast<std::uint8_t>(colour[0]), cv::saturate_cast<std::uint8_t>(colour[1]),
                                                      cv::saturate_cast<std::uint8_t>(colour[2]));
    }
    cv::resize(corners, ground, ground.size(), 0, 0, cv::INTER_LINEAR);
  }
  return ground;
}

// What of the face's picture is shown: 255; the whole, a part near the face, or the head with soft edges.
cv::Mat PasteMask(const PointFace& face, const Box& box, const cv::Matx23d& map, int side, bool soft, std::mt19937_64& random) {
  cv::Mat mask(side, side, CV_8UC1, cv::Scalar(0));
  std::vector<cv::Point> outline;
  const auto add = [&](double x, double y) {
    const Point2 p = Mapped(map, {static_cast<float>(x), static_cast<float>(y)});
    outline.emplace_back(static_cast<int>(std::lround(p.x)), static_cast<int>(std::lround(p.y)));
  };
  const double x = box.x + box.width / 2, y = box.y + box.height / 2, size = box.width;
  if (soft) {
    const double wide = size * Uniform(random, .52, .75), high = size * Uniform(random, .68, .95);
    for (int i = 0; i < 24; ++i) {
      const double a = 2 * std::numbers::pi * i / 24;
      add(x + wide * std::cos(a), y - .1 * size + high * std::sin(a));
    }
  } else {
    double left = 0, top = 0, right = face.picture.cols, bottom = face.picture.rows;
    if (Happens(random, .35)) {
      left = std::max(left, x - size * Uniform(random, .42, 1.2)), right = std::min(right, x + size * Uniform(random, .42, 1.2));
      top = std::max(top, y - size * Uniform(random, .42, 1.2)), bottom = std::min(bottom, y + size * Uniform(random, .42, 1.2));
    }
    add(left, top), add(right, top), add(right, bottom), add(left, bottom);
  }
  cv::fillConvexPoly(mask, outline, cv::Scalar(255));
  return mask;
}

void Blend(const cv::Mat& over, const cv::Mat& mask, cv::Mat& canvas) {
  for (int y = 0; y < canvas.rows; ++y) {
    const auto* m = mask.ptr<std::uint8_t>(y);
    const auto* from = over.ptr<std::uint8_t>(y);
    auto* to = canvas.ptr<std::uint8_t>(y);
    for (int x = 0; x < 3 * canvas.cols; ++x) {
      const int share = m[x / 3];
      to[x] = static_cast<std::uint8_t>((share * from[x] + (255 - share) * to[x] + 127) / 255);
    }
  }
}

cv::Rect Inside(const Box& box, int side) {
  return cv::Rect(cv::Point(static_cast<int>(std::lround(box.x)), static_cast<int>(std::lround(box.y))),
                  cv::Point(static_cast<int>(std::lround(box.x + box.width)), static_cast<int>(std::lround(box.y + box.height)))) &
         cv::Rect(0, 0, side, side);
}

// Share of a box that a mask covers or, where it is empty, that lies in the scene.
double Covered(const Box& box, const cv::Mat& mask, int side) {
  const cv::Rect inside = Inside(box, side);
  if (inside.empty()) return 0;
  return (mask.empty() ? inside.area() : cv::countNonZero(mask(inside))) / std::max(1.0, static_cast<double>(box.width) * box.height);
}

// Glasses, a mask, something in front of a part.
void Cover(const Landmarks68& points, const Box& box, const SceneSources& sources, cv::Mat& canvas, std::mt19937_64& random) {
  const double kind = Uniform(random, 0, 1), size = box.width;
  const auto at = [&](std::size_t i) { return cv::Point2d(points[i].x, points[i].y); };
  if (kind < .2) {
    const cv::Scalar colour = cv::Scalar::all(Uniform(random, 0, 90));
    const cv::Point2d right = (at(36) + at(39)) / 2, left = (at(42) + at(45)) / 2;
    const double radius = size * Uniform(random, .12, .2);
    for (const cv::Point2d& eye : {right, left})
      cv::ellipse(canvas, cv::RotatedRect(eye, cv::Size2d(2 * radius, 1.6 * radius), 0), colour, cv::FILLED);
    cv::line(canvas, right, left, colour, std::max(1, static_cast<int>(size / 24)));
    return;
  }
  if (kind < .38) {
    std::vector<cv::Point> outline;
    for (const std::size_t i : {29, 1, 3, 5, 7, 8, 9, 11, 13, 15}) outline.emplace_back(at(i));
    std::vector<cv::Point> hull;
    cv::convexHull(outline, hull);
    cv::fillConvexPoly(canvas, hull, AnyColour(random));
    return;
  }
  const double wide = size * Uniform(random, .2, .6), high = size * Uniform(random, .2, .6);
  const double x = box.x + size * Uniform(random, -.1, 1.1), y = box.y + size * Uniform(random, -.1, 1.1);
  const cv::Rect patch = Inside({static_cast<float>(x - wide / 2), static_cast<float>(y - high / 2), static_cast<float>(wide), static_cast<float>(high)}, canvas.cols);
  if (patch.empty()) return;
  if (Happens(random, .5)) {
    canvas(patch).setTo(AnyColour(random));
  } else {
    cv::Mat part;
    cv::resize(Background(AnyOf(*sources.backgrounds, random), 32, random), part, patch.size());
    part.copyTo(canvas(patch));
  }
}

double AnyAngle(std::mt19937_64& random) {
  const double kind = Uniform(random, 0, 1);
  if (kind < .62) return Uniform(random, -14, 14) * kRad;
  if (kind < .92) return Uniform(random, -52, 52) * kRad;
  return Uniform(random, 130, 230) * kRad;
}

// Adds a face where none of those before is hidden by it.
void Paste(const SceneSources& sources, const SceneSizes& sizes, Scene& scene, std::mt19937_64& random) {
  const bool photo = !sources.photos->empty() && Happens(random, sources.photo_share);
  const PointFace& face = AnyOf(photo ? *sources.photos : *sources.renders, random);
  const Box source = BoxAround(face.points);
  double size = Log(random, sizes.least_face, sizes.most_face);
  if (Happens(random, .06)) size = Happens(random, .5) ? Uniform(random, sizes.least_face / 2, sizes.least_face) : Log(random, sizes.most_face, 2 * sizes.most_face);
  const double angle = AnyAngle(random), tall = std::exp(Uniform(random, -.1, .1)), scale = size / source.width;
  const bool mirrored = (random() >> 63) != 0, soft = Happens(random, .3);
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const Point2 to{static_cast<float>(Uniform(random, 0, sizes.side)), static_cast<float>(Uniform(random, 0, sizes.side))};
    const Point2 middle{source.x + source.width / 2, source.y + source.height / 2};
    const cv::Matx23d map = Placed(scale / tall, scale * tall, angle, mirrored, middle, to);
    cv::Mat mask = PasteMask(face, source, map, sizes.side, soft, random);
    const bool free = std::none_of(scene.faces.begin(), scene.faces.end(), [&](const SceneFace& other) {
      return Covered(other.box, mask, sizes.side) > .08;
    });
    if (!free) continue;
    if (soft) cv::GaussianBlur(mask, mask, {0, 0}, std::max(.6, .05 * size));
    Blend(WarpedCrop(face.picture, map, sizes.side), mask, scene.picture);
    Landmarks68 points;
    for (std::size_t k = 0; k < points.size(); ++k) points[k] = Mapped(map, face.points[mirrored ? features::MirrorLandmark(k) : k]);
    const Box box = BoxAround(points);
    if (Happens(random, .25)) Cover(points, box, sources, scene.picture, random);
    const FivePoints five = FivePointsOf(points);
    const double roll = std::abs(std::atan2(five[1].y - five[0].y, five[1].x - five[0].x));
    if (roll > kOnHead) return;
    const bool fits = box.width >= sizes.least_face && box.width <= sizes.most_face;
    scene.faces.push_back({box, five, fits && roll <= kMostRoll + .1 && Covered(box, {}, sizes.side) >= kLeastVisible});
    return;
  }
}

void Spoil(Scene& scene, std::mt19937_64& random) {
  const cv::Rect covered = ChangeValues(scene.picture, kTone, random, kLeastResolution);
  if (covered.empty()) return;
  const Box patch{static_cast<float>(covered.x), static_cast<float>(covered.y), static_cast<float>(covered.width), static_cast<float>(covered.height)};
  for (SceneFace& face : scene.faces) {
    const cv::Rect both = Inside(face.box, scene.picture.cols) & Inside(patch, scene.picture.cols);
    if (both.area() > .45 * face.box.width * face.box.height) face.wanted = false;
  }
}

}  // namespace

Scene FaceScene(const SceneSources& sources, const SceneSizes& sizes, std::mt19937_64& random) {
  Scene scene{AnyGround(sources, sizes.side, random), {}};
  const std::size_t count = 1 + random() % 4;
  for (std::size_t i = 0; i < count; ++i) Paste(sources, sizes, scene, random);
  Spoil(scene, random);
  return scene;
}

Scene EmptyScene(const SceneSources& sources, const SceneSizes& sizes, std::mt19937_64& random) {
  Scene scene{Background(AnyOf(*sources.backgrounds, random), sizes.side, random), {}};
  if (Happens(random, .7)) Spoil(scene, random);
  return scene;
}

std::vector<cv::Mat> LoadBackgrounds(const std::vector<std::string>& inputs, const PointSetLog& log) {
  constexpr int kMostSide = 480, kLeastSide = 24;
  std::vector<cv::Mat> pictures;
  std::size_t left_out = 0;
  const datasets::ImageSource source = datasets::ImageSource::Plan(inputs, {});
  for (const datasets::InputShard& shard : source.Shards()) {
    const auto reader = source.Open(shard);
    for (datasets::ImageItem item; reader->Next(item);) {
      const datasets::DecodedImage image = datasets::DecodeImage(item.bytes, {});
      if (item.status != datasets::Outcome::kOk || image.status != datasets::Outcome::kOk ||
          std::min(image.bgr.cols, image.bgr.rows) < kLeastSide) {
        ++left_out;
        continue;
      }
      const int larger = std::max(image.bgr.cols, image.bgr.rows);
      // Textures of large pictures are lost when these shrink: their middle is kept as it is, too.
      if (larger > 2 * kMostSide) {
        const int w = std::min(kMostSide, image.bgr.cols), h = std::min(kMostSide, image.bgr.rows);
        pictures.push_back(image.bgr(cv::Rect((image.bgr.cols - w) / 2, (image.bgr.rows - h) / 2, w, h)).clone());
      }
      if (larger <= kMostSide) {
        pictures.push_back(image.bgr);
        continue;
      }
      const double scale = static_cast<double>(kMostSide) / larger;
      cv::Mat small;
      cv::resize(image.bgr, small, {std::max(kLeastSide, static_cast<int>(image.bgr.cols * scale)), std::max(kLeastSide, static_cast<int>(image.bgr.rows * scale))}, 0, 0, cv::INTER_AREA);
      pictures.push_back(small);
    }
  }
  if (log) log(std::to_string(pictures.size()) + " backgrounds" + (left_out > 0 ? ", " + std::to_string(left_out) + " pictures left out" : ""));
  if (pictures.empty()) throw datasets::storage::BadContent("no background can be decoded; name pictures without faces, 24 pixels a side and more");
  return pictures;
}

}  // namespace auforge::annotator
