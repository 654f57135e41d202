// The facial partition of AU R-CNN (Ma, Chen & Yong 2019): 43 polygons between the iBUG-68 landmarks, and 8
// groups of AUs that share a region made of some of them. Used for which points an AU's classifier may look
// at, for the masks and drawings of reports, and as the yardstick of an edit: how much of what changed lies
// inside the AU's region. Pure functions; safe to call from any thread.
#pragma once

#include <cstddef>
#include <opencv2/core/mat.hpp>
#include <span>
#include <vector>

#include "features/types.h"

namespace auforge::features {

inline constexpr int kRoiCount = 43;     // numbered 1..43, as published
inline constexpr int kAuGroupCount = 8;  // numbered 1..8, as published

// The polygon of one region, roi 1..43, in the pixels of the landmarks: clockwise on the screen about its
// centroid. Points above the brows are moved along the face's own vertical, by 0.12 (u) and 0.24 (uu)
// inter-ocular distances. Throws std::invalid_argument for another number.
std::vector<Point2> RoiPolygon(int roi, const Landmarks68& landmarks);

struct AuGroup {
  int number = 0;             // 1..8
  std::vector<int> aus;       // FACS numbers whose region this is
  std::vector<int> rois;      // what the region is made of
  bool symmetric = false;     // `*`: a right and a left region that share one label
  std::vector<int> lends_to;  // `∈`: groups into whose regions these labels are fetched as well
};
// The eight groups in order.
std::span<const AuGroup> AuGroups();

// The group whose region an AU acts in, 1..8. AU43 and AU45 (closed eyes), which the publication leaves out,
// count to group 1, the eyes; 0 for any other AU without a region.
int AuGroupOf(int facs_number);
// The AUs to be looked for in a group's region: its own and those fetched from other groups, rising.
std::vector<int> RegionLabels(int group);

// The polygons an AU acts in: of its own group and of the groups that its labels are fetched into.
std::vector<int> AuRois(int facs_number);
enum class FaceSide { kBoth, kRight, kLeft };  // of the subject
// AuRois of one side; those across the middle of the face belong to both.
std::vector<int> AuRois(int facs_number, FaceSide side);

// CV_8UC1, height x width, 255 inside the filled convex polygons and 0 elsewhere; landmarks in the mask's
// pixels. All zero for an AU without a region.
cv::Mat RoiMask(std::span<const int> rois, const Landmarks68& landmarks, int width, int height);
// The region of an AU: of its own group alone (`with_lent` false), or with the regions it is fetched into as
// well.
cv::Mat AuRegionMask(int facs_number, const Landmarks68& landmarks, int width, int height,
                     bool with_lent = false);

// The share of a change that lies inside a region: sum of |after - before| over the mask by the sum over the
// picture, 0..1; 1 for equal pictures. Pictures of one size and type (CV_8UC1 or CV_8UC3), mask CV_8UC1.
double ShareOfChangeInside(const cv::Mat& before, const cv::Mat& after, const cv::Mat& mask);

}  // namespace auforge::features
