#include <gtest/gtest.h>

#include <numeric>

#include "datasets/image_codec.h"
#include "datasets/shard.h"
#include "tests/support/faces.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tools/crawl/base64.h"
#include "tools/crawl/face_drawing.h"
#include "tools/crawl/report_page.h"

namespace auforge::tools {
namespace {

void WriteShard(const std::string& folder) {
  datasets::ShardHeader header;
  header.schema = features::AuSchema({4, 12});
  header.emotion_names = {"neutral", "happy"};
  datasets::ShardWriter writer(folder, 0, header);
  for (int i = 0; i < 6; ++i) {
    datasets::SampleRecord sample;
    sample.key = "<script>alert(" + std::to_string(i) + ")</script>";
    writer.AddSample(sample);
    datasets::FaceRecord face;
    face.image = datasets::EncodeJpeg(tests::Texture(64, 64, 3, static_cast<std::uint64_t>(i)), 90);
    const float smile = static_cast<float>(i) * 0.9F;
    face.aus = {{0, smile}, {0, 0.5F}, {0, static_cast<std::uint8_t>(smile >= 1)}, 0.5F};
    face.landmarks = tests::NeutralFace();
    face.box = {0, 0, 100, 100};
    face.emotion = smile >= 1 ? 1 : 0;
    face.sample = i;
    writer.AddFace(std::move(face));
  }
  writer.Finish();
}

TEST(Base64, KnowsTheVectorsOfRfc4648) {
  const auto encode = [](const std::string& text) {
    return Base64({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  EXPECT_EQ(encode(""), "");
  EXPECT_EQ(encode("f"), "Zg==");
  EXPECT_EQ(encode("fo"), "Zm8=");
  EXPECT_EQ(encode("foobar"), "Zm9vYmFy");
}

TEST(Report, CountsWhatIsInTheShards) {
  const tests::TempDir dir;
  WriteShard(dir.path().string());
  const ReportData data = GatherReport({dir.path().string()}, 4);
  EXPECT_EQ(data.faces, 6U);
  EXPECT_EQ(data.images, 6U);
  EXPECT_EQ(data.aus[1].present, 4U);
  EXPECT_EQ(data.emotions.at("happy"), 4U);
  EXPECT_EQ(data.together[1][1], 4U);
  EXPECT_EQ(data.sample_faces.size(), 4U);
}

TEST(Report, ThePageNeedsNothingAndTrustsNobody) {
  const tests::TempDir dir;
  WriteShard(dir.path().string());
  const ReportData data = GatherReport({dir.path().string()}, 6);
  const std::string page = ReportPage(data, ChooseReportFaces(data, 3, 0), "A <title>");
  EXPECT_EQ(page.find("<script"), std::string::npos) << "a hostile key became markup";
  EXPECT_EQ(page.find("http://"), std::string::npos);
  EXPECT_EQ(page.find("https://"), std::string::npos);
  EXPECT_NE(page.find("A &lt;title&gt;"), std::string::npos);
  EXPECT_NE(page.find("AU12"), std::string::npos);
  EXPECT_NE(page.find("data:image/jpeg;base64,"), std::string::npos);
  for (const char* section :
       {"faces", "aus", "together", "emotions", "typical", "extreme", "images", "speed", "provenance"}) {
    EXPECT_NE(page.find(std::string("<section id=") + section), std::string::npos) << section;
    EXPECT_NE(page.find(std::string("href=#") + section), std::string::npos) << section;
  }
  EXPECT_NE(page.find("<polygon points="), std::string::npos) << "regions of the extreme faces' AUs";
  EXPECT_NE(page.find("@media print"), std::string::npos);
  EXPECT_NE(page.find("prefers-color-scheme:dark"), std::string::npos);
}

TEST(Report, HistogramsCountEveryFaceOnce) {
  const tests::TempDir dir;
  WriteShard(dir.path().string());
  const ReportData data = GatherReport({dir.path().string()}, 0);
  const auto sum = [](const std::vector<std::uint64_t>& bins) {
    return std::accumulate(bins.begin(), bins.end(), std::uint64_t{0});
  };
  for (const AuFigures& au : data.aus) {
    EXPECT_EQ(sum(au.fine), 6U);
    EXPECT_EQ(sum(au.histogram), 6U);
    for (std::size_t bin = 0; bin < 5; ++bin) {
      EXPECT_EQ(au.histogram[bin], sum({au.fine.begin() + static_cast<std::ptrdiff_t>(4 * bin),
                                        au.fine.begin() + static_cast<std::ptrdiff_t>(4 * bin + 4)}));
    }
  }
  for (const auto* bins : {&data.quality, &data.yaw, &data.pitch, &data.face_sizes})
    EXPECT_EQ(sum(*bins), 6U);
  const std::string drawn = HtmlHistogram("a<b", {0, 3, 1}, "0", "1", 1);
  EXPECT_NE(drawn.find("a&lt;b, 0 to 1: 0 3 1"), std::string::npos) << drawn;
}

TEST(Report, ShowsTheStrongestAndTheMostTypical) {
  const tests::TempDir dir;
  WriteShard(dir.path().string());
  const ReportData data = GatherReport({dir.path().string()}, 0);
  const ReportFaces faces = ChooseReportFaces(data, 2, 0);
  // AU12 rises with the face: 5 and 4 are the strongest; AU4 is never present.
  ASSERT_EQ(faces.extreme.size(), 1U);
  EXPECT_EQ(faces.extreme[0].au, "AU12");
  ASSERT_EQ(faces.extreme[0].faces.size(), 2U);
  EXPECT_EQ(faces.extreme[0].faces[0].face, 5U);
  EXPECT_EQ(faces.extreme[0].faces[1].face, 4U);
  // Happy are 2..5, with a mean of (1.8 + 2.7 + 3.6 + 4.5) / 4 = 3.15: 3 and 4 are as near.
  ASSERT_EQ(faces.typical.size(), 2U);
  EXPECT_EQ(faces.typical[0].emotion, "happy");
  EXPECT_EQ(faces.typical[0].of, 4U);
  ASSERT_EQ(faces.typical[0].faces.size(), 2U);
  EXPECT_EQ(faces.typical[0].faces[0].face + faces.typical[0].faces[1].face, 7U);
  // Nobody reaches a quality of 0.9: the same faces are shown, there are no better ones.
  EXPECT_EQ(ChooseReportFaces(data, 2, 0.9F).extreme[0].faces[0].face, 5U);
}

TEST(Report, ADamagedShardIsPassedOverWhereAsked) {
  const tests::TempDir dir;
  WriteShard(dir.path().string());
  tests::WriteText(dir / "00001.h5", "half a shard");
  tests::WriteText(dir / "00001_stats.json", "{}");
  EXPECT_THROW(GatherReport({dir.path().string()}, 0), std::runtime_error);
  const ReportData data = GatherReport({dir.path().string()}, 2, true);
  EXPECT_EQ(data.faces, 6U);
  ASSERT_EQ(data.left_out.size(), 1U);
  EXPECT_TRUE(data.left_out[0].is_damaged);
  const std::string page = ReportPage(data, ChooseReportFaces(data, 1, 0), "t");
  EXPECT_NE(page.find("Shards that cannot be read, left out"), std::string::npos);
  EXPECT_NE(page.find("00001.h5"), std::string::npos);
  EXPECT_THROW(GatherReport({dir / "00001.h5"}, 0, true), std::runtime_error);
}

TEST(FaceDrawing, PanelsShowPictureAndBars) {
  const tests::TempDir dir;
  WriteShard(dir.path().string());
  const datasets::ShardReader shard(dir / "00000.h5");
  const cv::Mat panel = DrawFacePanel(shard, 5, 128);
  EXPECT_EQ(panel.size(), cv::Size(256, 128));
  EXPECT_EQ(RankAus(shard, 5)[0].name, "AU12");
  const cv::Mat sheet = TilePanels({panel, panel, panel}, 2);
  EXPECT_GT(sheet.rows, 2 * 128);
  EXPECT_TRUE(TilePanels({}, 2).empty());
}

}  // namespace
}  // namespace auforge::tools
