#include "annotator/face_confirmation.h"

#include <algorithm>
#include <array>

namespace auforge::annotator {
namespace {

using features::Landmarks68;
using features::Point2;

constexpr float kMostDoubt = 0.21F;
constexpr float kMostDoubtWhenSure = 0.40F;
constexpr float kUnsureScore = 0.996F, kSureScore = 0.999F;
constexpr float kEyesInBox = 0.41F;  // inter-ocular distance of the mean face as a share of its box

// The box of the second run: a few per cent aside and smaller, about as far as detectors differ.
features::Box Shaken(const features::Box& box) {
  const float shift = 0.056F * box.width;
  return {box.x + shift, box.y - shift, 0.93F * box.width, 0.93F * box.height};
}

// How much doubt a detection may leave: more, the surer the detector was.
float MostDoubt(float score) {
  const float sure = std::clamp((score - kUnsureScore) / (kSureScore - kUnsureScore), 0.0F, 1.0F);
  return kMostDoubt + sure * (kMostDoubtWhenSure - kMostDoubt);
}

Point2 Mean(const Landmarks68& landmarks, std::size_t first, std::size_t last) {
  Point2 sum;
  for (std::size_t i = first; i <= last; ++i) sum = {sum.x + landmarks[i].x, sum.y + landmarks[i].y};
  const auto n = static_cast<float>(last - first + 1);
  return {sum.x / n, sum.y / n};
}

// Mean distance of the detector's own points from the landmarks, pixels.
float PointDistance(const std::array<Point2, 5>& points, const Landmarks68& landmarks) {
  const std::array<Point2, 5> same{Mean(landmarks, 36, 41), Mean(landmarks, 42, 47), landmarks[30],
                                   landmarks[48], landmarks[54]};
  float sum = 0;
  for (std::size_t i = 0; i < points.size(); ++i) sum += features::Distance(points[i], same[i]);
  return sum / static_cast<float>(points.size());
}

}  // namespace

float ConfirmedFace::Trust() const { return std::clamp((0.45F - doubt) / 0.25F, 0.3F, 1.0F); }

std::vector<ConfirmedFace> ConfirmFaces(const Landmarker& landmarker,
                                        const std::vector<FaceCandidate>& candidates) {
  std::vector<FaceInImage> faces;
  for (const FaceCandidate& c : candidates) faces.push_back({c.image, c.detection.box});
  for (const FaceCandidate& c : candidates) faces.push_back({c.image, Shaken(c.detection.box)});
  const std::vector<Landmarks68> found = landmarker.Find(faces);
  std::vector<ConfirmedFace> confirmed(candidates.size());
  for (std::size_t f = 0; f < candidates.size(); ++f) {
    const Landmarks68& first = found[f];
    const Landmarks68& second = found[f + candidates.size()];
    float apart = 0;
    for (std::size_t i = 0; i < features::kLandmarkCount; ++i) {
      apart += features::Distance(first[i], second[i]) / features::kLandmarkCount;
      confirmed[f].landmarks[i] = features::Midpoint(first[i], second[i]);
    }
    const features::Detection& detection = candidates[f].detection;
    if (detection.points) apart += 0.5F * PointDistance(*detection.points, first);
    confirmed[f].doubt = apart / (kEyesInBox * detection.box.width);
    confirmed[f].is_face = confirmed[f].doubt <= MostDoubt(detection.score);
  }
  return confirmed;
}

}  // namespace auforge::annotator
