#include <gtest/gtest.h>

#include "datasets/image_codec.h"
#include "datasets/shard.h"
#include "tests/support/faces.h"
#include "tests/support/temp_dir.h"
#include "tools/base64.h"
#include "tools/face_drawing.h"
#include "tools/report_page.h"

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
  const std::string page = ReportPage(GatherReport({dir.path().string()}, 6), "A <title>");
  EXPECT_EQ(page.find("<script"), std::string::npos) << "a hostile key became markup";
  EXPECT_EQ(page.find("http://"), std::string::npos);
  EXPECT_EQ(page.find("https://"), std::string::npos);
  EXPECT_NE(page.find("A &lt;title&gt;"), std::string::npos);
  EXPECT_NE(page.find("AU12"), std::string::npos);
  EXPECT_NE(page.find("data:image/jpeg;base64,"), std::string::npos);
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
