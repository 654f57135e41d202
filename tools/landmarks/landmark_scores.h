// How far landmarkers are from known points, and from themselves when the same picture is shown otherwise.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <vector>

#include "annotator/landmarker.h"
#include "annotator/point_file.h"

namespace auforge::tools {

// Regions of the 68 points; "all" and "inner" (without the outline) are among them.
struct LandmarkRegion {
  const char* name;
  std::size_t first, last;  // first .. last - 1
};
std::span<const LandmarkRegion> LandmarkRegions();

// Mean distance of the region's known points, NaN where none is known.
double RegionError(const features::Landmarks68& found, const annotator::PointRow& truth, const LandmarkRegion& region);

// Distance of the outer eye corners.
double OuterEyeDistance(const features::Landmarks68& points);

// Gap between the lids of an eye by its width. eye: its first landmark, 36 or 42.
double LidGap(const features::Landmarks68& points, std::size_t eye);

// What is done to a picture whose points should stay where they are.
struct Disturbance {
  const char* name;
  // The picture and box after it.
  std::function<void(cv::Mat& image, features::Box& box)> apply;
  // Points found there as points of the undisturbed picture.
  std::function<features::Landmarks68(const features::Landmarks68&, const cv::Mat& original)> undo;
};
// Mirrored; boxes off by 15 % in place and size; JPEG of quality 50; half the size.
const std::vector<Disturbance>& Disturbances();

// Mean movement of the points, inter-ocular distances.
double Movement(const annotator::Landmarker& landmarker, const cv::Mat& image, const features::Box& box,
                const features::Landmarks68& undisturbed, const Disturbance& disturbance);

// Faces of dlib's XML beside its example photos: boxes of a picture, with 68 parts each. Throws
// datasets::storage::BadContent naming the file where it is none.
struct XmlFace {
  features::Box box;
  annotator::PointRow truth;
};
std::vector<XmlFace> ReadDlibXml(const std::string& path);

}  // namespace auforge::tools
