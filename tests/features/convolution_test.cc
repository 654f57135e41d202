#include "features/internal/convolution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <opencv2/core.hpp>

namespace auforge::features::internal {
namespace {

constexpr float kUntouched = 77;

// Every byte there is, 32 x 8 pixels; in colour all three channels differ.
cv::Mat AllBytes(int channels) {
  cv::Mat picture(8, 32, CV_8UC(channels));
  for (int i = 0; i < 256 * channels; ++i)
    picture.ptr<std::uint8_t>(i / (32 * channels))[i % (32 * channels)] =
        static_cast<std::uint8_t>(i + i / 256);
  return picture;
}

float ByDivision(std::uint8_t byte) { return (static_cast<float>(byte) / 255 - 0.5F) / 0.25F; }

TEST(Normalise, RoundsEveryByteAsADivisionDoes) {
  const MapShape shape{32, 8, kPictureChannels};
  for (const int channels : {1, 3}) {
    const cv::Mat picture = AllBytes(channels);
    std::vector<float> map(shape.Size(), kUntouched);
    Normalise(picture, shape, map.data());
    for (int y = 0; y < shape.height; ++y) {
      for (int i = 0; i < 3 * shape.width; ++i) {
        const std::uint8_t byte = picture.ptr<std::uint8_t>(y)[channels == 3 ? i : i / 3];
        ASSERT_EQ(map[shape.At(0, y) + static_cast<std::size_t>(i)], ByDivision(byte)) << int{byte};
      }
    }
    EXPECT_EQ(std::count(map.begin(), map.end(), kUntouched), 3 * 2 * (34 + 8)) << "the border is touched";
  }
}

TEST(Normalise, AMirroredPictureIsTheMapFlipped) {
  for (const int width : {1, 2, 31}) {
    const MapShape shape{width, 5, kPictureChannels};
    std::vector<float> map(shape.Size()), mirrored(shape.Size(), kUntouched);
    for (std::size_t i = 0; i < map.size(); ++i) map[i] = static_cast<float>(i);
    MirrorPicture(shape, map.data(), mirrored.data());
    for (int y = -1; y <= shape.height; ++y) {
      for (int x = -1; x <= width; ++x) {
        const bool inside = y >= 0 && y < shape.height && x >= 0 && x < width;
        for (std::size_t c = 0; c < kPictureChannels; ++c) {
          const float wanted = inside ? map[shape.At(width - 1 - x, y) + c] : kUntouched;
          ASSERT_EQ(mirrored[shape.At(x, y) + c], wanted) << width << ": " << x << ", " << y;
        }
      }
    }
  }
}

}  // namespace
}  // namespace auforge::features::internal
