// Label files as other programs write them: separators, encodings, quotes, decimal commas, scales.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "datasets/labels/label_set.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::datasets {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string Utf16(const std::string& ascii, bool low_first, bool with_mark) {
  std::string bytes;
  const auto add = [&](char low, char high) { bytes += low_first ? std::string{low, high} : std::string{high, low}; };
  if (with_mark) add('\xFF', '\xFE');
  for (const char c : ascii) add(c, '\0');
  return bytes;
}

class LabelFile : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"a.jpg", "b.jpg", "c,d.jpg", "e\nf.jpg"}) tests::WriteText(dir_ / name, "picture");
  }
  LabelSet Import(const std::string& bytes, const LabelOptions& options = {}) {
    tests::WriteText(dir_ / "labels.csv", bytes);
    return ImportLabels("csv", dir_ / "labels.csv", options);
  }
  std::string ErrorOf(const std::string& bytes) {
    try {
      Import(bytes);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "no error";
  }
  static std::vector<float> Au12(const LabelSet& set) {
    std::vector<float> values;
    for (const LabelledImage& image : set.images) values.push_back(image.intensity.at(*set.schema.Find(12)));
    return values;
  }
  tests::TempDir dir_;
};

TEST_F(LabelFile, OfAnySeparatorIsTheSame) {
  for (const char* text : {"image,AU12\na.jpg,2.5\nb.jpg,4\n", "image;AU12\na.jpg;2.5\nb.jpg;4\n", "image\tAU12\na.jpg\t2.5\nb.jpg\t4\n",
                           "image|AU12\na.jpg|2.5\nb.jpg|4\n", "sep=;\nimage;AU12\na.jpg;2,5\nb.jpg;4\n",
                           "image;AU12\r\na.jpg;\"2,5\"\r\nb.jpg;4,0\r\n", "\n\nimage;AU12\ra.jpg;2.5\rb.jpg;4\r"}) {
    const LabelSet set = Import(text);
    EXPECT_THAT(Au12(set), ElementsAre(2.5F, 4)) << text;
    EXPECT_THAT(set.faults, IsEmpty()) << text;
  }
}

TEST_F(LabelFile, OfTwoSeparatorsIsRefusedByName) {
  EXPECT_THAT(ErrorOf("image;AU12,AU6\na.jpg;1,2\n"), AllOf(HasSubstr("labels.csv"), HasSubstr("commas"), HasSubstr("semicolons")));
}

TEST_F(LabelFile, InUtf16IsRead) {
  const std::string text = "image;AU12\r\na.jpg;2,5\r\nb.jpg;4\r\n";
  for (const bool low_first : {true, false}) {
    for (const bool with_mark : {true, false}) EXPECT_THAT(Au12(Import(Utf16(text, low_first, with_mark))), ElementsAre(2.5F, 4));
  }
}

TEST_F(LabelFile, OfAnotherKindIsRefusedByName) {
  using namespace std::string_literals;
  EXPECT_THAT(ErrorOf("PK\x03\x04 xl/workbook.xml"), AllOf(HasSubstr("labels.csv"), HasSubstr("workbook")));
  EXPECT_THAT(ErrorOf("\x1F\x8B\x08 rubbish"), HasSubstr("gzip"));
  EXPECT_THAT(ErrorOf("\xFF\xFE\0\0i\0\0\0"s), HasSubstr("UTF-32"));
  EXPECT_THAT(ErrorOf("image,AU12\na.jpg,\0\n"s), HasSubstr("bytes of zero"));
}

TEST_F(LabelFile, QuotedFieldsMayHoldAnything) {
  const LabelSet set = Import("image,note,AU12\n\"c,d.jpg\",\"she said \"\"no\"\"\",1\n\"e\nf.jpg\",,2\nb.jpg,5'10\" tall,x\n");
  EXPECT_THAT(Au12(set), SizeIs(3));
  EXPECT_EQ(Au12(set)[1], 2);
  EXPECT_THAT(set.faults, ElementsAre(AllOf(HasSubstr("labels.csv:5"), HasSubstr("\"x\" is no number"))));
}

TEST_F(LabelFile, AQuoteThatIsNeverClosedCostsItsLine) {
  const LabelSet set = Import("image,AU12\n\"a.jpg,1\nb.jpg,2\n");
  EXPECT_THAT(Au12(set), ElementsAre(2));
}

TEST_F(LabelFile, NumbersAreWholeFields) {
  for (const char* odd : {"0.8x", "1/2", "0x2", "1e999", "inf", "+-1", "1 2", "\"2,5\"", "2'5", "1.2.3"}) {
    const LabelSet set = Import(std::string("image,AU12\na.jpg,") + odd + "\nb.jpg,4\n");
    ASSERT_THAT(Au12(set), SizeIs(2)) << odd;
    EXPECT_TRUE(std::isnan(Au12(set)[0])) << odd;
    EXPECT_THAT(set.faults, ElementsAre(AllOf(HasSubstr("labels.csv:2"), HasSubstr("AU12"), HasSubstr("is no number")))) << odd;
  }
  for (const char* unknown : {"", "nan", "NaN", "NA", "null", "999"}) {
    const LabelSet set = Import(std::string("image,AU12\na.jpg,") + unknown + "\nb.jpg,4\n");
    EXPECT_TRUE(std::isnan(Au12(set).at(0))) << unknown;
    EXPECT_THAT(set.faults, IsEmpty()) << unknown;
  }
}

TEST_F(LabelFile, LabelsOfNoughtToOneAreSaidAndScaledWhenTold) {
  const std::string text = "image,AU12\na.jpg,0.5\nb.jpg,1\n";
  EXPECT_THAT(Import(text).notes, ElementsAre(AllOf(HasSubstr("labels.csv"), HasSubstr("0..1"), HasSubstr("scale=1"))));
  LabelOptions options;
  options.scale = 1;
  const LabelSet scaled = Import(text + "\"c,d.jpg\",2\n", options);
  EXPECT_THAT(scaled.notes, IsEmpty());
  const std::vector<float> values = Au12(scaled);
  EXPECT_THAT(std::vector<float>(values.begin(), values.begin() + 2), ElementsAre(2.5F, 5));
  EXPECT_THAT(scaled.faults, ElementsAre(HasSubstr("AU12 = 2.00 is not an intensity of 0..1")));
  options.scale = 5;
  const LabelSet said = Import(text, options);
  EXPECT_THAT(Au12(said), ElementsAre(0.5F, 1));
  EXPECT_THAT(said.notes, IsEmpty());
  EXPECT_THAT(Import("image,AU12\na.jpg,0\nb.jpg,1\n").notes, ElementsAre(HasSubstr("is 0 or 1")));
  EXPECT_THAT(Import("image,AU12\na.jpg,0.5\nb.jpg,1.5\n").notes, IsEmpty());
  EXPECT_THAT(Import("image,AU12\na.jpg,0\nb.jpg,0\n").notes, IsEmpty());
  options.scale = 4;
  EXPECT_THROW(Import(text, options), std::invalid_argument);
}

TEST_F(LabelFile, AScaleOfPresenceIsRefused) {
  tests::WriteText(dir_ / "manual.csv", "URL,URL orig,'AU 12'\nhttp://x/a.jpg,-,1\n");
  LabelOptions options;
  options.scale = 1;
  EXPECT_THROW(ImportLabels("emotionet", dir_ / "manual.csv", options), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::datasets
