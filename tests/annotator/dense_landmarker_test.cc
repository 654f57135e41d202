// The nets of dense points: of random weights, since what is tested is what is done with pictures and files.
#include "annotator/dense_landmarker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <opencv2/imgproc.hpp>
#include <random>
#include <thread>

#include "annotator/dense_look.h"
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

using features::DensePoints;
using features::kDenseCount;
using features::kDenseEye;
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

DenseNets RandomNets(std::uint64_t seed = 5) {
  return {RandomWeights({32, 8, 2, {{16, 2}, {12, 1}}}, 2 * kDenseEye, seed),
          RandomWeights({48, 8, 2, {{16, 2}, {20, 2}}}, 2 * features::kDenseMouth, seed + 1)};
}

Landmarks68 FaceAt(float scale, float turn, float x, float y) {
  return features::Transform({scale * std::cos(turn), scale * std::sin(turn), x, y}, features::MeanFace());
}

std::vector<Landmarks68> Faces(std::size_t count) {
  std::vector<Landmarks68> faces;
  for (std::size_t i = 0; i < count; ++i) {
    const auto at = static_cast<float>(i);
    faces.push_back(FaceAt(40 + at, 0.02F * at, 110 + at, 90 - at));
  }
  return faces;
}

TEST(DenseLandmarker, GivesTheSameBitsWhateverThreadsAndRegisters) {
  const DenseLandmarker nets = DenseLandmarker::FromWeights(RandomNets());
  const DenseLandmarker narrow = DenseLandmarker::FromWeights(RandomNets(), features::Registers::kNarrow);
  const cv::Mat image = tests::Texture(240, 200, 3, 4);
  const std::vector<Landmarks68> faces = Faces(12);
  std::vector<DensePoints> found;
  for (const Landmarks68& face : faces) found.push_back(nets.Find(image, face));
  std::vector<DensePoints> again(faces.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = faces.size(); i-- > 0;) {
          if (i % 3 == t) again[i] = nets.Find(image, faces[i]);
        }
      });
    }
  }
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const DensePoints by_narrow = narrow.Find(image, faces[i]);
    EXPECT_EQ(std::memcmp(again[i].data(), found[i].data(), sizeof(found[i])), 0) << i;
    EXPECT_EQ(std::memcmp(by_narrow.data(), found[i].data(), sizeof(found[i])), 0) << i;
  }
}

TEST(DenseLandmarker, AMirroredPictureHasMirroredPoints) {
  const DenseLandmarker nets = DenseLandmarker::FromWeights(RandomNets());
  cv::Mat image = tests::Texture(200, 160, 3, 4), turned;
  cv::GaussianBlur(image, image, {9, 9}, 3);
  cv::flip(image, turned, 1);
  const Landmarks68 face = FaceAt(45, 0.1F, 97, 60);
  const DensePoints one = nets.Find(image, face), other = nets.Find(turned, features::Mirror(face, 200));
  for (std::size_t i = 0; i < kDenseCount; ++i) {
    const std::size_t m = i < kDenseEye       ? i + kDenseEye
                          : i < 2 * kDenseEye ? i - kDenseEye
                                              : 2 * kDenseEye + features::MirrorLip(i - 2 * kDenseEye);
    // Crops are sampled on a grid of a thirty-second of a pixel.
    EXPECT_NEAR(200 - other[m].x, one[i].x, 0.2) << i;
    EXPECT_NEAR(other[m].y, one[i].y, 0.2) << i;
  }
}

// Nets whose weights are zero answer with their biases.
TEST(DenseLandmarker, AnswersAreDistancesFromTheMiddleOfEyesAndMouth) {
  DenseNets nets = RandomNets();
  for (LandmarkNetWeights* net : {&nets.eye, &nets.mouth}) std::fill(net->weight.begin(), net->weight.end(), 0.0F);
  nets.eye.bias[0] = 0.2F;       // a left eye's outer corner lies to the picture's right
  nets.eye.bias[2 * 16 + 1] = -0.1F;
  nets.mouth.bias[0] = -0.4F;    // right corner
  nets.mouth.bias[2 * 10] = 0.4F;
  const DenseLandmarker landmarker = DenseLandmarker::FromWeights(nets);
  const cv::Mat image(300, 300, CV_8UC3, cv::Scalar(90, 120, 150));
  const Landmarks68 face = FaceAt(50, 0, 150, 120);
  const auto middle = [&face](std::size_t first, std::size_t last) {
    features::Point2 sum;
    for (std::size_t i = first; i < last; ++i) sum.x += face[i].x / static_cast<float>(last - first), sum.y += face[i].y / static_cast<float>(last - first);
    return sum;
  };
  const features::Point2 right = middle(36, 42), left = middle(42, 48), mouth = middle(48, 68);
  const DensePoints points = landmarker.Find(image, face);
  EXPECT_NEAR(points[0].x, right.x - 10, 0.02);
  EXPECT_NEAR(points[kDenseEye].x, left.x + 10, 0.02);
  EXPECT_NEAR(points[16].y, right.y - 5, 0.02);
  EXPECT_NEAR(points[kDenseEye + 16].y, left.y - 5, 0.02);
  EXPECT_NEAR(points[42].x, mouth.x - 20, 0.02);
  EXPECT_NEAR(points[52].x, mouth.x + 20, 0.02);
  EXPECT_NEAR(points[42].y, mouth.y, 0.02);
  // Half size, a quarter turned: as the picture.
  const DensePoints turned = landmarker.Find(image, FaceAt(25, 1.5707963F, 150, 120));
  EXPECT_NEAR(features::Distance(turned[42], turned[52]), 20, 0.05);
  EXPECT_NEAR(turned[42].x, turned[52].x, 0.05);
}

TEST(DenseLandmarker, PointsThatAreNoFaceGiveNumbers) {
  const DenseLandmarker nets = DenseLandmarker::FromWeights(RandomNets());
  const cv::Mat image = tests::Texture(40, 30, 1, 4);
  Landmarks68 one_point;
  one_point.fill({30, 30});
  for (const Landmarks68& face : {one_point, FaceAt(2, 0, 5, 5), FaceAt(60, 0, -500, 900), FaceAt(3000, 2, 0, 0)}) {
    for (const features::Point2& p : nets.Find(image, face)) EXPECT_TRUE(std::isfinite(p.x) && std::isfinite(p.y));
  }
}

std::string FaultOf(std::span<const std::uint8_t> bytes) {
  try {
    DenseLandmarker::Parse(bytes, "my.net");
  } catch (const datasets::storage::BadContent& error) {
    return error.what();
  }
  return "";
}

std::vector<std::uint8_t> Sealed(std::vector<std::uint8_t> bytes) {
  const auto sum = datasets::storage::Sha256(std::span(bytes).first(bytes.size() - 8));
  std::copy_n(sum.begin(), 8, bytes.end() - 8);
  return bytes;
}

TEST(DenseLandmarker, ReadBackItAnswersWithTheSameBits) {
  const tests::TempDir dir;
  const DenseLandmarker nets = DenseLandmarker::FromWeights(RandomNets());
  const std::vector<std::uint8_t> bytes = nets.Serialise();
  datasets::storage::WriteFileAtomically(dir / "dense", std::string(bytes.begin(), bytes.end()));
  const DenseLandmarker again = DenseLandmarker::Load(dir / "dense");
  EXPECT_EQ(again.Serialise(), bytes);
  EXPECT_EQ(again.digest(), nets.digest());
  EXPECT_NE(DenseLandmarker::FromWeights(RandomNets(9)).digest(), nets.digest());
  const cv::Mat image = tests::Texture(240, 200, 3, 4);
  EXPECT_EQ(again.Find(image, Faces(1)[0]), nets.Find(image, Faces(1)[0]));
  EXPECT_THROW(DenseLandmarker::Load(dir / "absent"), std::runtime_error);
}

TEST(DenseLandmarker, RefusesDamagedFiles) {
  const std::vector<std::uint8_t> good = DenseLandmarker::FromWeights(RandomNets()).Serialise();
  ASSERT_EQ(FaultOf(good), "");
  EXPECT_THAT(FaultOf({}), HasSubstr("my.net: damaged net of dense points: does not begin with AUFDENS1"));
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
  const float nan = NAN;
  std::vector<std::uint8_t> no_number = good;
  std::memcpy(no_number.data() + good.size() - 12, &nan, 4);
  EXPECT_THAT(FaultOf(Sealed(no_number)), HasSubstr("bias holds a number that is not finite"));
  // A landmarker's file is another thing.
  std::vector<std::uint8_t> other = good;
  std::memcpy(other.data(), "AUFMARK1", 8);
  EXPECT_THAT(FaultOf(Sealed(other)), HasSubstr("does not begin with AUFDENS1"));
}

TEST(DensePoints, LipsMirrorOntoEachOther) {
  for (std::size_t i = 0; i < features::kDenseMouth; ++i) {
    EXPECT_EQ(features::MirrorLip(features::MirrorLip(i)), i);
    EXPECT_EQ(features::MirrorLip(i) / 20, i / 20);
  }
  EXPECT_EQ(features::MirrorLip(0), 10U);
  EXPECT_EQ(features::MirrorLip(5), 5U);
  EXPECT_EQ(features::MirrorLip(15), 15U);
  EXPECT_EQ(features::MirrorLip(21), 29U);
}

std::string DenseTable(std::string field) {
  std::string line = "file";
  for (std::size_t i = 0; i < kDenseCount; ++i) line += ",x" + std::to_string(i) + ",y" + std::to_string(i);
  for (std::size_t i = 0; i < kDenseCount; ++i) line += ",v" + std::to_string(i);
  line += "\na.jpg";
  for (std::size_t i = 0; i < kDenseCount; ++i) line += "," + std::to_string(i) + ".5," + (i == 7 ? field : std::to_string(2 * i));
  for (std::size_t i = 0; i < kDenseCount; ++i) line += i % 3 == 0 ? ",1" : i % 3 == 1 ? ",0" : ",";
  return line + "\n";
}

TEST(DenseFile, EveryPointIsKnown) {
  const tests::TempDir dir;
  datasets::storage::WriteFileAtomically(dir / "dense_00000.csv", DenseTable("14"));
  const std::vector<DenseRow> rows = ReadDenseTables(dir.path());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].picture, dir / "a.jpg");
  EXPECT_EQ(rows[0].points[7], (features::Point2{7.5F, 14}));
  EXPECT_EQ(rows[0].seen[0], 1);
  EXPECT_EQ(rows[0].seen[1], 0);
  EXPECT_EQ(rows[0].seen[2], -1);
  for (const char* field : {"", "nan", "x", "1e9"}) {
    datasets::storage::WriteFileAtomically(dir / "dense_00000.csv", DenseTable(field));
    EXPECT_THROW(ReadDenseTables(dir.path()), datasets::storage::BadContent) << field;
  }
  datasets::storage::WriteFileAtomically(dir / "dense_00000.csv", "file,x0\n");
  EXPECT_THROW(ReadDenseTables(dir.path()), datasets::storage::BadContent);
  EXPECT_THROW(ReadDenseTables(dir / "nothing"), std::runtime_error);
  const tests::TempDir empty;
  EXPECT_THROW(ReadDenseTables(empty.path()), datasets::storage::BadContent);
}

}  // namespace
}  // namespace auforge::annotator
