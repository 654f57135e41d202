#include "features/au_partition.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <string>

#include "features/align.h"

namespace auforge::features {
namespace {

constexpr float kStep = 0.12F;  // u, inter-ocular distances; uu is two steps

// A corner: the middle between landmarks a and b, moved up by so many steps.
struct Corner {
  std::uint8_t a, b, steps;
};
constexpr Corner At(std::uint8_t n) { return {n, n, 0}; }
constexpr Corner Up(std::uint8_t n) { return {n, n, 1}; }
constexpr Corner Up2(std::uint8_t n) { return {n, n, 2}; }
constexpr Corner Mid(std::uint8_t a, std::uint8_t b) { return {a, b, 0}; }

const std::array<std::vector<Corner>, kRoiCount>& Rois() {
  static const std::array<std::vector<Corner>, kRoiCount> rois{{
      {Up(17), Up(19), At(19), At(17)},
      {Up(19), Up(21), At(21), At(19)},
      {Up(21), Up2(27), At(27), At(21)},
      {Up2(27), Up(22), At(27), At(22)},
      {Up(22), Up(24), At(24), At(22)},
      {Up(24), Up(26), At(26), At(24)},
      {At(1), At(17), At(36)},
      {At(17), At(19), At(37), At(36)},
      {At(19), At(38), At(39), At(21)},
      {At(21), At(27), At(28), At(39)},
      {At(22), At(27), At(28), At(42)},
      {At(22), At(42), At(43), At(24)},
      {At(24), At(44), At(45), At(26)},
      {At(26), At(16), At(15), At(45)},
      {At(2), Mid(41, 2), Mid(3, 29), At(3)},
      {At(41), Mid(2, 41), Mid(3, 29), At(39)},
      {At(39), Mid(3, 29), At(29), At(28)},
      {At(28), At(29), Mid(13, 29), At(42)},
      {At(42), At(46), Mid(14, 46), Mid(13, 29)},
      {Mid(14, 46), At(14), At(13), Mid(13, 29)},
      {At(3), Mid(3, 29), Mid(4, 33), At(4)},
      {Mid(4, 33), Mid(3, 29), At(29), At(33)},
      {At(33), At(29), Mid(13, 29), Mid(12, 33)},
      {Mid(13, 29), At(13), At(12), Mid(12, 33)},
      {At(4), Mid(4, 33), Mid(5, 59), At(5)},
      {Mid(5, 59), Mid(4, 33), At(33), At(59)},
      {At(33), At(55), Mid(11, 55), Mid(12, 33)},
      {Mid(11, 55), Mid(12, 33), At(12), At(11)},
      {At(59), At(58), Mid(6, 58), Mid(5, 59)},
      {Mid(6, 58), At(58), At(57), Mid(8, 57)},
      {At(57), Mid(8, 57), Mid(10, 56), At(56)},
      {At(56), Mid(10, 56), Mid(11, 55), At(55)},
      {At(5), Mid(5, 59), Mid(6, 58), At(6)},
      {At(6), Mid(6, 58), Mid(8, 57), At(8)},
      {Mid(8, 57), Mid(10, 56), At(10), At(8)},
      {Mid(10, 56), At(10), At(11), Mid(11, 55)},
      {At(33), At(55), At(56), At(57), At(58), At(59)},
      {At(1), At(2), At(36), At(37)},
      {At(14), At(15), At(44), At(45)},
      {At(19), At(37), At(38)},
      {At(24), At(43), At(44)},
      {At(36), At(37), At(38), At(39), At(40), At(41)},
      {At(42), At(43), At(44), At(45), At(46), At(47)},
  }};
  return rois;
}

// The face's upward direction, one inter-ocular distance long.
Point2 Upward(const Landmarks68& landmarks) {
  const Point2 right = RightEyeCentre(landmarks), left = LeftEyeCentre(landmarks);
  return {left.y - right.y, -(left.x - right.x)};
}

const AuGroup* FindGroup(int facs_number) {
  const int number = AuGroupOf(facs_number);
  return number == 0 ? nullptr : &AuGroups()[static_cast<std::size_t>(number - 1)];
}

// Which side a polygon lies on, from the mean face.
FaceSide SideOf(int roi) {
  bool has_right = false, has_left = false;
  for (const Point2& p : RoiPolygon(roi, MeanFace())) {
    has_right = has_right || p.x < -0.02F;
    has_left = has_left || p.x > 0.02F;
  }
  if (has_right == has_left) return FaceSide::kBoth;
  return has_right ? FaceSide::kRight : FaceSide::kLeft;
}

}  // namespace

std::vector<Point2> RoiPolygon(int roi, const Landmarks68& landmarks) {
  if (roi < 1 || roi > kRoiCount) {
    throw std::invalid_argument("partition: region " + std::to_string(roi) + "; must be 1..43");
  }
  const Point2 up = Upward(landmarks);
  std::vector<Point2> polygon;
  Point2 centre;
  for (const Corner& corner : Rois()[static_cast<std::size_t>(roi - 1)]) {
    Point2 p = Midpoint(landmarks[corner.a], landmarks[corner.b]);
    p.x += up.x * kStep * static_cast<float>(corner.steps);
    p.y += up.y * kStep * static_cast<float>(corner.steps);
    centre.x += p.x;
    centre.y += p.y;
    polygon.push_back(p);
  }
  const auto corners = static_cast<float>(polygon.size());
  centre = {centre.x / corners, centre.y / corners};
  // y grows downwards, so rising angles are clockwise on the screen.
  std::stable_sort(polygon.begin(), polygon.end(), [centre](Point2 a, Point2 b) {
    return std::atan2(a.y - centre.y, a.x - centre.x) < std::atan2(b.y - centre.y, b.x - centre.x);
  });
  return polygon;
}

std::span<const AuGroup> AuGroups() {
  static const std::array<AuGroup, kAuGroupCount> groups{{
      {1, {1, 2, 5, 7}, {1, 2, 5, 6, 8, 9, 12, 13, 40, 41, 42, 43}, true, {2}},
      {2, {4}, {1, 2, 3, 4, 5, 6, 8, 9, 12, 13, 40, 41}, false, {}},
      {3, {6}, {16, 17, 18, 19, 42, 43}, false, {}},
      {4, {9}, {10, 11, 17, 18, 22, 23}, false, {3}},
      {5, {10, 11, 12, 13, 14, 15}, {21, 22, 23, 24, 25, 26, 27, 28, 37}, false, {6}},
      {6, {16, 20, 25, 26, 27}, {25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37}, false, {5}},
      {7, {17}, {29, 30, 31, 32, 33, 34, 35, 36}, false, {6}},
      {8, {18, 22, 23, 24, 28}, {26, 27, 29, 30, 31, 32, 37}, false, {7, 6}},
  }};
  return groups;
}

int AuGroupOf(int facs_number) {
  if (facs_number == 43 || facs_number == 45) return 1;
  for (const AuGroup& group : AuGroups()) {
    if (std::find(group.aus.begin(), group.aus.end(), facs_number) != group.aus.end()) return group.number;
  }
  return 0;
}

std::vector<int> RegionLabels(int group) {
  if (group < 1 || group > kAuGroupCount) {
    throw std::invalid_argument("partition: group " + std::to_string(group) + "; must be 1..8");
  }
  std::vector<int> labels;
  for (const AuGroup& g : AuGroups()) {
    const bool lends = std::find(g.lends_to.begin(), g.lends_to.end(), group) != g.lends_to.end();
    if (g.number == group || lends) labels.insert(labels.end(), g.aus.begin(), g.aus.end());
  }
  std::sort(labels.begin(), labels.end());
  return labels;
}

std::vector<int> AuRois(int facs_number) {
  const AuGroup* group = FindGroup(facs_number);
  if (group == nullptr) return {};
  std::vector<int> rois = group->rois;
  for (const int other : group->lends_to) {
    const AuGroup& lent = AuGroups()[static_cast<std::size_t>(other - 1)];
    rois.insert(rois.end(), lent.rois.begin(), lent.rois.end());
  }
  std::sort(rois.begin(), rois.end());
  rois.erase(std::unique(rois.begin(), rois.end()), rois.end());
  return rois;
}

std::vector<int> AuRois(int facs_number, FaceSide side) {
  std::vector<int> rois = AuRois(facs_number);
  if (side == FaceSide::kBoth) return rois;
  std::erase_if(rois, [side](int roi) {
    const FaceSide of = SideOf(roi);
    return of != FaceSide::kBoth && of != side;
  });
  return rois;
}

cv::Mat RoiMask(std::span<const int> rois, const Landmarks68& landmarks, int width, int height) {
  if (width < 1 || height < 1) throw std::invalid_argument("partition: a mask needs a size");
  constexpr int kBits = 4;  // of a pixel, in fillConvexPoly's coordinates, whose pixel centres are at .0
  cv::Mat mask = cv::Mat::zeros(height, width, CV_8UC1);
  for (const int roi : rois) {
    std::vector<cv::Point> corners;
    for (const Point2& p : RoiPolygon(roi, landmarks)) {
      corners.emplace_back(cvRound((p.x - 0.5F) * (1 << kBits)), cvRound((p.y - 0.5F) * (1 << kBits)));
    }
    std::vector<cv::Point> hull;
    cv::convexHull(corners, hull);
    cv::fillConvexPoly(mask, hull, cv::Scalar(255), cv::LINE_8, kBits);
  }
  return mask;
}

cv::Mat AuRegionMask(int facs_number, const Landmarks68& landmarks, int width, int height, bool with_lent) {
  const AuGroup* group = FindGroup(facs_number);
  std::vector<int> rois;
  if (group != nullptr) rois = with_lent ? AuRois(facs_number) : group->rois;
  return RoiMask(rois, landmarks, width, height);
}

double ShareOfChangeInside(const cv::Mat& before, const cv::Mat& after, const cv::Mat& mask) {
  if (before.size() != after.size() || before.type() != after.type() || mask.size() != before.size() ||
      mask.type() != CV_8UC1 || before.depth() != CV_8U) {
    throw std::invalid_argument("partition: before, after and mask must be 8-bit pictures of one size");
  }
  cv::Mat change;
  cv::absdiff(before, after, change);
  const auto total = [](const cv::Scalar& sum) { return sum[0] + sum[1] + sum[2] + sum[3]; };
  const double all = total(cv::sum(change));
  if (all <= 0) return 1;
  cv::Mat inside = cv::Mat::zeros(change.size(), change.type());
  change.copyTo(inside, mask);
  return total(cv::sum(inside)) / all;
}

}  // namespace auforge::features
