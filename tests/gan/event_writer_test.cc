#include "gan/event_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <filesystem>
#include <vector>

#include "gan/internal/run_log.h"
#include "tests/support/faces.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::gan {
namespace {

std::uint64_t Number(const std::string& bytes, std::size_t at, int size) {
  std::uint64_t value = 0;
  for (int i = 0; i < size; ++i)
    value |= std::uint64_t{static_cast<unsigned char>(bytes.at(at + static_cast<std::size_t>(i)))} << (8 * i);
  return value;
}

// The events of a file, every checksum checked.
std::vector<std::string> Events(const std::string& path) {
  const std::string file = tests::ReadText(path);
  std::vector<std::string> events;
  for (std::size_t at = 0; at < file.size();) {
    const auto length = static_cast<std::size_t>(Number(file, at, 8));
    EXPECT_EQ(Number(file, at + 8, 4), MaskedCrc32c(file.substr(at, 8)));
    events.push_back(file.substr(at + 12, length));
    EXPECT_EQ(Number(file, at + 12 + length, 4), MaskedCrc32c(events.back()));
    at += 16 + length;
  }
  return events;
}

struct Field {
  std::uint64_t number, value = 0;  // of varints and fixed fields
  std::string bytes;
};

std::uint64_t Varint(const std::string& m, std::size_t& at) {
  std::uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(m.at(at++));
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if ((byte & 0x80) == 0) return value;
  }
}

std::vector<Field> Parse(const std::string& message) {
  std::vector<Field> fields;
  for (std::size_t at = 0; at < message.size();) {
    const std::uint64_t key = Varint(message, at);
    Field field{key >> 3, 0, ""};
    switch (key & 7) {
      case 0:
        field.value = Varint(message, at);
        break;
      case 1:
        field.value = Number(message, at, 8);
        at += 8;
        break;
      case 2: {
        const auto length = static_cast<std::size_t>(Varint(message, at));
        field.bytes = message.substr(at, length);
        at += length;
        break;
      }
      case 5:
        field.value = Number(message, at, 4);
        at += 4;
        break;
      default:
        ADD_FAILURE() << "wire type " << (key & 7);
        return fields;
    }
    fields.push_back(field);
  }
  return fields;
}

const Field& Get(const std::vector<Field>& fields, std::uint64_t number) {
  static const Field kNone{};
  for (const Field& f : fields) {
    if (f.number == number) return f;
  }
  ADD_FAILURE() << "no field " << number;
  return kNone;
}

// From the CRC-32C of RFC 3720's 32 zero bytes, 8A9136AA, by the format's own rule.
TEST(EventWriter, MasksChecksumsAsTheFormatSays) {
  EXPECT_EQ(MaskedCrc32c(std::string(32, '\0')), ((0x8A9136AAU >> 15) | (0x8A9136AAU << 17)) + 0xa282ead8U);
}

TEST(EventWriter, ScalarsAndPicturesReadBack) {
  const tests::TempDir dir;
  EventWriter writer(dir.path().string(), 7);
  writer.Scalars(300, {{"loss/a", 0.5}, {"loss/b", -2}});
  writer.Image(300, "samples", tests::Texture(24, 16, 3, 1));
  const std::vector<std::string> events = Events(writer.path());
  ASSERT_EQ(events.size(), 4U);
  EXPECT_EQ(Get(Parse(events[0]), 3).bytes, "brain.Event:2");
  const auto start = Parse(events[1]);
  EXPECT_EQ(Get(start, 2).value, 7U);
  EXPECT_EQ(Get(Parse(Get(start, 7).bytes), 1).value, 1U);
  const auto scalars = Parse(events[2]);
  EXPECT_EQ(Get(scalars, 2).value, 300U);
  EXPECT_GT(std::bit_cast<double>(Get(scalars, 1).value), 1.6e9);
  const auto values = Parse(Get(scalars, 5).bytes);
  ASSERT_EQ(values.size(), 2U);
  EXPECT_EQ(Get(Parse(values[0].bytes), 1).bytes, "loss/a");
  EXPECT_EQ(std::bit_cast<float>(static_cast<std::uint32_t>(Get(Parse(values[0].bytes), 2).value)), 0.5F);
  EXPECT_EQ(std::bit_cast<float>(static_cast<std::uint32_t>(Get(Parse(values[1].bytes), 2).value)), -2.0F);
  const auto image = Parse(Get(Parse(Get(Parse(Get(Parse(events[3]), 5).bytes), 1).bytes), 4).bytes);
  EXPECT_EQ(Get(image, 1).value, 16U);
  EXPECT_EQ(Get(image, 2).value, 24U);
  EXPECT_TRUE(Get(image, 4).bytes.starts_with("\xff\xd8"));
}

TEST(RunLog, DropsTheLinesThatWillBeDoneAgain) {
  const tests::TempDir dir;
  TrainProgress progress;
  progress.terms = {{"d_real", 1.5}};
  {
    RunLog log(dir.path().string(), 0);
    for (const int step : {5, 10, 15}) {
      progress.step = step;
      log.Write(progress);
    }
  }
  RunLog again(dir.path().string(), 10);
  progress.step = 12;
  again.Write(progress);
  const std::string table = tests::ReadText(dir / "metrics.csv");
  EXPECT_THAT(table, testing::ContainsRegex("\n10,.*\n12,"));
  EXPECT_THAT(table, testing::Not(testing::HasSubstr("\n15,")));
  EXPECT_THAT(table, testing::HasSubstr(",1.5,"));
}

TEST(TermAverages, NamesATermThatIsNotFinite) {
  TermAverages averages;
  averages.Add({{"d_real", 1}, {"d_gp", 3}});
  averages.Add({{"d_real", 2}});
  const auto means = averages.Take();
  EXPECT_EQ(means.at("d_real"), 1.5);
  EXPECT_EQ(means.at("d_gp"), 3);
  try {
    averages.Add({{"g_cyc", std::numeric_limits<double>::quiet_NaN()}});
    ADD_FAILURE() << "a NaN passed";
  } catch (const TrainingDiverged& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("g_cyc"));
  }
}

}  // namespace
}  // namespace auforge::gan
