// The 68 iBUG landmarks of a face: by the project's own nets (net_landmarker.h), or by dlib's ensemble of regression
// trees (Kazemi & Sullivan, CVPR 2014).
#pragma once

#include <array>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <vector>

#include "features/types.h"

namespace auforge::annotator {

// The landmarker that is used where none is named: $AUFORGE_LANDMARKS, else "auforge".
std::string DefaultLandmarks();
// The file that a name of a landmarker stands for: "auforge" is the net beside the installed program, else the one in
// the source tree, "dlib" the weights of Debian's libdlib-data, "dlib:FILE" and FILE are FILE.
std::string LandmarkFile(const std::string& name);

// What to name for a model that was trained with the points of landmarker `trained_with` (Landmarker::Name()):
// $AUFORGE_LANDMARKS, else "auforge" where the model needs nets, else "dlib".
std::string LandmarksFor(const std::string& trained_with);
// Throws datasets::storage::BadContent saying what to do unless the points mean what the model `name` has learnt.
void RequireSameLandmarker(const std::string& found_by, const std::string& trained_with, const std::string& name);

struct FaceInImage {
  const cv::Mat* image = nullptr;  // not owned
  features::Box box;               // as the detector gave it
};

// Points, and what the nets think of them.
struct FoundLandmarks {
  features::Landmarks68 points{};                        // pixels of the image
  std::array<float, features::kLandmarkCount> spread{};  // expected distance from the truth, pixels
  std::array<float, features::kLandmarkCount> seen{};    // probability that the point can be seen, 0..1
};

// Thread-safe: Find is const; share one: dlib's holds 70 MB, the project's own 10.
class Landmarker {
 public:
  // name: as LandmarkFile's; what the file holds decides which landmarker it is. Throws std::runtime_error naming the
  // file and what to do, datasets::storage::BadContent where the file is not what it should be.
  explicit Landmarker(const std::string& name = DefaultLandmarks());
  ~Landmarker();
  Landmarker(Landmarker&&) noexcept;
  Landmarker& operator=(Landmarker&&) noexcept;

  // "dlib", or "auforge-" and the digest of the nets: where points of another meaning would do harm, this is compared.
  std::string Name() const;

  // Landmarks in image pixels (pixel centres at .5). image: CV_8UC3 (BGR) or CV_8UC1; box as the detector
  // gave it.
  features::Landmarks68 Find(const cv::Mat& image, const features::Box& box) const;
  // Many faces at once, each in its own image: the same points in less time (dlib's: a third), because the weights
  // pass the cache once for all of them.
  std::vector<features::Landmarks68> Find(std::span<const FaceInImage> faces) const;
  // The points that annotation uses: means of the face and its mirror image, found once from the detector's box and
  // again from where these points say that the face is. They depend little on where a detector happened to put its
  // box, and, but for rounding, not on which way round the picture is. Four times the work of Find with dlib; the
  // nets always work so, and Find is the same.
  std::vector<features::Landmarks68> FindSteady(std::span<const FaceInImage> faces) const;
  features::Landmarks68 FindSteady(const cv::Mat& image, const features::Box& box) const;
  // Its second half alone, for faces whose points are known roughly; `first`: one for each face.
  std::vector<features::Landmarks68> FindSteady(std::span<const FaceInImage> faces,
                                                std::span<const features::Landmarks68> first) const;


  // Whether it is the nets, which know how far off their points may be; the trees do not.
  bool TellsSpread() const;
  // FindSteady's points with that. Throws std::logic_error unless TellsSpread().
  std::vector<FoundLandmarks> FindWithSpread(std::span<const FaceInImage> faces) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Where dlib's detector puts its box, in the median, around a face with these points: of 3.48 times the spread of
// brows, eyes, nose and mouth, a little below their centre. (Measured on 139 faces of portraits and dlib's photos.)
features::Box BoxAround(const features::Landmarks68& points);

// Head rotation from 68 landmarks by a 3-D face of mean and modes; zero where all lie on one line. Degrees; good to about 2.
features::HeadPose EstimatePose(const features::Landmarks68& landmarks);

}  // namespace auforge::annotator
