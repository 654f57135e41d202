// Numbers that only begin like numbers: in options, specs, expressions and the environment. A whole token or an error
// that says where.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/number_options.h"
#include "tests/support/program.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"
#include "tools/commands.h"

namespace auforge::tools {
namespace {

using testing::HasSubstr;

tests::ProgramOutcome RunProgram(const std::string& arguments, const std::string& environment = "") {
  return tests::RunCommand(environment + " " + AUFORGE_PROGRAM + " " + arguments);
}

struct Wrong {
  std::string arguments, said;
};

TEST(Numbers, OfOptionsAreWholeTokens) {
  const tests::TempDir dir;
  tests::WriteText(dir / "a.jpg", "picture");
  const std::string annotate = "annotate " + (dir / "a.jpg") + " -o " + (dir / "out") + " ";
  for (const Wrong& wrong :
       {Wrong{annotate + "-j 2x", "2x"}, Wrong{annotate + "-j 0x2", "0x2"}, Wrong{annotate + "-j 1e1", "1e1"},
        Wrong{annotate + "-j 1,000", "1,000"}, Wrong{annotate + "--shard-size 10k", "10k"},
        Wrong{annotate + "--min-quality 0,5", "0,5"}, Wrong{annotate + "--min-quality nan", "nan"},
        Wrong{annotate + "--min-quality 1/2", "1/2"}, Wrong{annotate + "--detector-threshold inf", "inf"},
        Wrong{annotate + "--detector-threshold 1e999", "1e999"}, Wrong{annotate + "--max-bytes -1", "-1"},
        Wrong{annotate + "--max-pixels 1e9", "1e9"}, Wrong{annotate + "--index 0x0 --count 1", "0x0"},
        Wrong{"query " + dir.path().string() + " --limit -1", "-1"},
        Wrong{"query " + dir.path().string() + " --limit 5.", "5."},
        Wrong{"synth faces --method cg -o " + (dir / "s") + " --seed -3", "-3"},
        Wrong{"serve " + dir.path().string() + " --port 80a", "80a"}}) {
    const auto outcome = RunProgram(wrong.arguments);
    EXPECT_EQ(outcome.code, 2) << wrong.arguments << "\n" << outcome.text;
    EXPECT_THAT(outcome.text, HasSubstr(wrong.said)) << wrong.arguments;
  }
}

// Every option of every command; those of auforge-gan in tests/gan/commands_test.cc.
TEST(Numbers, OfEveryOptionHaveARangeThatIsTold) {
  Cli cli("auforge", "");
  for (void (*add)(Cli&) : {AddAnnotate, AddRelabel, AddInspect, AddVerify, AddMergeStats, AddReport, AddQuery, AddExport, AddKeywords,
                            AddServe, AddTrainAu, AddEvalAu, AddCalibrate, AddSynth})
    add(cli);
  EXPECT_GT(cli.Numbers().size(), 60U);
  tests::ExpectRangesAreTold(cli);
}

TEST(Numbers, OfDataSpecsAreWholeTokens) {
  const tests::TempDir dir;
  for (const char* odd : {"count=1e3", "count=10x", "count=-1", "count=", "count=0x10", "count=1 000", "seed=1.5"}) {
    const auto outcome =
        RunProgram("train-au --no-gabor --no-hog -o " + (dir / "m.h5") + " --data 'landmarks:none.h5," + odd + "'");
    EXPECT_NE(outcome.code, 0) << odd;
  }
  tests::WriteText(dir / "l.csv", "image,AU12\n");
  for (const char* odd : {"fold=1x", "fold=4294967297", "every=0", "every=99999999999999999999", "scale=2", "scale=0.5", "scale=1x"}) {
    const auto outcome = RunProgram("eval-au --data 'csv:" + (dir / "l.csv") + "," + odd + "'");
    EXPECT_EQ(outcome.code, 2) << odd << "\n" << outcome.text;
  }
}

TEST(Numbers, OfTheEnvironmentAreWholeTokens) {
  const tests::TempDir dir;
  tests::WriteText(dir / "a.jpg", "picture");
  const std::string annotate = "annotate " + (dir / "a.jpg") + " -o " + (dir / "out");
  for (const char* odd :
       {"SLURM_CPUS_PER_TASK=4x", "SLURM_CPUS_PER_TASK=0x4", "SLURM_CPUS_PER_TASK='2(x3)'", "SLURM_CPUS_PER_TASK=-2",
        "AUFORGE_COUNT=2 JOB_COMPLETION_INDEX=1x", "AUFORGE_COUNT=2.0 JOB_COMPLETION_INDEX=1",
        "SLURM_ARRAY_TASK_COUNT=4 SLURM_ARRAY_TASK_ID=1,2", "SLURM_ARRAY_TASK_COUNT=0x4 SLURM_ARRAY_TASK_ID=1",
        "OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=nan", "SOURCE_DATE_EPOCH=soon", "SOURCE_DATE_EPOCH=1e9"}) {
    const auto outcome = RunProgram(annotate, odd);
    EXPECT_EQ(outcome.code, 2) << odd << "\n" << outcome.text;
    const std::string name = std::string(odd).substr(0, std::string(odd).find_first_of("="));
    const std::string last = std::string(odd).substr(std::string(odd).rfind(' ') + 1);
    EXPECT_TRUE(outcome.text.find(name) != std::string::npos ||
                outcome.text.find(last.substr(0, last.find('='))) != std::string::npos)
        << odd << "\n" << outcome.text;
  }
}

TEST(Numbers, OfExpressionsAreWholeTokens) {
  const tests::TempDir dir;
  for (const char* odd : {"AU12>=0.8x", "AU12>=1/2", "AU12>=0,8", "AU12>=0x1", "AU12>=1e1", "AU12>=nan", "AU12>=+-1"}) {
    const auto outcome = RunProgram("query " + dir.path().string() + " --where '" + odd + "'");
    EXPECT_NE(outcome.code, 0) << odd;
  }
}

}  // namespace
}  // namespace auforge::tools
