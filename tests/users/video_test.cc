// Videos of a bad disk: a frame that cannot be decoded costs itself, not the rest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "tests/support/program.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/video_file.h"

namespace auforge::tools {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Video, ADamagedFrameIsARowAndTheRestGoesOn) {
  const tests::TempDir dir;
  tests::WriteVideo(dir / "v.avi", tests::NumberedFrames(30));
  tests::DamageFrames(dir / "v.avi", {11, 15, 16});
  const auto run = tests::RunCommand(std::string(AUFORGE_PROGRAM) + " annotate -q -j 1 " + (dir / "v.avi") + " -o " + (dir / "out"));
  EXPECT_EQ(run.code, 0) << run.text;
  EXPECT_THAT(run.text, HasSubstr("30 images"));
  EXPECT_THAT(run.text, HasSubstr("undecodable: 3"));
  EXPECT_THAT(run.text, Not(HasSubstr("unreadable")));
  EXPECT_THAT(tests::ReadText(dir / "out/00000_errors.jsonl"),
              HasSubstr(R"("key":"v/00011","message":"this frame of the video is damaged")"));
}

TEST(Video, OtherEndingsAreVideosToo) {
  const tests::TempDir dir;
  for (const char* name : {"v.ts", "v.OGV"}) {
    tests::WriteVideo(dir / "v.avi", tests::NumberedFrames(2));
    std::rename((dir / "v.avi").c_str(), (dir / name).c_str());
    const auto run = tests::RunCommand(std::string(AUFORGE_PROGRAM) + " annotate -q -j 1 " + (dir / name) + " -o " + (dir / name) + ".out");
    EXPECT_THAT(run.text, HasSubstr("2 images")) << name;
  }
}

}  // namespace
}  // namespace auforge::tools
