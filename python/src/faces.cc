#include "src/faces.h"

#include <algorithm>
#include <limits>
#include <string>

#include "features/dense_points.h"
#include "src/block.h"
#include "src/text.h"

namespace py = pybind11;

namespace auforge::python {
namespace {

using datasets::FaceRecord;

void AppendRow(const FaceRecord& face, std::span<const float> visible, std::size_t aus, std::vector<float>& row) {
  const features::Similarity& c = face.crop_from_image;
  const auto add = [&row](std::initializer_list<float> values) { row.insert(row.end(), values); };
  const auto half = [&](const std::vector<float>& values) {
    if (values.empty()) return static_cast<void>(row.insert(row.end(), aus, std::numeric_limits<float>::quiet_NaN()));
    row.insert(row.end(), values.begin(), values.end());
  };
  add({face.box.x, face.box.y, face.box.width, face.box.height});
  add({face.pose.yaw, face.pose.pitch, face.pose.roll});
  add({c.a, -c.b, c.tx, c.b, c.a, c.ty});
  add({face.aus.quality, face.detector_score, face.emotion_score});
  for (const features::Point2& point : face.landmarks) add({point.x, point.y});
  row.insert(row.end(), face.aus.intensity.begin(), face.aus.intensity.end());
  row.insert(row.end(), face.aus.probability.begin(), face.aus.probability.end());
  if (visible.empty()) {
    row.insert(row.end(), aus, 1.0F);
  } else {
    row.insert(row.end(), visible.begin(), visible.end());
  }
  half(face.aus.left);
  half(face.aus.right);
}

}  // namespace

py::dict PackFaces(std::span<const FaceRecord> faces, std::span<const float> visible, std::size_t aus, const std::vector<float>& dense) {
  std::vector<float> values;
  std::vector<std::uint8_t> present;
  std::vector<std::int32_t> codes;
  py::list crops;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const FaceRecord& face = faces[i];
    AppendRow(face, visible.empty() ? visible : visible.subspan(i * aus, aus), aus, values);
    present.insert(present.end(), face.aus.present.begin(), face.aus.present.end());
    codes.insert(codes.end(), {face.emotion, face.emotion_rule, face.face_index, face.aus.left.empty() ? 0 : 1});
    crops.append(py::bytes(reinterpret_cast<const char*>(face.image.data()), face.image.size()));
  }
  const auto n = static_cast<py::ssize_t>(faces.size());
  const auto width = static_cast<py::ssize_t>(4 + 3 + 6 + 3 + 2 * features::kLandmarkCount + 5 * aus);
  py::dict packed;
  packed["values"] = MakeBlock<float>(values, {n, width});
  packed["present"] = MakeBlock<std::uint8_t>(present, {n, static_cast<py::ssize_t>(aus)});
  packed["codes"] = MakeBlock<std::int32_t>(codes, {n, 4});
  packed["crops"] = crops;
  if (!dense.empty()) packed["dense"] = MakeBlock<float>(dense, {n, static_cast<py::ssize_t>(features::kDenseCount), 2});
  return packed;
}

void PackSample(const datasets::SampleRecord& sample, py::dict& into) {
  into["key"] = Text(sample.key);
  into["url"] = Text(sample.url);
  into["keywords"] = Text(sample.keywords);
  into["licence"] = Text(sample.licence);
  into["robots"] = Text(sample.robots);
  into["status"] = std::string(datasets::OutcomeName(sample.status));
  into["width"] = sample.width;
  into["height"] = sample.height;
  into["sha256"] = py::bytes(reinterpret_cast<const char*>(sample.sha256.data()), sample.sha256.size());
  into["frame"] = sample.frame;
  into["timestamp"] = sample.timestamp;
}

}  // namespace auforge::python
