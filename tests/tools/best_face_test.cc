// The same person in the changed pictures of a photo of several people.
#include "tools/au/best_face.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "datasets/image_codec.h"
#include "datasets/storage/atomic_file.h"

namespace auforge::tools {
namespace {

features::Point2 Centre(const features::Landmarks68& landmarks) {
  features::Point2 centre{0, 0};
  for (const features::Point2& p : landmarks) {
    centre.x += p.x / static_cast<float>(landmarks.size());
    centre.y += p.y / static_cast<float>(landmarks.size());
  }
  return centre;
}

TEST(FaceSeeker, AFaceOfAGroupIsFoundAgainByItsPlace) {
  const char* photos = std::getenv("AUFORGE_PHOTOS");
  if (photos == nullptr) GTEST_SKIP() << "AUFORGE_PHOTOS names no folder of photos; run-tests.sh sets it";
  const std::filesystem::path path = std::filesystem::path(photos) / "2008_002506.jpg";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  const std::string bytes = datasets::storage::ReadFile(path.string());
  const cv::Mat photo =
      datasets::DecodeImage({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, {}).bgr;
  const FaceSeeker seeker;
  const auto faces = seeker.FindInVariants(photo);
  ASSERT_GT(faces.size(), 1U) << "a photo of several people";
  std::size_t again = 0;
  for (const FaceSeeker::FaceVariants& face : faces) {
    ASSERT_EQ(face.size(), 4U);
    const features::Point2 here = Centre(face[0]->in_image);
    const float eyes = std::hypot(face[0]->in_image[45].x - face[0]->in_image[36].x,
                                  face[0]->in_image[45].y - face[0]->in_image[36].y);
    for (std::size_t v = 1; v < face.size(); ++v) {
      if (!face[v]) continue;
      ++again;
      features::Point2 there = Centre(face[v]->in_image);
      if (v == 3) there = {2 * there.x, 2 * there.y};
      if (v == kMirrored) there.x = static_cast<float>(photo.cols) - there.x;
      EXPECT_LT(std::hypot(there.x - here.x, there.y - here.y), eyes / 2) << "variant " << v;
    }
  }
  EXPECT_GE(again, 2 * faces.size()) << "mirrored and compressed, all are still there";
}

}  // namespace
}  // namespace auforge::tools
