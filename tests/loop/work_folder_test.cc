// Records of rounds, the lock, files that are put in place.
#include "tools/loop/work_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "datasets/storage/bad_content.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tools/loop/inputs.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

RoundRecord Record(int number, Step next) {
  RoundRecord record;
  record.number = number;
  record.next = next;
  record.inputs = 7;
  record.tickets["train"] = "123";
  return record;
}

TEST(WorkFolder, KeepsRecords) {
  const tests::TempDir dir;
  const WorkFolder work(dir.path().string());
  EXPECT_TRUE(work.Rounds().empty());
  EXPECT_EQ(work.NextNumber(), 1);
  for (const int number : {2, 1}) {
    fs::create_directories(work.RoundFolder(number));
    work.Save(Record(number, Step::kTrain));
  }
  fs::create_directories(work.RoundFolder(3) + ".tmp");  // of a killed loop
  const auto rounds = work.Rounds();
  ASSERT_EQ(rounds.size(), 2U);
  EXPECT_EQ(rounds[0].number, 1);
  EXPECT_EQ(rounds[1].next, Step::kTrain);
  EXPECT_EQ(rounds[1].inputs, 7U);
  EXPECT_EQ(rounds[1].tickets.at("train"), "123");
  EXPECT_EQ(work.NextNumber(), 3);
  tests::WriteText(work.RoundFile(2, "round.json"), "{}");
  EXPECT_THROW(work.Rounds(), datasets::storage::BadContent);
}

TEST(WorkLock, TheSecondSaysWhoHoldsIt) {
  const tests::TempDir dir;
  {
    const WorkLock first(dir / "loop.lock");
    try {
      const WorkLock second(dir / "loop.lock");
      FAIL() << "both hold it";
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr("another auforge loop works there: process " + std::to_string(getpid()) + " on "));
      EXPECT_THAT(error.what(), HasSubstr(" since 20"));
    }
  }
  const WorkLock third(dir / "loop.lock");
}

TEST(WorkFolder, FilesArePutInPlaceByOneRename) {
  const tests::TempDir dir;
  tests::WriteText(dir / "a", "new");
  tests::WriteText(dir / "b", "old");
  PlaceFile(dir / "a", dir / "b");
  EXPECT_EQ(tests::ReadText(dir / "b"), "new");
  PlaceFile(dir / "a", dir / "b");  // as after a kill between the rename and its record
  PlaceFile(dir / "a", dir / "c", false);
  EXPECT_EQ(fs::hard_link_count(dir / "c"), 1U);
  EXPECT_EQ(std::distance(fs::directory_iterator(dir.path()), {}), 3);
}

class Inputs : public testing::Test {
 protected:
  Inputs() {
    fs::create_directories(dir_ / "in");
    plan_.inputs = {dir_ / "in", dir_ / "{0..9}.tar"};
    plan_.settle_seconds = 0;
  }
  std::vector<std::string> New() const {
    std::vector<std::string> names;
    for (const InputFile& file : FindNewInputs(plan_, work_).files) names.push_back(fs::path(file.path).filename().string());
    return names;
  }
  // What a round that has begun leaves.
  void Take(int number) const {
    const std::vector<InputFile> inputs = FindNewInputs(plan_, work_).files;
    fs::create_directories(work_.RoundFolder(number));
    WriteInputs(work_.RoundFile(number, "inputs.json"), inputs);
    work_.Save(Record(number, Step::kEnd));
  }
  const tests::TempDir dir_;
  const WorkFolder work_{dir_ / "work"};
  LoopPlan plan_;
};

TEST_F(Inputs, OnlyWhatIsNewComesIn) {
  EXPECT_TRUE(New().empty());
  tests::WriteText(dir_ / "in/a.jpg", "x");
  tests::WriteText(dir_ / "in/notes.txt", "no picture");
  tests::WriteTar(dir_ / "3.tar", {{"m.jpg", "x"}});
  EXPECT_THAT(New(), testing::ElementsAre("3.tar", "a.jpg"));
  Take(1);
  EXPECT_TRUE(New().empty());
  fs::create_directories(dir_ / "in/sub");
  tests::WriteText(dir_ / "in/sub/b.jpg", "x");
  tests::WriteText(dir_ / "in/a.jpg", "another");
  tests::WriteTar(dir_ / "4.tar", {{"m.jpg", "x"}});
  EXPECT_THAT(New(), testing::ElementsAre("4.tar", "a.jpg", "b.jpg"));
  Take(2);
  EXPECT_TRUE(New().empty());
  EXPECT_EQ(FindNewInputs(plan_, work_).known, 4U);
  // A round whose folder was removed never was.
  fs::remove_all(work_.RoundFolder(2));
  EXPECT_EQ(New().size(), 3U);
}

TEST_F(Inputs, YoungFilesWait) {
  tests::WriteText(dir_ / "in/a.jpg", "x");
  tests::WriteText(dir_ / "in/b.jpg", "x");
  fs::last_write_time(dir_ / "in/a.jpg", fs::file_time_type::clock::now() - std::chrono::hours(1));
  plan_.settle_seconds = 600;
  EXPECT_THAT(New(), testing::ElementsAre("a.jpg"));
  EXPECT_EQ(FindNewInputs(plan_, work_).young, 1U);
}

TEST_F(Inputs, WhereNothingIsThereItIsSaid) {
  plan_.inputs = {dir_ / "absent", dir_ / "{0..9}.tar"};
  EXPECT_THROW(New(), std::runtime_error);
}

}  // namespace
}  // namespace auforge::tools
