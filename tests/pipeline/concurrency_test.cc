// What threads of a run share, by std::jthread instead of TBB, so that the thread sanitizer sees all of it:
// one landmarker, extractor, model, stop request and large-image lock, an examiner for each thread, one feed
// behind a mutex.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <mutex>
#include <thread>

#include "annotator/au_model.h"
#include "datasets/shard.h"
#include "datasets/storage/checksum.h"
#include "pipeline/examine.h"
#include "pipeline/feed.h"
#include "tests/support/faces.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::pipeline {
namespace {

// By key: what became of the image, with the bytes of its faces.
using Outcomes = std::map<std::string, std::string>;

std::string Describe(const ExaminedImage& image) {
  std::string text = std::string(datasets::OutcomeName(image.sample.status)) +
                     datasets::storage::HexDigest(image.sample.sha256);
  for (const datasets::FaceRecord& face : image.faces) {
    text += datasets::storage::HexDigest(datasets::storage::Sha256(face.image));
    for (const float intensity : face.aus.intensity) text += std::to_string(intensity);
  }
  return text;
}

class Concurrency : public ::testing::Test {
 protected:
  void SetUp() override {
    std::vector<tests::TarMember> members;
    for (std::uint64_t i = 0; i < 24; ++i) {
      const auto jpeg = datasets::EncodeJpeg(tests::Texture(120, 100, 3, i), 90);
      members.push_back({"t" + std::to_string(i) + ".jpg", std::string(jpeg.begin(), jpeg.end())});
      members.push_back({"r" + std::to_string(i) + ".jpg", "rubbish"});
    }
    // Real faces where there are photos; without them the threads still share everything else.
    if (const char* folder = std::getenv("AUFORGE_PHOTOS")) {
      for (const char* name : {"2008_001009.jpg", "2008_002506.jpg", "2009_004587.jpg"}) {
        members.push_back({name, tests::ReadText(std::string(folder) + "/" + name)});
      }
    }
    tests::WriteTar(dir_ / "a.tar", members);
    images_ = members.size();
  }

  Outcomes Examine(int threads, StopRequest& stop) {
    AnnotateOptions options;
    options.inputs = {dir_ / "a.tar"};
    const auto source = datasets::ImageSource::Plan(options.inputs, {});
    Feed feed(source, {&source.Shards()[0]}, {.group_images = 4, .skip_duplicates = false, .finished = {}},
              stop);
    ExamineShared shared{options, landmarker_, nullptr, extractor_, model_, {}};
    std::mutex mutex;
    Outcomes outcomes;
    {
      std::vector<std::jthread> workers;
      for (int t = 0; t < threads; ++t) {
        workers.emplace_back([&] {
          Examiner examiner(shared);
          for (;;) {
            std::unique_ptr<Group> group;
            {
              const std::lock_guard lock(mutex);
              group = feed.Next();
            }
            if (!group) return;
            const auto examined = examiner.Examine(std::move(group), stop);
            const std::lock_guard lock(mutex);
            for (const ExaminedImage& image : examined->images) outcomes[image.sample.key] = Describe(image);
          }
        });
      }
    }
    return outcomes;
  }

  tests::TempDir dir_;
  std::size_t images_ = 0;
  annotator::Landmarker landmarker_;
  annotator::AuModel model_ = annotator::AuModel::Load(annotator::DefaultAuModelPath());
  features::FeatureExtractor extractor_{model_.info().features};
};

TEST_F(Concurrency, ManyThreadsFindWhatOneFinds) {
  StopRequest stop(nullptr);
  const Outcomes alone = Examine(1, stop);
  EXPECT_EQ(alone.size(), images_);
  EXPECT_EQ(Examine(4, stop), alone);
}

TEST_F(Concurrency, AStopIsSeenByAllThreads) {
  std::atomic<int> asked{0};
  StopRequest stop([&asked] { return ++asked > 20; });
  EXPECT_LT(Examine(4, stop).size(), images_);
  EXPECT_TRUE(stop());
}

TEST_F(Concurrency, AShardIsReadByManyThreads) {
  datasets::ShardHeader header;
  header.schema = features::AuSchema::FromNames({"AU12"});
  datasets::ShardWriter writer(dir_ / "out", 0, header);
  for (int i = 0; i < 50; ++i) {
    datasets::SampleRecord sample;
    sample.key = std::to_string(i);
    datasets::FaceRecord face;
    face.sample = writer.AddSample(sample);
    face.image.assign(100, static_cast<std::uint8_t>(i));
    face.aus.intensity = {2};
    face.aus.probability = {0.5F};
    face.aus.present = {1};
    writer.AddFace(face);
  }
  writer.Finish();
  const datasets::ShardReader shard(dir_ / "out/00000.h5");
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> readers;
    for (int t = 0; t < 4; ++t) {
      readers.emplace_back([&] {
        for (std::size_t i = 0; i < 50; ++i)
          wrong += shard.FaceImage(i)[0] != i || shard.Face(i).aus.present[0] != 1;
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace auforge::pipeline
