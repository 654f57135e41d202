#include "annotator/face_confirmation.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <span>

#include "annotator/face_points.h"

namespace auforge::annotator {
namespace {

using features::Landmarks68;

constexpr float kMostDoubt = 0.21F;
constexpr float kMostDoubtWhenSure = 0.40F;
constexpr float kUnsureScore = 0.996F, kSureScore = 0.999F;
// Of 95 portraits that stood on their heads and passed for faces, none had less.
constexpr float kDoubtOfUpsideDown = 0.14F;
constexpr float kDoubtOfSpread = 8.4F;  // the nets' expected distance by the width of the face's box, on the scale of doubt
constexpr float kMostNetDoubt = 0.22F, kMostNetDoubtWhenSure = 0.42F;
constexpr float kNetUnsureScore = 0.95F, kNetSureScore = 0.995F;
constexpr float kLeastSeen = 0.45F;
// Of 293 portraits that stood on their heads the nets saw 62 % of the points at most in 99 %, of upright faces 77 % and
// more in 95 %.
constexpr float kSeenOfUpsideDown = 0.70F;
constexpr double kSurroundings = 3;  // side of what is searched again, in widths of the box
constexpr float kEyesInBox = 0.41F;  // inter-ocular distance of the mean face as a share of its box

// The box of the second run: a few per cent aside and smaller, about as far as detectors differ.
features::Box Shaken(const features::Box& box) {
  const float shift = 0.056F * box.width;
  return {box.x + shift, box.y - shift, 0.93F * box.width, 0.93F * box.height};
}

// How much doubt a detection may leave: more, the surer the detector was.
float Between(float score, float unsure, float sure, float least, float most) {
  return least + std::clamp((score - unsure) / (sure - unsure), 0.0F, 1.0F) * (most - least);
}
float MostDoubt(float score) { return Between(score, kUnsureScore, kSureScore, kMostDoubt, kMostDoubtWhenSure); }
float MostNetDoubt(float score) {
  return Between(score, kNetUnsureScore, kNetSureScore, kMostNetDoubt, kMostNetDoubtWhenSure);
}

float MeanOf(std::span<const float> values) {
  float sum = 0;
  for (const float v : values) sum += v;
  return sum / static_cast<float>(values.size());
}

// Mean distance of the detector's own points from the landmarks, pixels.
float PointDistance(const FivePoints& points, const Landmarks68& landmarks) {
  const FivePoints same = FivePointsOf(landmarks);
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

std::vector<ConfirmedFace> ConfirmByNets(const Landmarker& landmarker, const std::vector<FaceCandidate>& candidates) {
  std::vector<FaceInImage> faces;
  for (const FaceCandidate& c : candidates) faces.push_back({c.image, c.detection.box});
  std::vector<ConfirmedFace> confirmed;
  for (const FoundLandmarks& found : landmarker.FindWithSpread(faces)) {
    const float seen = MeanOf(found.seen), score = candidates[confirmed.size()].detection.score;
    ConfirmedFace& face = confirmed.emplace_back();
    face.landmarks = found.points;
    face.is_steady = true;
    face.doubt = DoubtOf(found);
    face.is_face = face.doubt <= MostNetDoubt(score) && seen >= kLeastSeen;
    face.may_stand_on_its_head = face.is_face && face.doubt > kDoubtOfUpsideDown && seen < kSeenOfUpsideDown;
  }
  return confirmed;
}

// Steady points for those of `some` that are faces and have none yet; is_near: their points are known roughly.
void MakeSteady(const Landmarker& landmarker, const std::vector<FaceCandidate>& candidates,
                const std::vector<std::size_t>& some, bool is_near, std::vector<ConfirmedFace>& faces) {
  std::vector<std::size_t> unsteady;
  std::vector<FaceInImage> boxes;
  std::vector<Landmarks68> rough;
  for (const std::size_t f : some) {
    if (!faces[f].is_face || faces[f].is_steady) continue;
    unsteady.push_back(f);
    boxes.push_back({candidates[f].image, candidates[f].detection.box});
    rough.push_back(faces[f].landmarks);
  }
  const auto found = is_near ? landmarker.FindSteady(boxes, rough) : landmarker.FindSteady(boxes);
  for (std::size_t i = 0; i < unsteady.size(); ++i) {
    faces[unsteady[i]].landmarks = found[i];
    faces[unsteady[i]].is_steady = true;
  }
}

}  // namespace

float DoubtOf(const FoundLandmarks& found) {
  return kDoubtOfSpread * MeanOf(found.spread) / BoxAround(found.points).width;
}

float TrustIn(float doubt) { return std::clamp((0.45F - doubt) / 0.25F, 0.3F, 1.0F); }

float ConfirmedFace::Trust() const { return TrustIn(doubt); }

std::vector<ConfirmedFace> ConfirmFaces(const Landmarker& landmarker,
                                        const std::vector<FaceCandidate>& candidates) {
  if (landmarker.TellsSpread()) return ConfirmByNets(landmarker, candidates);
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
    confirmed[f].may_stand_on_its_head = confirmed[f].is_face && confirmed[f].doubt > kDoubtOfUpsideDown;
  }
  return confirmed;
}

void RefuseUpsideDown(FaceDetector& detector, const std::vector<FaceCandidate>& candidates,
                      std::vector<ConfirmedFace>& confirmed) {
  const double face = detector.TemplateFace();
  for (std::size_t f = 0; f < candidates.size(); ++f) {
    if (!confirmed[f].may_stand_on_its_head) continue;
    const cv::Mat patch = Surroundings(candidates[f], face);
    cv::Mat turned;
    cv::rotate(patch, turned, cv::ROTATE_180);
    const float when_turned = ScoreInTheMiddle(detector, turned, static_cast<float>(face));
    if (when_turned > 0 && when_turned >= ScoreInTheMiddle(detector, patch, static_cast<float>(face)))
      confirmed[f].is_face = false;
  }
}

std::vector<ConfirmedFace> LandmarksOf(const Landmarker& landmarker, FaceDetector& detector,
                                       const std::vector<FaceCandidate>& candidates) {
  std::vector<std::size_t> asked, believed;
  for (std::size_t f = 0; f < candidates.size(); ++f)
    (detector.NeedsConfirmation(candidates[f].detection.score) ? asked : believed).push_back(f);
  const auto of = [&](const std::vector<std::size_t>& some) {
    std::vector<FaceCandidate> chosen;
    for (const std::size_t f : some) chosen.push_back(candidates[f]);
    return chosen;
  };
  std::vector<ConfirmedFace> faces(candidates.size());
  const std::vector<FaceCandidate> unsure = of(asked), sure = of(believed);
  std::vector<ConfirmedFace> confirmed = ConfirmFaces(landmarker, unsure);
  if (detector.FindsUpsideDown()) RefuseUpsideDown(detector, unsure, confirmed);
  for (std::size_t i = 0; i < asked.size(); ++i) faces[asked[i]] = confirmed[i];
  if (landmarker.TellsSpread()) {
    confirmed = ConfirmFaces(landmarker, sure);
    for (std::size_t i = 0; i < believed.size(); ++i) faces[believed[i]] = confirmed[i];
  }
  for (const std::size_t f : believed) faces[f].is_face = faces[f].doubt <= kMostNetDoubtWhenSure;
  MakeSteady(landmarker, candidates, asked, true, faces);
  MakeSteady(landmarker, candidates, believed, false, faces);
  return faces;
}

std::vector<LandmarkedFace> FindFaces(FaceDetector& detector, const Landmarker& landmarker, const cv::Mat& bgr,
                                      double least_face) {
  std::vector<FaceCandidate> candidates;
  for (const features::Detection& detection : DetectFaces(detector, bgr, least_face)) candidates.push_back({&bgr, detection});
  const std::vector<ConfirmedFace> confirmed = LandmarksOf(landmarker, detector, candidates);
  std::vector<LandmarkedFace> faces;
  for (std::size_t f = 0; f < confirmed.size(); ++f) {
    if (confirmed[f].is_face) faces.push_back({candidates[f].detection, confirmed[f].landmarks});
  }
  return faces;
}

}  // namespace auforge::annotator
