// dlib's example photos, end to end, against the boxes and landmarks that come with them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "datasets/shard.h"
#include "datasets/storage/atomic_file.h"
#include "pipeline/annotate.h"
#include "tests/support/temp_dir.h"

namespace auforge::pipeline {
namespace {

struct AnnotatedFace {
  features::Box box;
  features::Landmarks68 landmarks;
};
using Truth = std::map<std::string, std::vector<AnnotatedFace>>;  // by file name

float Number(const std::string& tag, const std::string& name) {
  std::smatch match;
  const std::regex pattern("\\b" + name + "='(-?[0-9]+)'");
  return std::regex_search(tag, match, pattern) ? std::stof(match[1]) : -1;
}

void ReadTruth(const std::string& path, Truth& truth) {
  const std::string xml = datasets::storage::ReadFile(path);
  std::string image;
  const std::regex tag("<(image|box|part) ([^>]*)>");
  for (std::sregex_iterator it(xml.begin(), xml.end(), tag), end; it != end; ++it) {
    const std::string kind = (*it)[1], attributes = (*it)[2];
    if (kind == "image") {
      const std::size_t begin = attributes.find("file='") + 6;
      image = attributes.substr(begin, attributes.find('\'', begin) - begin);
    } else if (kind == "box") {
      truth[image].push_back({{Number(attributes, "left"), Number(attributes, "top"),
                               Number(attributes, "width"), Number(attributes, "height")},
                              {}});
    } else {
      // Whole pixels, whose centres the file calls whole numbers.
      truth[image].back().landmarks.at(static_cast<std::size_t>(Number(attributes, "name"))) = {
          Number(attributes, "x") + 0.5F, Number(attributes, "y") + 0.5F};
    }
  }
}

// The boxes of dlib's detector come in steps of 1.2 in size, and neighbouring steps may win: the same face is the
// same centre.
bool SameFace(const features::Box& a, const features::Box& b) {
  const float dx = a.x + a.width / 2 - b.x - b.width / 2, dy = a.y + a.height / 2 - b.y - b.height / 2;
  return std::hypot(dx, dy) < 0.25F * a.width && b.width < 1.5F * a.width && a.width < 1.5F * b.width;
}

// No dog is a face, and at most so many annotated faces are none.
void ExpectAnnotatedFaces(const std::string& folder, const std::string& detector, std::size_t most_missing) {
  Truth truth;
  for (const char* part : {"training", "testing"}) {
    ReadTruth(folder + "/" + part + "_with_face_landmarks.xml", truth);
  }
  std::size_t annotated = 0;
  for (const auto& [image, faces] : truth) annotated += faces.size();
  ASSERT_EQ(truth.size(), 9U);
  ASSERT_EQ(annotated, 43U);

  const tests::TempDir dir;
  AnnotateOptions options;
  options.inputs = {folder};
  options.output = dir / "out";
  options.detector = detector;
  options.min_face = 40;
  options.jobs = 2;
  const AnnotateSummary summary = Annotate(options, {}, {});
  EXPECT_EQ(summary.images, 12U);
  const datasets::ShardReader shard(dir / "out/00000.h5");

  std::map<std::string, std::vector<std::size_t>> found;  // faces by file name
  for (std::size_t i = 0; i < shard.FaceCount(); ++i) {
    const std::string& key = shard.Sample(static_cast<std::size_t>(shard.FaceSample()[i])).key;
    found[std::filesystem::path(key).stem().string()].push_back(i);
  }
  EXPECT_EQ(found.count("dogs"), 0U);
  std::size_t missing = 0;
  std::string which;
  for (const auto& [image, faces] : truth) {
    const auto& candidates = found[std::filesystem::path(image).stem().string()];
    for (const AnnotatedFace& face : faces) {
      const auto match = std::find_if(candidates.begin(), candidates.end(),
                                      [&](std::size_t i) { return SameFace(face.box, shard.FaceBox(i)); });
      if (match == candidates.end()) {
        ++missing;
        which += image + ": the face at " + std::to_string(face.box.x) + "," + std::to_string(face.box.y) + "\n";
        continue;
      }
      // The file's landmarks come from the same weights in another box: close, in shares of the face.
      const features::Landmarks68 found_landmarks = shard.Landmarks(*match);
      float sum = 0;
      for (std::size_t k = 0; k < features::kLandmarkCount; ++k) {
        sum += features::Distance(face.landmarks[k], found_landmarks[k]);
      }
      EXPECT_LT(sum / features::kLandmarkCount, 0.06F * face.box.width) << image;
    }
  }
  EXPECT_LE(missing, most_missing) << which;
}

TEST(ExamplePhotos, EveryAnnotatedFaceIsFoundAndNoDogIs) {
  const char* folder = std::getenv("AUFORGE_PHOTOS");
  if (folder == nullptr) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of photos; run-tests.sh sets it";
  ExpectAnnotatedFaces(folder, "hog", 0);
}

// The annotated faces are those that dlib's detector finds. Of the three that ours misses one scores .3, and the landmarker does not
// agree with two that score below .8; two are smaller than the 40 pixels asked for.
TEST(ExamplePhotos, OurDetectorFindsNearlyEveryAnnotatedFaceAndNoDog) {
  const char* folder = std::getenv("AUFORGE_PHOTOS");
  if (folder == nullptr) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of photos; run-tests.sh sets it";
  ExpectAnnotatedFaces(folder, annotator::kDefaultDetector, 3);
}

}  // namespace
}  // namespace auforge::pipeline
