#include "tools/gan/picture_judge.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <opencv2/imgproc.hpp>
#include <optional>

#include "annotator/face_embedding.h"
#include "features/align.h"
#include "tools/cli/cli.h"
#include "tools/cli/signals.h"
#include "tools/gan/face_finder.h"

namespace auforge::tools {
namespace {

// In inter-ocular distances: how far the hair line lies above the brows, and the rim around the face's hull that still
// counts as face (a cheek that a smile pushes out, the outline that a chin leaves).
constexpr float kForehead = 0.9F, kRim = 0.2F;

class Judging {
 public:
  Judging(const std::map<std::string, std::string>& pictures, const PictureJudgeOptions& options)
      : pictures_(pictures), finder_(60, 128) {
    if (!options.embedding.empty()) embedder_ = std::make_unique<annotator::FaceEmbedder>(options.embedding);
  }

  void Add(int au, const JudgedPair& pair, PictureFigures& sums) {
    const cv::Mat at_0 = Read(pair.at_0), at_1 = Read(pair.at_1, at_0, pair.at_0);
    const std::vector<FoundFace> found = finder_.Find(at_0);
    if (found.empty()) return;
    const FoundFace& face = *std::ranges::max_element(found, {}, [](const FoundFace& f) { return f.box.width; });
    const FaceFinder::Measurement after = finder_.Measure(at_1, face.box);
    ++sums.faces;
    AddAus(au, face.aus, after.aus, sums);
    sums.background += RmsDifference(at_0, at_1, Background(face.landmarks, after.landmarks, at_0.size()));
    if (!pair.back.empty()) {
      cv::Mat difference;
      cv::absdiff(at_0, Read(pair.back, at_0, pair.at_0), difference);
      const cv::Scalar mean = cv::mean(difference);
      sums.back += (mean[0] + mean[1] + mean[2]) / 3;
      ++sums.back_faces;
    }
    if (embedder_) {
      sums.identity += annotator::EmbeddingDistance(embedder_->Embed(at_0, face.landmarks), embedder_->Embed(at_1, after.landmarks));
      ++sums.identity_faces;
    }
  }

 private:
  cv::Mat Read(const std::string& key) const { return ReadPhoto(pictures_.at(key)); }
  cv::Mat Read(const std::string& key, const cv::Mat& partner, const std::string& partner_key) const {
    cv::Mat picture = Read(key);
    if (picture.size() != partner.size()) {
      throw BadInputError(pictures_.at(key) + ": has another size than its partner " + pictures_.at(partner_key));
    }
    return picture;
  }
  void AddAus(int au, const features::AuEstimate& before, const features::AuEstimate& after, PictureFigures& sums) const {
    double squares = 0;
    const features::AuSchema& schema = finder_.schema();
    for (std::size_t j = 0; j < schema.size(); ++j) {
      const bool asked = schema.numbers()[j] == au;
      const float wanted = asked ? 5 : before.intensity[j], measured = after.intensity[j];
      squares += std::pow(static_cast<double>(wanted - measured), 2);
      if (asked) sums.rise += static_cast<double>(measured - before.intensity[j]);
    }
    sums.au_mse += squares / static_cast<double>(schema.size());
  }

  const std::map<std::string, std::string>& pictures_;
  FaceFinder finder_;
  std::unique_ptr<annotator::FaceEmbedder> embedder_;
};

}  // namespace

cv::Mat Background(const features::Landmarks68& before, const features::Landmarks68& after, cv::Size size) {
  std::vector<cv::Point> points;
  const float eyes = features::InterOcularDistance(before);
  for (const features::Landmarks68& landmarks : {before, after}) {
    const features::Point2 top = features::Midpoint(features::RightEyeCentre(landmarks), features::LeftEyeCentre(landmarks)),
                           chin = landmarks[8];
    const float height = std::max(1e-3F, features::Distance(top, chin));
    const cv::Point2f up(kForehead * eyes * (top.x - chin.x) / height, kForehead * eyes * (top.y - chin.y) / height);
    for (std::size_t i = 0; i < landmarks.size(); ++i) {
      const cv::Point2f p(landmarks[i].x, landmarks[i].y);
      points.emplace_back(p);
      if (i >= 17 && i < 27) points.emplace_back(p + up);
    }
  }
  std::vector<cv::Point> hull;
  cv::convexHull(points, hull);
  cv::Mat face = cv::Mat::zeros(size, CV_8UC1), wide;
  cv::fillConvexPoly(face, hull, 255);
  const int side = 2 * static_cast<int>(std::lround(kRim * eyes)) + 1;
  cv::dilate(face, wide, cv::getStructuringElement(cv::MORPH_ELLIPSE, {side, side}));
  return wide == 0;
}

double RmsDifference(const cv::Mat& before, const cv::Mat& after, const cv::Mat& mask) {
  cv::Mat difference;
  cv::absdiff(before, after, difference);
  difference.convertTo(difference, CV_32FC3, 1 / 255.0);
  const cv::Scalar squares = cv::mean(difference.mul(difference), mask);
  return std::sqrt((squares[0] + squares[1] + squares[2]) / 3);
}

std::map<int, PictureFigures> JudgePictures(const JudgedSet& set, const std::map<std::string, std::string>& pictures,
                                            const PictureJudgeOptions& options,
                                            const std::function<void(std::size_t, std::size_t)>& progress) {
  Judging judging(pictures, options);
  std::map<int, PictureFigures> result;
  std::size_t done = 0, count = 0;
  for (const auto& [au, pairs] : set.pairs) count += pairs.size();
  int faces = 0;
  for (const auto& [au, pairs] : set.pairs) {
    PictureFigures& f = result[au];
    for (const JudgedPair& pair : pairs) {
      if (StopSignal() != 0) break;
      judging.Add(au, pair, f);
      progress(++done, count);
    }
    const double n = std::max(1, f.faces);
    f.au_mse /= n;
    f.rise /= n;
    f.background /= n;
    f.back /= std::max(1, f.back_faces);
    f.identity /= std::max(1, f.identity_faces);
    faces += f.faces;
  }
  if (faces == 0 && StopSignal() == 0) {
    throw BadInputError(pictures.at(set.pairs.begin()->second.front().at_0) + ": no face found, nor in any other picture");
  }
  return result;
}

}  // namespace auforge::tools
