// Whole small rounds of auforge loop: what comes in, what is learnt from, what is promoted, and what is said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>
#include <tuple>

#include "annotator/au_model.h"
#include "datasets/shard.h"
#include "datasets/storage/hdf5_file.h"
#include "tests/loop/small_loop.h"
#include "tests/scale/process.h"
#include "tests/support/tar_file.h"
#include "tools/loop/work_folder.h"

namespace auforge {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

json Json(const std::string& path) { return json::parse(tests::ReadText(path)); }

class Loop : public testing::Test {
 protected:
  void ExpectRun(const std::string& says, const std::string& options = "-q") const {
    const tests::ProgramOutcome outcome = loop_.Run(options);
    EXPECT_EQ(outcome.code, 0) << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr(says));
  }
  std::size_t Images(int round) const {
    std::size_t images = 0;
    for (const std::string& path : datasets::FindShards({loop_.Round(round, "shards")})) images += datasets::ShardReader(path).SampleCount();
    return images;
  }
  std::string Present() const { return tests::ReadText(loop_.Work("generator.h5")); }

  tests::SmallLoop loop_;
};

TEST_F(Loop, RoundsSeeWhatIsNewAndPromoteWhatIsBetter) {
  loop_.AddPeople(0, 11);
  loop_.WritePlan();
  ExpectRun("round 1: promoted");
  EXPECT_EQ(Images(1), 12U);
  EXPECT_EQ(Present(), tests::ReadText(loop_.Round(1, "candidate.h5")));
  EXPECT_EQ(tests::ReadText(loop_.Round(1, "parent.h5")), tests::ReadText(tests::LoopFiles::Get().generator()));
  ExpectRun("nothing to do: 0 new files, 12 known ones");

  loop_.AddPeople(12, 23);
  loop_.AddPerson(24, "");
  fs::copy_file(loop_.dir() / "in/03.jpg", loop_.dir() / "in/copy-of-03.jpg");
  ExpectRun("round 2: promoted");
  EXPECT_EQ(Images(2), 14U) << "the second round sees what is new alone";
  const json figures = Json(loop_.Round(2, "figures.json"));
  EXPECT_EQ(figures["training_faces"], 13) << "the face that round 1 has learnt from is left out";
  EXPECT_EQ(tests::ReadText(loop_.Round(2, "parent.h5")), tests::ReadText(loop_.Round(1, "candidate.h5")));
  EXPECT_THAT(tests::ReadText(loop_.Work("loop.html")), testing::AllOf(HasSubstr("Round 2"), HasSubstr("data:image/jpeg;base64")));

  // 40 % broken: said, and nothing is promoted.
  const std::string before = Present();
  for (int i = 25; i < 35; ++i) loop_.AddPerson(i, "", i < 29);
  ExpectRun("round 3: set aside");
  EXPECT_EQ(Present(), before);
  EXPECT_THAT(Json(loop_.Round(3, "drift.json"))["beyond"].dump(), HasSubstr("40 % of the images cannot be decoded or read"));
  EXPECT_FALSE(fs::exists(loop_.Round(3, "candidate.h5")));
  EXPECT_THAT(tests::ReadText(loop_.Work("loop.html")), HasSubstr("The round is set aside"));
  ExpectRun("nothing to do");
}

// What the annotator sees in each of the people, by the name of the picture.
struct Shown {
  float smile = 0;
  bool surprise = false;
  std::string True() const { return smile >= 1 ? "a smile" : surprise ? "surprised" : "somebody"; }
  std::string Wrong() const { return smile < 1 ? "a smile" : smile >= 2 ? "sad" : "somebody"; }
};
std::map<std::string, Shown> SeenIn(const std::string& shards) {
  std::map<std::string, Shown> seen;
  for (const std::string& path : datasets::FindShards({shards})) {
    const datasets::ShardReader shard(path);
    const features::AuSchema& schema = shard.header().schema;
    for (std::size_t i = 0; i < shard.FaceCount(); ++i) {
      const auto au = [&](int number) { return shard.AuIntensity()[i * schema.size() + *schema.Find(number)]; };
      Shown& shown = seen[shard.Sample(static_cast<std::size_t>(shard.FaceSample()[i])).key];
      shown.smile = au(12);
      shown.surprise = au(1) >= 1 || au(2) >= 1 || au(5) >= 1 || au(25) >= 1 || au(26) >= 1;
    }
  }
  return seen;
}

TEST_F(Loop, WronglyCaptionedImagesPromoteNothing) {
  const tests::SmallLoop people;
  people.AddPeople(0, 35);
  ASSERT_EQ(tests::RunCommand(AUFORGE_PROGRAM " annotate " + (people.dir() / "in") + " -j 1 -q -o " + (loop_.dir() / "seen")).code, 0);
  auto seen = SeenIn(loop_.dir() / "seen");
  const auto add = [&](int person, bool is_true) {
    const Shown& shown = seen[(person < 10 ? "0" : "") + std::to_string(person) + ".jpg"];
    loop_.AddPerson(person, is_true ? shown.True() : shown.Wrong());
  };
  for (int i = 0; i < 18; ++i) add(i, true);
  loop_.WritePlan(R"({"drift": {"max_au_psi": null, "max_quality_psi": null}})");
  ExpectRun("round 1: promoted");
  const std::string before = Present();
  for (int i = 18; i < 36; ++i) add(i, false);
  ExpectRun("round 2: set aside");
  EXPECT_THAT(Json(loop_.Round(2, "drift.json"))["beyond"].dump(), HasSubstr("do not show what their caption names"));
  EXPECT_EQ(Present(), before);
}

TEST_F(Loop, NotBetterIsKeptAsideWithItsReasons) {
  loop_.AddPeople(0, 7);
  loop_.WritePlan(R"({"better": {"all": ["correlation > old + 1"]}})");
  ExpectRun("round 1: not better, kept aside");
  EXPECT_FALSE(fs::exists(loop_.Work("generator.h5")));
  EXPECT_TRUE(fs::exists(loop_.Round(1, "candidate.h5")));
  EXPECT_THAT(Json(loop_.Round(1, "decision.json"))["reasons"].dump(), HasSubstr("correlation > old + 1 does not hold"));
}

TEST_F(Loop, StopsAfterTheStepAskedForAndGoesOn) {
  loop_.AddPeople(0, 7);
  loop_.WritePlan();
  const tests::ProgramOutcome dry = loop_.Run("--dry-run");
  EXPECT_EQ(dry.code, 0) << dry.text;
  EXPECT_THAT(dry.text, testing::AllOf(HasSubstr("8 new files"), HasSubstr("round 1 would begin")));
  EXPECT_FALSE(fs::exists(loop_.Work())) << "a dry run writes nothing";
  ExpectRun("done up to annotate", "-q --until annotate");
  EXPECT_TRUE(fs::exists(loop_.Round(1, "shards/00001.h5")));
  EXPECT_FALSE(fs::exists(loop_.Round(1, "training")));
  EXPECT_THAT(loop_.Run("--dry-run").text, HasSubstr("round 1 would go on with filter"));
  ExpectRun("done up to filter", "-q --until filter");
  EXPECT_TRUE(fs::exists(loop_.Round(1, "training/00001.h5")));
  // What comes meanwhile belongs to the next round.
  loop_.AddPeople(8, 9);
  ExpectRun("done up to judge", "-q --until judge");
  EXPECT_TRUE(fs::exists(loop_.Round(1, "judged-new.json")));
  EXPECT_FALSE(fs::exists(loop_.Work("generator.h5")));
  ExpectRun("round 1: promoted");
  EXPECT_THAT(loop_.Run("--dry-run").text, HasSubstr("2 new files"));
}

TEST_F(Loop, HeldOutFacesAreNotLearntFrom) {
  loop_.AddPeople(0, 7);
  loop_.AddHeldOut(1);
  loop_.WritePlan();
  const tests::ProgramOutcome refused = loop_.Run("-q");
  EXPECT_EQ(refused.code, 3) << refused.text;
  EXPECT_THAT(refused.text, testing::AllOf(HasSubstr("1 of the faces that would be learnt from are held out, too"), HasSubstr("again01.jpg")));
  EXPECT_FALSE(fs::exists(loop_.Round(1, "training")));
  EXPECT_EQ(loop_.Run("-q").code, 3) << "and again";
  loop_.WritePlan(R"({"on_overlap": "drop"})");
  ExpectRun("round 1: promoted");
  EXPECT_EQ(Json(loop_.Round(1, "figures.json"))["training_faces"], 8);
}

TEST_F(Loop, WhereNoFacePassesNothingIsTrained) {
  loop_.AddPeople(0, 3);
  loop_.WritePlan(R"({"filter": "size > 4000"})");
  ExpectRun("round 1: set aside");
  EXPECT_THAT(Json(loop_.Round(1, "decision.json"))["reasons"].dump(), HasSubstr("no face passes the filter"));
}

TEST_F(Loop, ACommandThatRefusesItsOptionsIsNamedWithItsLog) {
  loop_.AddPeople(0, 3);
  loop_.WritePlan(R"({"train": {"batch": 0}})");
  const tests::ProgramOutcome outcome = loop_.Run("-q");
  EXPECT_EQ(outcome.code, 2) << outcome.text;
  EXPECT_THAT(outcome.text, testing::AllOf(HasSubstr("round 1: train ended with 2"), HasSubstr("--batch"), HasSubstr("logs/train.log")));
  // The plan is mended, and the round goes on.
  loop_.WritePlan();
  ExpectRun("the plan has changed", "");
  EXPECT_TRUE(fs::exists(loop_.Work("generator.h5")));
}

TEST_F(Loop, ADamagedShardIsToldAndLabelledAgainOnceItIsRemoved) {
  loop_.AddPeople(0, 7);
  loop_.WritePlan();
  ExpectRun("done up to annotate", "-q --until annotate");
  const std::string shard = loop_.Round(1, "shards/00000.h5"), whole = tests::ReadText(shard);
  // As if the disk had spoilt it before it was verified.
  json record = Json(loop_.Round(1, "round.json"));
  record["next"] = "annotate";
  tests::WriteText(loop_.Round(1, "round.json"), record.dump());
  tests::WriteText(shard, whole.substr(0, whole.size() / 2));
  EXPECT_EQ(loop_.Run("-q").code, 3);
  fs::remove(shard);
  fs::remove(loop_.Round(1, "shards/00000_stats.json"));
  ExpectRun("round 1: promoted");
  EXPECT_EQ(tests::ReadText(shard), whole);
}

TEST_F(Loop, TwoAtOnceTheSecondSaysWhoHoldsIt) {
  loop_.AddPeople(0, 7);
  loop_.WritePlan();
  fs::create_directories(loop_.Work("rounds"));
  const tools::WorkLock lock(loop_.Work("loop.lock"));
  const tests::ProgramOutcome second = loop_.Run("-q");
  EXPECT_EQ(second.code, 1) << second.text;
  EXPECT_THAT(second.text, HasSubstr("another auforge loop works there: process " + std::to_string(getpid())));
}

TEST_F(Loop, SigtermEndsItsChildrenAndTheNextRunGoesOn) {
  loop_.AddPeople(0, 7);
  loop_.WritePlan();
  const std::string log = loop_.dir() / "log";
  tests::Process process({AUFORGE_PROGRAM, "loop", loop_.Plan()}, log);
  while (process.IsRunning() && !fs::exists(loop_.Round(1, "logs/annotate.log"))) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(60).code, 143) << tests::ReadText(log);
  EXPECT_THAT(tests::ReadText(log), HasSubstr("run the same command again to go on"));
  EXPECT_THAT(tests::RunCommand("pgrep -f " + loop_.Work()).text, Not(HasSubstr("annotate")));
  ExpectRun("round 1: promoted");
}

TEST_F(Loop, AFullDiskIsToldAndTheNextRunGoesOn) {
  const std::string disk = loop_.dir() / "work";
  fs::create_directories(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=300k") != 0) GTEST_SKIP() << "no right to mount a tmpfs";
  loop_.AddPeople(0, 7);
  loop_.WritePlan();
  const tests::ProgramOutcome full = loop_.Run("-q");
  EXPECT_EQ(full.code, 1) << full.text;
  EXPECT_THAT(full.text, testing::AnyOf(HasSubstr("No space left"), HasSubstr("the disk is full")));
  EXPECT_EQ(mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=200m"), 0);
  ExpectRun("round 1: promoted");
  umount(disk.c_str());
}

TEST_F(Loop, WithoutAGeneratorTheFirstIsTrainedFromNothing) {
  loop_.AddPeople(0, 7);
  loop_.WritePlan(R"({"generator": "none", "train": {"image-size": 32, "conv-dim": 4, "critic-layers": 3, "blocks": 1, "aus": "AU12,AU25",
                      "batch": 4, "max-steps": 2, "samples": 0, "jobs": 1}})");
  ExpectRun("round 1: promoted");
  EXPECT_FALSE(fs::exists(loop_.Round(1, "parent.h5")));
}

TEST_F(Loop, AGeneratorKeepsItsFlow) {
  loop_.AddPeople(0, 7);
  loop_.WritePlan("{\"generator\": \"" + tests::LoopFiles::Get().flowing_generator() + "\"}");
  ExpectRun("round 1: promoted");
  EXPECT_THAT(datasets::storage::Hdf5Reader(loop_.Work("generator.h5")).ReadIntegerList("/", "network"), testing::SizeIs(6));
  loop_.AddPeople(8, 11);
  ExpectRun("round 2: promoted");
}

std::string ModelOf(const std::string& folder) { return datasets::ShardReader(datasets::FindShards({folder}).front()).header().model_digest; }

TEST_F(Loop, ABetterAnnotatorRelabelsWhatTheOldOneHasLabelled) {
  loop_.AddPeople(0, 11);
  loop_.WritePlan();
  ExpectRun("round 1: promoted");
  const std::string old_model = ModelOf(loop_.Round(1, "shards"));
  // train-au wants 20 people to train on and more to judge by; which of them the loop sees is all one.
  for (const auto& [name, first, last] : {std::tuple{"taught", 0, 29}, {"asked", 30, 35}}) {
    const tests::SmallLoop people;
    people.AddPeople(first, last);
    ASSERT_EQ(tests::RunCommand(AUFORGE_PROGRAM " annotate " + (people.dir() / "in") + " -j 1 -q -o " + (loop_.dir() / name)).code, 0);
  }
  // A model of a few shape features is worse than the present one, which only this rule does not mind.
  const std::string annotator = R"({"data": "shards:taught,copies=0", "held_out": "shards:asked,copies=0",
    "train": {"no-gabor": true, "no-hog": true, "no-local": true, "centres": 8, "shape-components": 4, "jobs": 1}, "better": ")";
  loop_.AddPeople(12, 15);
  loop_.WritePlan("{\"annotator\": " + annotator + "auc > old + 0.9\"}}");
  ExpectRun("round 2: promoted");
  EXPECT_FALSE(fs::exists(loop_.Work("au-model.h5"))) << "not better";
  EXPECT_EQ(ModelOf(loop_.Round(2, "shards")), old_model);
  loop_.AddPeople(16, 17);
  loop_.WritePlan("{\"drift\": {\"max_au_psi\": null, \"max_contradictions\": null, \"max_quality_psi\": null}, \"filter\": \"\", \"annotator\": " +
                  annotator + "auc >= 0\"}}");
  ExpectRun("annotator: no new labels", "");
  loop_.AddPeople(18, 21);
  fs::rename(loop_.dir() / "taught", loop_.dir() / "labels");  // the same, called otherwise
  std::string plan = tests::ReadText(loop_.Plan());
  plan.replace(plan.find("shards:taught"), 13, "shards:labels");
  tests::WriteText(loop_.Plan(), plan);
  const tests::ProgramOutcome outcome = loop_.Run();
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_THAT(outcome.text, testing::AllOf(HasSubstr("the new AU model is promoted"), HasSubstr("relabels 3 earlier rounds")));
  EXPECT_EQ(tests::ReadText(loop_.Work("au-model.h5")), tests::ReadText(loop_.Round(4, "au-candidate.h5")));
  const std::string new_model = annotator::AuModel::Load(loop_.Work("au-model.h5")).info().digest;
  for (int round = 1; round <= 4; ++round) EXPECT_EQ(ModelOf(loop_.Round(round, "shards")), new_model) << round;
  EXPECT_EQ(ModelOf(loop_.Round(1, "training")), new_model);
  EXPECT_NE(new_model, old_model);
  EXPECT_THAT(tests::RunCommand(AUFORGE_PROGRAM " inspect " + loop_.Work("au-model.h5")).text, HasSubstr("round"));
  // The generator says the round and the file that it was trained from.
  const std::string said = tests::RunCommand(AUFORGE_PROGRAM " inspect " + loop_.Work("generator.h5")).text;
  EXPECT_THAT(said, HasSubstr(tools::FileDigest(loop_.Round(4, "parent.h5")).substr(0, 16)));
}

// A small part of loop_kill_test's, for every run.
TEST_F(Loop, FiveKillsChangeNothing) {
  loop_.AddPeople(0, 7);
  loop_.WritePlan();
  const auto start = std::chrono::steady_clock::now();
  ExpectRun("round 1: promoted");
  const double whole = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto undisturbed = loop_.Lasting();
  loop_.RemoveWork();
  for (int kill = 1; kill <= 5; ++kill) {
    tests::Process process({AUFORGE_PROGRAM, "loop", loop_.Plan(), "-q"}, loop_.dir() / "log");
    const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(whole * kill / 9);
    while (process.IsRunning() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    process.Signal(SIGKILL);
    process.Wait();
  }
  const tests::ProgramOutcome last = loop_.Run("-q");
  EXPECT_EQ(last.code, 0) << last.text;
  const auto killed = loop_.Lasting();
  for (const auto& [path, content] : undisturbed) {
    ASSERT_TRUE(killed.contains(path)) << path;
    EXPECT_TRUE(killed.at(path) == content) << path << " differs from the undisturbed run's";
  }
  for (const auto& [path, content] : killed) EXPECT_TRUE(undisturbed.contains(path)) << path << " is left over";
}

}  // namespace
}  // namespace auforge
