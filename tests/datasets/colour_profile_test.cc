// Profiles of colours: those of photos stay with them.
#include "datasets/colour_profile.h"

#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>
#include <string>

#include "datasets/image_codec.h"
#include "datasets/picture_file.h"
#include "datasets/storage/atomic_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::datasets {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes Profile(std::size_t size, const std::string& space = "RGB ") {
  Bytes profile(size);
  for (std::size_t i = 0; i < size; ++i) profile[i] = static_cast<std::uint8_t>(i * i / 7);
  for (std::size_t i = 0; i < 4; ++i) profile[i] = static_cast<std::uint8_t>(size >> (24 - 8 * i));
  std::copy(space.begin(), space.end(), profile.begin() + 16);
  std::copy_n("acsp", 4, profile.begin() + 36);
  return profile;
}

cv::Mat Picture() {
  cv::Mat picture(20, 30, CV_8UC3, {200, 30, 90});
  picture.at<cv::Vec3b>(3, 4) = {1, 2, 3};
  return picture;
}

Bytes Encoded(const char* format) {
  Bytes bytes;
  cv::imencode(format, Picture(), bytes);
  return bytes;
}

TEST(ColourProfile, IsFoundAgainInWhatItWasPutInto) {
  for (const char* format : {".jpg", ".png"}) {
    const Bytes plain = Encoded(format);
    EXPECT_EQ(ColourProfileOf(plain), Bytes{});
    EXPECT_EQ(WithColourProfile(plain, {}), plain);
    for (const std::size_t size : {128U, 3144U, 200'000U}) {  // the last takes several of JPEG's segments
      const Bytes with = WithColourProfile(plain, Profile(size));
      EXPECT_EQ(ColourProfileOf(with), Profile(size)) << format << " " << size;
      EXPECT_EQ(cv::norm(cv::imdecode(plain, cv::IMREAD_COLOR), cv::imdecode(with, cv::IMREAD_COLOR), cv::NORM_INF), 0) << "the pixels are the same";
      EXPECT_EQ(DecodeImage(with, {}).status, Outcome::kOk);
    }
  }
  EXPECT_EQ(WithColourProfile(Encoded(".bmp"), Profile(128)), Encoded(".bmp"));
}

TEST(ColourProfile, OfOtherThanRgbOrDamagedIsNone) {
  for (const char* format : {".jpg", ".png"}) {
    for (const char* space : {"CMYK", "GRAY"}) EXPECT_EQ(ColourProfileOf(WithColourProfile(Encoded(format), Profile(500, space))), Bytes{});
    const Bytes with = WithColourProfile(Encoded(format), Profile(70'000));
    for (std::size_t size = 0; size < with.size(); size += 1 + size / 50) {
      const Bytes found = ColourProfileOf(std::span(with).first(size));
      EXPECT_TRUE(found.empty() || found == Profile(70'000)) << size;
    }
  }
}

TEST(ColourProfile, IsWrittenWithThePicture) {
  const tests::TempDir dir;
  for (const char* name : {"a.jpg", "a.png", "a.webp"}) {
    WritePicture(dir / name, Picture(), Profile(600));
    const std::string text = storage::ReadFile(dir / name);
    const Bytes bytes(text.begin(), text.end());
    EXPECT_EQ(ColourProfileOf(bytes), std::string(name) == "a.webp" ? Bytes{} : Profile(600)) << name;
  }
}

}  // namespace
}  // namespace auforge::datasets
