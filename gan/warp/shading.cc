#include "gan/warp/internal/shading.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "datasets/synthetic/photo_source.h"

namespace auforge::warp::internal {
namespace {

using synthetic::Vec3;

constexpr float kFolds = 0.30F;      // of FaceRenderer::FoldLight
constexpr float kLeast = 0.62F, kMost = 1.35F;

cv::Vec3f LinearAt(const cv::Mat& picture, features::Point2 p) {
  const int x = std::clamp(static_cast<int>(p.x), 0, picture.cols - 1), y = std::clamp(static_cast<int>(p.y), 0, picture.rows - 1);
  const auto& c = picture.at<cv::Vec3b>(y, x);
  cv::Vec3f out;
  for (int i = 0; i < 3; ++i) out[i] = static_cast<float>(c[i]) / 255 * static_cast<float>(c[i]) / 255;
  return out;
}

float Brightness(const cv::Vec3f& c) { return 0.1F * c[0] + 0.6F * c[1] + 0.3F * c[2]; }

bool IsInside(const cv::Mat& picture, features::Point2 p) {
  return p.x >= 0 && p.y >= 0 && p.x < static_cast<float>(picture.cols) && p.y < static_cast<float>(picture.rows);
}

// The brighter part of what the eyes' openings show.
float EyeWhite(const cv::Mat& picture, const features::Landmarks68& landmarks) {
  std::vector<float> values;
  for (const std::size_t first : {36U, 42U}) {
    std::vector<cv::Point> polygon;
    for (std::size_t i = first; i < first + 6; ++i) polygon.emplace_back(cvRound(landmarks[i].x), cvRound(landmarks[i].y));
    const cv::Rect box = cv::boundingRect(polygon) & cv::Rect(0, 0, picture.cols, picture.rows);
    for (int y = box.y; y < box.y + box.height; ++y) {
      for (int x = box.x; x < box.x + box.width; ++x) {
        if (cv::pointPolygonTest(polygon, cv::Point2f(static_cast<float>(x), static_cast<float>(y)), false) < 0) continue;
        values.push_back(Brightness(LinearAt(picture, {static_cast<float>(x), static_cast<float>(y)})));
      }
    }
  }
  if (values.size() < 8) return 0;
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(values.size() * 85 / 100);
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

bool IsGrey(const cv::Mat& picture, const features::Landmarks68& landmarks) {
  for (std::size_t i = 0; i < landmarks.size(); ++i) {
    if (!IsInside(picture, landmarks[i])) continue;
    const auto& c = picture.at<cv::Vec3b>(static_cast<int>(landmarks[i].y), static_cast<int>(landmarks[i].x));
    if (std::max({c[0], c[1], c[2]}) - std::min({c[0], c[1], c[2]}) > 3) return false;
  }
  return true;
}

}  // namespace

float BrightnessAt(const cv::Mat& picture, features::Point2 p) { return Brightness(LinearAt(picture, p)); }

PhotoLight ReadLight(const cv::Mat& picture, const FittedPhoto& photo, const Seams& seams, std::span<const Vec3> normals,
                     const features::Landmarks68& landmarks) {
  std::vector<std::uint8_t> is_near(photo.shape.size(), 0);
  for (const Seam* seam : {&seams.mouth, &seams.eyes[0], &seams.eyes[1]}) {
    for (const Seam::NearVertex& near : seam->near) {
      if (near.u < 1.2F) is_near[static_cast<std::size_t>(near.vertex)] = 1;
    }
  }
  const float brow = photo.shape[static_cast<std::size_t>(synthetic::LandmarkVertices()[19])].y + 2;
  const float chin = photo.shape[static_cast<std::size_t>(synthetic::LandmarkVertices()[8])].y;
  std::vector<Vec3> sample_normals;
  std::vector<float> values;
  cv::Vec3f skin{0, 0, 0}, lips{0, 0, 0};
  float skins = 0, lip_count = 0;
  constexpr std::size_t kFace = 6700;
  for (std::size_t v = 0; v < kFace; v += 2) {
    const Vec3 view = photo.fit.camera.View(photo.shape[v]);
    const Vec3 normal = photo.fit.camera.view_from_model(normals[v]);
    if (is_near[v] != 0 || photo.shape[v].y > brow || photo.shape[v].y < chin || !IsInside(picture, photo.at[v])) continue;
    if (Dot(normal, Normalised(view * -1.0F)) < 0.25F) continue;
    const cv::Vec3f c = LinearAt(picture, photo.at[v]);
    sample_normals.push_back(normal);
    values.push_back(Brightness(c));
    skin += c;
    ++skins;
  }
  for (const Seam::NearVertex& near : seams.mouth.near) {
    const features::Point2 p = photo.at[static_cast<std::size_t>(near.vertex)];
    if (near.u < 0.15F || near.u > 0.5F || near.s < 0.2F || near.s > 0.8F || !IsInside(picture, p)) continue;
    lips += LinearAt(picture, p);
    ++lip_count;
  }
  PhotoLight light;
  if (skins > 30) light.harmonics = synthetic::EstimateLight(sample_normals, values, 0.02F);
  else light.harmonics[0] = {1, 1, 1};
  skin *= 1 / std::max(1.0F, skins);
  lips *= 1 / std::max(1.0F, lip_count);
  light.skin = {skin[0], skin[1], skin[2]};
  light.lips = {lips[0], lips[1], lips[2]};
  const float base = Brightness(skin);
  light.white = std::clamp(EyeWhite(picture, landmarks), 0.8F * base, 2.0F * base);
  light.is_grey = IsGrey(picture, landmarks);
  return light;
}

synthetic::FaceScene SceneBehind(const synthetic::SkinTextures& skin, const PhotoLight& light, const synthetic::Camera& camera,
                                 std::span<const Vec3> shape, const cv::Rect& box) {
  synthetic::FaceScene scene;
  scene.width = box.width;
  scene.height = box.height;
  scene.shape = shape;
  scene.camera = camera;
  scene.camera.centre.x -= static_cast<float>(box.x);
  scene.camera.centre.y -= static_cast<float>(box.y);
  scene.skin = &skin;
  scene.light.ambient = light.harmonics;
  return scene;
}

std::vector<float> LightChange(const synthetic::FaceRenderer& renderer, const PhotoLight& light, const synthetic::Camera& camera,
                               std::span<const Vec3> before, std::span<const Vec3> after, std::span<const Vec3> normals_before,
                               std::span<const Vec3> normals_after) {
  const std::vector<Vec3> folds = renderer.FoldLight(before, after, kFolds);
  std::vector<float> change(before.size(), 1.0F);
  for (std::size_t v = 0; v < change.size(); ++v) {
    if (before[v] == after[v]) continue;
    constexpr float kFloor = 0.25F;  // what harmonics say of the dark side is noise
    const float was = kFloor + Irradiance(light.harmonics, camera.view_from_model(normals_before[v])).y;
    const float is = kFloor + Irradiance(light.harmonics, camera.view_from_model(normals_after[v])).y;
    change[v] = std::clamp(folds[v].y * is / was, kLeast, kMost);
  }
  return change;
}

}  // namespace auforge::warp::internal
