#include "datasets/image_codec.h"

#include <gtest/gtest.h>
#include <turbojpeg.h>

#include <map>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "tests/support/faces.h"
#include "tests/support/picture_files.h"

namespace auforge::datasets {
namespace {

using Bytes = std::vector<std::uint8_t>;

// A picture whose four corners differ, so that a turn shows.
cv::Mat Corners() {
  cv::Mat picture(40, 60, CV_8UC3, cv::Scalar(128, 128, 128));
  picture(cv::Rect(0, 0, 20, 20)).setTo(cv::Scalar(0, 0, 255));
  picture(cv::Rect(40, 0, 20, 20)).setTo(cv::Scalar(0, 255, 0));
  picture(cv::Rect(0, 20, 20, 20)).setTo(cv::Scalar(255, 0, 0));
  return picture;
}

Bytes Encode(const cv::Mat& picture, const char* ending) {
  Bytes bytes;
  cv::imencode(ending, picture, bytes);
  return bytes;
}

// Puts an EXIF block with this orientation behind the JPEG's first marker.
Bytes WithOrientation(const Bytes& jpeg, int orientation) {
  Bytes exif{0xFF, 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0,
             static_cast<std::uint8_t>(orientation), 0, 0, 0, 0, 0, 0, 0};
  Bytes out{jpeg[0], jpeg[1]};
  for (const std::uint8_t byte : exif) out.push_back(byte);
  for (std::size_t i = 2; i < jpeg.size(); ++i) out.push_back(jpeg[i]);
  return out;
}

double Difference(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() ? cv::norm(a, b, cv::NORM_L1) / static_cast<double>(a.total() * 3) : 1e9;
}

TEST(DecodeImage, ReadsEveryFormatByItsContent) {
  const cv::Mat picture = Corners();
  for (const char* ending : {".jpg", ".png", ".webp", ".bmp", ".tif"}) {
    const DecodedImage image = DecodeImage(Encode(picture, ending), {});
    ASSERT_EQ(image.status, Outcome::kOk) << ending << ": " << image.message;
    EXPECT_LT(Difference(image.bgr, picture), 4) << ending;
    EXPECT_EQ(image.width, 60) << ending;
    EXPECT_EQ(image.height, 40) << ending;
  }
}

TEST(DecodeImage, ReadsGifsFirstFrame) {
  // 2 x 2, four colours, uncompressed codes; then a second frame that must not matter.
  const Bytes gif{'G', 'I', 'F', '8', '9', 'a', 2, 0, 2, 0, 0x91, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255,
                  0x2C, 0, 0, 0, 0, 2, 0, 2, 0, 0, 2, 3, 0x44, 0x34, 0x05, 0, 0x3B};
  const DecodedImage image = DecodeImage(gif, {.min_side = 1});
  ASSERT_EQ(image.status, Outcome::kOk) << image.message;
  EXPECT_EQ(image.bgr.at<cv::Vec3b>(0, 0), cv::Vec3b(0, 0, 255));
  EXPECT_EQ(image.bgr.at<cv::Vec3b>(0, 1), cv::Vec3b(0, 255, 0));
}

TEST(DecodeImage, TurnsByExifOrientation) {
  const cv::Mat picture = Corners();
  Bytes jpeg = EncodeJpeg(picture, 95);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const DecodedImage image = DecodeImage(WithOrientation(jpeg, orientation), {});
    ASSERT_EQ(image.status, Outcome::kOk) << image.message;
    // How a viewer shows each orientation, by OpenCV's own reader.
    const cv::Mat expected = cv::imdecode(WithOrientation(jpeg, orientation), cv::IMREAD_COLOR);
    EXPECT_LT(Difference(image.bgr, expected), 2) << orientation;
  }
}

std::span<const std::uint8_t> Span(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

std::string Text(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

TEST(DecodeImage, TurnsPngWebpAndTiffByTheirTagsToo) {
  const cv::Mat upright = Corners();
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const cv::Mat stored = tests::TurnedBack(upright, orientation);
    const std::string png = Text(Encode(stored, ".png")), webp = Text(Encode(stored, ".webp"));
    const std::map<std::string, std::string> files{
        {"png", tests::PngWithOrientation(png, orientation)},
        {"png, tag behind the picture", tests::PngWithOrientation(png, orientation, true)},
        {"webp", tests::WebpWithOrientation(webp, stored.cols, stored.rows, orientation)},
        {"tiff", tests::MakeTiff(stored, orientation, false)}};
    for (const auto& [name, file] : files) {
      const DecodedImage image = DecodeImage(Span(file), {});
      ASSERT_EQ(image.status, Outcome::kOk) << name << ": " << image.message;
      EXPECT_LT(Difference(image.bgr, upright), 4) << name << ", orientation " << orientation;
      EXPECT_EQ(image.width, 60) << name;
      EXPECT_EQ(image.height, 40) << name;
      EXPECT_EQ(DecodeImage(Span(file), {.min_side = 50}).width, 60) << name << ": of one that is too small, too";
    }
  }
}

TEST(DecodeImage, FillBytesBeforeExifHideNothing) {
  const Bytes jpeg = WithOrientation(EncodeJpeg(Corners(), 95), 6);
  Bytes filled{0xFF, 0xD8, 0xFF, 0xFF, 0xFF};
  filled.insert(filled.end(), jpeg.begin() + 2, jpeg.end());
  EXPECT_EQ(DecodeImage(filled, {}).width, 40);
}

TEST(DecodeImage, ReadsAnimatedWebpsFirstFrame) {
  const cv::Mat frame = Corners(), other(40, 60, CV_8UC3, cv::Scalar(0, 0, 0));
  cv::Mat clear;
  cv::cvtColor(frame, clear, cv::COLOR_BGR2BGRA);
  clear(cv::Rect(0, 0, 20, 20)).setTo(cv::Scalar(0, 0, 0, 0));
  cv::Mat wanted(100, 200, CV_8UC3, cv::Scalar::all(255)), wanted_clear = wanted.clone();
  frame.copyTo(wanted(cv::Rect(10, 20, 60, 40)));
  wanted.copyTo(wanted_clear);
  wanted_clear(cv::Rect(10, 20, 20, 20)).setTo(cv::Scalar::all(255));
  for (const int quality : {80, 101}) {  // lossy, with alpha in a chunk of its own; lossless
    const auto webp = [quality](const cv::Mat& picture) {
      Bytes bytes;
      cv::imencode(".webp", picture, bytes, {cv::IMWRITE_WEBP_QUALITY, quality});
      return Text(bytes);
    };
    for (const auto& [picture, expected] : {std::pair{frame, wanted}, {clear, wanted_clear}}) {
      const std::string animated = tests::AnimatedWebp(webp(picture), webp(other), {60, 40}, {10, 20}, {200, 100});
      const DecodedImage image = DecodeImage(Span(animated), {});
      ASSERT_EQ(image.status, Outcome::kOk) << image.message;
      EXPECT_LT(Difference(image.bgr, expected), 4) << quality;
      for (const std::size_t part : {3U, 20U, 45U, 60U}) {
        const std::string cut = animated.substr(0, animated.size() * part / 100);
        EXPECT_EQ(DecodeImage(Span(cut), {.min_side = 1}).status == Outcome::kOk, part == 60 && cut.size() > webp(picture).size() + 60) << part;
      }
    }
  }
}

TEST(DecodeImage, ReadsBigTiff) {
  const std::string file = tests::MakeTiff(Corners(), 1, true);
  const DecodedImage image = DecodeImage(Span(file), {});
  ASSERT_EQ(image.status, Outcome::kOk) << image.message;
  EXPECT_LT(Difference(image.bgr, Corners()), 1);
}

TEST(DecodeImage, KnowsPicturesThatItDoesNotRead) {
  const std::map<std::string, std::string> files{{"HEIC", tests::MediaFile("heic")},
                                                 {"AVIF", tests::MediaFile("avif")},
                                                 {"JPEG XL", "\xFF\x0A" + std::string(50, 'x')},
                                                 {"Photoshop", std::string("8BPS\0\x01", 6) + std::string(50, 'x')},
                                                 {"portable map", "P5\n2 2\n255\nabcd"},
                                                 {"JPEG 2000", std::string("\0\0\0\x0CjP  \r\n\x87\n", 12)}};
  for (const auto& [name, file] : files) {
    const DecodedImage image = DecodeImage(Span(file), {});
    EXPECT_EQ(image.status, Outcome::kUnsupported) << name;
    EXPECT_TRUE(image.message.starts_with(name)) << image.message;
    EXPECT_NE(image.message.find("convert"), std::string::npos) << image.message;
  }
  EXPECT_EQ(DecodeImage(Span(tests::MediaFile("isom")), {}).status, Outcome::kUndecodable) << "a video is no picture";
}

TEST(DecodeImage, ReadsGreyProgressiveAndCmykJpeg) {
  cv::Mat grey;
  cv::cvtColor(Corners(), grey, cv::COLOR_BGR2GRAY);
  EXPECT_EQ(DecodeImage(EncodeJpeg(grey, 90), {}).bgr.channels(), 3);
  Bytes progressive;
  cv::imencode(".jpg", Corners(), progressive, {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  EXPECT_LT(Difference(DecodeImage(progressive, {}).bgr, Corners()), 4);

  // CMYK the way Adobe stores it (inverted): C 255 M 0 Y 0 K 255 is no cyan ink wasted: red absorbs nothing.
  cv::Mat cmyk(32, 32, CV_8UC4, cv::Scalar(255, 0, 0, 255));
  tjhandle jpeg = tjInitCompress();
  unsigned char* data = nullptr;
  unsigned long size = 0;
  ASSERT_EQ(tjCompress2(jpeg, cmyk.data, 32, static_cast<int>(cmyk.step), 32, TJPF_CMYK, &data, &size, TJSAMP_444, 100, 0), 0);
  const DecodedImage image = DecodeImage({data, size}, {});
  tjFree(data);
  tjDestroy(jpeg);
  ASSERT_EQ(image.status, Outcome::kOk) << image.message;
  const cv::Vec3b pixel = image.bgr.at<cv::Vec3b>(16, 16);
  EXPECT_NEAR(pixel[2], 255, 3);
  EXPECT_NEAR(pixel[1], 0, 3);
  EXPECT_NEAR(pixel[0], 0, 3);
}

TEST(DecodeImage, Reads16BitAlphaAndPalette) {
  cv::Mat deep;
  Corners().convertTo(deep, CV_16UC3, 257);
  EXPECT_LT(Difference(DecodeImage(Encode(deep, ".png"), {}).bgr, Corners()), 1);
  cv::Mat clear(32, 32, CV_8UC4, cv::Scalar(10, 20, 30, 0));
  EXPECT_EQ(DecodeImage(Encode(clear, ".png"), {}).bgr.at<cv::Vec3b>(5, 5), cv::Vec3b(255, 255, 255)) << "transparent is white";
}

TEST(DecodeImage, ATruncatedJpegIsNoPicture) {
  const Bytes jpeg = EncodeJpeg(tests::Texture(200, 200, 3, 1), 90);
  for (const double part : {0.05, 0.5, 0.95}) {
    const Bytes cut(jpeg.begin(), jpeg.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(jpeg.size())));
    const DecodedImage image = DecodeImage(cut, {});
    EXPECT_EQ(image.status, Outcome::kUndecodable) << part;
    EXPECT_NE(image.message.find("JPEG"), std::string::npos) << image.message;
  }
}

TEST(DecodeImage, DamagedFilesOfEveryFormatAreFaultsNotCrashes) {
  for (const char* ending : {".png", ".webp", ".bmp", ".tif"}) {
    Bytes bytes = Encode(Corners(), ending);
    bytes.resize(bytes.size() / 3);
    EXPECT_NE(DecodeImage(bytes, {}).status, Outcome::kOk) << ending;
  }
}

TEST(DecodeImage, TellsTextFromPictures) {
  const std::string text = "I am a text file that somebody named photo.jpg";
  const DecodedImage image = DecodeImage({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, {});
  EXPECT_EQ(image.status, Outcome::kUndecodable);
  EXPECT_NE(image.message.find("not an image"), std::string::npos) << image.message;
  EXPECT_EQ(DecodeImage({}, {}).status, Outcome::kUndecodable);
}

TEST(DecodeImage, RefusesBombsByTheirHeader) {
  Bytes png = Encode(Corners(), ".png");
  for (const std::size_t at : {16U, 20U}) png[at] = 0x40;  // a thousand million pixels a side
  const DecodedImage image = DecodeImage(png, {});
  EXPECT_EQ(image.status, Outcome::kTooLarge);
  EXPECT_EQ(DecodeImage(Encode(Corners(), ".jpg"), {.max_pixels = 100}).status, Outcome::kTooLarge);
  EXPECT_EQ(DecodeImage(Encode(Corners(), ".jpg"), {.min_side = 50}).status, Outcome::kTooSmall);
}

TEST(DecodeImage, MayReduceJpegsButNoFurtherThanAsked) {
  const cv::Mat picture = tests::Texture(203, 161, 3, 4);
  const Bytes jpeg = EncodeJpeg(picture, 95);
  for (const auto& [least, scale] : {std::pair{1.0, 1.0}, {0.6, 1.0}, {0.5, 0.5}, {0.3, 0.5}, {0.25, 0.25}, {0.01, 0.125}}) {
    const DecodedImage image = DecodeImage(jpeg, {.least_scale = least});
    ASSERT_EQ(image.status, Outcome::kOk);
    EXPECT_EQ(image.scale, scale) << least;
    EXPECT_EQ(image.width, 203);
    EXPECT_EQ(image.height, 161);
    EXPECT_EQ(image.bgr.cols, static_cast<int>(std::ceil(203 * scale)));
  }
  const cv::Mat even = tests::Texture(208, 160, 3, 4);
  cv::Mat half;
  cv::resize(even, half, cv::Size(104, 80), 0, 0, cv::INTER_AREA);
  EXPECT_LT(Difference(DecodeImage(EncodeJpeg(even, 95), {.least_scale = 0.5}).bgr, half), 4);
  const DecodedImage turned = DecodeImage(WithOrientation(jpeg, 6), {.least_scale = 0.5});
  EXPECT_EQ(turned.width, 161);
  EXPECT_EQ(turned.bgr.cols, 81);
  EXPECT_THROW((DecodeOptions{.least_scale = 0}.Validate()), std::invalid_argument);
}

TEST(PeekSize, ReadsTheHeaderOnly) {
  const cv::Mat picture = tests::Texture(203, 161, 3, 4);
  for (const char* ending : {".jpg", ".png", ".webp", ".bmp"}) {
    Bytes bytes = Encode(picture, ending);
    bytes.resize(bytes.size() / 2);
    EXPECT_EQ(PeekSize(bytes).width, 203U) << ending;
    EXPECT_EQ(PeekSize(bytes).height, 161U) << ending;
  }
  EXPECT_EQ(PeekSize({}).width, 0U);
  const Bytes endless{0xFF, 0xD8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xE1, 0, 0, 0xFF, 0xE1, 0, 0};
  EXPECT_EQ(PeekSize(endless).width, 0U);
}

TEST(EncodeJpeg, SamePixelsSameBytes) {
  const cv::Mat picture = tests::Texture(128, 128, 3, 9);
  EXPECT_EQ(EncodeJpeg(picture, 92), EncodeJpeg(picture.clone(), 92));
  EXPECT_LT(Difference(DecodeImage(EncodeJpeg(picture, 95), {}).bgr, picture), 3);
}

TEST(DecodeImage, ATiffOfAHugeTileIsTooLarge) {
  const std::string tiff = tests::TiffOfAHugeTile();
  EXPECT_EQ(DecodeImage({reinterpret_cast<const std::uint8_t*>(tiff.data()), tiff.size()}, {}).status, Outcome::kTooLarge);
}

}  // namespace
}  // namespace auforge::datasets
