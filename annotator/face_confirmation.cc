#include "annotator/face_confirmation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace auforge::annotator {
namespace {

using features::Landmarks68;
using features::Point2;

constexpr float kMostDoubt = 0.21F;
constexpr float kMostDoubtWhenSure = 0.40F;
constexpr float kUnsureScore = 0.996F, kSureScore = 0.999F;
// Of 95 portraits that stood on their heads and passed for faces, none had less.
constexpr float kDoubtOfUpsideDown = 0.14F;
constexpr double kSurroundings = 3;  // side of what is searched again, in widths of the box
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

// The face and what is around it, so that its box is as wide as the detector's smallest face. Black beyond
// the picture.
cv::Mat Surroundings(const FaceCandidate& candidate, double face) {
  const features::Box& box = candidate.detection.box;
  const double scale = face / box.width, side = kSurroundings * box.width;
  const cv::Rect wanted(static_cast<int>(std::lround(box.x + (box.width - side) / 2)),
                        static_cast<int>(std::lround(box.y + (box.height - side) / 2)),
                        static_cast<int>(std::lround(side)), static_cast<int>(std::lround(side)));
  const cv::Rect there = wanted & cv::Rect(0, 0, candidate.image->cols, candidate.image->rows);
  const int size = static_cast<int>(std::lround(kSurroundings * face));
  cv::Mat patch(size, size, candidate.image->type(), cv::Scalar::all(0));
  if (there.empty()) return patch;
  cv::Mat part;
  cv::resize((*candidate.image)(there), part, {}, scale, scale,
             scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
  const cv::Point at(static_cast<int>(std::lround((there.x - wanted.x) * scale)),
                     static_cast<int>(std::lround((there.y - wanted.y) * scale)));
  const cv::Rect place = cv::Rect(at, part.size()) & cv::Rect(0, 0, size, size);
  part(cv::Rect({0, 0}, place.size())).copyTo(patch(place));
  return patch;
}

// How sure the detector is of a face of that size in the middle of the patch; 0: it finds none.
float ScoreInTheMiddle(FaceDetector& detector, const cv::Mat& patch, float face) {
  float best = 0;
  const float middle = static_cast<float>(patch.cols) / 2;
  for (const features::Detection& found : detector.Detect(patch)) {
    const features::Box& b = found.box;
    const float away = std::hypot(b.x + b.width / 2 - middle, b.y + b.height / 2 - middle);
    if (away < face / 2 && b.width > face / 2 && b.width < 2 * face) best = std::max(best, found.score);
  }
  return best;
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

void RefuseUpsideDown(FaceDetector& detector, const std::vector<FaceCandidate>& candidates,
                      std::vector<ConfirmedFace>& confirmed) {
  const double face = detector.TemplateFace();
  for (std::size_t f = 0; f < candidates.size(); ++f) {
    if (!confirmed[f].is_face || confirmed[f].doubt <= kDoubtOfUpsideDown) continue;
    const cv::Mat patch = Surroundings(candidates[f], face);
    cv::Mat turned;
    cv::rotate(patch, turned, cv::ROTATE_180);
    const float when_turned = ScoreInTheMiddle(detector, turned, static_cast<float>(face));
    if (when_turned > 0 && when_turned >= ScoreInTheMiddle(detector, patch, static_cast<float>(face)))
      confirmed[f].is_face = false;
  }
}

}  // namespace auforge::annotator
