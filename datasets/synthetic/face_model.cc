#include "datasets/synthetic/face_model.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "datasets/storage/bad_content.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/hdf5_file.h"

namespace auforge::datasets::synthetic {
namespace {

constexpr const char* kFormat = "auforge-face-model";
constexpr std::int64_t kFormatVersion = 1;
constexpr float kDeltaStep = 0.002F;  // cm

// The vertices that ICT-FaceKit's authors name for the 68 landmarks.
constexpr std::array<std::int32_t, features::kLandmarkCount> kLandmarkVertices{
    1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443,
    268, 493, 1914, 2044, 2007, 4207, 4240, 4114, 2734, 2509, 978, 4527, 4942, 4857, 4562, 2075, 1147,
    4269, 5027, 1507, 1542, 1537, 1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732, 5708, 5695, 2081,
    0, 4275, 6200, 6213, 6346, 6480, 5518, 5976, 5841, 5702, 6036, 5533, 6540, 6207, 6486, 5517, 5982,
};

void Require(bool condition, const std::string& text) {
  if (!condition) throw storage::BadContent(text);
}

std::vector<std::int16_t> Quantise(const std::vector<std::vector<Vec3>>& shapes) {
  std::vector<std::int16_t> steps;
  const auto quantise = [](float v) {
    return static_cast<std::int16_t>(std::clamp(std::lround(v / kDeltaStep), -32767L, 32767L));
  };
  for (const auto& shape : shapes) {
    for (const Vec3& d : shape) {
      steps.push_back(quantise(d.x));
      steps.push_back(quantise(d.y));
      steps.push_back(quantise(d.z));
    }
  }
  return steps;
}

std::vector<std::vector<Vec3>> Restore(const std::vector<std::int16_t>& steps, std::size_t vertices) {
  std::vector<std::vector<Vec3>> shapes(steps.size() / (3 * vertices), std::vector<Vec3>(vertices));
  std::size_t at = 0;
  for (auto& shape : shapes) {
    for (Vec3& d : shape) {
      d = {kDeltaStep * steps[at], kDeltaStep * steps[at + 1], kDeltaStep * steps[at + 2]};
      at += 3;
    }
  }
  return shapes;
}

template <typename T>
std::string DigestOf(const std::vector<T>& values) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(values.data());
  return storage::HexDigest(storage::Sha256({bytes, values.size() * sizeof(T)}));
}

struct Arrays {
  std::vector<float> neutral, texcoords;
  std::vector<std::int32_t> corners, uv_corners, material;
  std::vector<std::int16_t> identities, expressions;

  std::string Digest() const {
    return storage::Sha256Hex(DigestOf(neutral) + DigestOf(texcoords) + DigestOf(corners) + DigestOf(uv_corners) +
                              DigestOf(material) + DigestOf(identities) + DigestOf(expressions));
  }
};

Arrays Flatten(const FaceModel& model) {
  Arrays a;
  for (const Vec3& v : model.neutral) a.neutral.insert(a.neutral.end(), {v.x, v.y, v.z});
  for (const auto& t : model.texcoords) a.texcoords.insert(a.texcoords.end(), {t[0], t[1]});
  for (const FaceTriangle& t : model.triangles) {
    a.corners.insert(a.corners.end(), t.vertex.begin(), t.vertex.end());
    a.uv_corners.insert(a.uv_corners.end(), t.texcoord.begin(), t.texcoord.end());
    a.material.push_back(t.material);
  }
  a.identities = Quantise(model.identities);
  a.expressions = Quantise(model.expressions);
  return a;
}

void Accumulate(const std::vector<std::vector<Vec3>>& shapes, std::span<const float> weights, std::vector<Vec3>& out) {
  for (std::size_t s = 0; s < weights.size(); ++s) {
    const float w = weights[s];
    if (w == 0) continue;
    const std::vector<Vec3>& delta = shapes[s];
    for (std::size_t v = 0; v < out.size(); ++v) {
      out[v].x += w * delta[v].x;
      out[v].y += w * delta[v].y;
      out[v].z += w * delta[v].z;
    }
  }
}

}  // namespace

std::span<const std::int32_t, features::kLandmarkCount> LandmarkVertices() { return kLandmarkVertices; }

std::size_t FaceModel::Expression(const std::string& name) const {
  const auto found = std::find(expression_names.begin(), expression_names.end(), name);
  if (found == expression_names.end()) throw std::invalid_argument("the face model has no expression " + name);
  return static_cast<std::size_t>(found - expression_names.begin());
}

std::vector<Vec3> FaceModel::Evaluate(std::span<const float> identity, std::span<const float> weights) const {
  if (identity.size() > identities.size() || weights.size() != expressions.size()) {
    throw std::invalid_argument("face model: identity or expression weights of the wrong length");
  }
  std::vector<Vec3> shape = neutral;
  Accumulate(identities, identity, shape);
  Accumulate(expressions, weights, shape);
  return shape;
}

std::vector<Vec3> FaceModel::EvaluateAt(std::span<const std::int32_t> wanted, std::span<const float> identity,
                                        std::span<const float> weights) const {
  std::vector<Vec3> points;
  points.reserve(wanted.size());
  for (const std::int32_t row : wanted) {
    const auto v = static_cast<std::size_t>(row);
    Vec3 p = neutral[v];
    const auto add = [&p, v](const std::vector<std::vector<Vec3>>& shapes, std::span<const float> w) {
      for (std::size_t s = 0; s < w.size(); ++s) {
        p.x += w[s] * shapes[s][v].x;
        p.y += w[s] * shapes[s][v].y;
        p.z += w[s] * shapes[s][v].z;
      }
    };
    add(identities, identity);
    add(expressions, weights);
    points.push_back(p);
  }
  return points;
}

void FaceModel::Save(const std::string& path) const {
  const Arrays a = Flatten(*this);
  storage::Hdf5Writer file(path);
  const std::uint64_t v = neutral.size();
  const std::uint64_t t = triangles.size();
  file.WriteAttribute("/", "format", std::string(kFormat));
  file.WriteAttribute("/", "format_version", kFormatVersion);
  file.WriteAttribute("/", "digest", a.Digest());
  file.WriteAttribute("/", "materials", materials);
  file.WriteAttribute("/", "expression_names", expression_names);
  file.Write<float>("/neutral", a.neutral, {v, 3}, 6);
  file.Write<float>("/texcoords", a.texcoords, {texcoords.size(), 2}, 6);
  file.Write<std::int32_t>("/triangles/vertex", a.corners, {t, 3}, 6);
  file.Write<std::int32_t>("/triangles/texcoord", a.uv_corners, {t, 3}, 6);
  file.Write<std::int32_t>("/triangles/material", a.material, {t}, 6);
  file.Write<std::int16_t>("/identities", a.identities, {identities.size(), v, 3}, 6);
  file.Write<std::int16_t>("/expressions", a.expressions, {expressions.size(), v, 3}, 6);
  file.Close();
}

FaceModel FaceModel::Load(const std::string& path) {
  const storage::Hdf5Reader file(path);
  Require(file.HasAttribute("/", "format") && file.ReadString("/", "format") == kFormat,
          path + ": is not a face model; make one with auforge synth import-model");
  const std::int64_t version = file.ReadInteger("/", "format_version");
  Require(version == kFormatVersion, path + ": is of face model format " + std::to_string(version) +
                                         "; import the model again with auforge synth import-model");
  FaceModel model;
  model.materials = file.ReadStringList("/", "materials");
  model.expression_names = file.ReadStringList("/", "expression_names");
  Arrays a;
  const auto neutral = file.Read<float>("/neutral");
  Require(neutral.shape.size() == 2 && neutral.shape[1] == 3, path + ": /neutral has the wrong shape");
  const std::uint64_t v = neutral.shape[0];
  a.neutral = neutral.values;
  a.texcoords = file.Read<float>("/texcoords").values;
  a.corners = file.Read<std::int32_t>("/triangles/vertex").values;
  a.uv_corners = file.Read<std::int32_t>("/triangles/texcoord").values;
  a.material = file.Read<std::int32_t>("/triangles/material").values;
  a.identities = file.Read<std::int16_t>("/identities").values;
  a.expressions = file.Read<std::int16_t>("/expressions").values;
  const std::uint64_t t = a.material.size();
  Require(v > 0 && a.corners.size() == 3 * t && a.uv_corners.size() == 3 * t && a.identities.size() % (3 * v) == 0 &&
              a.expressions.size() == model.expression_names.size() * 3 * v && a.texcoords.size() % 2 == 0,
          path + ": damaged face model: its arrays do not fit together; import it again");
  for (const float x : a.neutral) Require(std::isfinite(x), path + ": damaged face model: a vertex is not finite");
  for (const float x : a.texcoords) Require(std::isfinite(x), path + ": damaged face model: a texture coordinate is not finite");
  const auto uv_count = static_cast<std::int32_t>(a.texcoords.size() / 2);
  for (std::size_t i = 0; i < 3 * t; ++i) {
    Require(a.corners[i] >= 0 && a.corners[i] < static_cast<std::int32_t>(v) && a.uv_corners[i] >= 0 &&
                a.uv_corners[i] < uv_count && a.material[i / 3] >= 0 &&
                a.material[i / 3] < static_cast<std::int32_t>(model.materials.size()),
            path + ": damaged face model: a triangle refers beyond its arrays");
  }
  Require(a.Digest() == file.ReadString("/", "digest"), path + ": damaged face model: it does not match its checksum");
  for (std::size_t i = 0; i < v; ++i) model.neutral.push_back({a.neutral[3 * i], a.neutral[3 * i + 1], a.neutral[3 * i + 2]});
  for (std::size_t i = 0; i + 1 < a.texcoords.size(); i += 2) model.texcoords.push_back({a.texcoords[i], a.texcoords[i + 1]});
  for (std::size_t i = 0; i < t; ++i) {
    model.triangles.push_back({{a.corners[3 * i], a.corners[3 * i + 1], a.corners[3 * i + 2]},
                               {a.uv_corners[3 * i], a.uv_corners[3 * i + 1], a.uv_corners[3 * i + 2]},
                               a.material[i]});
  }
  model.identities = Restore(a.identities, v);
  model.expressions = Restore(a.expressions, v);
  for (const std::int32_t landmark : kLandmarkVertices) {
    Require(landmark < static_cast<std::int32_t>(v), path + ": has too few vertices for the 68 landmarks");
  }
  return model;
}

}  // namespace auforge::datasets::synthetic
