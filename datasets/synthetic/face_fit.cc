#include "datasets/synthetic/face_fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <opencv2/core.hpp>
#include <stdexcept>
#include <string>

#include "datasets/synthetic/internal/face_topology.h"
#include "datasets/synthetic/landmark_points.h"
#include "datasets/synthetic/renderer.h"

namespace auforge::datasets::synthetic {
namespace {

constexpr std::size_t kJawCount = 17;
constexpr float kJawReach = 3.0F;    // cm along the face within which a jaw landmark may slide
constexpr float kJawWeight = 0.8F;  // landmarkers are unsure along the jaw

float Weight(std::size_t landmark) { return landmark < kJawCount ? kJawWeight : 1.0F; }

// Parameters of a camera: rotation vector, log focal length, centre.
using Pose6 = std::array<double, 6>;

Rotation FromVector(double x, double y, double z) {
  const double angle = std::sqrt(x * x + y * y + z * z);
  const double s = angle > 1e-9 ? std::sin(angle) / angle : 1, c = angle > 1e-9 ? (1 - std::cos(angle)) / (angle * angle) : 0.5;
  const auto f = [](double v) { return static_cast<float>(v); };
  Rotation r;
  r.row[0] = {f(1 - c * (y * y + z * z)), f(c * x * y - s * z), f(c * x * z + s * y)};
  r.row[1] = {f(c * x * y + s * z), f(1 - c * (x * x + z * z)), f(c * y * z - s * x)};
  r.row[2] = {f(c * x * z - s * y), f(c * y * z + s * x), f(1 - c * (x * x + y * y))};
  return r;
}

Rotation Product(const Rotation& a, const Rotation& b) {
  Rotation out;
  for (std::size_t i = 0; i < 3; ++i) out.row[i] = b.Inverse(a.row[i]);
  return out;
}

Camera Moved(const Camera& camera, const Pose6& step) {
  Camera out = camera;
  out.view_from_model = Product(FromVector(step[0], step[1], step[2]), camera.view_from_model);
  out.focal *= static_cast<float>(std::exp(step[3]));
  out.centre.x += static_cast<float>(step[4]);
  out.centre.y += static_cast<float>(step[5]);
  return out;
}

// Looks straight at the face; size and place from the spread of the points.
Camera InitialCamera(const std::vector<Vec3>& points, const std::vector<features::Point2>& pixels, float distance) {
  double mx = 0, my = 0, px = 0, py = 0;
  const auto n = static_cast<double>(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    mx += points[i].x / n;
    my += points[i].y / n;
    px += pixels[i].x / n;
    py += pixels[i].y / n;
  }
  double model = 0, picture = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    model += std::hypot(points[i].x - mx, points[i].y - my);
    picture += std::hypot(pixels[i].x - px, pixels[i].y - py);
  }
  Camera camera;
  camera.translation = {0, 0, -distance};
  camera.focal = static_cast<float>(picture / model) * distance;
  const double scale = picture / model;
  camera.centre = {static_cast<float>(px - scale * mx), static_cast<float>(py + scale * my)};
  return camera;
}

}  // namespace

void FaceFitOptions::Validate() const {
  const auto need = [](bool ok, const char* name, float value, const char* range) {
    if (!ok) throw std::invalid_argument("face_fit." + std::string(name) + " = " + std::to_string(value) + "; must be " + range);
  };
  need(rounds >= 1 && rounds <= 50, "rounds", static_cast<float>(rounds), "1..50");
  need(distance >= 30 && distance <= 1000, "distance", distance, "30..1000 cm");
  need(noise > 0, "noise", noise, "> 0 cm");
  need(expression_spread > 0, "expression_spread", expression_spread, "> 0");
}

Camera FitCamera(const std::vector<Vec3>& points, const std::vector<features::Point2>& pixels,
                 const std::vector<float>& weights, float distance) {
  Camera camera = InitialCamera(points, pixels, distance);
  const int rows = static_cast<int>(2 * points.size());
  const auto residuals = [&](const Camera& c, double* out) {
    for (std::size_t i = 0; i < points.size(); ++i) {
      const features::Point2 p = c.Project(c.View(points[i]));
      out[2 * i] = weights[i] * (p.x - pixels[i].x);
      out[2 * i + 1] = weights[i] * (p.y - pixels[i].y);
    }
  };
  cv::Mat jacobian(rows, 6, CV_64F), error(rows, 1, CV_64F), shifted(rows, 1, CV_64F);
  for (int iteration = 0; iteration < 12; ++iteration) {
    residuals(camera, error.ptr<double>());
    constexpr std::array<double, 6> kStep{1e-3, 1e-3, 1e-3, 1e-3, 0.05, 0.05};
    for (std::size_t k = 0; k < 6; ++k) {
      Pose6 step{};
      step[k] = kStep[k];
      residuals(Moved(camera, step), shifted.ptr<double>());
      jacobian.col(static_cast<int>(k)) = (shifted - error) / kStep[k];
    }
    cv::Mat hessian = jacobian.t() * jacobian;
    for (int k = 0; k < 6; ++k) hessian.at<double>(k, k) *= 1 + 1e-4;
    cv::Mat solution;
    if (!cv::solve(hessian, -jacobian.t() * error, solution, cv::DECOMP_CHOLESKY)) break;
    Pose6 step{};
    for (int k = 0; k < 6; ++k) step[static_cast<std::size_t>(k)] = solution.at<double>(k);
    for (std::size_t k = 0; k < 3; ++k) step[k] = std::clamp(step[k], -0.4, 0.4);
    step[3] = std::clamp(step[3], -0.4, 0.4);
    camera = Moved(camera, step);
    if (std::abs(step[0]) + std::abs(step[1]) + std::abs(step[2]) + std::abs(step[3]) < 1e-6) break;
  }
  return camera;
}

std::vector<Vec3> FaceFit::Shape(const FaceModel& model) const {
  std::vector<Vec3> shape = model.Evaluate(identity, expression);
  AddPull(shape);
  return shape;
}

void FaceFit::AddPull(std::vector<Vec3>& shape) const {
  for (std::size_t v = 0; v < pull.size(); ++v) shape[v] += pull[v];
}

FaceFitter::FaceFitter(const FaceModel& model, const FaceFitOptions& options) : model_(model), options_(options) {
  options_.Validate();
  for (std::size_t e = 0; e < model.expression_names.size(); ++e) {
    const std::string& name = model.expression_names[e];
    if (!name.starts_with("eyeLook") && !name.starts_with("PupilDilate") && !name.starts_with("cheekPuff")) shapes_.push_back(e);
  }
  const internal::FaceTopology topology = internal::MakeTopology(model);
  std::vector<Vec3> normals(model.VertexCount());
  VertexNormals(model.neutral, topology.Surface(), normals);
  for (std::size_t i = 0; i < kJawCount; ++i) {
    const Vec3 centre = model.neutral[static_cast<std::size_t>(LandmarkVertices()[i])];
    jaw_candidates_.emplace_back();
    jaw_normals_.emplace_back();
    for (std::int32_t v = 0; v < internal::kNarrowFaceEnd; ++v) {
      const Vec3 p = model.neutral[static_cast<std::size_t>(v)];
      if (Length(p - centre) > kJawReach || std::abs(p.y - centre.y) > 1.0F) continue;
      jaw_candidates_.back().push_back(v);
      jaw_normals_.back().push_back(normals[static_cast<std::size_t>(v)]);
    }
  }
}

void FaceFitter::MatchJaw(const features::Landmarks68& landmarks, const FaceFit& fit, Match& match) const {
  for (std::size_t i = 0; i < kJawCount; ++i) {
    const std::vector<Vec3> points = model_.EvaluateAt(jaw_candidates_[i], fit.identity, fit.expression);
    float best = 1e30F;
    for (std::size_t k = 0; k < points.size(); ++k) {
      const Vec3 view = fit.camera.View(points[k]);
      const float facing = Dot(fit.camera.view_from_model(jaw_normals_[i][k]), Normalised(view * -1.0F));
      // The outline is where the surface turns away; the chin's lies where its underside begins.
      if (facing > 0.45F || facing < -0.15F) continue;
      const float d = features::Distance(fit.camera.Project(view), landmarks[i]);
      if (d < best) {
        best = d;
        match.vertex[i] = jaw_candidates_[i][k];
      }
    }
  }
}

void FaceFitter::SolveShape(const features::Landmarks68& landmarks, const Match& match,
                            std::span<const float> expected, FaceFit& fit) const {
  const std::size_t identities = model_.identities.size(), unknowns = identities + shapes_.size();
  const std::vector<Vec3> current = model_.EvaluateAt(match.vertex, fit.identity, fit.expression);
  const Rotation& r = fit.camera.view_from_model;
  cv::Mat a(static_cast<int>(2 * landmarks.size()), static_cast<int>(unknowns), CV_64F), b(a.rows, 1, CV_64F);
  for (std::size_t i = 0; i < landmarks.size(); ++i) {
    const auto v = static_cast<std::size_t>(match.vertex[i]);
    const Vec3 view = fit.camera.View(current[i]);
    const float scale = fit.camera.focal / -view.z;  // pixels per cm at this depth
    const Vec3 neutral = r(model_.neutral[v]);
    const float w = Weight(i);
    auto* row_x = a.ptr<double>(static_cast<int>(2 * i));
    auto* row_y = a.ptr<double>(static_cast<int>(2 * i + 1));
    b.at<double>(static_cast<int>(2 * i)) = w * ((landmarks[i].x - fit.camera.centre.x) / scale - neutral.x);
    b.at<double>(static_cast<int>(2 * i + 1)) = w * ((fit.camera.centre.y - landmarks[i].y) / scale - neutral.y);
    for (std::size_t k = 0; k < unknowns; ++k) {
      const Vec3 delta = k < identities ? model_.identities[k][v] : model_.expressions[shapes_[k - identities]][v];
      const Vec3 turned = r(delta);
      row_x[k] = w * turned.x;
      row_y[k] = w * turned.y;
    }
  }
  cv::Mat hessian = a.t() * a;
  cv::Mat gradient = a.t() * b;
  const double noise2 = options_.noise * options_.noise;
  const double spread2 = options_.expression_spread * options_.expression_spread;
  for (std::size_t k = 0; k < unknowns; ++k) hessian.at<double>(static_cast<int>(k), static_cast<int>(k)) += noise2 / (k < identities ? 1 : spread2);
  for (std::size_t k = identities; k < unknowns && !expected.empty(); ++k) {
    gradient.at<double>(static_cast<int>(k)) += noise2 / spread2 * expected[shapes_[k - identities]];
  }
  // Coordinate descent keeps every weight in its box.
  std::vector<double> x(unknowns, 0.0);
  for (std::size_t k = 0; k < unknowns; ++k) x[k] = k < identities ? fit.identity[k] : fit.expression[shapes_[k - identities]];
  for (int sweep = 0; sweep < 60; ++sweep) {
    double moved = 0;
    for (std::size_t k = 0; k < unknowns; ++k) {
      const auto* h = hessian.ptr<double>(static_cast<int>(k));
      double rest = gradient.at<double>(static_cast<int>(k));
      for (std::size_t j = 0; j < unknowns; ++j) rest -= h[j] * x[j];
      const double low = k < identities ? -3 : 0, high = k < identities ? 3 : 1;
      const double value = std::clamp(x[k] + rest / h[k], low, high);
      moved = std::max(moved, std::abs(value - x[k]));
      x[k] = value;
    }
    if (moved < 1e-4) break;
  }
  for (std::size_t k = 0; k < unknowns; ++k) (k < identities ? fit.identity[k] : fit.expression[shapes_[k - identities]]) = static_cast<float>(x[k]);
}

FaceFit FaceFitter::Fit(const features::Landmarks68& landmarks, std::span<const float> expected) const {
  if (!expected.empty() && expected.size() != model_.expressions.size()) {
    throw std::invalid_argument("face_fit: " + std::to_string(expected.size()) + " expected weights of " +
                                std::to_string(model_.expressions.size()) + " expressions");
  }
  FaceFit fit;
  fit.identity.assign(model_.identities.size(), 0.0F);
  fit.expression.assign(model_.expressions.size(), 0.0F);
  for (const std::size_t e : shapes_) fit.expression[e] = expected.empty() ? 0.0F : std::clamp(expected[e], 0.0F, 1.0F);
  // What is fitted was found by a landmarker. The jaw starts on the bone and is then matched to the outline.
  Match match;
  for (const MeshPoint& point : MarkedPoints()) match.vertex.push_back(point.vertex[0]);  // the heaviest
  std::copy_n(LandmarkVertices().begin(), kJawCount, match.vertex.begin());
  const std::vector<features::Point2> pixels(landmarks.begin(), landmarks.end());
  std::vector<float> weights;
  for (std::size_t i = 0; i < landmarks.size(); ++i) weights.push_back(Weight(i));
  for (int round = 0; round <= options_.rounds; ++round) {
    const std::vector<Vec3> points = model_.EvaluateAt(match.vertex, fit.identity, fit.expression);
    fit.camera = FitCamera(points, pixels, weights, options_.distance);
    if (round == options_.rounds) break;
    MatchJaw(landmarks, fit, match);
    SolveShape(landmarks, match, expected, fit);
  }
  const std::vector<Vec3> points = model_.EvaluateAt(match.vertex, fit.identity, fit.expression);
  double sum = 0;
  for (std::size_t i = kJawCount; i < landmarks.size(); ++i) {
    const Vec3 view = fit.camera.View(points[i]);
    const float d = features::Distance(fit.camera.Project(view), landmarks[i]) * -view.z / fit.camera.focal;
    sum += static_cast<double>(d) * d;
  }
  fit.residual = static_cast<float>(std::sqrt(sum / static_cast<double>(landmarks.size() - kJawCount)));
  return fit;
}

}  // namespace auforge::datasets::synthetic
