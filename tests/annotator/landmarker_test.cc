// Our evaluation of dlib's landmark ensemble against dlib's own, and the detector, on rendered texture and real photos.
#include "annotator/landmarker.h"

#include <dlib/image_processing.h>
#include <dlib/image_processing/frontal_face_detector.h>
#include <dlib/opencv.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <opencv2/imgproc.hpp>

#include "annotator/face_detector.h"
#include "datasets/image_codec.h"
#include "datasets/storage/atomic_file.h"
#include "tests/support/faces.h"

namespace auforge::annotator {
namespace {

namespace fs = std::filesystem;

cv::Mat Photo(const fs::path& path) {
  const std::string bytes = datasets::storage::ReadFile(path.string());
  return datasets::DecodeImage({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, {}).bgr;
}

// dlib's example photos; run-tests.sh puts them where this variable points.
std::vector<fs::path> Photos() {
  std::vector<fs::path> photos;
  const char* folder = std::getenv("AUFORGE_PHOTOS");
  if (folder == nullptr) return photos;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".jpg") photos.push_back(entry.path());
  }
  std::sort(photos.begin(), photos.end());
  return photos;
}

cv::Mat Twice(const cv::Mat& image) {
  cv::Mat enlarged;
  cv::resize(image, enlarged, cv::Size(), 2, 2, cv::INTER_LINEAR);
  return enlarged;
}

TEST(Landmarker, AgreesWithDlibsOwnEvaluation) {
  const auto photos = Photos();
  if (photos.empty()) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of photos; run-tests.sh sets it";
  const Landmarker ours;
  dlib::shape_predictor theirs;
  dlib::deserialize(DefaultLandmarkPath()) >> theirs;
  const auto detector = MakeHogDetector({});
  std::size_t faces = 0;
  std::vector<double> distances;
  for (const fs::path& path : photos) {
    const cv::Mat image = Photo(path);
    for (const features::Detection& found : detector->Detect(image)) {
      const features::Landmarks68 points = ours.Find(image, found.box);
      const features::Box& b = found.box;
      const dlib::rectangle box(static_cast<long>(b.x), static_cast<long>(b.y), static_cast<long>(b.x + b.width) - 1,
                                static_cast<long>(b.y + b.height) - 1);
      const dlib::full_object_detection reference = theirs(dlib::cv_image<dlib::bgr_pixel>(image), box);
      for (unsigned long i = 0; i < 68; ++i) {
        // dlib rounds to whole pixels, whose centres it calls whole numbers.
        const double dx = points[i].x - 0.5 - static_cast<double>(reference.part(i).x());
        const double dy = points[i].y - 0.5 - static_cast<double>(reference.part(i).y());
        distances.push_back(std::max(std::abs(dx), std::abs(dy)));
      }
      ++faces;
    }
  }
  ASSERT_GE(faces, 20U);
  EXPECT_LE(*std::max_element(distances.begin(), distances.end()), 0.51) << "no more than dlib's own rounding";
}

TEST(Detector, FindsTheAnnotatedFacesAndNoDogs) {
  const auto photos = Photos();
  if (photos.empty()) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of photos; run-tests.sh sets it";
  const auto detector = MakeHogDetector({.upsample = 1});
  for (const fs::path& path : photos) {
    const std::size_t found = detector->Detect(Photo(path)).size();
    if (path.filename() == "dogs.jpg") {
      EXPECT_EQ(found, 0U);
    } else {
      EXPECT_GE(found, 1U) << path;
    }
  }
}

TEST(Detector, UpsamplingFindsSmallerFacesAtTheSamePlace) {
  const auto photos = Photos();
  if (photos.empty()) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of photos; run-tests.sh sets it";
  const cv::Mat image = Photo(photos.front());
  // The detector turns to grey before it enlarges: rounding may exchange two boxes of the same face.
  const auto plain = MakeHogDetector({})->Detect(Twice(image));
  const auto upsampled = MakeHogDetector({.upsample = 1})->Detect(image);
  ASSERT_EQ(plain.size(), upsampled.size());
  for (std::size_t i = 0; i < plain.size(); ++i) {
    EXPECT_NEAR(plain[i].box.x / 2, upsampled[i].box.x, 0.1 * upsampled[i].box.width);
    EXPECT_NEAR(plain[i].box.width / 2, upsampled[i].box.width, 0.2 * upsampled[i].box.width);
  }
}

TEST(Detector, NoiseHasNoFace) {
  const cv::Mat noise = tests::Texture(320, 240, 3, 1);
  EXPECT_TRUE(MakeHogDetector({})->Detect(noise).empty());
  EXPECT_TRUE(MakeHogDetector({})->Detect(cv::Mat(8, 8, CV_8UC3, cv::Scalar::all(9))).empty());
}

TEST(Detector, NamesBadOptions) {
  EXPECT_THROW(MakeHogDetector({.upsample = 9}), std::invalid_argument);
  EXPECT_THROW(MakeHogDetector({.threshold = NAN}), std::invalid_argument);
}

TEST(Landmarker, SaysWhichPackageBringsTheWeights) {
  try {
    const Landmarker missing("/nowhere/weights.dat");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("libdlib-data"), std::string::npos) << error.what();
  }
}

TEST(Landmarker, BoxesOutsideThePictureGiveNumbers) {
  const Landmarker landmarker;
  const cv::Mat image = tests::Texture(100, 100, 3, 2);
  for (const features::Box& box : {features::Box{-500, -500, 80, 80}, {90, 90, 400, 400}, {50, 50, 1, 1}}) {
    for (const features::Point2& p : landmarker.Find(image, box)) EXPECT_TRUE(std::isfinite(p.x) && std::isfinite(p.y));
  }
}

}  // namespace
}  // namespace auforge::annotator
