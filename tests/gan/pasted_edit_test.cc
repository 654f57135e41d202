// Edits of the generator that comes with the program, pasted into photos: what they must leave alone. On drawn people and,
// where AUFORGE_DATA has them, on portraits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "datasets/image_codec.h"
#include "datasets/image_source.h"
#include "datasets/storage/paths.h"
#include "datasets/synthetic/cg_generator.h"
#include "datasets/synthetic/face_renderer.h"
#include "features/align.h"
#include "gan/editor.h"
#include "gan/warp/face_warper.h"
#include "tests/support/test_data.h"
#include "tools/gan/expression_editor.h"
#include "tools/gan/face_finder.h"
#include "tools/gan/gan_paste.h"

namespace auforge::tools {
namespace {

namespace synthetic = datasets::synthetic;

constexpr std::size_t kPeople = 8;

struct Subject {
  cv::Mat photo;
  FoundFace face;
};

FaceFinder& Finder() {
  static FaceFinder finder(60, features::AlignOptions{}.size);
  return finder;
}

const ExpressionEditor& Generator() {
  static const std::unique_ptr<ExpressionEditor> editor = MakeExpressionEditor({.method = "generator", .checkpoint = {}, .face_model = {}});
  return *editor;
}

void Add(const cv::Mat& photo, std::vector<Subject>& subjects) {
  const std::vector<FoundFace> found = Finder().Find(photo);
  if (found.size() == 1) subjects.push_back({photo, found.front()});
}

// A few portraits of people, none of whom the generator was trained on.
std::vector<Subject> Portraits() {
  std::vector<Subject> subjects;
  const auto tar = tests::DataPath("portraits/00005.tar");
  if (!tar) return subjects;
  const auto source = datasets::ImageSource::Plan({*tar}, {});
  const auto reader = source.Open(source.Shards().front());
  for (datasets::ImageItem item; subjects.size() < kPeople && reader->Next(item); item = {})
    Add(datasets::DecodeImage(item.bytes, {}).bgr, subjects);
  return subjects;
}

// The face model that comes with the program, or AUFORGE_FACE_MODEL; null where there is none.
const synthetic::FaceModel* Model() {
  static const std::unique_ptr<synthetic::FaceModel> model =
      datasets::storage::Exists(warp::DefaultFaceModelPath())
          ? std::make_unique<synthetic::FaceModel>(synthetic::FaceModel::Load(warp::DefaultFaceModelPath()))
          : nullptr;
  return model.get();
}

const synthetic::FaceRenderer& Renderer() {
  static const synthetic::FaceRenderer renderer(*Model());
  return renderer;
}

synthetic::CgGenerator People(float occluded) {
  synthetic::CgOptions options;
  options.yaw = options.pitch = options.roll = 4;
  options.turned = 0;
  options.faces_per_identity = 1;
  options.occluders.rate = occluded;
  options.degrade = {0, 0, 0, 0, 0, 0, 0, 0};
  return {*Model(), Renderer(), options};
}

std::vector<Subject> DrawnPeople() {
  std::vector<Subject> subjects;
  if (Model() == nullptr) return subjects;
  const synthetic::CgGenerator people = People(0);
  for (std::uint64_t i = 0; subjects.size() < kPeople && i < 3 * kPeople; ++i) Add(people.Generate(5, i).image, subjects);
  return subjects;
}

const std::vector<Subject>& Everybody() {
  static const std::vector<Subject> subjects = [] {
    std::vector<Subject> all = Portraits();
    for (Subject& drawn : DrawnPeople()) all.push_back(std::move(drawn));
    return all;
  }();
  return subjects;
}

#define NEEDS_PEOPLE() \
  if (Everybody().empty()) GTEST_SKIP() << "no portraits below AUFORGE_DATA and no face model to draw people with"

std::vector<float> Own(const FoundFace& face) {
  const features::AuSchema &known = Finder().schema(), &schema = Generator().schema();
  std::vector<float> own(schema.size(), 0.0F);
  for (std::size_t j = 0; j < schema.size(); ++j) {
    if (const auto column = known.Find(schema.numbers()[j])) own[j] = face.aus.intensity[*column] / 5;
  }
  return own;
}

cv::Mat Edited(const cv::Mat& photo, const FoundFace& face, const std::vector<float>& wanted) {
  cv::Mat picture = photo.clone();
  Generator().EditPhoto(picture, face.landmarks, Own(face), wanted);
  return picture;
}

std::vector<float> With(const FoundFace& face, int au, float value) {
  std::vector<float> wanted = Own(face);
  wanted[*Generator().schema().Find(au)] = value;
  return wanted;
}

// Mean absolute difference, grey values.
double Changed(const cv::Mat& a, const cv::Mat& b, const cv::Mat& mask = {}) {
  cv::Mat difference;
  cv::absdiff(a, b, difference);
  const cv::Scalar mean = cv::mean(difference, mask.empty() ? cv::Mat(a.size(), CV_8UC1, cv::Scalar(255)) : mask);
  return (mean[0] + mean[1] + mean[2]) / 3;
}

TEST(PastedEdits, AFaceAskedForAsItIsStaysAsItIs) {
  NEEDS_PEOPLE();
  double worst = 0;
  for (const Subject& s : Everybody()) {
    EXPECT_EQ(cv::norm(s.photo, Edited(s.photo, s.face, Own(s.face)), cv::NORM_INF), 0);
    // As a user types what he was told: two digits of every AU.
    std::vector<float> typed = Own(s.face);
    for (float& v : typed) v = std::round(100 * v) / 100;
    worst = std::max(worst, Changed(s.photo, Edited(s.photo, s.face, typed)));
  }
  RecordProperty("grey", std::to_string(worst));
  std::printf("asked for as it is, two digits: at most %.3f grey values\n", worst);
  EXPECT_LE(worst, 0.5);
}

TEST(PastedEdits, WhereThePhotoHasNoColourNoneComes) {
  NEEDS_PEOPLE();
  for (const Subject& s : Everybody()) {
    cv::Mat grey, photo;
    cv::cvtColor(s.photo, grey, cv::COLOR_BGR2GRAY);
    cv::cvtColor(grey, photo, cv::COLOR_GRAY2BGR);
    // As a camera's JPEG of a grey picture: chroma that rounding leaves.
    for (const cv::Mat& source : {photo, datasets::DecodeImage(datasets::EncodeJpeg(photo, 85), {}).bgr}) {
      for (const int au : {4, 12, 25, 45}) {
        const cv::Mat edited = Edited(source, s.face, With(s.face, au, 1));
        std::vector<cv::Mat> channels;
        cv::split(edited, channels);
        EXPECT_LE(cv::norm(channels[0], channels[1], cv::NORM_INF), 1) << "AU" << au;
        EXPECT_LE(cv::norm(channels[2], channels[1], cv::NORM_INF), 1) << "AU" << au;
      }
    }
  }
}

// A print in one tone: all its hues lie on the way from black to that tone; an edit's lie near that way, too.
TEST(PastedEdits, APhotoInOneToneStaysInIt) {
  NEEDS_PEOPLE();
  double worst = 0;
  for (const Subject& s : Everybody()) {
    cv::Mat grey, photo(s.photo.size(), CV_8UC3);
    cv::cvtColor(s.photo, grey, cv::COLOR_BGR2GRAY);
    photo.forEach<cv::Vec3b>([&](cv::Vec3b& pixel, const int* at) {
      const double y = grey.at<std::uint8_t>(at[0], at[1]);
      pixel = {cv::saturate_cast<std::uint8_t>(0.78 * y), cv::saturate_cast<std::uint8_t>(0.96 * y), cv::saturate_cast<std::uint8_t>(1.08 * y)};
    });
    for (const int au : {4, 12, 25, 45}) {
      const cv::Mat edited = Edited(photo, s.face, With(s.face, au, 1));
      double off = 0, count = 0;
      for (int y = 0; y < edited.rows; ++y) {
        for (int x = 0; x < edited.cols; ++x) {
          const auto &was = photo.at<cv::Vec3b>(y, x), &is = edited.at<cv::Vec3b>(y, x);
          if (cv::norm(was, is, cv::NORM_INF) < 8) continue;
          const double luma = 0.114 * is[0] + 0.587 * is[1] + 0.299 * is[2];
          off += std::abs(is[0] - 0.78 / 0.975 * luma) + std::abs(is[2] - 1.08 / 0.975 * luma);
          count += 2;
        }
      }
      if (count > 0) worst = std::max(worst, off / count);
    }
  }
  std::printf("a photo in one tone: changed pixels at most %.2f grey values off it (mean of a face)\n", worst);
  EXPECT_LE(worst, 2);
}

// A face's edit by the generator itself, to be pasted in parts.
struct CropEdit {
  features::AlignedFace aligned;
  gan::EditedFace edited;
  EditScope scope;
};

CropEdit EditOf(const Subject& s, int au) {
  static const gan::Editor editor(gan::DefaultGeneratorPath());
  features::AlignOptions options;
  options.size = editor.image_size();
  CropEdit edit;
  edit.aligned = features::AlignFace(s.photo, s.face.landmarks, options);
  const std::vector<float> own = Own(s.face), wanted = With(s.face, au, 1);
  edit.edited = editor.Edit(edit.aligned.crop, wanted);
  edit.scope = ScopeOf(editor.schema(), own, wanted, features::Transform(edit.aligned.crop_from_image, s.face.landmarks), options.size);
  return edit;
}

// Pixels by their place in the crop: 3 farther beyond it than a third of its side, 2 beyond it, 1 in its outermost twentieth.
cv::Mat PlaceInCrop(const Subject& s) {
  const features::AlignOptions options;
  const features::Similarity crop_from_image = features::CropFromImage(s.face.landmarks, options);
  const auto side = static_cast<float>(options.size);
  cv::Mat place = cv::Mat::zeros(s.photo.size(), CV_8UC1);
  for (int y = 0; y < place.rows; ++y) {
    for (int x = 0; x < place.cols; ++x) {
      const features::Point2 p = crop_from_image({static_cast<float>(x) + 0.5F, static_cast<float>(y) + 0.5F});
      const float edge = std::min(std::min(p.x, p.y), side - std::max(p.x, p.y));
      place.at<std::uint8_t>(y, x) = edge < -side / 3 ? 3 : edge < -1 ? 2 : edge < 0.05F * side ? 1 : 0;
    }
  }
  return place;
}

// Of what a generator moves: pasted into ramps of grey, whose change is how far each pixel has come. It goes on beyond the crop's
// border without a step and has died away soon after.
TEST(PastedEdits, WhatMovesGoesOnBeyondTheCropAndDiesAway) {
  NEEDS_PEOPLE();
  double step_worst = 0, fold_worst = 0, moved_most = 0;
  for (const Subject& s : Everybody()) {
    const cv::Mat place = PlaceInCrop(s);
    for (const int au : Generator().schema().numbers()) {
      CropEdit edit = EditOf(s, au);
      if (edit.edited.flow.empty()) GTEST_SKIP() << "the generator paints alone";
      edit.edited.face = edit.edited.moved;  // nothing is painted
      for (const bool across : {false, true}) {
        const double slope_of_ramp = 250.0 / std::max(s.photo.rows, s.photo.cols);  // grey values a pixel
        cv::Mat ramp(s.photo.size(), CV_8UC3);
        ramp.forEach<cv::Vec3b>([&](cv::Vec3b& pixel, const int* at) {
          const double from_middle = across ? at[1] - ramp.cols / 2.0 : at[0] - ramp.rows / 2.0;
          pixel = cv::Vec3b::all(cv::saturate_cast<std::uint8_t>(128 + slope_of_ramp * from_middle));
        });
        cv::Mat moved = ramp.clone();
        PasteChange(edit.aligned.crop, edit.edited, edit.aligned.crop_from_image, moved, edit.scope);
        EXPECT_EQ(Changed(ramp, moved, place == 3), 0) << "AU" << au;
        cv::Mat before, after, step;
        cv::extractChannel(ramp, before, 1);
        cv::extractChannel(moved, after, 1);
        cv::subtract(after, before, step, cv::noArray(), CV_32F);
        double most = 0;
        cv::minMaxLoc(cv::abs(step), nullptr, &most);
        moved_most = std::max(moved_most, most / slope_of_ramp);
        cv::GaussianBlur(step, step, {}, 1.5);  // grey values are whole
        for (const auto& [dx, dy] : {std::pair{1, 0}, {0, 1}}) {
          cv::Mat slope;
          cv::Sobel(step, slope, CV_32F, dx, dy, 1, 0.5 / slope_of_ramp);
          cv::minMaxLoc(cv::abs(slope), nullptr, &most, nullptr, nullptr, place == 2);
          step_worst = std::max(step_worst, most);
          if ((dx == 1) != across) continue;
          // A chin covers the neck at once, but where the next pixel comes from before this one, skin is folded.
          double least = 0;
          cv::minMaxLoc(slope, &least, nullptr, nullptr, nullptr, place == 1 | place == 2);
          fold_worst = std::min(fold_worst, least);
        }
      }
    }
  }
  std::printf("what moves: at most %.1f pixels; beyond the crop steps of at most %.2f from pixel to pixel, at its border %.2f\n", moved_most,
              step_worst, fold_worst);
  EXPECT_GT(moved_most, 2);
  EXPECT_LE(step_worst, 0.7);
  EXPECT_GT(fold_worst, -0.9);
}

// Of what it paints.
TEST(PastedEdits, NoHaloAtTheBorderOfTheCrop) {
  NEEDS_PEOPLE();
  double rim_worst = 0, step_worst = 0, jaw_worst = 0;
  for (const Subject& s : Everybody()) {
    const cv::Mat place = PlaceInCrop(s);
    for (const int au : Generator().schema().numbers()) {
      CropEdit edit = EditOf(s, au);
      edit.edited.flow = cv::Mat();
      cv::Mat edited = s.photo.clone();
      PasteChange(edit.aligned.crop, edit.edited, edit.aligned.crop_from_image, edited, edit.scope);
      EXPECT_EQ(Changed(s.photo, edited, place >= 2), 0) << "AU" << au;
      rim_worst = std::max(rim_worst, Changed(s.photo, edited, place == 1));
      // A line along the border would be a step of the smoothed change there.
      cv::Mat before, after, across, down;
      s.photo.convertTo(before, CV_32FC3);
      edited.convertTo(after, CV_32FC3);
      cv::Mat change = after - before;
      cv::GaussianBlur(change, change, {}, 1.5);
      cv::Sobel(change, across, CV_32F, 1, 0, 1, 0.5);
      cv::Sobel(change, down, CV_32F, 0, 1, 1, 0.5);
      for (const cv::Mat& step : {across, down}) {
        cv::Mat largest = cv::abs(step);
        double most = 0;
        for (int c = 0; c < 3; ++c) {
          cv::Mat channel;
          cv::extractChannel(largest, channel, c);
          double value = 0;
          cv::minMaxLoc(channel, nullptr, &value, nullptr, nullptr, place == 1);
          most = std::max(most, value);
        }
        // A jaw that sinks reaches the crop's lower border and fades out there.
        double& worst = au == 26 ? jaw_worst : step_worst;
        worst = std::max(worst, most);
      }
    }
  }
  std::printf("in the outermost twentieth of the crop: change at most %.3f, step at most %.2f grey values a pixel, of AU26 %.2f\n", rim_worst, step_worst, jaw_worst);
  EXPECT_LE(rim_worst, 0.5);
  EXPECT_LE(step_worst, 3);
  EXPECT_LE(jaw_worst, 6);
}

// What stands before the face in the second of two pictures that are otherwise one: pixels that differ much.
cv::Mat InFront(const cv::Mat& bare, const cv::Mat& covered) {
  cv::Mat difference, grey, mask;
  cv::absdiff(bare, covered, difference);
  cv::cvtColor(difference, grey, cv::COLOR_BGR2GRAY);
  mask = grey > 40;
  return mask;
}

cv::Mat Painted(const cv::Mat& photo, const FoundFace& face, int au) {
  CropEdit edit = EditOf({photo, face}, au);
  edit.edited.flow = cv::Mat();
  cv::Mat picture = photo.clone();
  PasteChange(edit.aligned.crop, edit.edited, edit.aligned.crop_from_image, picture, edit.scope);
  return picture;
}

// How much a movement folds or tears in either direction: the least slope of what a ramp becomes, less 1.
double LeastSlope(const cv::Mat& photo, const FoundFace& face, int au) {
  CropEdit edit = EditOf({photo, face}, au);
  if (edit.edited.flow.empty()) return 0;
  edit.edited.face = edit.edited.moved;
  const double slope = 250.0 / photo.rows;
  cv::Mat ramp(photo.size(), CV_8UC3), grey, steps;
  ramp.forEach<cv::Vec3b>([&](cv::Vec3b& pixel, const int* at) { pixel = cv::Vec3b::all(cv::saturate_cast<std::uint8_t>(slope * at[0])); });
  PasteChange(edit.aligned.crop, edit.edited, edit.aligned.crop_from_image, ramp, edit.scope);
  cv::extractChannel(ramp, grey, 1);
  grey.convertTo(grey, CV_32F, 1 / slope);
  cv::GaussianBlur(grey, grey, {}, 1.5);
  cv::Sobel(grey, steps, CV_32F, 0, 1, 1, 0.5);
  double least = 0;
  // The upper half of the face, where frames and strands are; at the photo's edge the ramp ends.
  cv::minMaxLoc(steps(cv::Rect(8, 8, photo.cols - 16, static_cast<int>(face.landmarks[33].y) - 8)), &least);
  return least;
}

// What is painted is not painted over them; what moves takes them along without tearing them.
TEST(PastedEdits, GlassesAndHairInFrontStay) {
  if (Model() == nullptr) GTEST_SKIP() << "no face model to draw people with: set AUFORGE_FACE_MODEL";
  const synthetic::CgGenerator bare = People(0), covered = People(1);
  constexpr std::uint32_t kWanted = synthetic::Bit(synthetic::Occluder::kGlasses) | synthetic::Bit(synthetic::Occluder::kHairStrands);
  std::size_t faces = 0;
  double on_it = 0, skin = 0, least_slope = 1;
  for (std::uint64_t i = 0; faces < kPeople && i < 60; ++i) {
    const synthetic::SyntheticFace with = covered.Generate(5, i);
    if (with.occluders == 0 || (with.occluders & ~kWanted) != 0) continue;
    const synthetic::SyntheticFace without = bare.Generate(5, i);
    const cv::Mat mask = InFront(without.image, with.image);
    const std::vector<FoundFace> found = Finder().Find(with.image);
    if (found.size() != 1 || cv::countNonZero(mask) < 50) continue;
    ++faces;
    for (const int au : {1, 2, 4, 5, 6, 9, 12, 45}) {
      on_it += Changed(with.image, Painted(with.image, found.front(), au), mask);
      skin += Changed(without.image, Painted(without.image, found.front(), au), mask);
      if (!MovesLids(au)) least_slope = std::min(least_slope, LeastSlope(with.image, found.front(), au));  // lids cover what was there
    }
  }
  ASSERT_GE(faces, 3U);
  const double n = static_cast<double>(8 * faces);
  std::printf("glasses and strands of hair, %zu faces: changed by %.2f grey values, the skin there without them by %.2f; least slope %.2f\n", faces, on_it / n, skin / n, least_slope);
  // Drawn without regard to them, frames and strands would change twice as much as skin, which is less unlike the drawing.
  EXPECT_LE(on_it / n, 1.2 * skin / n);
  EXPECT_LE(on_it / n, 2.5);
  EXPECT_GT(least_slope, 0) << "below it lines come twice";
}

}  // namespace
}  // namespace auforge::tools
