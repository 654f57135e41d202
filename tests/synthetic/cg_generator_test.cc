// Made-up people: painted skin, folds, hair, clothes, and whole pictures of them.
#include "datasets/synthetic/cg_generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <thread>

#include "annotator/face_detector.h"
#include "annotator/landmarker.h"
#include "datasets/shard.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/paths.h"
#include "datasets/synthetic/backdrop.h"
#include "datasets/synthetic/expression_mixer.h"
#include "datasets/synthetic/face_factory.h"
#include "datasets/synthetic/internal/identity_cache.h"
#include "features/align.h"
#include "tests/support/temp_dir.h"
#include "tests/synthetic/imported_model.h"

namespace auforge::datasets::synthetic {
namespace {

using testing::HasSubstr;

CgOptions SmallOptions() {
  CgOptions options;
  options.size = 128;
  options.texture_side = 192;
  options.faces_per_identity = 2;
  return options;
}

// Made once; null without a face model.
const CgGenerator* People() {
  static const std::unique_ptr<CgGenerator> generator = []() -> std::unique_ptr<CgGenerator> {
    if (ImportedModel() == nullptr) return nullptr;
    return std::make_unique<CgGenerator>(*ImportedModel(), ImportedRenderer(), SmallOptions());
  }();
  return generator.get();
}

float LidGap(const features::DensePoints& points, std::size_t eye) {
  const features::Point2* at = points.data() + eye * features::kDenseEye;
  float sum = 0;
  for (std::size_t i = 1; i < 8; ++i) sum += features::Distance(at[i], at[16 - i]);
  return sum / 7 / features::Distance(at[0], at[8]);
}

TEST(Cg, DensePointsLieOnLidsAndIrises) {
  AUFORGE_NEEDS_FACE_MODEL();
  Expression open, shut;
  open.left.assign(features::CatalogueSchema().size(), 0.0F);
  open.right = open.left;
  shut = open;
  const std::size_t closing = *features::CatalogueSchema().Find(45);
  shut.left[closing] = shut.right[closing] = 5;
  CgOptions options = SmallOptions();
  options.size = 512;
  const CgGenerator people(*ImportedModel(), ImportedRenderer(), options);
  const SyntheticFace awake = people.Draw(3, -1, open, {}), asleep = people.Draw(3, -1, shut, {});
  const float eyes = features::InterOcularDistance(awake.landmarks);
  for (std::size_t e = 0; e < 2; ++e) {
    EXPECT_GT(LidGap(awake.dense, e), 0.12F);
    EXPECT_LT(LidGap(asleep.dense, e), 0.09F);
    const features::Point2* eye = awake.dense.data() + e * features::kDenseEye;
    for (const auto& [close, landmark] : {std::pair{0, e == 0 ? 36 : 45}, {8, e == 0 ? 39 : 42}})
      EXPECT_LT(features::Distance(eye[close], awake.landmarks[static_cast<std::size_t>(landmark)]), 0.08F * eyes);
    // The iris' rim is darker than the white beside it, towards the nose, where the light reaches.
    const auto grey = [&](std::size_t rim, float reach) {
      const features::Point2 p{eye[16].x + reach * (eye[rim].x - eye[16].x), eye[16].y + reach * (eye[rim].y - eye[16].y)};
      const cv::Vec3b v = awake.image.at<cv::Vec3b>(static_cast<int>(p.y), static_cast<int>(p.x));
      return (v[0] + v[1] + v[2]) / 3;
    };
    EXPECT_LT(grey(19, 0.85F) + 15, grey(19, 1.3F)) << e;
    // Outer, upper, inner, lower, the right eye's outer one on the picture's left.
    EXPECT_EQ(eye[17].x < eye[19].x, e == 0);
    EXPECT_LT(eye[18].y, eye[20].y);
    EXPECT_LT(features::Distance(features::Midpoint(eye[17], eye[19]), eye[16]), 0.02F * eyes);
  }
  EXPECT_LT(awake.dense[42].x, awake.dense[52].x);
  EXPECT_LT(features::Distance(awake.dense[42], awake.landmarks[48]), 1e-3F);
  EXPECT_LT(features::Distance(awake.dense[72], awake.landmarks[64]), 1e-3F);
}

TEST(Cg, EyesLookFartherAsideWhenAsked) {
  AUFORGE_NEEDS_FACE_MODEL();
  CgOptions options = SmallOptions();
  options.degrade = {};
  options.gaze = 4;
  const CgGenerator wild(*ImportedModel(), ImportedRenderer(), options);
  EXPECT_NE(wild.ConfigDigest(), People()->ConfigDigest());
  const auto aside = [](const SyntheticFace& face) {
    const features::Point2 middle = features::Midpoint(face.dense[0], face.dense[8]);
    return features::Distance(face.dense[16], middle) / features::Distance(face.dense[0], face.dense[8]);
  };
  float usual = 0, asked = 0;
  for (std::uint64_t i = 0; i < 12; ++i) usual += aside(People()->Generate(3, i)), asked += aside(wild.Generate(3, i));
  EXPECT_GT(asked, usual);
  options.gaze = 5;
  EXPECT_THROW(CgGenerator(*ImportedModel(), ImportedRenderer(), options), std::invalid_argument);
}

TEST(Cg, APictureDependsOnSeedAndIndexAlone) {
  AUFORGE_NEEDS_FACE_MODEL();
  const SyntheticFace first = People()->Generate(3, 11);
  std::vector<SyntheticFace> again(3);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < again.size(); ++t) {
      threads.emplace_back([&again, t] {
        People()->Generate(3, 40 + t);  // whatever came before on this thread
        again[t] = People()->Generate(3, 11);
      });
    }
  }
  for (const SyntheticFace& face : again) {
    EXPECT_EQ(cv::norm(face.image, first.image, cv::NORM_INF), 0);
    EXPECT_EQ(face.au, first.au);
    EXPECT_EQ(face.landmarks, first.landmarks);
  }
  // Nor on what a generator has in its cache.
  const CgGenerator fresh(*ImportedModel(), ImportedRenderer(), SmallOptions());
  EXPECT_EQ(cv::norm(fresh.Generate(3, 11).image, first.image, cv::NORM_INF), 0);
  EXPECT_EQ(fresh.ConfigDigest(), People()->ConfigDigest());
  EXPECT_GT(cv::norm(People()->Generate(4, 11).image, first.image, cv::NORM_INF), 0);
}

TEST(Cg, TruthIsInRangeAndDirectionsAreWide) {
  AUFORGE_NEEDS_FACE_MODEL();
  CgOptions options = SmallOptions();
  options.turned = 1;
  const CgGenerator generator(*ImportedModel(), ImportedRenderer(), options);
  features::HeadPose least, most;
  for (std::uint64_t i = 0; i < 40; ++i) {
    const SyntheticFace face = generator.Generate(1, i);
    ASSERT_EQ(face.image.type(), CV_8UC3);
    ASSERT_EQ(face.image.rows, 128);
    for (std::size_t j = 0; j < face.au.size(); ++j) {
      EXPECT_TRUE(face.au[j] >= 0 && face.au[j] <= 5);
      EXPECT_FLOAT_EQ(face.au[j], std::max(face.au_left[j], face.au_right[j]));
      EXPECT_TRUE(face.au_visibility[j] >= 0 && face.au_visibility[j] <= 1);
    }
    EXPECT_EQ(face.identity, static_cast<std::int64_t>(i / 2));
    EXPECT_TRUE(face.source_key.empty());
    least = {std::min(least.yaw, face.pose.yaw), std::min(least.pitch, face.pose.pitch),
             std::min(least.roll, face.pose.roll)};
    most = {std::max(most.yaw, face.pose.yaw), std::max(most.pitch, face.pose.pitch),
            std::max(most.roll, face.pose.roll)};
  }
  EXPECT_LT(least.yaw, -40);
  EXPECT_GT(most.yaw, 40);
  EXPECT_LT(least.pitch, -18);
  EXPECT_GT(most.pitch, 18);
  EXPECT_LT(least.roll, -18);
  EXPECT_GT(most.roll, 18);
}

TEST(Cg, MoreIsHiddenTheFartherAHeadTurns) {
  AUFORGE_NEEDS_FACE_MODEL();
  const AuShapes shapes(*ImportedModel());
  float before = 2;
  for (const float yaw : {0.0F, 25.0F, 45.0F, 60.0F}) {
    const float seen = People()->Draw(1, -1, shapes.Single(12, 0), {yaw, 0, 0}).visible_fraction;
    EXPECT_LT(seen, before);
    before = seen;
  }
  EXPECT_GT(People()->Draw(1, -1, shapes.Single(12, 0), {0, 0, 0}).visible_fraction, 0.9F);
}

// Mean change of grey in a box round landmarks begin..end-1.
double Change(const SyntheticFace& a, const SyntheticFace& b, std::size_t begin, std::size_t end) {
  std::vector<cv::Point2f> points;
  for (std::size_t i = begin; i < end; ++i) points.emplace_back(a.landmarks[i].x, a.landmarks[i].y);
  cv::Rect box(points.front(), cv::Size(1, 1));
  for (const cv::Point2f p : points) box |= cv::Rect(p, cv::Size(1, 1));
  box &= cv::Rect(0, 0, a.image.cols, a.image.rows);
  return cv::norm(a.image(box), b.image(box), cv::NORM_L1) / static_cast<double>(box.area());
}

TEST(Cg, ExpressionsChangeTheirPlaceAndAOneSidedOneItsSide) {
  AUFORGE_NEEDS_FACE_MODEL();
  const AuShapes shapes(*ImportedModel());
  for (std::uint64_t person = 0; person < 4; ++person) {
    const SyntheticFace still = People()->Draw(person, -1, shapes.Single(12, 0), {});
    const SyntheticFace smile = People()->Draw(person, -1, shapes.Single(12, 5), {});
    const SyntheticFace blink = People()->Draw(person, -1, shapes.Single(45, 5), {});
    EXPECT_GT(Change(still, smile, 48, 68), 3 * Change(still, smile, 17, 27)) << person;
    EXPECT_GT(Change(still, blink, 36, 48), 4 * Change(still, blink, 48, 68)) << person;
    Expression left = shapes.Single(45, 5);
    std::fill(left.right.begin(), left.right.end(), 0.0F);
    const SyntheticFace wink = People()->Draw(person, -1, left, {});
    // The subject's left eye: landmarks 42 to 47.
    EXPECT_GT(Change(still, wink, 42, 48), 10 * Change(still, wink, 36, 42) + 2) << person;
  }
}

// Brightness (0..255) of closed eyes along the line between the lids as a share of the lid's above it.
double LidLine(const SyntheticFace& face, std::size_t eye, std::size_t brow) {
  cv::Mat grey;
  cv::cvtColor(face.image, grey, cv::COLOR_BGR2GRAY);
  const auto at = [&](features::Point2 p) {
    return static_cast<double>(grey.at<std::uint8_t>(std::clamp(static_cast<int>(p.y), 0, grey.rows - 1),
                                                     std::clamp(static_cast<int>(p.x), 0, grey.cols - 1)));
  };
  const features::Landmarks68& p = face.landmarks;
  const features::Point2 lower = features::Midpoint(p[eye + 4], p[eye + 5]);
  const features::Point2 middle = features::Midpoint(p[eye], p[eye + 3]);
  double line = 0, lid = 0;
  for (float t = -0.6F; t < 0.61F; t += 0.2F) {
    const features::Point2 on{middle.x + t * (p[eye + 3].x - middle.x) + (1 - t * t) * (lower.x - middle.x),
                              middle.y + t * (p[eye + 3].y - middle.y) + (1 - t * t) * (lower.y - middle.y)};
    double darkest = 255;
    for (float y = -2; y <= 2; ++y) darkest = std::min(darkest, at({on.x, on.y + y}));
    line += darkest;
    lid += at({on.x + 0.35F * (p[brow].x - lower.x), on.y + 0.35F * (p[brow].y - lower.y)});
  }
  return line / lid;
}

TEST(Cg, ClosedLidsShowALineOfLashes) {
  AUFORGE_NEEDS_FACE_MODEL();
  CgOptions options = SmallOptions();
  options.size = 256;
  const CgGenerator people(*ImportedModel(), ImportedRenderer(), options);
  const AuShapes shapes(*ImportedModel());
  for (std::uint64_t person = 0; person < 6; ++person) {
    const SyntheticFace blink = people.Draw(person, -1, shapes.Single(45, 5), {});
    EXPECT_LT(LidLine(blink, 36, 19), 0.6) << person;
    EXPECT_LT(LidLine(blink, 42, 24), 0.6) << person;
  }
}

TEST(Cg, SkinsAreAsDarkAsTheirMelanin) {
  AUFORGE_NEEDS_FACE_MODEL();
  const SkinPainter painter(*ImportedModel(), 128, 64);
  Random random(5, 5);
  Person person = SamplePerson(*ImportedModel(), random);
  double before = 256;
  for (const float melanin : {0.15F, 0.5F, 1.0F, 1.8F, 2.3F}) {
    person.melanin = melanin;
    const SkinTextures skin = painter.Paint(person);
    const cv::Scalar mean = cv::mean(skin.face);
    EXPECT_LT(mean[1], before);
    EXPECT_GT(mean[2], mean[0]) << "redder than blue";
    before = mean[1];
  }
}

TEST(Cg, NamesBadOptions) {
  CgOptions options;
  options.yaw_limit = 120;
  EXPECT_THROW(options.Validate(), std::invalid_argument);
  options = {};
  options.size = 12;
  try {
    options.Validate();
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("cg.size = 12"));
  }
}

TEST(Cg, TheFactoryMakesTheSameBytesWithAnyNumberOfThreads) {
  AUFORGE_NEEDS_FACE_MODEL();
  setenv("SOURCE_DATE_EPOCH", "1", 1);
  const tests::TempDir dir;
  FactoryOptions one;
  one.output = dir / "one";
  one.count = one.shard_size = 8;
  FactoryOptions three = one;
  three.output = dir / "three";
  three.jobs = 3;
  MakeFaces(*People(), one, {}, {});
  MakeFaces(*People(), three, {}, {});
  EXPECT_EQ(storage::ReadFile(dir / "one/00000.h5"), storage::ReadFile(dir / "three/00000.h5"));
  EXPECT_TRUE(VerifyShard(dir / "one/00000.h5").empty());
  const ShardReader shard(dir / "one/00000.h5");
  EXPECT_EQ(shard.ExtraText("/synthetic/method")->values.front(), "cg");
  EXPECT_EQ(shard.Extra("/synthetic/picture_pose")->values.size(), 3 * shard.SampleCount());
  unsetenv("SOURCE_DATE_EPOCH");
}

TEST(Cg, TheDetectorFindsFrontalPeopleAndItsLandmarksAreNear) {
  AUFORGE_NEEDS_FACE_MODEL();
  CgOptions options;
  options.faces_per_identity = 1;
  options.turned = 0;
  options.occluders.rate = 0;
  options.degrade = {0, 0, 0, 0, 0, 0, 0, 0};
  const CgGenerator generator(*ImportedModel(), ImportedRenderer(), options);
  const auto detector = annotator::MakeHogDetector({});
  const annotator::Landmarker landmarker;
  int frontal = 0, found = 0;
  std::vector<float> distances;
  for (std::uint64_t i = 0; i < 300; ++i) {
    const SyntheticFace face = generator.Generate(23, i);
    if (std::abs(face.pose.yaw) >= 30) continue;
    ++frontal;
    const auto detections = detector->Detect(face.image);
    if (detections.empty()) continue;
    ++found;
    const features::Landmarks68 landmarks = landmarker.Find(face.image, detections.front().box);
    for (std::size_t k = 0; k < landmarks.size(); ++k)
      distances.push_back(features::Distance(landmarks[k], face.landmarks[k]));
  }
  EXPECT_GE(found, 0.97 * frontal) << found << " of " << frontal;
  std::nth_element(distances.begin(), distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2),
                   distances.end());
  EXPECT_LE(distances[distances.size() / 2], 1.85F) << "pixels of 256; all 68 landmarks";
}

// Faces that lean and turn, with things in front and as cameras spoil them.
TEST(Cg, TheNetFindsPeopleWhereverTheyLookAndNobodyBesides) {
  AUFORGE_NEEDS_FACE_MODEL();
  CgOptions options;
  options.faces_per_identity = 1;
  options.turned = 0.5F;
  const CgGenerator generator(*ImportedModel(), ImportedRenderer(), options);
  const auto detector = annotator::MakeDetector({.name = "auforge"});
  int found = 0, besides = 0;
  constexpr int kPictures = 60;
  for (std::uint64_t i = 0; i < kPictures; ++i) {
    const SyntheticFace face = generator.Generate(31, i);
    const features::Box there = annotator::BoxAround(face.landmarks);
    const auto detections = annotator::DetectFaces(*detector, face.image, 60);
    const auto hits = std::count_if(detections.begin(), detections.end(), [&](const features::Detection& d) {
      return features::Overlap(d.box, there) > 0.5F;
    });
    found += hits > 0 ? 1 : 0;
    besides += static_cast<int>(detections.size()) - (hits > 0 ? 1 : 0);
  }
  EXPECT_GE(found, 55) << "of " << kPictures;
  EXPECT_LE(besides, 1);
}

TEST(WrinkleMaps, FoldsAppearWithTheirAuOnItsSide) {
  AUFORGE_NEEDS_FACE_MODEL();
  const FaceAtlas atlas(*ImportedModel(), 192, 64);
  const WrinkleMaps wrinkles(*ImportedModel(), atlas);
  const AuShapes shapes(*ImportedModel());
  const auto texels = [&](const Expression& expression, bool left) {
    cv::Mat relief = wrinkles.Smooth();
    wrinkles.Add({.rest = 0, .expression = 1, .variant = 1}, expression, relief);
    // On the texture the subject's left half is on the right.
    const cv::Mat half = relief.colRange(left ? 104 : 0, left ? 192 : 88),
                  plain = wrinkles.Smooth().colRange(0, half.cols);
    return cv::norm(half, plain, cv::NORM_L1);
  };
  EXPECT_EQ(texels(shapes.Single(4, 0), true), 0) << "no AU, no fold";
  for (const int au : {1, 2, 4, 6, 9, 10, 12, 17}) {
    EXPECT_GT(texels(shapes.Single(au, 5), true), 1.2 * texels(shapes.Single(au, 2), true))
        << "AU" << au << ": deeper with intensity";
    if (au == 17) continue;  // has no sides
    Expression one = shapes.Single(au, 5);
    std::fill(one.right.begin(), one.right.end(), 0.0F);
    EXPECT_GT(texels(one, true), 0) << "AU" << au;
    EXPECT_EQ(texels(one, false), 0) << "AU" << au;
  }
}

TEST(HairSalon, HairLeavesTheFaceFree) {
  AUFORGE_NEEDS_FACE_MODEL();
  const FaceModel& model = *ImportedModel();
  const HairSalon salon(model);
  for (int i = 0; i < 40; ++i) {
    Random random(6, static_cast<std::uint64_t>(i));
    Person person = SamplePerson(model, random);
    person.beard = BeardStyle::kNone;
    const std::vector<float> still(model.expressions.size(), 0.0F);
    const std::vector<Vec3> neutral = model.Evaluate(person.identity, still);
    for (const AttachedMesh& hair : salon.Dress(person, neutral)) {
      ASSERT_EQ(hair.anchor.size(), hair.mesh.positions.size());
      ASSERT_EQ(hair.mesh.texcoords.size(), hair.mesh.positions.size());
      for (const Vec3 p : hair.mesh.positions) {
        ASSERT_TRUE(std::isfinite(p.x) && std::isfinite(p.y) && std::isfinite(p.z));
        EXPECT_FALSE(std::abs(p.x) < 3.5F && p.y < 4 && p.y > -6 && p.z > 7) << "over eyes, nose or mouth";
      }
    }
    person.hair = HairStyle::kBald;
    EXPECT_TRUE(salon.Dress(person, neutral).empty());
  }
}

TEST(ExpressionMixer, AddsWhatTheModelAdds) {
  AUFORGE_NEEDS_FACE_MODEL();
  const FaceModel& model = *ImportedModel();
  const ExpressionMixer mixer(model);
  std::vector<float> weights(model.expressions.size());
  Random random(7, 7);
  for (float& w : weights) w = random.Chance(0.5F) ? random.Uniform() : 0;
  std::vector<Vec3> shape = model.neutral;
  mixer.Add(weights, shape);
  const std::vector<Vec3> expected = model.Evaluate({}, weights);
  for (std::size_t v = 0; v < shape.size(); ++v) ASSERT_LT(Length(shape[v] - expected[v]), 1e-4F) << v;
  weights.pop_back();
  EXPECT_THROW(mixer.Add(weights, shape), std::invalid_argument);
}

// Three expressions of each scene.
std::unique_ptr<CgGenerator> Scenes(CgOptions options = SmallOptions()) {
  options.expressions = 3;
  return std::make_unique<CgGenerator>(*ImportedModel(), ImportedRenderer(), options);
}

TEST(Cg, PicturesOfASceneDifferInTheFaceAlone) {
  AUFORGE_NEEDS_FACE_MODEL();
  CgOptions options = SmallOptions();
  options.degrade.jpeg = 0;  // whose blocks carry a change further
  options.degrade.small = 0;
  const auto generator = Scenes(options);
  int changed = 0;
  for (std::uint64_t scene = 0; scene < 8; ++scene) {
    const SyntheticFace first = generator->Generate(5, 3 * scene);
    EXPECT_EQ(first.au_left, first.au_right) << "what a generator is told has no sides";
    for (std::uint64_t e = 1; e < 3; ++e) {
      const SyntheticFace other = generator->Generate(5, 3 * scene + e);
      EXPECT_EQ(other.identity, first.identity);
      EXPECT_EQ(other.light, first.light);
      EXPECT_EQ(other.occluders, first.occluders);
      EXPECT_EQ(other.pose.yaw, first.pose.yaw);
      changed += other.au != first.au ? 1 : 0;
      // Background, grain and camera are the same: what lies beside the head is, to the bit.
      int same = 0;
      for (const cv::Rect corner : {cv::Rect(0, 0, 12, 12), cv::Rect(116, 0, 12, 12), cv::Rect(0, 40, 6, 20), cv::Rect(122, 40, 6, 20)})
        same += cv::norm(other.image(corner), first.image(corner), cv::NORM_INF) == 0 ? 1 : 0;
      EXPECT_GE(same, 3) << "scene " << scene;
    }
  }
  EXPECT_GE(changed, 12) << "of 16";
}

TEST(FaceFactory, ScenesBecomePairsThatAreCutOutAlike) {
  AUFORGE_NEEDS_FACE_MODEL();
  setenv("SOURCE_DATE_EPOCH", "1", 1);
  const tests::TempDir dir;
  const auto generator = Scenes();
  FactoryOptions one;
  one.output = dir / "one";
  one.count = 6;
  one.shard_size = 4;
  one.images = dir / "images";
  FactoryOptions three = one, stopped = one;
  three.output = dir / "three";
  three.jobs = 3;
  stopped.output = dir / "stopped";
  const FactorySummary summary = MakeFaces(*generator, one, {}, {});
  EXPECT_EQ(summary.pictures, 18U);
  MakeFaces(*generator, three, {}, {});
  int polls = 0;
  EXPECT_TRUE(MakeFaces(*generator, stopped, {}, [&polls] { return ++polls >= 5; }).stopped);
  // What killed runs leave goes with the shard that it should have become.
  for (const char* name : {"/00000.h5.tmp.2147483000.0", "/00001.h5.tmp.2147483000.0", "/00009.h5.tmp.2147483000.0"})
    storage::WriteFileAtomically(stopped.output + name, "half");
  EXPECT_EQ(MakeFaces(*generator, stopped, {}, {}).shards_skipped, 1U);
  EXPECT_FALSE(storage::IsThere(stopped.output + "/00000.h5.tmp.2147483000.0"));
  EXPECT_FALSE(storage::IsThere(stopped.output + "/00001.h5.tmp.2147483000.0"));
  EXPECT_TRUE(storage::IsThere(stopped.output + "/00009.h5.tmp.2147483000.0"));
  for (const int number : {0, 1}) {
    const std::string name = "/" + ShardFileName(number);
    EXPECT_TRUE(VerifyShard(one.output + name).empty());
    EXPECT_EQ(storage::ReadFile(one.output + name), storage::ReadFile(three.output + name));
    EXPECT_EQ(storage::ReadFile(one.output + name), storage::ReadFile(stopped.output + name));
    const ShardReader shard(one.output + name);
    EXPECT_EQ(shard.SampleCount(), number == 0 ? 12U : 6U);
    const auto index = shard.Extra("/synthetic/index"), pair = shard.Extra("/synthetic/pair");
    ASSERT_TRUE(pair);
    for (std::size_t i = 0; i < shard.FaceCount(); ++i) {
      if (pair->values[i] < 0) continue;
      EXPECT_EQ(pair->values[i], std::floor(index->values[i] / 3));
    }
  }
  EXPECT_THAT(storage::ReadFile(dir / "images/labels_00001.csv"), HasSubstr("file,identity,scene,AU1"));
  EXPECT_THAT(storage::ReadFile(dir / "images/labels_00001.csv"), HasSubstr("cg-1-00000005-2.jpg,2,5,"));
  FactoryOptions other = one;
  EXPECT_THROW(MakeFaces(*People(), other, {}, {}), FactoryMismatch) << "one picture a scene is another set";
  for (const char* end : {".h5", "_stats.json"}) {
    std::filesystem::rename(other.output + "/00001" + end, other.output + "/00005" + end);
    std::filesystem::remove(other.output + "/00000" + end);
  }
  EXPECT_THROW(MakeFaces(*People(), other, {}, {}), FactoryMismatch) << "under whatever number";
  unsetenv("SOURCE_DATE_EPOCH");
}

}  // namespace
}  // namespace auforge::datasets::synthetic
