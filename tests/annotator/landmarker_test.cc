// Our evaluation of dlib's landmark ensemble against dlib's own, and the detector, on rendered texture and
// real photos.
#include "annotator/landmarker.h"

#include <dlib/image_processing.h>
#include <dlib/image_processing/frontal_face_detector.h>
#include <dlib/opencv.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <opencv2/imgproc.hpp>
#include <sstream>

#include "annotator/face_confirmation.h"
#include "annotator/face_detector.h"
#include "datasets/image_codec.h"
#include "datasets/storage/atomic_file.h"
#include "features/align.h"
#include "tests/support/faces.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"

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

// dlib's weights are Debian's libdlib-data, which only these comparisons need.
constexpr const char* kNoTrees = "no dlib weights: libdlib-data is not installed";
bool TreesAreThere() { return fs::exists(LandmarkFile("dlib")); }
std::vector<std::string> AllLandmarkers() {
  std::vector<std::string> names{"auforge"};
  if (TreesAreThere()) names.emplace_back("dlib");
  return names;
}

cv::Mat Twice(const cv::Mat& image) {
  cv::Mat enlarged;
  cv::resize(image, enlarged, cv::Size(), 2, 2, cv::INTER_LINEAR);
  return enlarged;
}

TEST(Landmarker, AgreesWithDlibsOwnEvaluation) {
  const auto photos = Photos();
  if (photos.empty()) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of photos; run-tests.sh sets it";
  if (!TreesAreThere()) GTEST_SKIP() << kNoTrees;
  const Landmarker ours("dlib");
  dlib::shape_predictor theirs;
  dlib::deserialize(LandmarkFile("dlib")) >> theirs;
  const auto detector = MakeHogDetector({});
  std::size_t faces = 0;
  std::vector<double> distances;
  for (const fs::path& path : photos) {
    const cv::Mat image = Photo(path);
    for (const features::Detection& found : detector->Detect(image)) {
      const features::Landmarks68 points = ours.Find(image, found.box);
      const features::Box& b = found.box;
      const dlib::rectangle box(static_cast<long>(b.x), static_cast<long>(b.y),
                                static_cast<long>(b.x + b.width) - 1, static_cast<long>(b.y + b.height) - 1);
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
  EXPECT_LE(*std::max_element(distances.begin(), distances.end()), 0.51)
      << "no more than dlib's own rounding";
}

// dlib's evaluation step by step, without the rounding of its result to whole pixels.
class PlainPredictor {
 public:
  explicit PlainPredictor(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    int version = 0;
    dlib::deserialize(version, in);
    dlib::deserialize(mean_, in);
    dlib::deserialize(forests_, in);
    dlib::deserialize(anchors_, in);
    dlib::deserialize(deltas_, in);
  }

  std::vector<dlib::vector<double, 2>> Find(const cv::Mat& image, const dlib::rectangle& box) const {
    const dlib::cv_image<dlib::bgr_pixel> picture(image);
    dlib::matrix<float, 0, 1> shape = mean_;
    std::vector<float> values;
    for (std::size_t c = 0; c < forests_.size(); ++c) {
      dlib::impl::extract_feature_pixel_values(picture, box, shape, mean_, anchors_[c], deltas_[c], values);
      unsigned long leaf = 0;
      for (const auto& tree : forests_[c]) shape += tree(values, leaf);
    }
    const auto to_image = dlib::impl::unnormalizing_tform(box);
    std::vector<dlib::vector<double, 2>> points;
    for (unsigned long i = 0; i < 68; ++i) {
      points.push_back(to_image(dlib::vector<double, 2>(dlib::impl::location(shape, i))));
    }
    return points;
  }

 private:
  dlib::matrix<float, 0, 1> mean_;
  std::vector<std::vector<dlib::impl::regression_tree>> forests_;
  std::vector<std::vector<unsigned long>> anchors_;
  std::vector<std::vector<dlib::vector<float, 2>>> deltas_;
};

TEST(Landmarker, ABatchEqualsDlibsEvaluationToTheLastBits) {
  const auto photos = Photos();
  if (photos.empty()) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of photos; run-tests.sh sets it";
  if (!TreesAreThere()) GTEST_SKIP() << kNoTrees;
  const Landmarker ours("dlib");
  const PlainPredictor theirs(LandmarkFile("dlib"));
  const auto detector = MakeHogDetector({});
  std::vector<cv::Mat> images;
  std::vector<FaceInImage> faces;
  images.reserve(photos.size());
  for (const fs::path& path : photos) {
    images.push_back(Photo(path));
    for (const features::Detection& found : detector->Detect(images.back())) {
      faces.push_back({&images.back(), found.box});
    }
  }
  ASSERT_GE(faces.size(), 20U);
  const auto points = ours.Find(faces);
  for (std::size_t f = 0; f < faces.size(); ++f) {
    const features::Box& b = faces[f].box;
    const dlib::rectangle box(static_cast<long>(b.x), static_cast<long>(b.y),
                              static_cast<long>(b.x + b.width) - 1, static_cast<long>(b.y + b.height) - 1);
    const auto reference = theirs.Find(*faces[f].image, box);
    for (std::size_t i = 0; i < reference.size(); ++i) {
      // Coordinates of up to 500 in 24 bits: steps of 3e-5.
      EXPECT_NEAR(points[f][i].x - 0.5, reference[i].x(), 1e-4) << "face " << f << ", landmark " << i;
      EXPECT_NEAR(points[f][i].y - 0.5, reference[i].y(), 1e-4) << "face " << f << ", landmark " << i;
    }
  }
}

// Mean distance of the points, in shares of the box's width.
double Apart(const features::Landmarks68& a, const features::Landmarks68& b, double width) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += features::Distance(a[i], b[i]);
  return sum / (width * static_cast<double>(a.size()));
}

TEST(Landmarker, SteadyPointsAreMeansOfThePictureAndItsMirrorImage) {
  const auto photos = Photos();
  if (photos.empty()) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of photos; run-tests.sh sets it";
  if (!TreesAreThere()) GTEST_SKIP() << kNoTrees;
  const Landmarker landmarker("dlib");
  const auto detector = MakeHogDetector({});
  double shaken_once = 0, shaken_steady = 0, turned_once = 0, turned_steady = 0;
  std::size_t faces = 0;
  for (const fs::path& path : photos) {
    const cv::Mat image = Photo(path);
    cv::Mat turned;
    cv::flip(image, turned, 1);
    const auto width = static_cast<float>(image.cols);
    for (const features::Detection& found : detector->Detect(image)) {
      const features::Box& box = found.box;
      const features::Box mirrored{width - box.x - box.width, box.y, box.width, box.height};
      const features::Landmarks68 steady = landmarker.FindSteady(image, box);
      // The plain way: the picture turned round with its box.
      const auto back = [width](const features::Landmarks68& there) {
        features::Landmarks68 here;
        for (std::size_t i = 0; i < here.size(); ++i) {
          const features::Point2 p = there[features::MirrorLandmark(i)];
          here[i] = {width - p.x, p.y};
        }
        return here;
      };
      const double apart = Apart(steady, back(landmarker.FindSteady(turned, mirrored)), box.width);
      EXPECT_LT(apart, 0.002) << "but for rounding, which trees amplify";
      turned_steady += apart;
      turned_once += Apart(landmarker.Find(image, box), back(landmarker.Find(turned, mirrored)), box.width);
      EXPECT_LT(Apart(steady, landmarker.Find(image, box), box.width), 0.05) << "still the same face";
      const features::Box shaken{box.x + 0.04F * box.width, box.y - 0.04F * box.width, box.width * 1.06F,
                                 box.width * 1.06F};
      shaken_once += Apart(landmarker.Find(image, box), landmarker.Find(image, shaken), box.width);
      shaken_steady += Apart(steady, landmarker.FindSteady(image, shaken), box.width);
      ++faces;
    }
  }
  ASSERT_GT(faces, 5U);
  EXPECT_LT(turned_steady, 0.05 * turned_once) << "which way round hardly matters";
  EXPECT_LT(shaken_steady, 0.7 * shaken_once) << "where the box lies matters less";
}

TEST(Landmarker, ABoxWithoutAFaceStillGivesSteadyNumbers) {
  const cv::Mat noise = tests::Texture(200, 160, 3, 5);
  for (const std::string& name : AllLandmarkers()) {
    const Landmarker landmarker(name);
    for (const features::Box& box : {features::Box{20, 20, 100, 100}, {-300, -300, 80, 80}, {0, 0, 1, 1}}) {
      for (const features::Point2& p : landmarker.FindSteady(noise, box)) EXPECT_TRUE(std::isfinite(p.x + p.y)) << name;
    }
  }
}

TEST(Landmarker, TheNetsKnowWhatIsNoFace) {
  const cv::Mat noise = tests::Texture(200, 160, 3, 5);
  const Landmarker nets("auforge");
  ASSERT_TRUE(nets.TellsSpread());
  const FaceInImage face{&noise, {20, 20, 100, 100}};
  const FoundLandmarks found = nets.FindWithSpread(std::span(&face, 1)).front();
  EXPECT_EQ(found.points, nets.FindSteady(noise, face.box));
  const auto confirmed = ConfirmFaces(nets, {{&noise, {face.box, 0.9F}}});
  EXPECT_FALSE(confirmed.front().is_face);
  EXPECT_TRUE(confirmed.front().is_steady);
  EXPECT_EQ(confirmed.front().doubt, DoubtOf(found));
  EXPECT_LT(confirmed.front().Trust(), 0.5F);
  if (!TreesAreThere()) GTEST_SKIP() << kNoTrees;
  const Landmarker trees("dlib");
  EXPECT_FALSE(trees.TellsSpread());
  EXPECT_THROW(trees.FindWithSpread(std::span(&face, 1)), std::logic_error);
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

class YunetGate : public testing::TestWithParam<const char*> {};

TEST_P(YunetGate, FindsFacesInAQuarterAndTheLandmarkerRefusesDogs) {
  const auto model = tests::DataPath("models/face_detection_yunet_2022mar.onnx");
  const auto photos = Photos();
  if (!model) GTEST_SKIP() << "no YuNet model below AUFORGE_DATA";
  if (photos.empty()) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of photos; run-tests.sh sets it";
  if (!fs::exists(LandmarkFile(GetParam()))) GTEST_SKIP() << kNoTrees;
  const Landmarker landmarker(GetParam());
  const auto hog = MakeHogDetector({});
  const auto yunet = MakeYunetDetector({.model = *model});
  EXPECT_EQ(yunet->Name(), "yunet-50ef07f7");
  constexpr float kScale = 0.25F;  // faces of 80 pixels are 20: the template
  for (const fs::path& path : photos) {
    const cv::Mat image = Photo(path);
    cv::Mat small;
    cv::resize(image, small, {}, kScale, kScale, cv::INTER_AREA);
    std::vector<FaceCandidate> candidates;
    for (features::Detection found : yunet->Detect(small)) {
      ASSERT_TRUE(found.points.has_value());
      found.box = {found.box.x / kScale, found.box.y / kScale, found.box.width / kScale,
                   found.box.height / kScale};
      for (features::Point2& p : *found.points) p = {p.x / kScale, p.y / kScale};
      candidates.push_back({&image, found});
    }
    std::vector<features::Box> faces;
    const auto confirmed = ConfirmFaces(landmarker, candidates);
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (confirmed[i].is_face) faces.push_back(candidates[i].detection.box);
    }
    if (path.filename() == "dogs.jpg") {
      EXPECT_FALSE(candidates.empty()) << "no longer a test of anything";
      EXPECT_TRUE(faces.empty());
    }
    // What HOG finds is found, at the same place.
    for (const features::Detection& d : hog->Detect(image)) {
      const bool found = std::any_of(faces.begin(), faces.end(), [&d](const features::Box& b) {
        const float dx = b.x + b.width / 2 - d.box.x - d.box.width / 2,
                    dy = b.y + b.height / 2 - d.box.y - d.box.height / 2;
        return std::hypot(dx, dy) < 0.25F * d.box.width && b.width > 0.65F * d.box.width &&
               b.width < 1.5F * d.box.width;
      });
      EXPECT_TRUE(found) << path << " at " << d.box.x << "," << d.box.y;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Landmarkers, YunetGate, testing::Values("auforge", "dlib"));

TEST(NetDetector, FindsWhatHogFindsAtTheSamePlaceAndNoDogs) {
  const auto photos = Photos();
  if (photos.empty()) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of photos; run-tests.sh sets it";
  const auto hog = MakeHogDetector({});
  const auto net = MakeNetDetector({});
  EXPECT_TRUE(net->Name().starts_with("auforge-"));
  const Landmarker landmarker;
  for (const fs::path& path : photos) {
    const cv::Mat image = Photo(path);
    const std::vector<LandmarkedFace> faces = FindFaces(*net, landmarker, image, 80);
    if (path.filename() == "dogs.jpg") {
      EXPECT_TRUE(faces.empty()) << "a dog is no person";
    }
    for (const features::Detection& d : hog->Detect(image)) {
      const bool found = std::any_of(faces.begin(), faces.end(), [&d](const LandmarkedFace& face) {
        return features::Overlap(face.detection.box, d.box) > 0.5F;
      });
      EXPECT_TRUE(found) << path << " at " << d.box.x << "," << d.box.y;
    }
  }
}

TEST(Yunet, SmallAndEmptyPicturesAndBadModels) {
  EXPECT_THROW(MakeYunetDetector({.model = "/nowhere.onnx"}), std::runtime_error);
  const tests::TempDir dir;
  tests::WriteText(dir / "bad.onnx", "this is no network");
  EXPECT_THROW(MakeYunetDetector({.model = dir / "bad.onnx"}), std::runtime_error);
  const auto model = tests::DataPath("models/face_detection_yunet_2022mar.onnx");
  if (!model) GTEST_SKIP() << "no YuNet model below AUFORGE_DATA";
  const auto yunet = MakeYunetDetector({.model = *model});
  EXPECT_TRUE(yunet->Detect(cv::Mat()).empty());
  EXPECT_TRUE(yunet->Detect(cv::Mat(3, 500, CV_8UC1, cv::Scalar::all(9))).empty());
  EXPECT_TRUE(yunet->Detect(cv::Mat(65, 1, CV_8UC3, cv::Scalar::all(9))).empty());
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

TEST(Landmarker, ABatchGivesWhatSingleFacesGive) {
  if (!TreesAreThere()) GTEST_SKIP() << kNoTrees;
  const Landmarker landmarker("dlib");
  const cv::Mat a = tests::Texture(200, 150, 3, 5);
  const cv::Mat b = tests::Texture(90, 120, 1, 6);
  const std::vector<FaceInImage> faces{
      {&a, {10, 20, 90, 90}}, {&b, {0, 0, 80, 80}}, {&a, {60, 30, 110, 110}}};
  const auto found = landmarker.Find(faces);
  ASSERT_EQ(found.size(), 3U);
  for (std::size_t i = 0; i < faces.size(); ++i) {
    EXPECT_EQ(found[i], landmarker.Find(*faces[i].image, faces[i].box)) << i;
  }
  EXPECT_TRUE(landmarker.Find(std::span<const FaceInImage>()).empty());
}

// A predictor of two cascades of three trees of two leaves, as dlib writes it.
std::string SmallPredictor() {
  dlib::matrix<float, 0, 1> mean(136);
  for (long i = 0; i < 136; ++i) mean(i) = static_cast<float>(i) / 136;
  std::vector<std::vector<dlib::impl::regression_tree>> forests(2);
  for (auto& forest : forests) {
    forest.resize(3);
    for (auto& tree : forest) {
      tree.splits.resize(1);
      tree.splits[0].idx1 = 0;
      tree.splits[0].idx2 = 1;
      tree.splits[0].thresh = 0.125F;
      tree.leaf_values.assign(2, dlib::matrix<float, 0, 1>(mean * 1e-3F));
    }
  }
  const std::vector<std::vector<unsigned long>> anchors(2, {30, 8});
  const std::vector<std::vector<dlib::vector<float, 2>>> deltas(2, {{0.1F, -0.2F}, {-0.05F, 0.0F}});
  std::ostringstream out;
  const int version = 1;
  dlib::serialize(version, out);
  dlib::serialize(mean, out);
  dlib::serialize(forests, out);
  dlib::serialize(anchors, out);
  dlib::serialize(deltas, out);
  return out.str();
}

TEST(Landmarker, ReadsWhatDlibWritesAndRefusesDamage) {
  const tests::TempDir dir;
  const std::string whole = SmallPredictor();
  tests::WriteText(dir / "small.dat", whole);
  const Landmarker small(dir / "small.dat");
  const cv::Mat image = tests::Texture(100, 100, 3, 2);
  // Both leaves of each of the 6 trees add a thousandth of the mean.
  const features::Box box{0, 0, 101, 101};
  EXPECT_NEAR(small.Find(image, box)[67].y, 0.5 + 100 * (135.0 / 136) * 1.006, 1e-3);

  for (const std::size_t size : {0UL, 1UL, 10UL, 300UL, whole.size() / 2, whole.size() - 1}) {
    tests::WriteText(dir / "bad.dat", whole.substr(0, size));
    EXPECT_THROW(Landmarker(dir / "bad.dat"), std::runtime_error) << size;
  }
  // Any byte wrong: an error or numbers, never a crash.
  for (std::size_t at = 0; at < whole.size(); at += 7) {
    std::string bad = whole;
    bad[at] = static_cast<char>(bad[at] ^ 0x5F);
    tests::WriteText(dir / "bad.dat", bad);
    try {
      Landmarker(dir / "bad.dat").Find(image, box);
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find("bad.dat"), std::string::npos);
    }
  }
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
  const cv::Mat image = tests::Texture(100, 100, 3, 2);
  for (const std::string& name : AllLandmarkers()) {
    const Landmarker landmarker(name);
    for (const features::Box& box : {features::Box{-500, -500, 80, 80}, {90, 90, 400, 400}, {50, 50, 1, 1}}) {
      for (const features::Point2& p : landmarker.Find(image, box))
        EXPECT_TRUE(std::isfinite(p.x) && std::isfinite(p.y)) << name;
    }
  }
}

}  // namespace
}  // namespace auforge::annotator
