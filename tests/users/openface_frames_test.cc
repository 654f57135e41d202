// What goes out as OpenFace's CSV lines up with its source: a row for every frame, with the frame's number and time,
// also where nobody was found; a file of the picture's own name; and our own importer reads it back.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <opencv2/imgcodecs.hpp>
#include <sstream>

#include "datasets/labels/label_set.h"
#include "datasets/shard.h"
#include "tests/datasets/query/crawl.h"
#include "tests/support/faces.h"
#include "tests/support/program.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/video_file.h"

namespace auforge {
namespace {

namespace fs = std::filesystem;
using tests::ProgramOutcome;

using Row = std::map<std::string, std::string>;

std::vector<Row> ReadCsv(const std::string& path) {
  std::istringstream lines(tests::ReadText(path));
  std::vector<std::string> names;
  std::vector<Row> rows;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    Row row;
    std::size_t column = 0;
    for (std::string field; std::getline(fields, field, ',');) {
      field.erase(0, field.find_first_not_of(' '));
      if (rows.empty() && names.size() == column && row.empty() && line.find("success") != std::string::npos) {
        names.push_back(field);
      } else if (!names.empty()) {
        row[column < names.size() ? names[column] : "?"] = field;
      }
      ++column;
    }
    if (!row.empty()) rows.push_back(row);
  }
  return rows;
}

class OpenFaceFrames : public testing::Test {
 protected:
  static constexpr int kFrames = 6;
  // Frames 2, 4 and 5 of 6 show somebody; 25 a second.
  static bool HasFace(int frame) { return frame == 2 || frame == 4 || frame == 5; }
  static float Intensity(int frame, std::size_t au) { return static_cast<float>((frame + au) % 5); }

  static datasets::ShardHeader Header() {
    tests::CrawlOptions options;
    options.aus = {1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 28, 45};
    return tests::CrawlHeader(options);
  }
  static datasets::FaceRecord Face(int frame) {
    datasets::FaceRecord face;
    face.image = {0xFF, 0xD8, 0xFF, 0xD9};
    for (std::size_t j = 0; j < Header().schema.size(); ++j) {
      const float value = Intensity(frame, j);
      face.aus.intensity.push_back(value);
      face.aus.probability.push_back(value / 5);
      face.aus.present.push_back(value >= 1 ? 1 : 0);
    }
    face.aus.quality = 0.9F;
    face.landmarks = tests::NeutralFace();
    face.box = {10, 10, 80, 80};
    face.crop_from_image = {0.25F, 0, 0, 7};
    return face;
  }
  // keys: of the samples; is_video: with frame numbers and times.
  void WriteShard(const std::string& folder, int index, const std::vector<std::string>& keys, bool is_video) {
    datasets::ShardWriter writer(folder, index, Header());
    for (int frame = 1; frame <= static_cast<int>(keys.size()); ++frame) {
      datasets::SampleRecord sample;
      sample.key = keys[static_cast<std::size_t>(frame - 1)];
      sample.width = 256;
      sample.height = 200;
      if (!HasFace(frame)) sample.status = datasets::Outcome::kNoFace;
      if (is_video) sample.frame = frame, sample.timestamp = (frame - 1) / 25.0;
      const std::int64_t row = writer.AddSample(sample);
      if (!HasFace(frame)) continue;
      datasets::FaceRecord face = Face(frame);
      face.sample = row;
      writer.AddFace(std::move(face));
    }
    writer.Finish();
  }
  static std::vector<std::string> VideoKeys(const std::string& name) {
    std::vector<std::string> keys;
    for (int frame = 1; frame <= kFrames; ++frame) keys.push_back(name + "/0000" + std::to_string(frame));
    return keys;
  }
  void Export(const std::string& arguments) {
    const ProgramOutcome outcome =
        tests::RunCommand(std::string(AUFORGE_PROGRAM) + " export " + (dir_ / "shards") + " --format openface " + arguments);
    ASSERT_EQ(outcome.code, 0) << outcome.text;
  }
  static void ExpectFrames(const std::vector<Row>& rows) {
    ASSERT_EQ(rows.size(), static_cast<std::size_t>(kFrames));
    for (int frame = 1; frame <= kFrames; ++frame) {
      const Row& row = rows[static_cast<std::size_t>(frame - 1)];
      EXPECT_EQ(row.at("frame"), std::to_string(frame));
      EXPECT_NEAR(std::stod(row.at("timestamp")), (frame - 1) / 25.0, 0.0006);
      EXPECT_EQ(row.at("success"), HasFace(frame) ? "1" : "0");
      EXPECT_NEAR(std::stod(row.at("AU12_r")), HasFace(frame) ? Intensity(frame, 8) : 0, 0.006) << frame;
      EXPECT_EQ(std::stod(row.at("confidence")) > 0, HasFace(frame));
      EXPECT_EQ(row.size(), rows[0].size());
    }
  }

  tests::TempDir dir_;
};

TEST_F(OpenFaceFrames, AVideosTableHasARowForEveryFrame) {
  WriteShard(dir_ / "shards", 0, VideoKeys("clip"), true);
  Export("-o " + (dir_ / "clip.csv"));
  ExpectFrames(ReadCsv(dir_ / "clip.csv"));
  EXPECT_NE(tests::ReadText(dir_ / "clip_frames.csv").find("\n6,clip/00006,"), std::string::npos);
}

TEST_F(OpenFaceFrames, AFolderHasATableForEachVideo) {
  WriteShard(dir_ / "shards", 0, VideoKeys("one"), true);
  WriteShard(dir_ / "shards", 1, VideoKeys("two"), true);
  Export("-o " + (dir_ / "out"));
  for (const char* name : {"one.csv", "two.csv"}) ExpectFrames(ReadCsv(dir_ / ("out/" + std::string(name))));
  // In one table the second video's frames follow.
  Export("-o " + (dir_ / "both.csv"));
  const std::vector<Row> rows = ReadCsv(dir_ / "both.csv");
  ASSERT_EQ(rows.size(), 2U * kFrames);
  EXPECT_EQ(rows[kFrames].at("frame"), "7");
  EXPECT_EQ(rows[kFrames + 1].at("timestamp"), "0.040");
}

TEST_F(OpenFaceFrames, ChosenFacesKeepTheirFrames) {
  WriteShard(dir_ / "shards", 0, VideoKeys("clip"), true);
  Export("--where 'AU12>=2.5' -o " + (dir_ / "clip.csv"));
  const std::vector<Row> rows = ReadCsv(dir_ / "clip.csv");
  ASSERT_EQ(rows.size(), 1U);  // of 0, 2 and 3
  EXPECT_EQ(rows[0].at("frame"), "5");
  EXPECT_EQ(rows[0].at("timestamp"), "0.160");
  // Through shards of them, too.
  const std::string program = AUFORGE_PROGRAM;
  ASSERT_EQ(tests::RunCommand(program + " query " + (dir_ / "shards") + " --where 'AU12>=2.5' -o " + (dir_ / "few")).code, 0);
  ASSERT_EQ(tests::RunCommand(program + " export " + (dir_ / "few") + " --format openface -o " + (dir_ / "few.csv")).code, 0);
  EXPECT_EQ(tests::ReadText(dir_ / "few.csv"), tests::ReadText(dir_ / "clip.csv"));
}

TEST_F(OpenFaceFrames, AVideoOfNobodyHasAllItsFramesAndTimes) {
  tests::WriteVideo(dir_ / "clip.avi", tests::NumberedFrames(5));  // 20 a second
  ASSERT_EQ(tests::RunCommand(std::string(AUFORGE_PROGRAM) + " annotate -q " + (dir_ / "clip.avi") + " -o " +
                              (dir_ / "shards"))
                .code,
            0);
  Export("-o " + (dir_ / "out"));
  const std::vector<Row> rows = ReadCsv(dir_ / "out/clip.csv");
  ASSERT_EQ(rows.size(), 5U);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].at("frame"), std::to_string(i + 1));
    EXPECT_NEAR(std::stod(rows[i].at("timestamp")), static_cast<double>(i) / 20, 0.0006);
    EXPECT_EQ(rows[i].at("success"), "0");
  }
}

TEST_F(OpenFaceFrames, PicturesFilesBearThePicturesNames) {
  WriteShard(dir_ / "shards", 0, {"x.jpg", "a.jpg", "y.jpg", "b.JPEG", "\xE5\xBC\xA0.png", "z.jpg"}, false);
  Export("-o " + (dir_ / "out"));
  for (const char* name : {"a.csv", "b.csv", "\xE5\xBC\xA0.csv"})
    EXPECT_TRUE(fs::exists(dir_ / ("out/" + std::string(name)))) << name;
  EXPECT_FALSE(fs::exists(dir_ / "out/x.csv")) << "nobody is on it";
  // Two pictures of one name keep their endings.
  WriteShard(dir_ / "shards", 0, {"x.jpg", "a.jpg", "y.jpg", "a.png", "b.png", "z.jpg"}, false);
  Export("-o " + (dir_ / "twins"));
  for (const char* name : {"a.jpg.csv", "a.png.csv", "b.csv"})
    EXPECT_TRUE(fs::exists(dir_ / ("twins/" + std::string(name)))) << name;
}

// Out with the program, in with the importer: the same AUs for the same pictures.
void ExpectTheSame(const datasets::LabelSet& set, const std::map<std::string, int>& frame_of) {
  ASSERT_EQ(set.images.size(), frame_of.size());
  for (const auto& image : set.images) {
    const int frame = frame_of.at(fs::path(image.image).filename().string());
    for (std::size_t j = 0; j < set.schema.size(); ++j) {
      // The importer's schema is that of the table but for AU 28.
      const std::size_t column = set.schema.numbers()[j] == 45 ? 17 : j;
      EXPECT_NEAR(image.intensity[j], static_cast<float>((frame + static_cast<int>(column)) % 5), 0.006)
          << image.image << " AU" << set.schema.numbers()[j];
    }
  }
}

class OpenFaceRoundTrip : public OpenFaceFrames {
 protected:
  void PutPictures(const std::string& folder, const std::vector<std::string>& names) {
    fs::create_directories(folder);
    for (const std::string& name : names) cv::imwrite(folder + "/" + name, tests::Texture(32, 32, 3, 1));
  }
};

TEST_F(OpenFaceRoundTrip, AFileForEachPicture) {
  const std::vector<std::string> names{"x.jpg", "a.jpg", "y.jpg", "b.png", "c.jpg", "z.jpg"};
  WriteShard(dir_ / "shards", 0, names, false);
  PutPictures(dir_ / "pictures", names);
  Export("-o " + (dir_ / "out"));
  datasets::LabelOptions options;
  options.images = {dir_ / "pictures"};
  ExpectTheSame(datasets::ImportLabels("openface", dir_ / "out", options),
                {{"a.jpg", 2}, {"b.png", 4}, {"c.jpg", 5}});
}

TEST_F(OpenFaceRoundTrip, OneTableOfAFolderOfPictures) {
  // Names whose numbers are not the frames'.
  const std::vector<std::string> names{"000.jpg", "001.jpg", "002.jpg", "010.jpg", "020.jpg", "030.jpg"};
  WriteShard(dir_ / "shards", 0, names, false);
  PutPictures(dir_ / "pictures", names);
  Export("-o " + (dir_ / "faces.csv"));
  datasets::LabelOptions options;
  options.images = {dir_ / "pictures"};
  ExpectTheSame(datasets::ImportLabels("openface", dir_ / "faces.csv", options),
                {{"001.jpg", 2}, {"010.jpg", 4}, {"020.jpg", 5}});
}

}  // namespace
}  // namespace auforge
