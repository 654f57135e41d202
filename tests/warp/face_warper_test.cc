// Edits by warping, on faces drawn by computer graphics whose landmarks and AUs are exact.
#include "gan/warp/face_warper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "annotator/landmarker.h"
#include "datasets/synthetic/cg_generator.h"
#include "features/align.h"
#include "features/au_schema.h"
#include "tests/synthetic/imported_model.h"

namespace auforge::warp {
namespace {

using datasets::synthetic::AuShapes;
using datasets::synthetic::CgGenerator;
using datasets::synthetic::Expression;
using datasets::synthetic::FaceModel;
using datasets::synthetic::FaceRenderer;
using datasets::synthetic::SyntheticFace;
using features::Landmarks68;

std::size_t ColumnOf(int au) { return features::CatalogueSchema().Find(au).value(); }

// Only where there is a model; see Warping.
const FaceModel& Model() { return *datasets::synthetic::ImportedModel(); }

class Warping : public testing::Test {
 protected:
  void SetUp() override {
    if (datasets::synthetic::ImportedModel() == nullptr) GTEST_SKIP() << "AUFORGE_DATA has no face model";
  }
};

SyntheticFace Draw(std::vector<std::pair<int, float>> aus, features::HeadPose pose = {}, std::uint64_t person = 5) {
  static const FaceRenderer renderer(Model());
  static const CgGenerator generator(Model(), renderer, [] {
    datasets::synthetic::CgOptions options;
    options.size = 320;
    return options;
  }());
  Expression expression = AuShapes(Model()).Single(1, 0);
  for (const auto& [au, intensity] : aus) expression.left[ColumnOf(au)] = expression.right[ColumnOf(au)] = intensity;
  return generator.Draw(person, 0.5F, expression, pose);
}

const FaceWarper& Warper() {
  static const FaceWarper warper(Model());
  return warper;
}

cv::Mat Edited(const SyntheticFace& face, std::vector<std::pair<int, float>> wanted) {
  std::vector<float> aus = face.au;
  for (const auto& [au, intensity] : wanted) aus[ColumnOf(au)] = intensity;
  cv::Mat picture = face.image.clone();
  Warper().Edit(picture, face.landmarks, face.au, aus);
  return picture;
}

// As an independent eye finds them.
Landmarks68 Found(const cv::Mat& picture, const Landmarks68& about) {
  static const annotator::Landmarker landmarker;
  float x0 = 1e9F, y0 = 1e9F, x1 = 0, y1 = 0;
  for (const features::Point2& p : about) {
    x0 = std::min(x0, p.x);
    y0 = std::min(y0, p.y);
    x1 = std::max(x1, p.x);
    y1 = std::max(y1, p.y);
  }
  return landmarker.FindSteady(picture, {x0, y0, x1 - x0, y1 - y0});
}

float Between(const Landmarks68& l, std::size_t a, std::size_t b) {
  return features::Distance(l[a], l[b]) / features::InterOcularDistance(l);
}
float MouthWidth(const Landmarks68& l) { return Between(l, 48, 54); }
float LipGap(const Landmarks68& l) { return Between(l, 62, 66); }
float JawDrop(const Landmarks68& l) { return Between(l, 27, 8); }
float InnerBrow(const Landmarks68& l) { return Between(l, 21, 39) + Between(l, 22, 42); }

double MeanDifference(const cv::Mat& a, const cv::Mat& b) {
  cv::Mat difference;
  cv::absdiff(a, b, difference);
  const cv::Scalar mean = cv::mean(difference);
  return (mean[0] + mean[1] + mean[2]) / 3;
}

TEST_F(Warping, AFaceAskedForAsItIsStaysToTheLastBit) {
  for (const SyntheticFace& face : {Draw({}), Draw({{12, 3}, {6, 2}}, {12, 3, 5})}) {
    EXPECT_EQ(MeanDifference(Edited(face, {}), face.image), 0);
  }
}

TEST_F(Warping, ALittleAskedForChangesLittle) {
  const SyntheticFace face = Draw({});
  for (const int au : {1, 4, 12, 25, 26, 45}) EXPECT_LT(MeanDifference(Edited(face, {{au, 0.05F}}), face.image), 0.5) << "AU" << au;
}

TEST_F(Warping, MoreAskedForMovesMore) {
  struct Case {
    int au;
    std::function<float(const Landmarks68&)> measure;
    float sign, least;  // of the movement from 0 to 5, inter-ocular distances
  };
  for (const Case& c : {Case{12, MouthWidth, 1, 0.10F}, Case{25, LipGap, 1, 0.08F}, Case{26, JawDrop, 1, 0.06F},
                        Case{1, InnerBrow, 1, 0.03F}}) {
    const SyntheticFace face = Draw({});
    float before = -1e9F, first = 0;
    for (const float intensity : {0.0F, 1.7F, 3.4F, 5.0F}) {
      const float now = c.sign * c.measure(Found(Edited(face, {{c.au, intensity}}), face.landmarks));
      EXPECT_GT(now, before - 0.006F) << "AU" << c.au << " at " << intensity;
      if (intensity == 0) first = now;
      before = now;
    }
    EXPECT_GT(before - first, c.least) << "AU" << c.au;
  }
}

// The landmarker keeps eyes open that are shut, so that lids are compared with drawn ones.
TEST_F(Warping, LidsCoverTheEyes) {
  const SyntheticFace open = Draw({}), shut = Draw({{45, 5}});
  const cv::Mat edited = Edited(open, {{45, 5}}), half = Edited(open, {{45, 2.5F}});
  for (const std::size_t first : {36U, 42U}) {
    std::vector<cv::Point2f> eye;
    for (std::size_t i = first; i < first + 6; ++i) eye.emplace_back(open.landmarks[i].x, open.landmarks[i].y);
    const cv::Rect box = cv::boundingRect(eye);
    const double before = MeanDifference(open.image(box), shut.image(box)), after = MeanDifference(edited(box), shut.image(box));
    EXPECT_LT(after, 0.6 * before);
    EXPECT_LT(after, MeanDifference(half(box), shut.image(box)));
  }
}

// Eyes that a photo never shows are drawn: lids part, and what lies between them is as like the open eye as may be.
TEST_F(Warping, ShutEyesOpen) {
  const SyntheticFace open = Draw({}), shut = Draw({{45, 5}});
  const cv::Mat edited = Edited(shut, {{45, 0}});
  const Landmarks68 found = Found(edited, open.landmarks);
  for (const std::size_t eye : {36U, 42U}) {
    const float gap = features::Distance(features::Midpoint(found[eye + 1], found[eye + 2]), features::Midpoint(found[eye + 4], found[eye + 5]));
    EXPECT_GT(gap, 0.2F * features::Distance(found[eye], found[eye + 3])) << eye;
    const float middle = features::Midpoint(open.landmarks[eye], open.landmarks[eye + 3]).x;
    const cv::Rect box(cvRound(middle) - 10, cvRound(open.landmarks[eye].y) - 5, 20, 10);
    EXPECT_LT(MeanDifference(edited(box), open.image(box)), 0.75 * MeanDifference(shut.image(box), open.image(box))) << eye;
  }
}

TEST_F(Warping, WideEyesShowWhatTheRendererShows) {
  const SyntheticFace face = Draw({}), wide = Draw({{5, 5}});
  const cv::Mat edited = Edited(face, {{5, 5}});
  for (const std::size_t eye : {36U, 42U}) {
    const cv::Rect box = cv::boundingRect(std::vector<cv::Point2f>{{wide.landmarks[eye].x, wide.landmarks[eye + 1].y}, {wide.landmarks[eye + 3].x, wide.landmarks[eye + 4].y}});
    EXPECT_LT(MeanDifference(edited(box), wide.image(box)), 0.8 * MeanDifference(face.image(box), wide.image(box))) << eye;
  }
}

TEST_F(Warping, OneHalfMovesAlone) {
  const SyntheticFace face = Draw({});
  const auto with = [&](int au, float left, float right) {
    Expression own{face.au, face.au}, wanted = own;
    wanted.left[ColumnOf(au)] = left;
    wanted.right[ColumnOf(au)] = right;
    cv::Mat picture = face.image.clone();
    Warper().Edit(picture, face.landmarks, own, wanted);
    return picture;
  };
  const auto middle = static_cast<int>(std::lround(face.landmarks[27].x));
  // The subject's left is on the picture's right.
  for (const int au : {1, 2, 4, 12, 45}) {
    const cv::Mat wink = with(au, 5, 0), both = with(au, 5, 5);
    const auto change = [&](const cv::Mat& picture, bool is_left) {
      const cv::Range columns = is_left ? cv::Range(middle, picture.cols) : cv::Range(0, middle);
      return MeanDifference(picture.colRange(columns), face.image.colRange(columns));
    };
    EXPECT_GT(change(wink, true), 3 * change(wink, false)) << "AU" << au;
    EXPECT_GT(change(wink, true), 0.7 * change(both, true)) << "AU" << au << " goes as far alone";
  }
  EXPECT_EQ(MeanDifference(with(25, 5, 1), with(25, 3, 3)), 0) << "lips part as a whole";
}

TEST_F(Warping, OneEyeOpensAndHalfASmileGoes) {
  const SyntheticFace face = Draw({{45, 5}, {12, 4}, {6, 3}});
  Expression own{face.au, face.au}, wanted = own;
  wanted.left[ColumnOf(45)] = wanted.left[ColumnOf(12)] = wanted.left[ColumnOf(6)] = 0;
  cv::Mat picture = face.image.clone();
  Warper().Edit(picture, face.landmarks, own, wanted);
  // The pixels round an eye or a corner of the mouth.
  const auto change = [&](std::size_t first, std::size_t last) {
    std::vector<cv::Point2f> points;
    for (std::size_t i = first; i <= last; ++i) points.emplace_back(face.landmarks[i].x, face.landmarks[i].y);
    const cv::Rect part = cv::boundingRect(points) + cv::Point(-4, -4) + cv::Size(8, 8);
    return MeanDifference(picture(part), face.image(part));
  };
  EXPECT_GT(change(42, 47), 5 * change(36, 41)) << "the subject's left eye opens, the right one stays shut";
  EXPECT_GT(change(54, 54), 3 * change(48, 48)) << "the left corner of the mouth comes down";
  const Landmarks68 before = Found(face.image, face.landmarks), after = Found(picture, face.landmarks);
  EXPECT_GT(Between(after, 43, 47), Between(before, 43, 47) + 0.05F);
}

TEST_F(Warping, SmilesAreTakenAway) {
  const SyntheticFace face = Draw({{12, 5}, {25, 3}});
  const Landmarks68 before = Found(face.image, face.landmarks), after = Found(Edited(face, {{12, 0}, {25, 0}}), face.landmarks);
  EXPECT_LT(MouthWidth(after), MouthWidth(before) - 0.08F);
  EXPECT_LT(LipGap(after), 0.5F * LipGap(before));
}

TEST_F(Warping, GreyStaysGrey) {
  SyntheticFace face = Draw({{12, 2}});
  cv::Mat grey;
  cv::cvtColor(face.image, grey, cv::COLOR_BGR2GRAY);
  cv::cvtColor(grey, face.image, cv::COLOR_GRAY2BGR);
  const cv::Mat after = Edited(face, {{12, 5}, {26, 5}, {45, 4}, {4, 5}});
  std::vector<cv::Mat> planes;
  cv::split(after, planes);
  EXPECT_EQ(cv::norm(planes[0], planes[1], cv::NORM_INF), 0);
  EXPECT_EQ(cv::norm(planes[1], planes[2], cv::NORM_INF), 0);
}

TEST_F(Warping, WhatIsFarFromTheFaceStays) {
  const SyntheticFace face = Draw({});
  cv::Mat large(640, 640, CV_8UC3);
  cv::randu(large, 0, 255);
  face.image.copyTo(large(cv::Rect(160, 160, 320, 320)));
  cv::Mat after = large.clone();
  Landmarks68 landmarks = face.landmarks;
  for (features::Point2& p : landmarks) p = {p.x + 160, p.y + 160};
  std::vector<float> wanted = face.au;
  wanted[ColumnOf(26)] = wanted[ColumnOf(12)] = 5;
  Warper().Edit(after, landmarks, face.au, wanted);
  EXPECT_EQ(MeanDifference(after(cv::Rect(0, 0, 640, 100)), large(cv::Rect(0, 0, 640, 100))), 0);
  EXPECT_EQ(MeanDifference(after(cv::Rect(0, 0, 100, 640)), large(cv::Rect(0, 0, 100, 640))), 0);
}

TEST_F(Warping, EveryAuDoesSomething) {
  const SyntheticFace face = Draw({});
  for (const int au : features::CatalogueSchema().numbers()) {
    EXPECT_GT(MeanDifference(Edited(face, {{au, 5}}), face.image), 0.15) << "AU" << au;
  }
}

TEST_F(Warping, FacesAtTheFramesEdgeAndTinyOnesAreEdited) {
  const SyntheticFace face = Draw({});
  for (const cv::Rect part : {cv::Rect(120, 0, 200, 320), cv::Rect(0, 120, 320, 200), cv::Rect(150, 150, 30, 30)}) {
    cv::Mat cut = face.image(part).clone();
    Landmarks68 landmarks = face.landmarks;
    for (features::Point2& p : landmarks) p = {p.x - static_cast<float>(part.x), p.y - static_cast<float>(part.y)};
    std::vector<float> wanted = face.au;
    wanted[ColumnOf(26)] = wanted[ColumnOf(45)] = 5;
    EXPECT_NO_THROW(Warper().Edit(cut, landmarks, face.au, wanted));
  }
  cv::Mat tiny;
  cv::resize(face.image, tiny, {24, 24}, 0, 0, cv::INTER_AREA);
  Landmarks68 landmarks = face.landmarks;
  for (features::Point2& p : landmarks) p = {p.x * 24 / 320, p.y * 24 / 320};
  std::vector<float> wanted = face.au;
  wanted[ColumnOf(26)] = wanted[ColumnOf(45)] = wanted[ColumnOf(12)] = 5;
  EXPECT_NO_THROW(Warper().Edit(tiny, landmarks, face.au, wanted));
}

// Lips that close leave nothing of the teeth that were between them.
TEST_F(Warping, NoTeethStayBetweenClosedLips) {
  const SyntheticFace face = Draw({{12, 4}, {25, 4}});
  const cv::Mat after = Edited(face, {{12, 0}, {25, 0}});
  const Landmarks68 found = Found(after, face.landmarks);
  // Along the line between the lips there is nothing as bright as teeth.
  const auto brightness = [](const cv::Mat& picture, features::Point2 p) {
    const auto& c = picture.at<cv::Vec3b>(static_cast<int>(p.y), static_cast<int>(p.x));
    return 0.114 * c[0] + 0.587 * c[1] + 0.299 * c[2];
  };
  double teeth = 0, left = 0;
  for (const auto& [upper, lower] : {std::pair{61U, 67U}, {62U, 66U}, {63U, 65U}}) {
    for (const float t : {0.2F, 0.35F, 0.5F, 0.65F, 0.8F}) {
      const auto at = [t](features::Point2 a, features::Point2 b) { return features::Point2{a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)}; };
      teeth = std::max(teeth, brightness(face.image, at(face.landmarks[upper], face.landmarks[lower])));
      left = std::max(left, brightness(after, at(found[upper], found[lower])));
    }
  }
  EXPECT_LT(left, 0.75 * teeth);
}

// A lip that rises above teeth in sight bares more of them and gums, no dark hole, and not much: it was drawn up already.
TEST_F(Warping, LipsThatRiseAboveTeethBareNoHole) {
  const auto brightness = [](const cv::Mat& picture, float x, float y) {
    const auto& c = picture.at<cv::Vec3b>(static_cast<int>(y), static_cast<int>(x));
    return 0.114 * c[0] + 0.587 * c[1] + 0.299 * c[2];
  };
  for (const std::uint64_t person : {5U, 6U, 8U}) {
    const SyntheticFace face = Draw({{12, 4}, {25, 4}}, {}, person);
    const auto rise = [](const SyntheticFace& from, const cv::Mat& after) {
      return (from.landmarks[62].y - Found(after, from.landmarks)[62].y) / features::InterOcularDistance(from.landmarks);
    };
    for (const int au : {9, 10}) {
      const cv::Mat after = Edited(face, {{au, 5}});
      const float risen = rise(face, after);
      EXPECT_GT(risen, 0.01F) << "AU" << au << " of " << person;
      EXPECT_LT(risen, 0.125F) << "AU" << au << " of " << person;
      const features::Point2 was = face.landmarks[62];
      const double lip = brightness(face.image, face.landmarks[51].x, face.landmarks[51].y + 2);
      for (float y = was.y - risen * features::InterOcularDistance(face.landmarks); y < was.y + 3; ++y)
        EXPECT_GT(brightness(after, was.x, y), 0.52 * lip) << "AU" << au << " of " << person << " at " << y - was.y;
    }
  }
}

TEST_F(Warping, AModelThatIsNotIctFaceKitIsRefused) {
  FaceModel other = Model();
  other.neutral.pop_back();
  EXPECT_THROW(FaceWarper{other}, std::invalid_argument);
}

TEST_F(Warping, BadInputIsNamed) {
  const SyntheticFace face = Draw({});
  const std::vector<float> aus(features::CatalogueSchema().size(), 1.0F), few(3, 1.0F);
  const auto edit = [&](cv::Mat picture, const Landmarks68& landmarks, const std::vector<float>& own, const std::vector<float>& wanted) {
    Warper().Edit(picture, landmarks, own, wanted);
  };
  EXPECT_THROW(edit(cv::Mat(), face.landmarks, aus, aus), std::invalid_argument);
  EXPECT_THROW(edit(cv::Mat(320, 320, CV_8UC1), face.landmarks, aus, aus), std::invalid_argument);
  EXPECT_THROW(edit(face.image.clone(), face.landmarks, few, aus), std::invalid_argument);
  std::vector<float> broken = aus;
  broken[2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(edit(face.image.clone(), face.landmarks, aus, broken), std::invalid_argument);
  Landmarks68 lost = face.landmarks;
  lost[30].x = std::numeric_limits<float>::infinity();
  EXPECT_THROW(edit(face.image.clone(), lost, aus, aus), std::invalid_argument);
  // All points in one place are no face.
  Landmarks68 point{};
  std::vector<float> wanted = aus;
  wanted[ColumnOf(12)] = 5;
  EXPECT_NO_THROW(edit(face.image.clone(), point, aus, wanted));
}

}  // namespace
}  // namespace auforge::warp
