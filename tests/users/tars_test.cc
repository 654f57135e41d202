// Tars as tools and people make them: every picture is in one row with its own caption, what is none is counted.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "datasets/shard.h"
#include "tests/support/faces.h"
#include "tests/support/picture_files.h"
#include "tests/support/program.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge {
namespace {

using nlohmann::json;

TEST(Tars, MembersOfEveryHabitAndTextsAnywhere) {
  const tests::TempDir dir;
  std::vector<std::uint8_t> encoded;
  cv::imencode(".jpg", tests::Texture(40, 30, 3, 1), encoded);
  const std::string jpeg(encoded.begin(), encoded.end());
  tests::WriteTar(dir / "pictures-first.tar", {{"a.jfif", jpeg},
                                               {"b.heic", tests::MediaFile("heic")},
                                               {"c.avif", tests::MediaFile("avif")},
                                               {"no ending", jpeg},
                                               {"My Photo 2.0 (final).jpg", jpeg},
                                               {"same.jpg", jpeg},
                                               {"other.jpg", jpeg},
                                               {"same.jpg", jpeg},
                                               {"link.jpg", "", "no ending"},
                                               {"._a.jfif", tests::AppleDouble()},
                                               {"__MACOSX/._a.jfif", tests::AppleDouble()},
                                               {".DS_Store", std::string("\0\0\0\1Bud1", 8)},
                                               {"README.md", "about"},
                                               {"a.txt", "of a\r\n"},
                                               {"My Photo 2.0 (final).txt", "caf\xE9"},
                                               {"same.txt", "first"},
                                               {"same.txt", "second"},
                                               {"other.json", "{\"url\": \"http://x/\", \"nsfw\": NaN, \"caption\": \"caf\xE9 \\ud83d\"}"},
                                               {"link.json", "{\"url\": \"http://link/\", \"caption\": \"cut o"},
                                               {"./dotted.jpg", jpeg},
                                               {"dotted.txt", "of dotted"},
                                               {"undotted.jpg", jpeg},
                                               {"./undotted.txt", std::string("of\0it", 5)},
                                               {"nobody.txt", "of nobody"}});
  const tests::ProgramOutcome outcome =
      tests::RunCommand(AUFORGE_PROGRAM " annotate '" + (dir / "pictures-first.tar") + "' -q --json -o '" + (dir / "out") + "'");
  ASSERT_EQ(outcome.code, 0) << outcome.text;
  const datasets::ShardReader shard(dir / "out/00000.h5");
  std::map<std::string, std::pair<std::string, std::string>> rows;
  for (std::size_t i = 0; i < shard.SampleCount(); ++i) {
    const datasets::SampleRecord& sample = shard.Sample(i);
    rows[sample.key] = {std::string(datasets::OutcomeName(sample.status)), sample.keywords};
  }
  EXPECT_EQ(rows, (decltype(rows){{"a", {"no_face", "of a"}},
                                  {"b", {"unsupported", ""}},
                                  {"c", {"unsupported", ""}},
                                  {"no ending", {"no_face", ""}},
                                  {"My Photo 2.0 (final)", {"no_face", "café"}},
                                  {"same", {"no_face", "first"}},
                                  {"other", {"no_face", "café \xEF\xBF\xBD"}},
                                  {"same#2", {"no_face", "second"}},
                                  {"./dotted", {"no_face", "of dotted"}},
                                  {"undotted", {"no_face", "of it"}},
                                  {"link", {"no_face", "cut o"}}}));
  const json wanted_texts{{"read", 9}, {"damaged", 1}, {"without_image", 1}}, wanted_others{{"macOS", 3}, {"text", 1}};
  const json stats = json::parse(tests::ReadText(dir / "out/00000_stats.json"));
  EXPECT_EQ(stats.at("metadata"), wanted_texts);
  EXPECT_EQ(stats.at("left_out"), wanted_others);
  EXPECT_EQ(json::parse(outcome.text).at("metadata"), wanted_texts);
  EXPECT_EQ(json::parse(outcome.text).at("left_out"), wanted_others);
}

}  // namespace
}  // namespace auforge
