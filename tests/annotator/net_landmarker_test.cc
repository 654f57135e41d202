// The landmarker of nets: of random weights, since what is tested is what it does with pictures and files.
#include "annotator/net_landmarker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <opencv2/imgproc.hpp>
#include <random>
#include <thread>

#include "annotator/landmark_look.h"
#include "annotator/point_file.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/checksum.h"
#include "features/align.h"
#include "tests/support/faces.h"
#include "tests/support/learnt_net.h"
#include "tests/support/temp_dir.h"

namespace auforge::annotator {
namespace {

using features::kLandmarkCount;
using features::Landmarks68;
using testing::HasSubstr;

LandmarkNetWeights RandomWeights(const tests::NetShape& shape, std::size_t outputs, std::uint64_t seed) {
  LandmarkNetWeights weights{tests::RandomNet(shape, seed), {}, std::vector<float>(outputs, 0.0F)};
  weights.net.pooling = features::Pooling::kNone;
  const std::size_t size = features::LearntNet::FromWeights(weights.net).embedding_size();
  std::mt19937_64 random(seed);
  for (std::size_t i = 0; i < outputs * size; ++i)
    weights.weight.push_back((static_cast<float>(random() % 2048) - 1024) / 1024 * 0.02F);
  return weights;
}

LandmarkNets RandomNets(std::uint64_t seed = 5) {
  return {RandomWeights({32, 8, 2, {{16, 2}, {24, 2}}}, 2 * kLandmarkCount, seed),
          RandomWeights({48, 8, 2, {{16, 2}, {20, 2}}}, 4 * kLandmarkCount, seed + 1)};
}

std::vector<std::uint32_t> Bits(const std::vector<FoundLandmarks>& faces) {
  std::vector<std::uint32_t> bits;
  for (const FoundLandmarks& face : faces) {
    for (const features::Point2& p : face.points) bits.insert(bits.end(), {std::bit_cast<std::uint32_t>(p.x), std::bit_cast<std::uint32_t>(p.y)});
    for (const float v : face.spread) bits.push_back(std::bit_cast<std::uint32_t>(v));
    for (const float v : face.seen) bits.push_back(std::bit_cast<std::uint32_t>(v));
  }
  return bits;
}

std::vector<FaceInImage> FacesIn(const cv::Mat& image, std::size_t count) {
  std::vector<FaceInImage> faces;
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = static_cast<float>(i);
    faces.push_back({&image, {20 + 3 * at, 30 + 2 * at, 80 + at, 80 + at}});
  }
  return faces;
}

TEST(NetLandmarker, GivesTheSameBitsWhateverBatchThreadsAndRegisters) {
  const NetLandmarker landmarker = NetLandmarker::FromWeights(RandomNets());
  const NetLandmarker narrow = NetLandmarker::FromWeights(RandomNets(), features::Registers::kNarrow);
  const cv::Mat image = tests::Texture(240, 200, 3, 4);
  const std::vector<FaceInImage> faces = FacesIn(image, 37);
  const std::vector<std::uint32_t> together = Bits(landmarker.Find(faces));
  EXPECT_EQ(Bits(narrow.Find(faces)), together);
  std::vector<FoundLandmarks> alone(faces.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = t; i < faces.size(); i += 3) alone[i] = landmarker.Find(std::span(&faces[i], 1)).front();
      });
    }
  }
  EXPECT_EQ(Bits(alone), together);
}

TEST(NetLandmarker, AMirroredPictureHasMirroredPoints) {
  const NetLandmarker landmarker = NetLandmarker::FromWeights(RandomNets());
  cv::Mat image = tests::Texture(200, 160, 3, 4), turned;
  cv::GaussianBlur(image, image, {9, 9}, 3);
  cv::flip(image, turned, 1);
  const features::Box box{60, 40, 70, 70}, there{200 - 60 - 70, 40, 70, 70};
  const FaceInImage face{&image, box}, mirrored{&turned, there};
  const FoundLandmarks one = landmarker.Find(std::span(&face, 1)).front(),
                       other = landmarker.Find(std::span(&mirrored, 1)).front();
  const Landmarks68 back = features::Mirror(other.points, 200);
  for (std::size_t i = 0; i < kLandmarkCount; ++i) {
    EXPECT_NEAR(back[i].x, one.points[i].x, 0.1) << i;
    EXPECT_NEAR(back[i].y, one.points[i].y, 0.1) << i;
    EXPECT_NEAR(other.spread[features::MirrorLandmark(i)], one.spread[i], 0.02 * one.spread[i]) << i;
  }
}

// A net whose answers are all zero finds the mean face where it looks.
TEST(NetLandmarker, AnswersAreOffsetsFromTheMeanFace) {
  LandmarkNets nets = RandomNets();
  for (LandmarkNetWeights* net : {&nets.first, &nets.second}) std::fill(net->weight.begin(), net->weight.end(), 0.0F);
  // Point 30 lies a tenth to the right, of either way round: its mirror image is itself, so that they cancel; up they add.
  for (LandmarkNetWeights* net : {&nets.first, &nets.second}) net->bias[2 * 30] = 0.1F, net->bias[2 * 30 + 1] = -0.2F;
  const NetLandmarker landmarker = NetLandmarker::FromWeights(nets);
  const cv::Mat image(300, 300, CV_8UC3, cv::Scalar(90, 120, 150));
  Landmarks68 face = features::MeanFace();
  for (features::Point2& p : face) p = {150 + 50 * p.x, 120 + 50 * p.y};
  const FaceInImage there{&image, BoxAround(face)};
  const FoundLandmarks found = landmarker.Find(std::span(&there, 1), std::span(&face, 1)).front();
  for (std::size_t i = 0; i < kLandmarkCount; ++i) {
    EXPECT_NEAR(found.points[i].x, face[i].x, 0.05) << i;
    EXPECT_NEAR(found.points[i].y, face[i].y - (i == 30 ? 10 : 0), 0.05) << i;
    EXPECT_NEAR(found.seen[i], 0.5, 1e-6);
    EXPECT_NEAR(found.spread[i], 100, 0.1);
  }
}

TEST(NetLandmarker, OddBoxesAndPicturesGiveNumbers) {
  const NetLandmarker landmarker = NetLandmarker::FromWeights(RandomNets());
  const cv::Mat image = tests::Texture(120, 90, 3, 4), tiny = tests::Texture(5, 4, 3, 4), grey = tests::Texture(120, 90, 1, 4);
  const std::vector<FaceInImage> faces{{&image, {40, 30, 10, 10}},       // a face of ten pixels
                                       {&image, {-30, 20, 60, 60}},      // half of it outside
                                       {&image, {500, -700, 80, 80}},    // all of it
                                       {&image, {10, 10, 0, 0}},         // none
                                       {&tiny, {0, 0, 5, 4}},
                                       {&grey, {20, 20, 50, 50}},
                                       {&image, {-1e5F, 3e5F, 1e4F, 1e4F}}};
  const std::vector<FoundLandmarks> found = landmarker.Find(faces);
  ASSERT_EQ(found.size(), faces.size());
  for (std::size_t f = 0; f < found.size(); ++f) {
    for (std::size_t i = 0; i < kLandmarkCount; ++i) {
      EXPECT_TRUE(std::isfinite(found[f].points[i].x + found[f].points[i].y)) << f;
      EXPECT_TRUE(found[f].spread[i] > 0 && std::isfinite(found[f].spread[i])) << f;
      EXPECT_TRUE(found[f].seen[i] >= 0 && found[f].seen[i] <= 1) << f;
    }
  }
  Landmarks68 one_point;
  one_point.fill({30, 30});
  const FoundLandmarks from_one = landmarker.Find(std::span(faces.data(), 1), std::span(&one_point, 1)).front();
  EXPECT_TRUE(std::isfinite(from_one.points[0].x));
  EXPECT_TRUE(landmarker.Find({}).empty());
  EXPECT_THROW(landmarker.Find(faces, std::span(&one_point, 1)), std::invalid_argument);
}

std::string FaultOf(std::span<const std::uint8_t> bytes) {
  try {
    NetLandmarker::Parse(bytes, "my.net");
  } catch (const datasets::storage::BadContent& error) {
    return error.what();
  }
  return "";
}

// The bytes with their checksum made right again: whoever writes a hostile file gets it right, too.
std::vector<std::uint8_t> Sealed(std::vector<std::uint8_t> bytes) {
  const auto sum = datasets::storage::Sha256(std::span(bytes).first(bytes.size() - 8));
  std::copy_n(sum.begin(), 8, bytes.end() - 8);
  return bytes;
}

TEST(NetLandmarker, ReadBackItAnswersWithTheSameBits) {
  const tests::TempDir dir;
  const NetLandmarker landmarker = NetLandmarker::FromWeights(RandomNets());
  const std::vector<std::uint8_t> bytes = landmarker.Serialise();
  EXPECT_EQ(Sealed(bytes), bytes);
  const NetLandmarker again = NetLandmarker::Parse(bytes, "my.net");
  EXPECT_EQ(again.Serialise(), bytes);
  EXPECT_EQ(again.digest(), landmarker.digest());
  EXPECT_EQ(landmarker.digest().size(), 16U);
  EXPECT_NE(NetLandmarker::FromWeights(RandomNets(9)).digest(), landmarker.digest());
  const cv::Mat image = tests::Texture(240, 200, 3, 4);
  EXPECT_EQ(Bits(again.Find(FacesIn(image, 3))), Bits(landmarker.Find(FacesIn(image, 3))));
  // Landmarker takes such a file, tells it by what it holds, and finds the same points.
  datasets::storage::WriteFileAtomically(dir / "points", std::string(bytes.begin(), bytes.end()));
  const Landmarker any(dir / "points");
  EXPECT_EQ(any.Name(), "auforge-" + landmarker.digest());
  const FaceInImage face = FacesIn(image, 1).front();
  EXPECT_EQ(any.FindSteady(image, face.box), landmarker.Find(std::span(&face, 1)).front().points);
  EXPECT_EQ(any.Find(image, face.box), any.FindSteady(image, face.box));
  EXPECT_THROW(Landmarker("dlib:" + (dir / "points")), datasets::storage::BadContent);
}

TEST(NetLandmarker, RefusesDamagedFiles) {
  const std::vector<std::uint8_t> good = NetLandmarker::FromWeights(RandomNets()).Serialise();
  ASSERT_EQ(FaultOf(good), "");
  EXPECT_THAT(FaultOf({}), HasSubstr("my.net: damaged landmarker: does not begin with AUFMARK1"));
  for (std::size_t size = 0; size < good.size(); size += size < 32 ? 3 : 4999) {
    const std::vector<std::uint8_t> cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THAT(FaultOf(cut), HasSubstr("my.net")) << size;
    if (size > 20) {
      EXPECT_NE(FaultOf(Sealed(cut)), "") << size;
    }
  }
  for (std::size_t at = 0; at < good.size(); at += at < 32 ? 3 : 4999) {
    std::vector<std::uint8_t> bent = good;
    bent[at] ^= 0x40U;
    EXPECT_THAT(FaultOf(bent), HasSubstr("train it again")) << at;
    static_cast<void>(FaultOf(Sealed(bent)));  // may be other nets, must not crash
  }
  std::vector<std::uint8_t> longer = good;
  longer.insert(longer.end(), 4, std::uint8_t{0});
  EXPECT_THAT(FaultOf(Sealed(longer)), HasSubstr("goes on behind its last net"));
  std::vector<std::uint8_t> absurd = good;
  std::fill_n(absurd.begin() + 8, 8, std::uint8_t{0xFF});
  EXPECT_THAT(FaultOf(Sealed(absurd)), HasSubstr("has a net of 18446744073709551615 bytes"));
  // The last bias of all, and the second net's last weight.
  const float nan = NAN;
  std::vector<std::uint8_t> no_number = good;
  std::memcpy(no_number.data() + good.size() - 12, &nan, 4);
  EXPECT_THAT(FaultOf(Sealed(no_number)), HasSubstr("bias holds a number that is not finite"));
  std::vector<std::uint8_t> no_weight = good;
  const std::size_t weight = good.size() - 8 - 4 * 4 * kLandmarkCount - 2;
  no_weight[weight] = 0;
  no_weight[weight + 1] = 0x7C;  // infinity
  EXPECT_THAT(FaultOf(Sealed(no_weight)), HasSubstr("head holds a number that is not finite"));
}

TEST(NetLandmarker, NamesWhatIsWrongWithItsWeights) {
  const auto fault = [](const auto& change) -> std::string {
    LandmarkNets nets = RandomNets();
    change(nets);
    try {
      NetLandmarker::FromWeights(nets);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(fault([](LandmarkNets&) {}), "");
  EXPECT_THAT(fault([](LandmarkNets& n) { n.first.net.pooling = features::Pooling::kMean; }), HasSubstr("keeps its last map"));
  EXPECT_THAT(fault([](LandmarkNets& n) { n.second.weight.pop_back(); }), HasSubstr("does not fit its net"));
  EXPECT_THAT(fault([](LandmarkNets& n) { n.second.bias[3] = NAN; }), HasSubstr("bias holds a number"));
  EXPECT_THAT(fault([](LandmarkNets& n) { n.first.weight[3] = INFINITY; }), HasSubstr("head holds a number"));
}

TEST(Landmarker, NamesStandForFiles) {
  EXPECT_EQ(LandmarkFile("dlib:my.dat"), "my.dat");
  EXPECT_EQ(LandmarkFile("my.net"), "my.net");
  EXPECT_THAT(LandmarkFile("dlib"), HasSubstr("68_face_landmarks"));
  EXPECT_THAT(LandmarkFile("auforge"), HasSubstr("landmarks.net"));
  EXPECT_EQ(DefaultLandmarks(), "auforge");
  EXPECT_EQ(LandmarksFor("auforge-0123456789abcdef"), "auforge");
  EXPECT_EQ(LandmarksFor("dlib"), "dlib");
  ASSERT_EQ(setenv("AUFORGE_LANDMARKS", "my.dat", 1), 0);
  EXPECT_EQ(DefaultLandmarks(), "my.dat");
  EXPECT_EQ(LandmarksFor("dlib"), "my.dat");
  ASSERT_EQ(unsetenv("AUFORGE_LANDMARKS"), 0);
  EXPECT_NO_THROW(RequireSameLandmarker("dlib", "dlib", "model"));
  try {
    RequireSameLandmarker("auforge-0123456789abcdef", "dlib", "model");
    FAIL() << "points of another landmarker were taken";
  } catch (const datasets::storage::BadContent& error) {
    EXPECT_THAT(error.what(), HasSubstr("use --landmarks dlib"));
  }
}

TEST(LandmarkLook, OffsetsAndPointsAreEachOthersInverse) {
  for (const LandmarkLook& look : {FirstLook(64), SecondLook(96)}) {
    const features::Point2 back = look.OffsetOf(8, look.PointOf(8, {0.3F, -0.2F}));
    EXPECT_NEAR(back.x, 0.3, 1e-5);
    EXPECT_NEAR(back.y, -0.2, 1e-5);
  }
  // The mean face in its own box lies where the first look has it, and so for points and the second.
  Landmarks68 face = features::MeanFace();
  for (features::Point2& p : face) p = {200 + 70 * p.x, 150 + 70 * p.y};
  const features::Similarity at_box = LookAtBox(BoxAround(face), 64), at_points = LookAtPoints(face, {}, 96);
  for (const std::size_t i : {0, 8, 30, 36, 66}) {
    EXPECT_LT(features::Distance(at_box(face[i]), FirstLook(64).PointOf(i, {})), 0.1) << i;
    EXPECT_LT(features::Distance(at_points(face[i]), SecondLook(96).PointOf(i, {})), 0.01) << i;
  }
}

std::string PointHeader() {
  std::string line = "file,yaw,pitch,roll";
  for (int i = 0; i < 68; ++i) line += ",x" + std::to_string(i) + ",y" + std::to_string(i);
  for (int i = 0; i < 68; ++i) line += ",v" + std::to_string(i);
  return line + "\n";
}

TEST(PointFile, EmptyFieldsAreNotKnown) {
  const tests::TempDir dir;
  std::string row = "a.jpg,-12.5,,";
  for (int i = 0; i < 68; ++i) row += i == 3 ? ",," : "," + std::to_string(i) + ".25," + std::to_string(2 * i);
  for (int i = 0; i < 68; ++i) row += i % 3 == 0 ? ",1" : i % 3 == 1 ? ",0" : ",";
  datasets::storage::WriteFileAtomically(dir / "points_00000.csv", PointHeader() + row + "\r\n");
  const std::vector<PointRow> rows = ReadPointTables(dir.path());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].picture, dir / "a.jpg");
  EXPECT_FLOAT_EQ(rows[0].pose.yaw, -12.5F);
  EXPECT_TRUE(std::isnan(rows[0].pose.pitch));
  EXPECT_FALSE(rows[0].known[3]);
  EXPECT_TRUE(rows[0].known[4]);
  EXPECT_EQ(rows[0].points[4], (features::Point2{4.25F, 8}));
  EXPECT_EQ(rows[0].seen[0], 1);
  EXPECT_EQ(rows[0].seen[1], 0);
  EXPECT_EQ(rows[0].seen[2], -1);
}

TEST(PointFile, NamesFileLineAndFault) {
  const tests::TempDir dir;
  const auto fault = [&](const std::string& text) -> std::string {
    datasets::storage::WriteFileAtomically(dir / "p.csv", text);
    try {
      ReadPointTables(dir / "p.csv");
    } catch (const datasets::storage::BadContent& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(fault(""), HasSubstr("p.csv: is empty"));
  EXPECT_THAT(fault("file,AU1\na.jpg,2\n"), HasSubstr("is no table of points"));
  EXPECT_THAT(fault(PointHeader() + "a.jpg,1,2\n"), HasSubstr("p.csv:2: has 3 fields; needs 208"));
  const std::string rest(204, ',');
  EXPECT_THAT(fault(PointHeader() + "a.jpg,north,," + rest.substr(0, 205) + "\n"), HasSubstr("p.csv:2:"));
  EXPECT_THAT(fault(PointHeader() + "a.jpg,,,,1" + rest.substr(1) + "\n"), HasSubstr("half of point 0 is missing"));
  EXPECT_THAT(fault(PointHeader() + ",,," + rest + "\n"), HasSubstr("names no picture"));
  EXPECT_THROW(ReadPointTables(dir.path()), std::runtime_error) << "a folder without tables";
}

}  // namespace
}  // namespace auforge::annotator
