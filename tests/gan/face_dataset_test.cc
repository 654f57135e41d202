// The order in which faces are shown, and the parts that processes take of a batch.
#include "gan/face_dataset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "tests/gan/faces.h"
#include "tests/support/temp_dir.h"

namespace auforge::gan {
namespace {

using tests::WriteFaces;

TEST(BatchLoader, ShowsEveryFaceOnceAnEpochAndDependsOnItsPlaceAlone) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  const FaceDataset data({dir / "shards"}, {.image_size = 32});
  BatchLoader forwards(data, {.batch = 4, .seed = 3, .flip = false, .jobs = 2});
  BatchLoader jumping(data, {.batch = 4, .seed = 3, .flip = false, .jobs = 1});
  ASSERT_EQ(forwards.BatchesPerEpoch(), 3);
  std::vector<std::vector<float>> seen;
  for (std::int64_t i = 0; i < 3; ++i) {
    const HostBatch batch = forwards.Get(1, i);
    for (std::size_t k = 0; k < 4; ++k) {
      seen.emplace_back(batch.image.begin() + static_cast<std::ptrdiff_t>(k * data.ImageValues()),
                        batch.image.begin() + static_cast<std::ptrdiff_t>((k + 1) * data.ImageValues()));
    }
    for (const float v : batch.target) EXPECT_TRUE(v >= 0 && v <= 1);
  }
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(std::unique(seen.begin(), seen.end()), seen.end()) << "a face came twice";
  EXPECT_EQ(jumping.Get(1, 2).image, forwards.Get(1, 2).image);
  EXPECT_NE(jumping.Get(2, 2).image, forwards.Get(1, 2).image);
}

TEST(BatchLoader, PartsOfProcessesMakeTheWholeBatch) {
  const tests::TempDir dir;
  WriteFaces(dir / "shards", 12);
  const FaceDataset data({dir / "shards"}, {.image_size = 32});
  BatchLoader whole(data, {.batch = 4, .seed = 3, .jobs = 1});
  const HostBatch all = whole.Get(0, 1);
  HostBatch joined;
  for (const int part : {0, 1}) {
    BatchLoader loader(data, {.batch = 4, .part = part, .parts = 2, .seed = 3, .jobs = 1});
    const HostBatch half = loader.Get(0, 1);
    EXPECT_EQ(half.size, 2);
    joined.image.insert(joined.image.end(), half.image.begin(), half.image.end());
    joined.aus.insert(joined.aus.end(), half.aus.begin(), half.aus.end());
    joined.target.insert(joined.target.end(), half.target.begin(), half.target.end());
    joined.alpha.insert(joined.alpha.end(), half.alpha.begin(), half.alpha.end());
  }
  EXPECT_EQ(joined.image, all.image);
  EXPECT_EQ(joined.aus, all.aus);
  EXPECT_EQ(joined.target, all.target);
  EXPECT_EQ(joined.alpha, all.alpha);
  EXPECT_THROW(BatchLoader(data, {.batch = 4, .parts = 3}), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::gan
