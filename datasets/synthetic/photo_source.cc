#include "datasets/synthetic/photo_source.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "datasets/synthetic/internal/face_topology.h"
#include "features/align.h"

namespace auforge::datasets::synthetic {
namespace {

constexpr float kLeastFacing = 0.28F;  // cosine below which a texel is seen too flatly to be copied
constexpr float kDepthSlack = 0.35F;   // cm
constexpr float kDepthJump = 2.2F;     // cm within 4 pixels (1.5 mm each): a fold, a nostril's edge or an outline
constexpr std::uint8_t kGlossByte = 40;

std::array<double, 9> Basis(Vec3 n) {
  return {1, n.y, n.z, n.x, n.x * n.y, n.y * n.z, 3 * n.z * n.z - 1, n.x * n.z, n.x * n.x - n.y * n.y};
}

// The display's square root undone; ToDisplay's shoulder is left alone.
cv::Mat Linear(const cv::Mat& picture) {
  cv::Mat scaled;
  picture.convertTo(scaled, CV_32FC3, 1.0 / 255);
  return scaled.mul(scaled);
}

cv::Vec3f Bilinear(const cv::Mat& image, float x, float y) {
  const float fx = std::clamp(x - 0.5F, 0.0F, static_cast<float>(image.cols - 1) - 1e-3F);
  const float fy = std::clamp(y - 0.5F, 0.0F, static_cast<float>(image.rows - 1) - 1e-3F);
  const int x0 = static_cast<int>(fx), y0 = static_cast<int>(fy);
  const float ax = fx - static_cast<float>(x0), ay = fy - static_cast<float>(y0);
  const auto at = [&](int dx, int dy) { return image.at<cv::Vec3f>(y0 + dy, x0 + dx); };
  return (at(0, 0) * (1 - ax) + at(1, 0) * ax) * (1 - ay) + (at(0, 1) * (1 - ax) + at(1, 1) * ax) * ay;
}

// Eyes and the inside of the mouth, with a margin: what is there is not skin.
cv::Mat NotSkin(const features::Landmarks68& landmarks, int side) {
  cv::Mat mask = cv::Mat::zeros(side, side, CV_8UC1);
  const float unit = features::InterOcularDistance(landmarks);
  const auto fill = [&](std::size_t begin, std::size_t end, float margin) {
    std::vector<cv::Point> polygon;
    for (std::size_t i = begin; i < end; ++i) polygon.emplace_back(cvRound(landmarks[i].x), cvRound(landmarks[i].y));
    std::vector<cv::Point> hull;
    cv::convexHull(polygon, hull);
    cv::fillConvexPoly(mask, hull, 255);
    cv::polylines(mask, hull, true, 255, std::max(1, cvRound(2 * margin * unit)));
  };
  fill(36, 42, 0.085F);
  fill(42, 48, 0.085F);
  fill(60, 68, 0.012F);
  return mask;
}

}  // namespace

ShLight EstimateLight(const std::vector<Vec3>& normals, const std::vector<float>& values, float strength) {
  const auto n = static_cast<double>(values.size());
  cv::Mat h = cv::Mat::zeros(9, 9, CV_64F), g = cv::Mat::zeros(9, 1, CV_64F);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto b = Basis(normals[i]);
    for (int r = 0; r < 9; ++r) {
      g.at<double>(r) += b[static_cast<std::size_t>(r)] * values[i];
      for (int c = 0; c < 9; ++c) h.at<double>(r, c) += b[static_cast<std::size_t>(r)] * b[static_cast<std::size_t>(c)];
    }
  }
  // Second-order terms explain brows and beards rather than light; they are held tighter.
  for (int r = 1; r < 9; ++r) h.at<double>(r, r) += n * strength * (r < 4 ? 1 : 4);
  cv::Mat c;
  cv::solve(h, g, c, cv::DECOMP_SVD);
  ShLight light{};
  for (std::size_t i = 0; i < 9; ++i) {
    const auto v = static_cast<float>(c.at<double>(static_cast<int>(i)));
    light[i] = {v, v, v};
  }
  const float facing = std::max(1e-4F, Irradiance(light, {0, 0, 1}).y);
  for (Vec3& v : light) v = v * (1 / facing);
  return light;
}

PhotoTaker::PhotoTaker(const FaceModel& model, const FaceRenderer& renderer, int texture_side)
    : model_(model), renderer_(renderer), fitter_(model), puller_(model), unwrap_(model, texture_side) {}

PhotoSource PhotoTaker::Fit(const cv::Mat& photo, const features::Landmarks68& landmarks, std::string key) const {
  PhotoSource source;
  source.key = std::move(key);
  const features::AlignedFace aligned = features::AlignFace(
      photo, landmarks, {.size = kPictureSide, .inter_ocular = kPictureInterOcular, .eye_height = kPictureEyeHeight});
  source.picture = aligned.crop;
  source.landmarks = features::Transform(aligned.crop_from_image, landmarks);
  source.fit = fitter_.Fit(source.landmarks);
  source.fit.pull = puller_.Pull(source.fit.Shape(model_), source.fit.camera, source.landmarks);
  return source;
}

void PhotoTaker::Bake(PhotoSource& source) const {
  const Camera& camera = source.fit.camera;
  const std::vector<Vec3> shape = source.fit.Shape(model_);
  const cv::Mat linear = Linear(source.picture);
  cv::Mat not_skin = NotSkin(source.landmarks, kPictureSide);

  // What the light alone would show: the face in grey and in black.
  SkinTextures grey, black;
  grey.face = cv::Mat(8, 8, CV_8UC4, cv::Scalar(161, 161, 161, kGlossByte));
  black.face = cv::Mat(8, 8, CV_8UC4, cv::Scalar(0, 0, 0, kGlossByte));
  const float grey_reflectance = 161.0F * 161 / (255.0F * 255);
  FaceScene scene;
  scene.width = scene.height = kPictureSide;
  scene.shape = shape;
  scene.camera = camera;
  scene.skin = &grey;
  scene.parts = Bit(FacePart::kSkin);
  RenderScratch scratch;
  const cv::Mat drawn_depth = renderer_.Render(scene, scratch).depth;

  // Where the surface jumps, a fit that is off by a pixel would copy what lies behind.
  cv::Mat nearest, farthest;
  const cv::Mat ring = cv::getStructuringElement(cv::MORPH_ELLIPSE, {9, 9});
  cv::erode(drawn_depth, nearest, ring);
  cv::dilate(drawn_depth, farthest, ring);
  const cv::Mat jump = (farthest - nearest) > kDepthJump;
  cv::bitwise_or(not_skin, jump, not_skin);

  std::vector<Vec3> normals;
  std::vector<float> values;
  for (std::int32_t v = 0; v < internal::kNarrowFaceEnd; ++v) {
    const auto at = static_cast<std::size_t>(v);
    const Vec3 view = camera.View(shape[at]);
    const Vec3 normal = camera.view_from_model(scratch.normals[at]);
    if (Dot(normal, Normalised(view * -1.0F)) < 0.25F) continue;
    const features::Point2 p = camera.Project(view);
    const int x = static_cast<int>(p.x), y = static_cast<int>(p.y);
    if (x < 0 || y < 0 || x >= kPictureSide || y >= kPictureSide || not_skin.at<std::uint8_t>(y, x) != 0) continue;
    const float invz = scratch.samples.InverseDepth(2 * x, 2 * y);
    if (invz > 0 && 1 / invz < -view.z - kDepthSlack) continue;
    const cv::Vec3f c = linear.at<cv::Vec3f>(y, x);
    normals.push_back(normal);
    values.push_back(0.1F * c[0] + 0.6F * c[1] + 0.3F * c[2]);
  }
  source.light = EstimateLight(normals, values, 0.02F);

  scene.light.ambient = source.light;
  const cv::Mat lit = renderer_.Render(scene, scratch).linear;
  scene.skin = &black;
  const cv::Mat shine = renderer_.Render(scene, scratch).linear;

  const int side = unwrap_.side();
  cv::Mat albedo = cv::Mat::zeros(side, side, CV_32FC3), weight = cv::Mat::zeros(side, side, CV_32FC1);
  MeshTriangle t{};
  std::array<float, 3> w{};
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      if (!unwrap_.At(x, y, t, w)) continue;
      Vec3 position, normal;
      for (std::size_t k = 0; k < 3; ++k) {
        position += shape[static_cast<std::size_t>(t[k])] * w[k];
        normal += scratch.normals[static_cast<std::size_t>(t[k])] * w[k];
      }
      const Vec3 view = camera.View(position);
      const float facing = Dot(Normalised(camera.view_from_model(normal)), Normalised(view * -1.0F));
      const features::Point2 p = camera.Project(view);
      if (facing < kLeastFacing || p.x < 1 || p.y < 1 || p.x >= kPictureSide - 1 || p.y >= kPictureSide - 1) continue;
      const int px = static_cast<int>(p.x), py = static_cast<int>(p.y);
      if (not_skin.at<std::uint8_t>(py, px) != 0) continue;
      const float invz = scratch.samples.InverseDepth(static_cast<int>(2 * p.x), static_cast<int>(2 * p.y));
      if (invz > 0 && 1 / invz < -view.z - kDepthSlack) continue;
      const cv::Vec3f photo = Bilinear(linear, p.x, p.y), in_grey = Bilinear(lit, p.x, p.y), in_black = Bilinear(shine, p.x, p.y);
      cv::Vec3f colour;
      for (int c = 0; c < 3; ++c) {
        const float diffuse = std::max(0.30F, (in_grey[c] - in_black[c]) / grey_reflectance);
        colour[c] = std::sqrt(std::clamp((photo[c] - in_black[c]) / diffuse, 0.0008F, 0.98F));
      }
      albedo.at<cv::Vec3f>(y, x) = colour;
      weight.at<float>(y, x) = SmoothStep(kLeastFacing, 0.65F, facing);
    }
  }
  // The other half of the face helps where this one was not seen.
  cv::Mat mirrored_albedo, mirrored_weight;
  cv::flip(albedo, mirrored_albedo, 1);
  cv::flip(weight, mirrored_weight, 1);
  cv::Scalar sum;
  double mass = 0;
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      float& own = weight.at<float>(y, x);
      cv::Vec3f& colour = albedo.at<cv::Vec3f>(y, x);
      for (int c = 0; c < 3; ++c) sum[c] += own * colour[c] * colour[c];
      mass += own;
      const float other = mirrored_weight.at<float>(y, x) * (1 - own);
      if (other > 0) {
        colour = (colour * own + mirrored_albedo.at<cv::Vec3f>(y, x) * other) * (1 / (own + other));
        own += other;
      }
    }
  }
  if (mass > 0) source.skin_colour = {static_cast<float>(sum[0] / mass), static_cast<float>(sum[1] / mass), static_cast<float>(sum[2] / mass)};
  const cv::Mat filled = PushPull(albedo, weight);
  source.skin.face.create(side, side, CV_8UC4);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const cv::Vec3f& c = filled.at<cv::Vec3f>(y, x);
      const auto byte = [](float v) { return cv::saturate_cast<std::uint8_t>(255 * v); };
      source.skin.face.at<cv::Vec4b>(y, x) = {byte(c[0]), byte(c[1]), byte(c[2]), kGlossByte};
    }
  }
}

}  // namespace auforge::datasets::synthetic
