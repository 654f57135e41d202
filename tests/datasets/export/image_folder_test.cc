#include "datasets/export/image_folder.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::datasets {
namespace {

namespace fs = std::filesystem;

TEST(ImageFolder, NamesStayBelowTheFolder) {
  EXPECT_EQ(FileBelow("a/b.jpg", ".jpg"), "a/b.jpg");
  EXPECT_EQ(FileBelow("a/b.JPEG", ".jpg"), "a/b.JPEG");
  EXPECT_EQ(FileBelow("000000001", ".jpg"), "000000001.jpg");
  EXPECT_EQ(FileBelow("b.webp", ".png"), "b.webp.png");
  EXPECT_EQ(FileBelow("/etc/passwd", ".png"), "etc/passwd.png");
  EXPECT_EQ(FileBelow("../../x/./../y//z", ".jpg"), "x/y/z.jpg");
  EXPECT_EQ(FileBelow("..", ".jpg"), "image.jpg");
  EXPECT_EQ(FileBelow("", ".jpg"), "image.jpg");
  EXPECT_LE(FileBelow(std::string(3000, 'x'), ".jpg").size(), 255U);
  EXPECT_NE(FileBelow(std::string(300, 'x'), ".jpg"), FileBelow(std::string(301, 'x'), ".jpg"));
  EXPECT_EQ(FileBelow(std::string("a\0b", 3), ".jpg"), "a_b.jpg");
}

TEST(ImageFolder, AppearsWhole) {
  const tests::TempDir dir;
  const std::vector<std::uint8_t> jpeg{0xFF, 0xD8, 1, 2}, png{0x89, 'P', 'N', 'G'};
  {
    ImageFolder folder(dir / "given-up");
    folder.Add("a", jpeg);
  }
  EXPECT_FALSE(fs::exists(dir / "given-up"));
  ImageFolder folder(dir / "out");
  folder.Add("a.jpg", jpeg);
  folder.Add("A.jpg", jpeg);
  folder.Add("a.jpg/b", jpeg);  // a folder where there is a file
  folder.Add("c/d.png", png);
  folder.Add("c", png);
  folder.Add("left-out.jsonl", png);
  folder.LeaveOut("e\n", "why \"not\"");
  EXPECT_FALSE(fs::exists(dir / "out"));
  folder.Finish();
  for (const char* name : {"a.jpg", "A.jpg#2.jpg", "a.jpg_b#2.jpg", "c/d.png", "c.png", "left-out.jsonl.png"})
    EXPECT_TRUE(fs::exists(fs::path(dir / "out") / name)) << name;
  EXPECT_EQ(tests::ReadText(dir / "out/left-out.jsonl"), "{\"key\":\"e\\n\",\"reason\":\"why \\\"not\\\"\"}\n");
  EXPECT_THROW(ImageFolder(dir / "out"), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::datasets
