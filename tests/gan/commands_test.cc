// What gan's commands are made of: metrics, pasting, films, requests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <random>
#include <sstream>

#include "datasets/image_codec.h"
#include "features/align.h"
#include "gan/editor.h"
#include "tests/support/faces.h"
#include "tests/support/number_options.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tools/gan/au_request.h"
#include "tools/gan/expression_editor.h"
#include "tools/cli/cli.h"
#include "tools/gan/gan_commands.h"
#include "tools/gan/gan_metrics.h"
#include "tools/gan/gan_paste.h"
#include "tools/gan/gif.h"
#include "tools/gan/in_front.h"
#include "tools/net/net_commands.h"

namespace auforge::tools {
namespace {

cv::Mat Cloud(int rows, int cols, double mean, double deviation, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(static_cast<float>(mean), static_cast<float>(deviation));
  cv::Mat m(rows, cols, CV_32F);
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < cols; ++j) m.at<float>(i, j) = normal(random);
  }
  return m;
}

TEST(GanCommands, NumbersHaveARangeThatIsTold) {
  Cli cli("auforge-gan", "");
  for (void (*add)(Cli&) : {AddGanTrain, AddGanSheet, AddGanPairs, AddGanEdit, AddGanEditServer, AddGanEval, AddGanWeights, AddTrainNet})
    add(cli);
  EXPECT_GT(cli.Numbers().size(), 30U);
  tests::ExpectRangesAreTold(cli);
}

// What `arguments` ends with and says on stderr; OUT stands for `out`.
std::pair<int, std::string> RunGan(std::string arguments, const std::string& out) {
  arguments.replace(arguments.find("OUT"), 3, out);
  std::vector<std::string> words{"auforge-gan"};
  std::istringstream text(arguments);
  for (std::string word; text >> word;) words.push_back(word);
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  Cli cli("auforge-gan", "");
  for (void (*add)(Cli&) : {AddGanTrain, AddGanSheet, AddGanPairs, AddGanEdit, AddGanEval, AddGanWeights}) add(cli);
  testing::internal::CaptureStderr();
  const int code = cli.Main(static_cast<int>(words.size()), pointers.data());
  return {code, testing::internal::GetCapturedStderr()};
}

// As Outputs.AreTriedBeforeTheWork of tests/users.
TEST(GanCommands, OutputsAreTriedBeforeTheWork) {
  const tests::TempDir dir;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(dir.path());
  std::filesystem::create_directories("folder");
  tests::WriteText("file", "x");
  const auto expect_usage = [](const std::string& command, const std::string& out) {
    const auto [code, said] = RunGan(command, out);
    EXPECT_EQ(code, kUsage) << command << "\n" << said;
    EXPECT_THAT(said, testing::AllOf(testing::HasSubstr(out), testing::Not(testing::HasSubstr("nowhere: ")))) << command;
  };
  for (const std::string command : {"eval nowhere -o OUT.png", "eval nowhere --json-file OUT", "sheet nowhere -o OUT.png",
                                    "sheet nowhere --to AU12=1 -o OUT.gif", "edit nowhere.jpg --au AU12=1 -o OUT.png",
                                    "export-weights nowhere -o OUT"}) {
    expect_usage(command, "missing/out");
    if (command.find("OUT.") == std::string::npos) expect_usage(command, "folder");
    expect_usage(command, "file/out");
  }
  for (const std::string command : {"train nowhere -o OUT", "import-weights nowhere -o OUT"}) {
    expect_usage(command, "file");
    expect_usage(command, "file/out");
  }
  EXPECT_FALSE(std::filesystem::exists("missing"));
  std::filesystem::current_path(before);
}

TEST(FrechetDistance, IsTheFormulaOfGaussians) {
  const cv::Mat a = Cloud(4000, 3, 0, 1, 1);
  EXPECT_NEAR(FrechetDistance(a, a, 3), 0, 1e-9);
  EXPECT_NEAR(FrechetDistance(a, Cloud(4000, 3, 0, 1, 2), 3), 0, 0.02);
  // Moved by 2 in each of three dimensions: 3 * 4. Twice as wide: 3 (1 + 4 - 2 * 2) = 3.
  EXPECT_NEAR(FrechetDistance(a, Cloud(4000, 3, 2, 1, 3), 3), 12, 0.5);
  EXPECT_NEAR(FrechetDistance(a, Cloud(4000, 3, 0, 2, 4), 3), 3, 0.3);
  EXPECT_THROW(FrechetDistance(Cloud(3, 3, 0, 1, 1), a, 3), std::invalid_argument);
}

TEST(ExpressionEditor, TheMethodIsWhatWasAskedFor) {
  EXPECT_EQ(MakeExpressionEditor({.method = "generator", .checkpoint = {}, .face_model = {}})->Name(), gan::DefaultGeneratorPath());
  EXPECT_EQ(MakeExpressionEditor({.method = {}, .checkpoint = gan::DefaultGeneratorPath(), .face_model = {}})->Name(),
            gan::DefaultGeneratorPath());
  EXPECT_THROW(MakeExpressionEditor({.method = "warp", .checkpoint = "run", .face_model = {}}), UsageError);
  EXPECT_THROW(MakeExpressionEditor({.method = "generator", .checkpoint = {}, .face_model = "face.h5"}), UsageError);
  EXPECT_THROW(MakeExpressionEditor({.method = {}, .checkpoint = {}, .face_model = "/nowhere/face.h5"}), std::runtime_error);
}

TEST(GanMetrics, WhatHappensInsideTheMaskDoesNotCount) {
  features::Landmarks68 before = tests::NeutralFace(), after = before;
  cv::Mat mask = cv::Mat::zeros(256, 256, CV_8UC1);
  for (std::size_t i = 48; i < 68; ++i) {
    mask.at<std::uint8_t>(static_cast<int>(before[i].y), static_cast<int>(before[i].x)) = 255;
    after[i].x += 10;
  }
  EXPECT_EQ(MovedOutside(before, after, mask), 0);
  for (features::Point2& p : after) p.y += 6;  // a tenth of the inter-ocular distance
  EXPECT_NEAR(MovedOutside(before, after, mask), 0.1, 1e-3);
  const cv::Mat grey(256, 256, CV_8UC3, cv::Scalar(100, 100, 100));
  cv::Mat changed = grey.clone();
  changed.setTo(cv::Scalar(200, 200, 200), mask);
  EXPECT_EQ(ChangedOutside(grey, changed, mask), 0);
  EXPECT_NEAR(ChangedOutside(grey, cv::Mat(grey + cv::Scalar(3, 3, 3)), mask), 3, 1e-9);
}

TEST(GanPaste, NoChangeLeavesThePhotoAsItIs) {
  const cv::Mat photo = tests::Texture(200, 160, 3, 1), crop = tests::Texture(64, 64, 3, 2);
  cv::Mat same;
  crop.convertTo(same, CV_32FC3, 1 / 255.0);
  cv::Mat pasted = photo.clone();
  PasteChange(crop, {same}, {0.5F, 0.1F, -10, -5}, pasted);
  EXPECT_EQ(cv::norm(photo, pasted, cv::NORM_INF), 0);
  EXPECT_EQ(cv::norm(crop, ApplyChange(crop, {same}), cv::NORM_INF), 0);
}

TEST(GanPaste, AChangeLandsWhereTheCropCameFrom) {
  const cv::Mat photo(200, 200, CV_8UC3, cv::Scalar(100, 100, 100)),
      crop(64, 64, CV_8UC3, cv::Scalar(100, 100, 100));
  cv::Mat edited;
  crop.convertTo(edited, CV_32FC3, 1 / 255.0);
  edited.at<cv::Vec3f>(32, 32) = {1, 1, 1};
  // crop = 0.5 (photo - (40, 60)): crop (32.5, 32.5) is photo (105, 125).
  cv::Mat pasted = photo.clone();
  PasteChange(crop, {edited}, {0.5F, 0, -20, -30}, pasted);
  cv::Mat channel;
  cv::extractChannel(pasted, channel, 0);
  cv::Point brightest;
  cv::minMaxLoc(channel, nullptr, nullptr, nullptr, &brightest);
  EXPECT_NEAR(brightest.x, 104.5, 0.51);
  EXPECT_NEAR(brightest.y, 124.5, 0.51);
}

// A generator's output that moves the whole crop and paints nothing.
gan::EditedFace MovedBy(const cv::Mat& crop, float x, float y) {
  gan::EditedFace edited;
  crop.convertTo(edited.face, CV_32FC3, 1 / 255.0);
  edited.moved = edited.face;
  edited.flow = cv::Mat(crop.size(), CV_32FC2, cv::Scalar(static_cast<double>(x), static_cast<double>(y)));
  return edited;
}

// What moves is moved in the photo, along the photo's own directions, and dies away beyond the crop.
TEST(GanPaste, AFlowMovesThePhotosOwnPixels) {
  cv::Mat photo(300, 300, CV_8UC3);
  photo.forEach<cv::Vec3b>([](cv::Vec3b& pixel, const int* at) {
    const auto grey = static_cast<std::uint8_t>(60 + (at[0] % 7) * 20 + at[1] / 5);
    pixel = {grey, grey, grey};
  });
  const cv::Mat crop(64, 64, CV_8UC3, cv::Scalar(100, 100, 100));
  // crop = (a -b; b a) photo + t, turned by a right angle and half as large: the crop's right is the photo's up.
  const features::Similarity half_and_turned{0, 0.5F, 100, -40};
  // From an eighth to the right in the crop: 16 pixels up in the photo.
  cv::Mat moved = photo.clone();
  PasteChange(crop, MovedBy(crop, 0.125F, 0), half_and_turned, moved);
  const features::Point2 centre = half_and_turned.Inverse()({32, 32});
  const cv::Point at(static_cast<int>(centre.x), static_cast<int>(centre.y));
  const features::Point2 source = half_and_turned.Inverse()({40, 32});
  EXPECT_EQ(moved.at<cv::Vec3b>(at), photo.at<cv::Vec3b>(cv::Point(static_cast<int>(source.x), static_cast<int>(source.y))))
      << "with every line of the photo";
  EXPECT_EQ(cv::norm(moved(cv::Rect(0, 0, 300, 20)), photo(cv::Rect(0, 0, 300, 20)), cv::NORM_INF), 0) << "far beyond";
  EXPECT_EQ(cv::norm(crop, ApplyChange(crop, MovedBy(crop, 0, 0)), cv::NORM_INF), 0);
}

// A flow that is asked of one AU moves nothing elsewhere.
TEST(GanPaste, AFlowStaysWhereItsAuIs) {
  const cv::Mat crop = tests::Texture(128, 128, 3, 2);
  const features::AuSchema& schema = features::GanSchema();
  const std::vector<float> own(schema.size(), 0.1F);
  std::vector<float> wanted = own;
  const gan::EditedFace moved = MovedBy(crop, 0, 0.03F);
  EXPECT_EQ(cv::norm(crop, ApplyChange(crop, moved, ScopeOf(schema, own, own)), cv::NORM_INF), 0);
  wanted[*schema.Find(12)] = 1;
  const cv::Mat smile = ApplyChange(crop, moved, ScopeOf(schema, own, wanted));
  const cv::Rect forehead(0, 0, 128, 20), mouth(48, 80, 32, 24);
  EXPECT_EQ(cv::norm(crop(forehead), smile(forehead), cv::NORM_INF), 0);
  EXPECT_GT(cv::norm(crop(mouth), smile(mouth), cv::NORM_INF), 20);
}

// A standard crop's landmarks: those of a mean face.
features::Landmarks68 MeanLandmarks(int size) {
  features::AlignOptions options;
  options.size = size;
  return features::Transform(features::CropFromImage(features::MeanFace(), options), features::MeanFace());
}

// What asking for `au` alone leaves of a change of the whole crop.
cv::Mat Kept(int au, const cv::Mat& crop, const cv::Mat& edited) {
  const features::AuSchema& schema = features::GanSchema();
  const std::vector<float> own(schema.size(), 0.1F);
  std::vector<float> wanted = own;
  wanted[*schema.Find(au)] = 1;
  cv::Mat difference, grey;
  cv::absdiff(ApplyChange(crop, {edited}, ScopeOf(schema, own, wanted, MeanLandmarks(crop.rows), crop.rows)), crop, difference);
  cv::extractChannel(difference, grey, 1);
  return grey;
}

TEST(GanPaste, AnEditStaysWhereItsAuIs) {
  const cv::Mat crop(128, 128, CV_8UC3, cv::Scalar(90, 110, 150));
  cv::Mat edited;
  cv::Mat(crop + cv::Scalar(40, 40, 40)).convertTo(edited, CV_32FC3, 1 / 255.0);
  const features::Landmarks68 at = MeanLandmarks(128);
  const auto change = [&](const cv::Mat& kept, const features::Point2& p) {
    return static_cast<int>(kept.at<std::uint8_t>(static_cast<int>(p.y), static_cast<int>(p.x)));
  };
  const features::Point2 eye = features::RightEyeCentre(at), brow = at[19], chin = at[8], mouth = features::Midpoint(at[62], at[66]);
  for (const int au : {4, 12, 25, 26}) EXPECT_LE(change(Kept(au, crop, edited), eye), 1) << "AU" << au;
  for (const int au : {5, 7, 45}) EXPECT_GE(change(Kept(au, crop, edited), eye), 38) << "AU" << au;
  for (const int au : {12, 25, 26}) {
    EXPECT_GE(change(Kept(au, crop, edited), mouth), 38) << "AU" << au;
    EXPECT_LE(change(Kept(au, crop, edited), brow), 1) << "AU" << au;
  }
  // The chin is near the crop's border, where every change fades out.
  const int whole = ApplyChange(crop, {edited}).at<cv::Vec3b>(static_cast<int>(chin.y), static_cast<int>(chin.x))[1] - 110;
  EXPECT_GE(change(Kept(26, crop, edited), chin), whole - 1) << "the jaw drops";
  for (const int au : {1, 2, 4}) {
    EXPECT_GE(change(Kept(au, crop, edited), brow), 38) << "AU" << au;
    EXPECT_EQ(change(Kept(au, crop, edited), mouth), 0) << "AU" << au;
  }
  // Softly: no step of more than a twentieth from pixel to pixel but at the rims of the eyes.
  const cv::Mat smile = Kept(12, crop, edited);
  for (int y = 64; y < 127; ++y) {
    for (int x = 0; x < 127; ++x) {
      EXPECT_LE(std::abs(smile.at<std::uint8_t>(y, x) - smile.at<std::uint8_t>(y + 1, x)), 6);
      EXPECT_LE(std::abs(smile.at<std::uint8_t>(y, x) - smile.at<std::uint8_t>(y, x + 1)), 6);
    }
  }
}

TEST(GanPaste, AskingForAFaceAsItIsChangesNothing) {
  const cv::Mat crop = tests::Texture(128, 128, 3, 2);
  cv::Mat edited(crop.size(), CV_32FC3, cv::Scalar(0.2, 0.9, 0.4));
  const features::AuSchema& schema = features::GanSchema();
  const std::vector<float> own(schema.size(), 0.4F);
  EXPECT_EQ(cv::norm(crop, ApplyChange(crop, {edited}, ScopeOf(schema, own, own)), cv::NORM_INF), 0);
  std::vector<float> nearly = own;
  nearly[3] += 0.01F;
  EXPECT_EQ(cv::norm(crop, ApplyChange(crop, {edited}, ScopeOf(schema, own, nearly)), cv::NORM_INF), 0);
}

TEST(GanPaste, AGreyPhotoStaysGrey) {
  cv::Mat grey, crop, edited;
  cv::extractChannel(tests::Texture(128, 128, 3, 2), grey, 0);
  cv::merge(std::vector<cv::Mat>{grey, grey, grey}, crop);
  tests::Texture(128, 128, 3, 5).convertTo(edited, CV_32FC3, 1 / 255.0);  // blue teeth and worse
  cv::Mat photo(300, 300, CV_8UC3, cv::Scalar(100, 100, 100));
  PasteChange(crop, {edited}, {0.5F, 0.1F, -10, -5}, photo);
  for (const cv::Mat& picture : {photo, ApplyChange(crop, {edited})}) {
    std::vector<cv::Mat> channels;
    cv::split(picture, channels);
    EXPECT_EQ(cv::norm(channels[0], channels[1], cv::NORM_INF), 0);
    EXPECT_EQ(cv::norm(channels[1], channels[2], cv::NORM_INF), 0);
  }
  EXPECT_GT(cv::norm(ApplyChange(crop, {edited}), crop, cv::NORM_INF), 10);
}

TEST(GanPaste, AFaceGetsNoHueThatItDoesNotHave) {
  // Skin of many shades, and a drawing that turns a spot green.
  cv::Mat crop(128, 128, CV_8UC3);
  for (int y = 0; y < 128; ++y) {
    for (int x = 0; x < 128; ++x) {
      const double shade = 0.4 + 0.6 * x / 127.0;
      crop.at<cv::Vec3b>(y, x) = cv::Vec3b(cv::saturate_cast<std::uint8_t>(120 * shade), cv::saturate_cast<std::uint8_t>(150 * shade),
                                           cv::saturate_cast<std::uint8_t>(205 * shade));
    }
  }
  cv::Mat edited;
  crop.convertTo(edited, CV_32FC3, 1 / 255.0);
  cv::circle(edited, {64, 64}, 8, cv::Scalar(0.3, 0.8, 0.2), -1);
  const auto pixel = ApplyChange(crop, {edited}).at<cv::Vec3b>(64, 64);
  EXPECT_LE(static_cast<int>(pixel[1]), pixel[2] + 12) << "green is " << pixel;
  cv::circle(edited, {64, 64}, 8, cv::Scalar(0.35, 0.4, 0.75), -1);
  const auto lip = ApplyChange(crop, {edited}).at<cv::Vec3b>(64, 64);
  EXPECT_NEAR(lip[2], 182, 12) << "redder than the skin, as lips are: " << lip;
}

// A tinted print: what an edit paints has the print's tone, whatever the drawing's.
TEST(GanPaste, APrintInOneToneStaysInIt) {
  cv::Mat crop(128, 128, CV_8UC3);
  crop.forEach<cv::Vec3b>([](cv::Vec3b& pixel, const int* at) {
    const double y = 60 + at[1];
    pixel = {cv::saturate_cast<std::uint8_t>(0.8 * y), cv::saturate_cast<std::uint8_t>(0.97 * y), cv::saturate_cast<std::uint8_t>(1.1 * y)};
  });
  cv::Mat edited;
  crop.convertTo(edited, CV_32FC3, 1 / 255.0);
  cv::circle(edited, {64, 64}, 10, cv::Scalar(0.1, 0.1, 0.6), -1);
  const cv::Mat changed = ApplyChange(crop, {edited});
  const auto pixel = changed.at<cv::Vec3b>(64, 64);
  EXPECT_LE(pixel[2], 80) << "the drawing's red is not the print's: " << pixel;
  EXPECT_NEAR(pixel[0], 0.8 / 1.1 * pixel[2], 2);
}

// Frames are drawn over cheek and bridge of the nose; brows, eyes and what lies below the nose are not taken for them.
TEST(GanPaste, FramesAndStrandsOfHairStandInFront) {
  const features::Landmarks68 at = tests::NeutralFace();
  cv::Mat photo(256, 256, CV_8UC3, cv::Scalar(120, 150, 200));
  const cv::Point cheek(cvRound(at[41].x), cvRound(at[41].y) + 16), forehead(128, cvRound(at[21].y) - 14);
  cv::line(photo, cheek - cv::Point(12, 0), cheek + cv::Point(12, 0), cv::Scalar(20, 20, 20), 3);
  cv::line(photo, forehead - cv::Point(0, 6), forehead + cv::Point(2, 6), cv::Scalar(30, 40, 60), 2);
  const cv::Point eye(cvRound((at[37].x + at[41].x) / 2), cvRound((at[37].y + at[41].y) / 2)), lip(cvRound(at[57].x), cvRound(at[57].y));
  cv::circle(photo, eye, 3, cv::Scalar(20, 20, 20), -1);
  cv::circle(photo, lip, 5, cv::Scalar(20, 20, 20), -1);
  const cv::Mat taken = BehindWhatStandsInFront(photo, at, true);
  EXPECT_LT(taken.at<float>(cheek), 0.1F);
  EXPECT_LT(taken.at<float>(forehead), 0.3F);
  EXPECT_GT(taken.at<float>(eye), 0.95F);
  EXPECT_GT(taken.at<float>(lip), 0.95F);
  EXPECT_GT(taken.at<float>(cheek + cv::Point(0, 12)), 0.95F) << "skin";
  EXPECT_EQ(taken.at<float>(4, 4), 1);
}

TEST(Gif, TheFirstFrameReadsBack) {
  const tests::TempDir dir;
  std::vector<cv::Mat> frames;
  for (int i = 0; i < 3; ++i) frames.emplace_back(20, 30, CV_8UC3, cv::Scalar(10 + 60 * i, 200, 50));
  WriteGif(dir / "film.gif", frames, 5);
  const std::string bytes = tests::ReadText(dir / "film.gif");
  EXPECT_TRUE(bytes.starts_with("GIF89a"));
  EXPECT_THAT(bytes, testing::HasSubstr("NETSCAPE2.0"));
  const auto image =
      datasets::DecodeImage({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, {});
  ASSERT_EQ(image.status, datasets::Outcome::kOk);
  EXPECT_LE(cv::norm(image.bgr, frames[0], cv::NORM_INF), 1);
  frames.emplace_back(10, 10, CV_8UC3);
  EXPECT_THROW(WriteGif(dir / "other.gif", frames, 5), std::invalid_argument);
}

TEST(DefaultGenerator, OpensTheMouthWhenAskedTo) {
  const std::string path = gan::DefaultGeneratorPath();
  EXPECT_LE(std::filesystem::file_size(path), 8U << 20);
  const gan::Editor editor(path);
  ASSERT_EQ(editor.schema().Names(), features::GanSchema().Names());
  const cv::Mat crop = tests::Texture(128, 128, 3, 3);
  std::vector<float> aus(editor.schema().size(), 0.0F);
  const cv::Mat closed = ApplyChange(crop, editor.Edit(crop, aus));
  aus[*editor.schema().Find(26)] = 1;
  const cv::Mat open = ApplyChange(crop, editor.Edit(crop, aus));
  cv::Mat difference;
  cv::absdiff(closed, open, difference);
  const cv::Rect lower(0, 64, 128, 64), upper(0, 0, 128, 64);
  const double below = cv::norm(difference(lower), cv::NORM_L1), above = cv::norm(difference(upper), cv::NORM_L1);
  EXPECT_GT(below, above);
}

TEST(AuRequest, OddNumbersAreNamedWithTheirColumn) {
  const features::AuSchema& schema = features::GanSchema();
  for (const char* odd : {"AU12=0.8;AU6=0.5", "AU12=0.8x", "AU12=1/2", "AU12=", "AU12", "AU12=nan", "AU12=inf", "AU12=1e999",
                          "AU12=0x1", "AU12=0,8", "AU12=1.2", "AU12=-0.1", "AU12=0.5 0.6", "AU12=+-0.5", "AU12==0.5",
                          "AU12=.5,AU12=.6", ",", "AU12=0.5,,AU6=0.5", "AU12=0.5 AU6=0.5"}) {
    try {
      ParseAuRequest(odd, schema);
      ADD_FAILURE() << odd << " was taken";
    } catch (const UsageError& error) {
      EXPECT_THAT(error.message, testing::HasSubstr("column")) << odd;
    }
  }
  try {
    ParseAuRequest("AU6=0.5,AU12=0.8x", schema);
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.message, testing::HasSubstr("\"AU12=0.8x\" at column 14"));
  }
  EXPECT_EQ(ParseAuRequest(" AU12 = +0.8 ,au06=.5,45=1", schema).size(), 3U);
  EXPECT_FLOAT_EQ(ParseAuRequest("AU12=8e-1", schema)[0].value, 0.8F);
}

TEST(AuRequest, HalvesOfTheFace) {
  const features::AuSchema schema({4, 12, 26, 45});
  const AuRequest wink = ParseAuRequest("AU45.left=1,AU12=0.5,au4.right = 1,AU4.left=0", schema, Halves::kTaken);
  const auto of = [&](features::FaceSide half) { return Condition(schema, features::AuSchema({4, 12}), {2.5F, 0}, wink, half); };
  EXPECT_THAT(of(features::FaceSide::kLeft), testing::ElementsAre(0, 0.5F, 0, 1));
  EXPECT_THAT(of(features::FaceSide::kRight), testing::ElementsAre(1, 0.5F, 0, 0));
  const auto refusal = [&](const std::string& text, Halves halves) -> std::string {
    try {
      ParseAuRequest(text, schema, halves);
      return "";
    } catch (const UsageError& error) {
      return error.what();
    }
  };
  EXPECT_THAT(refusal("AU45.left=1", Halves::kRefused), testing::HasSubstr("'gan edit --method warp'"));
  EXPECT_THAT(refusal("AU26.left=1", Halves::kTaken), testing::HasSubstr("AU26 has no halves"));
  EXPECT_THAT(refusal("AU45.middle=1", Halves::kTaken), testing::HasSubstr("AU12.left or AU12.right"));
  EXPECT_THAT(refusal("AU45.=1", Halves::kTaken), testing::HasSubstr("column 5"));
  EXPECT_THAT(refusal("AU26.left=1", Halves::kRefused), testing::HasSubstr("AU26 has no halves")) << "whoever edits";
  EXPECT_EQ(refusal("AU45.Left =1", Halves::kTaken), "");
  EXPECT_THAT(refusal("AU45.left=1,AU45=0", Halves::kTaken), testing::HasSubstr("asked for twice"));
  EXPECT_THAT(refusal("AU45.left=1,AU45.left=0", Halves::kTaken), testing::HasSubstr("asked for twice"));
}

TEST(AuRequest, ListsAndValues) {
  EXPECT_THAT(ParseAuList("AU4,12").Names(), testing::ElementsAre("AU4", "AU12"));
  EXPECT_THROW(ParseAuList("smile"), UsageError);
  const features::AuSchema schema({4, 12});
  EXPECT_THAT(Condition(schema, features::AuSchema({12, 4}), {5, 2.5F}, ParseAuRequest("AU4=1", schema)),
              testing::ElementsAre(1, 1));
  EXPECT_THROW(ParseAuRequest("AU12=2", schema), UsageError);
}

}  // namespace
}  // namespace auforge::tools
