#include "annotator/dense_look.h"

#include "annotator/landmark_look.h"

namespace auforge::annotator {
namespace {

// Sides of the squares, inter-ocular distances of the mean face.
constexpr float kEyeSide = 0.9F, kMouthSide = 1.7F;

float SideOf(DensePart part) { return part == DensePart::kMouth ? kMouthSide : kEyeSide; }

}  // namespace

DenseFrame FrameOf(const features::Landmarks68& points, std::span<const std::size_t> used) {
  constexpr int kSide = 96;
  const features::Similarity look = LookAtPoints(points, used, kSide);
  const float scale = look.Scale();
  return {look.a / scale, look.b / scale, SecondLook(kSide).unit / scale};
}

features::Similarity LookAtPart(const features::Landmarks68& points, const DenseFrame& frame, DensePart part, int side) {
  const std::size_t first = part == DensePart::kRightEye ? 36 : part == DensePart::kLeftEye ? 42 : 48,
                    last = part == DensePart::kRightEye ? 42 : part == DensePart::kLeftEye ? 48 : 68;
  double x = 0, y = 0;
  for (std::size_t i = first; i < last; ++i) x += points[i].x, y += points[i].y;
  const auto count = static_cast<double>(last - first);
  const features::Point2 middle{static_cast<float>(x / count), static_cast<float>(y / count)};
  const float scale = DenseUnit(part, side) / frame.unit;
  features::Similarity crop_from_picture{frame.cosine * scale, frame.sine * scale, 0, 0};
  const features::Point2 at = crop_from_picture(middle);
  crop_from_picture.tx = static_cast<float>(side) / 2 - at.x;
  crop_from_picture.ty = static_cast<float>(side) / 2 - at.y;
  return crop_from_picture;
}

float DenseUnit(DensePart part, int side) { return static_cast<float>(side) / SideOf(part); }

}  // namespace auforge::annotator
