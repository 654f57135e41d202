#include "tools/landmarks/landmark_scores.h"

#include <cmath>
#include <filesystem>
#include <limits>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <string_view>

#include "datasets/image_codec.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "features/align.h"
#include "features/number.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;
using features::Landmarks68;
using features::Point2;

constexpr std::array<LandmarkRegion, 7> kRegions{{{"jaw", 0, 17}, {"brows", 17, 27}, {"nose", 27, 36}, {"eyes", 36, 48},
                                                  {"mouth", 48, 68}, {"inner", 17, 68}, {"all", 0, 68}}};
constexpr float kBoxOff = 0.15F;  // of place and size
constexpr int kJpegQuality = 50;

cv::Mat Compressed(const cv::Mat& image) {
  return datasets::DecodeImage(datasets::EncodeJpeg(image, kJpegQuality), {}).bgr;
}

Disturbance BoxOff(const char* name, float dx, float dy, float size) {
  return {name,
          [=](cv::Mat&, features::Box& box) {
            const float x = box.x + box.width * (0.5F + dx), y = box.y + box.height * (0.5F + dy);
            box = {x - box.width * size / 2, y - box.height * size / 2, box.width * size, box.height * size};
          },
          [](const Landmarks68& points, const cv::Mat&) { return points; }};
}

std::vector<Disturbance> MakeDisturbances() {
  std::vector<Disturbance> all;
  all.push_back({"mirrored",
                 [](cv::Mat& image, features::Box& box) {
                   cv::Mat turned;
                   cv::flip(image, turned, 1);
                   box.x = static_cast<float>(image.cols) - box.x - box.width;
                   image = turned;
                 },
                 [](const Landmarks68& points, const cv::Mat& original) {
                   return features::Mirror(points, static_cast<float>(original.cols));
                 }});
  all.push_back(BoxOff("box 15 % right, large", kBoxOff, 0, 1 + kBoxOff));
  all.push_back(BoxOff("box 15 % up, small", 0, -kBoxOff, 1 - kBoxOff));
  all.push_back({"JPEG 50", [](cv::Mat& image, features::Box&) { image = Compressed(image); },
                 [](const Landmarks68& points, const cv::Mat&) { return points; }});
  all.push_back({"half size",
                 [](cv::Mat& image, features::Box& box) {
                   cv::Mat half;
                   cv::resize(image, half, {}, 0.5, 0.5, cv::INTER_AREA);
                   const auto sx = static_cast<float>(half.cols) / static_cast<float>(image.cols),
                              sy = static_cast<float>(half.rows) / static_cast<float>(image.rows);
                   box = {box.x * sx, box.y * sy, box.width * sx, box.height * sy};
                   image = half;
                 },
                 [](Landmarks68 points, const cv::Mat& original) {
                   const float sx = static_cast<float>(original.cols) / std::nearbyint(static_cast<float>(original.cols) / 2),
                               sy = static_cast<float>(original.rows) / std::nearbyint(static_cast<float>(original.rows) / 2);
                   for (Point2& p : points) p = {p.x * sx, p.y * sy};
                   return points;
                 }});
  return all;
}

// The next <name ...> of the text from `at` on, its attributes; nullopt where there is none before `end`.
std::optional<std::string_view> NextTag(std::string_view text, const std::string& name, std::size_t& at,
                                        std::size_t end = std::string_view::npos) {
  const std::size_t begin = text.find("<" + name + " ", at);
  if (begin == std::string_view::npos || begin >= end) return std::nullopt;
  const std::size_t close = text.find('>', begin);
  if (close == std::string_view::npos) return std::nullopt;
  at = close;
  return text.substr(begin, close - begin);
}

std::optional<std::string_view> Attribute(std::string_view tag, const std::string& name) {
  const std::size_t begin = tag.find(" " + name + "='");
  if (begin == std::string_view::npos) return std::nullopt;
  const std::size_t from = begin + name.size() + 3, to = tag.find('\'', from);
  if (to == std::string_view::npos) return std::nullopt;
  return tag.substr(from, to - from);
}

}  // namespace

std::span<const LandmarkRegion> LandmarkRegions() { return kRegions; }

double RegionError(const Landmarks68& found, const annotator::PointRow& truth, const LandmarkRegion& region) {
  double sum = 0;
  int count = 0;
  for (std::size_t i = region.first; i < region.last; ++i) {
    if (!truth.known[i]) continue;
    sum += features::Distance(found[i], truth.points[i]);
    ++count;
  }
  return count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN();
}

double OuterEyeDistance(const Landmarks68& points) { return features::Distance(points[36], points[45]); }

double LidGap(const Landmarks68& p, std::size_t eye) {
  const double width = features::Distance(p[eye], p[eye + 3]);
  return (features::Distance(p[eye + 1], p[eye + 5]) + features::Distance(p[eye + 2], p[eye + 4])) / 2 / std::max(width, 1e-6);
}

const std::vector<Disturbance>& Disturbances() {
  static const std::vector<Disturbance> all = MakeDisturbances();
  return all;
}

double Movement(const annotator::Landmarker& landmarker, const cv::Mat& image, const features::Box& box,
                const Landmarks68& undisturbed, const Disturbance& disturbance) {
  cv::Mat shown = image;
  features::Box there = box;
  disturbance.apply(shown, there);
  const Landmarks68 found = disturbance.undo(landmarker.FindSteady(shown, there), image);
  double sum = 0;
  for (std::size_t i = 0; i < found.size(); ++i) sum += features::Distance(found[i], undisturbed[i]);
  return sum / static_cast<double>(found.size()) / features::InterOcularDistance(undisturbed);
}

std::vector<XmlFace> ReadDlibXml(const std::string& path) {
  const std::string text = datasets::storage::ReadFile(path);
  const auto fail = [&path](const std::string& fault) -> void { throw datasets::storage::BadContent(path + ": " + fault); };
  const auto number = [&](std::string_view tag, const std::string& name) {
    const auto value = Attribute(tag, name);
    const auto parsed = value ? features::ParseNumber(*value) : std::nullopt;
    if (!parsed) fail("a <box> or <part> without a number " + name);
    return static_cast<float>(*parsed);
  };
  std::vector<XmlFace> faces;
  std::size_t at = 0;
  while (const auto image = NextTag(text, "image", at)) {
    const auto file = Attribute(*image, "file");
    if (!file) fail("an <image> without a file");
    const std::size_t image_end = text.find("</image>", at);
    while (const auto box = NextTag(text, "box", at, image_end)) {
      const std::size_t box_end = text.find("</box>", at);
      XmlFace face;
      // Whole numbers are pixels' centres there.
      face.box = {number(*box, "left"), number(*box, "top"), number(*box, "width"), number(*box, "height")};
      face.truth.picture = (fs::path(path).parent_path() / std::string(*file)).string();
      face.truth.seen.fill(-1);
      while (const auto part = NextTag(text, "part", at, box_end)) {
        const float index = number(*part, "name");
        if (!(index >= 0 && index < static_cast<float>(features::kLandmarkCount))) fail("a <part> beyond 67");
        const auto i = static_cast<std::size_t>(index);
        face.truth.points[i] = {number(*part, "x") + 0.5F, number(*part, "y") + 0.5F};
        face.truth.known[i] = true;
      }
      faces.push_back(face);
    }
  }
  if (faces.empty()) fail("holds no faces; name dlib's XML of images, boxes and parts");
  return faces;
}

}  // namespace auforge::tools
