// Parquet, written and read back by our own reader, and files of pyarrow's as it writes them by default and otherwise; hostile
// bytes. pyarrow, duckdb and datasets themselves: tests/clients.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>

#include "datasets/parquet/levels.h"
#include "datasets/parquet/reader.h"
#include "datasets/parquet/unpack.h"
#include "datasets/parquet/writer.h"
#include "tests/support/tar_file.h"
#include "tests/support/test_data.h"

namespace auforge::datasets::parquet {
namespace {

using testing::HasSubstr;

Reader Open(const std::string& bytes, Limits limits = {}) {
  return Reader(
      [&bytes](std::uint64_t offset, std::span<std::uint8_t> to) {
        ASSERT_LE(offset + to.size(), bytes.size());
        std::memcpy(to.data(), bytes.data() + offset, to.size());
      },
      bytes.size(), limits);
}

std::vector<std::uint32_t> Numbers(const std::string& pattern) {
  std::vector<std::uint32_t> numbers;
  for (const char c : pattern) numbers.push_back(static_cast<std::uint32_t>(c - '0'));
  return numbers;
}

TEST(ParquetLevels, EveryMixtureOfRunsAndGroupsIsReadBack) {
  std::mt19937 random(1);
  for (const int width : {0, 1, 2, 3, 7, 8, 13, 17, 31, 32}) {
    const std::uint64_t end = std::uint64_t{1} << width;
    for (int n = 0; n < 60; ++n) {
      std::vector<std::uint32_t> values;
      while (values.size() < static_cast<std::size_t>(n * 3)) {
        const auto value = static_cast<std::uint32_t>(random() % end);
        values.insert(values.end(), 1 + random() % (n % 2 == 0 ? 3 : 30), value);
      }
      std::string bytes;
      AppendHybrid(values, width, bytes);
      std::vector<std::uint32_t> read(values.size());
      const std::span whole(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
      ASSERT_TRUE(HybridReader(whole, width).Read(read));
      EXPECT_EQ(read, values);
      if (!values.empty() && width > 0) {
        EXPECT_FALSE(HybridReader(whole.first(whole.size() / 2), width).Read(read));
      }
    }
  }
  // By hand: 8 ones in a run, then 1 0 packed.
  std::string bytes;
  AppendHybrid(Numbers("1111111110"), 1, bytes);
  EXPECT_EQ(bytes, std::string("\x12\x01\x03\0", 4));
  EXPECT_EQ(BitWidth(0), 0);
  EXPECT_EQ(BitWidth(1), 1);
  EXPECT_EQ(BitWidth(8), 4);
}

std::string Unsnapped(const std::string& packed, std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  const std::span in(reinterpret_cast<const std::uint8_t*>(packed.data()), packed.size());
  return UnpackSnappy(in, bytes) ? std::string(bytes.begin(), bytes.end()) : "damaged";
}

TEST(ParquetSnappy, LiteralsAndCopies) {
  EXPECT_EQ(Unsnapped(std::string("\x05\x10hello", 7), 5), "hello");
  // "ab", then 10 bytes from 2 back (a copy with an offset of 2 bytes), then 4 from 1 back (of 1 byte).
  EXPECT_EQ(Unsnapped(std::string("\x10\x04" "ab\x26\x02\0\x01\x01", 9), 16), "abababababab" "bbbb");
  EXPECT_EQ(Unsnapped(std::string("\0", 1), 0), "");
  // 61: the length in two bytes.
  EXPECT_EQ(Unsnapped(std::string("\x80\x02\xF4\xFF\0", 5) + std::string(256, 'x'), 256), std::string(256, 'x'));
  for (const std::string& bad : {std::string("\x05\x10hell", 6), std::string("\x06\x10hello", 7), std::string("\x04\x10hello", 7), std::string("\x03\x01\x01", 3),
                                std::string("\x08\x00" "a\x26\x05\0", 6), std::string("\x08\x00" "a\x26\0\0", 6), std::string("\xFF\xFF\xFF\xFF\xFF", 5), std::string()})
    EXPECT_EQ(Unsnapped(bad, bad.empty() ? 0U : static_cast<unsigned char>(bad[0])), "damaged");
}

struct Table {
  std::string bytes;
  WriterOptions options;
  std::vector<Column> columns{{"text", Kind::kText, false, false}, {"maybe", Kind::kText, true, false},   {"flag", Kind::kBool, false, false},
                              {"perhaps", Kind::kBool, true, false}, {"small", Kind::kInt32, false, false}, {"large", Kind::kInt64, true, false},
                              {"real", Kind::kFloat, true, false},   {"time", Kind::kDouble, true, false},  {"points", Kind::kFloat, false, true}};

  static float Real(int i) { return i % 7 == 0 ? std::nanf("") : static_cast<float>(i) * 0.1F - 3; }
  static std::string Text(int i) { return "text " + std::to_string(i % 5); }

  void Write(int rows) {
    Writer writer(columns, [this](std::string_view piece) { bytes += piece; }, options);
    for (int i = 0; i < rows; ++i) {
      writer.Text(Text(i));
      i % 3 == 0 ? writer.Null() : writer.Text(std::string(static_cast<std::size_t>(i % 40), static_cast<char>('a' + i % 26)));
      writer.Bool(i % 2 == 0);
      i % 4 == 0 ? writer.Null() : writer.Bool(i % 3 == 0);
      writer.Int32(i - 5);
      i % 10 == 0 ? writer.Null() : writer.Int64(std::int64_t{i} << 40);
      writer.Float(Real(i));
      writer.Double(i % 2 == 0 ? std::numeric_limits<double>::infinity() : i / 3.0);
      std::vector<float> points;
      for (int j = 0; j <= i % 3; ++j) points.push_back(i % 11 == 0 && j == 0 ? std::nanf("") : static_cast<float>(i * 10 + j));
      writer.Floats(points);
      writer.EndRow();
    }
    writer.Finish({{"key", "value"}, {"empty", ""}});
  }

  void ExpectRead(int rows) const {
    const Reader reader = Open(bytes);
    ASSERT_EQ(reader.rows(), static_cast<std::uint64_t>(rows));
    EXPECT_EQ(reader.Columns(), (std::vector<std::string>{"text", "maybe", "flag", "perhaps", "small", "large", "real", "time", "points.list.element"}));
    EXPECT_EQ(reader.Metadata(), (std::vector<std::pair<std::string, std::string>>{{"key", "value"}, {"empty", ""}}));
    const auto text = reader.Read("text").values, maybe = reader.Read("maybe").values, flag = reader.Read("flag").values,
               perhaps = reader.Read("perhaps").values, small = reader.Read("small").values, large = reader.Read("large").values,
               real = reader.Read("real").values, time = reader.Read("time").values;
    const ColumnValues points = reader.Read("points.list.element");
    std::size_t point = 0;
    for (int i = 0; i < rows; ++i) {
      const auto at = static_cast<std::size_t>(i);
      EXPECT_EQ(text[at], Value(Text(i)));
      EXPECT_EQ(maybe[at], i % 3 == 0 ? Value() : Value(std::string(static_cast<std::size_t>(i % 40), static_cast<char>('a' + i % 26))));
      EXPECT_EQ(flag[at], Value(i % 2 == 0));
      EXPECT_EQ(perhaps[at], i % 4 == 0 ? Value() : Value(i % 3 == 0));
      EXPECT_EQ(small[at], Value(std::int64_t{i} - 5));
      EXPECT_EQ(large[at], i % 10 == 0 ? Value() : Value(std::int64_t{i} << 40));
      EXPECT_EQ(real[at], i % 7 == 0 ? Value() : Value(double{Real(i)}));
      EXPECT_EQ(time[at], i % 2 == 0 ? Value() : Value(i / 3.0));
      for (int j = 0; j <= i % 3; ++j, ++point) {
        ASSERT_EQ(points.rows[point], static_cast<std::uint32_t>(i));
        EXPECT_EQ(points.values[point], i % 11 == 0 && j == 0 ? Value() : Value(static_cast<double>(i * 10 + j)));
      }
    }
    EXPECT_EQ(point, points.values.size());
  }
};

TEST(Parquet, WhatIsWrittenIsReadBack) {
  for (const int rows : {0, 1, 7, 8, 9, 100, 3000}) {
    for (const WriterOptions& options : {WriterOptions{}, WriterOptions{.group_rows = 64, .page_bytes = 100, .created_by = "us"},
                                         WriterOptions{.group_rows = 1000, .dictionary_bytes = 0, .created_by = {}}}) {
      Table table;
      table.options = options;
      table.Write(rows);
      table.ExpectRead(rows);
    }
  }
}

TEST(Parquet, BeginsAndEndsAsTheFormatSays) {
  Table table;
  table.Write(3);
  EXPECT_TRUE(table.bytes.starts_with("PAR1"));
  EXPECT_TRUE(table.bytes.ends_with("PAR1"));
}

TEST(Parquet, MisuseIsAMistakeOfOurs) {
  std::string bytes;
  Writer writer({{"a", Kind::kInt32, false, false}}, [&](std::string_view piece) { bytes += piece; }, {});
  EXPECT_THROW(writer.Null(), std::logic_error);
  EXPECT_THROW(writer.Text("a"), std::logic_error);
  EXPECT_THROW(writer.EndRow(), std::logic_error);
  writer.Int32(1);
  EXPECT_THROW(writer.Int32(1), std::logic_error);
}

// tests/golden/parquet/make.py says what is in them.
std::string Golden(const std::string& name) { return tests::ReadText(tests::SourcePath("tests/golden/parquet/" + name + ".parquet")); }

TEST(ParquetGolden, WhatPyarrowWritesIsRead) {
  constexpr int kRows = 100;
  for (const char* name : {"default", "groups", "v2", "plain", "gzip", "zstd", "old"}) {
    const std::string bytes = Golden(name);
    const Reader reader = Open(bytes);
    ASSERT_EQ(reader.rows(), static_cast<std::uint64_t>(kRows)) << name;
    std::map<std::string, ColumnValues> columns;
    for (const std::string& column : reader.Columns()) columns[column] = reader.Read(column);
    const auto at = [&](const char* column, int i) { return columns.at(column).values.at(static_cast<std::size_t>(i)); };
    std::map<int, std::vector<Value>> lists;
    const ColumnValues& list = columns.at("list.list.element");
    for (std::size_t i = 0; i < list.values.size(); ++i) lists[static_cast<int>(list.rows[i])].push_back(list.values[i]);
    for (int i = 0; i < kRows; ++i) {
      char key[16];
      std::snprintf(key, sizeof(key), "%09d", i);
      EXPECT_EQ(at("key", i), Value(std::string(key))) << name << i;
      EXPECT_EQ(at("url", i), i % 17 == 0 ? Value() : Value("http://host/" + std::to_string(i) + ".jpg"));
      std::string words;
      for (int j = 0; j < i % 4; ++j) words += "words ";
      EXPECT_EQ(at("caption", i), i % 5 == 0 ? Value() : Value(words + "é"));
      EXPECT_EQ(at("status", i), Value(std::string(i % 3 != 0 ? "success" : "failed_to_download")));
      EXPECT_EQ(at("error_message", i), i % 3 != 0 ? Value() : Value("HTTP Error " + std::to_string(404 + i % 2)));
      EXPECT_EQ(at("width", i), i % 7 == 0 ? Value() : Value(std::int64_t{i}));
      EXPECT_EQ(at("large", i), Value(std::int64_t{i} << 40));
      EXPECT_EQ(at("similarity", i), i % 2 != 0 ? Value() : Value(i / 8.0));
      EXPECT_EQ(at("real", i), Value(i / 3.0));
      EXPECT_EQ(at("flag", i), i % 11 == 0 ? Value() : Value(i % 4 == 1)) << name << i;
      EXPECT_EQ(at("struct.in", i), i % 9 == 0 || i % 6 == 0 ? Value() : Value(std::int64_t{i}));
      std::vector<Value> wanted;
      for (int j = 0; i % 13 != 0 && j < i % 4; ++j) wanted.emplace_back(std::int64_t{j} * i);
      EXPECT_EQ(lists[i], wanted.empty() ? std::vector<Value>{Value()} : wanted) << name << i;
    }
  }
}

TEST(ParquetGolden, WhatIsNotReadIsNamed) {
  const auto fault = [](const std::string& name, const std::string& column) -> std::string {
    const std::string bytes = Golden(name);
    try {
      Open(bytes).Read(column);
    } catch (const Fault& error) {
      return error.what();
    }
    return "none";
  };
  EXPECT_THAT(fault("brotli", "url"), HasSubstr("Brotli"));
  EXPECT_THAT(fault("delta", "url"), HasSubstr("DELTA_BYTE_ARRAY"));
  EXPECT_THAT(fault("delta", "real"), HasSubstr("BYTE_STREAM_SPLIT"));
  EXPECT_EQ(fault("delta", "key"), "none");
}

TEST(ParquetGolden, DamageIsAFaultOrReadOver) {
  std::mt19937 random(3);
  for (const char* name : {"default", "v2", "gzip", "zstd"}) {
    const std::string whole = Golden(name);
    for (int i = 0; i < 300; ++i) {
      std::string bytes = whole;
      for (int flips = 0; flips < 1 + i % 3; ++flips) bytes[random() % bytes.size()] = static_cast<char>(random());
      try {
        const Reader reader = Open(bytes, {.footer_bytes = 1 << 20, .rows = 10000, .page_bytes = 1 << 20, .column_bytes = 1 << 22});
        for (const std::string& column : reader.Columns()) reader.Read(column);
      } catch (const Fault&) {
      }
    }
  }
}

TEST(Parquet, DamageIsAFaultWhereverItIs) {
  Table table;
  table.options = {.group_rows = 40, .page_bytes = 200, .created_by = {}};
  table.Write(100);
  const auto read_all = [](const std::string& bytes) {
    const Reader reader = Open(bytes, {.footer_bytes = 1 << 20, .rows = 10000, .page_bytes = 1 << 20, .column_bytes = 1 << 22});
    for (const std::string& column : reader.Columns()) reader.Read(column);
  };
  read_all(table.bytes);
  for (std::size_t cut = 0; cut < table.bytes.size(); cut += 1 + table.bytes.size() / 200)
    EXPECT_THROW(read_all(table.bytes.substr(0, cut)), Fault) << cut;
  std::mt19937 random(2);
  int faults = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = table.bytes;
    for (int flips = 0; flips < 1 + i % 3; ++flips) bytes[random() % bytes.size()] = static_cast<char>(random());
    try {
      read_all(bytes);
    } catch (const Fault&) {
      ++faults;
    }
  }
  EXPECT_GT(faults, 1000);
}

TEST(Parquet, WhatIsTooMuchIsRefused) {
  Table table;
  table.Write(100);
  EXPECT_THROW(Open(table.bytes, {.rows = 99}), Fault);
  EXPECT_THROW(Open(table.bytes, {.footer_bytes = 10}), Fault);
  EXPECT_THROW(Open(table.bytes, {.column_bytes = 100}).Read("text"), Fault);
  EXPECT_THROW(Open(table.bytes, {.page_bytes = 10}).Read("small"), Fault);
  EXPECT_THROW(Open(table.bytes).Read("none"), Fault);
}

}  // namespace
}  // namespace auforge::datasets::parquet
