// The 68 iBUG landmarks of a face, by dlib's ensemble of regression trees (Kazemi & Sullivan, CVPR 2014).
#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <vector>

#include "features/types.h"

namespace auforge::annotator {

// Where Debian's libdlib-data puts the weights; AUFORGE_LANDMARKS overrides it.
std::string DefaultLandmarkPath();

struct FaceInImage {
  const cv::Mat* image = nullptr;  // not owned
  features::Box box;               // as the detector gave it
};

// Thread-safe: Find is const; share one, it holds 70 MB.
class Landmarker {
 public:
  // Throws std::runtime_error naming the file and the package that brings it.
  explicit Landmarker(const std::string& path = DefaultLandmarkPath());
  ~Landmarker();
  Landmarker(Landmarker&&) noexcept;
  Landmarker& operator=(Landmarker&&) noexcept;

  // Landmarks in image pixels (pixel centres at .5). image: CV_8UC3 (BGR) or CV_8UC1; box as the detector
  // gave it.
  features::Landmarks68 Find(const cv::Mat& image, const features::Box& box) const;
  // Many faces at once, each in its own image: the same points in a third of the time, because the weights
  // pass the cache once for all of them.
  std::vector<features::Landmarks68> Find(std::span<const FaceInImage> faces) const;
  // The points that annotation uses, four times the work of Find: means of the face and its mirror image,
  // found once from the detector's box and again from the box that these points ask for. They depend little
  // on where a detector happened to put its box, and, but for rounding, not on which way round the picture
  // is.
  std::vector<features::Landmarks68> FindSteady(std::span<const FaceInImage> faces) const;
  features::Landmarks68 FindSteady(const cv::Mat& image, const features::Box& box) const;
  // Its second half alone, for faces whose points are known roughly; `first`: one for each face.
  std::vector<features::Landmarks68> FindSteady(std::span<const FaceInImage> faces,
                                                std::span<const features::Landmarks68> first) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Head rotation from 68 landmarks against a mean 3-D face, weak perspective. Degrees; good to a few degrees.
features::HeadPose EstimatePose(const features::Landmarks68& landmarks);

}  // namespace auforge::annotator
