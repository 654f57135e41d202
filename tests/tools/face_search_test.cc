// --detector, --detector-model, --detector-threshold and --landmarks of the commands that look for faces in pictures. The
// pictures show faces, and one detector sees none: a command that does not ask it finds them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>

#include "annotator/net_detector.h"
#include "datasets/image_codec.h"
#include "datasets/shard.h"
#include "tests/support/learnt_net.h"
#include "tests/support/program.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"

namespace auforge::tools {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class FaceSearchOptions : public testing::Test {
 protected:
  FaceSearchOptions() {
    const cv::Mat people = cv::imread(tests::SourcePath("docs/images/cg-people.jpg"));
    std::filesystem::create_directory(dir_.path() / "in");
    datasets::WritePng(dir_ / "in/people.png", people(cv::Rect(0, 0, people.cols / 2, people.rows / 2)));
    tests::WriteText(dir_ / "in/labels.csv", "image,AU12\npeople.png,3\n");
    tests::WriteText(dir_ / "text.net", "a text that is no net");
    features::GridNetDescription net = tests::RandomGridNet({8, 8, 8, 16, 8, 8, 8}, 1);
    std::fill(net.answer_weight.begin(), net.answer_weight.end(), 0.0F);
    net.answer_bias.front() = -9;
    const std::vector<std::uint8_t> blind = annotator::DetectorBytes(features::GridNet::FromWeights(net));
    tests::WriteText(dir_ / "blind.net", {blind.begin(), blind.end()});
  }

  tests::ProgramOutcome Run(const std::string& arguments) const {
    return tests::RunCommand("cd " + dir_.path().string() + " && " + AUFORGE_PROGRAM + " " + arguments);
  }

  // Finished shards of the picture, for commands that need labelled faces without a look at pictures. Returns their faces.
  std::size_t MakeShards() const {
    const tests::ProgramOutcome made = Run("annotate in -q -o shards --min-face 40");
    EXPECT_EQ(made.code, 0) << made.text;
    return datasets::ShardReader(dir_ / "shards/00000.h5").FaceCount();
  }

  // The command says `faces` of what the default detector finds, `nothing` of what the blind one does, and names a file
  // that is no detector.
  void ExpectAsks(const std::string& command, const std::string& faces, const std::string& nothing) const {
    EXPECT_THAT(Run(command).text, AllOf(HasSubstr(faces), Not(HasSubstr(nothing)))) << command;
    EXPECT_THAT(Run(command + " --detector-model blind.net").text, AllOf(HasSubstr(nothing), Not(HasSubstr(faces)))) << command;
    const tests::ProgramOutcome text = Run(command + " --detector-model text.net");
    EXPECT_EQ(text.code, 3) << command << "\n" << text.text;
    EXPECT_THAT(text.text, HasSubstr("text.net: is no face detector")) << command;
    // Another detector reads the file as its own.
    const tests::ProgramOutcome yunet = Run(command + " --detector yunet --detector-model text.net");
    EXPECT_EQ(yunet.code, 3) << command << "\n" << yunet.text;
    EXPECT_THAT(yunet.text, AllOf(HasSubstr("text.net"), Not(HasSubstr("is no face detector")))) << command;
  }

  tests::TempDir dir_;
};

TEST_F(FaceSearchOptions, CalibrateAsksTheDetectorThatIsNamed) {
  for (const char* pictures : {"--images", "--neutral"})
    ExpectAsks("calibrate -o c.h5 " + std::string(pictures) + " in", "calibrate: 1 faces", "no face in the pictures");
  for (const char* way : {"", " --refit"})
    ExpectAsks("calibrate -o c.h5 --data csv:in/labels.csv" + std::string(way), ": 1 faces so far", ": 0 faces so far");
}

TEST_F(FaceSearchOptions, EvalAuAsksTheDetectorThatIsNamed) {
  ExpectAsks("eval-au --coherence in", "1 photos, 1 with a face", "1 photos, 0 with a face");
  ExpectAsks("eval-au --data csv:in/labels.csv", ": 1 faces so far", ": 0 faces so far");
}

TEST_F(FaceSearchOptions, TrainAuAsksTheDetectorThatIsNamed) {
  const std::size_t faces = MakeShards();
  const auto so_far = [](std::size_t count) { return "csv:in/labels.csv: " + std::to_string(count) + " faces so far"; };
  const std::string train = "train-au --no-gabor --no-hog -o m.h5 ";
  ExpectAsks(train + "--data csv:in/labels.csv", so_far(1), so_far(0));
  ExpectAsks(train + "--data shards:shards --held-out csv:in/labels.csv", so_far(faces + 1), so_far(faces));
  ExpectAsks(train + "--data shards:shards --photos csv:in/labels.csv", so_far(1), so_far(0));
  ExpectAsks(train + "--data shards:shards --unlabelled in", "1 unlabelled photos, 1 with a face", "1 unlabelled photos, 0 with a face");
}

TEST_F(FaceSearchOptions, AnnotateAsksTheDetectorThatIsNamed) {
  const std::string annotate = "annotate in --min-face 40 -o out$$";  // another folder every time
  ExpectAsks(annotate, "ok: 1", "no_face: 1");
  ExpectAsks(annotate + " --neutral in/people.png", "ok: 1", "no face to take for the resting one");
}

TEST_F(FaceSearchOptions, ARestingFaceIsAsSureAsTheOthers) {
  const std::string annotate = "annotate in --min-face 40 --detector hog -o out$$ --neutral in/people.png";
  EXPECT_EQ(Run(annotate).code, 0);
  const tests::ProgramOutcome none = Run(annotate + " --detector-threshold 3");
  EXPECT_EQ(none.code, 3);
  EXPECT_THAT(none.text, HasSubstr("no face to take for the resting one"));
}

// Without a name the points are auforge's, whichever source comes first.
TEST_F(FaceSearchOptions, LabelledPicturesAloneAreGivenThePointsOfTheDefault) {
  MakeShards();
  const tests::ProgramOutcome both = Run("train-au --no-gabor --no-hog -o m.h5 --data csv:in/labels.csv --data shards:shards");
  EXPECT_THAT(both.text, AllOf(HasSubstr("shards:shards: "), Not(HasSubstr("has landmarks of")))) << both.text;
}

}  // namespace
}  // namespace auforge::tools
