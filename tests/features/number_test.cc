// What is a number and what only begins like one.
#include "features/number.h"

#include <gtest/gtest.h>

#include <clocale>

namespace auforge::features {
namespace {

TEST(Number, IsReadFromItsFirstCharacterToItsLast) {
  EXPECT_EQ(ParseNumber("0.8"), 0.8);
  EXPECT_EQ(ParseNumber(" +2.50\t"), 2.5);
  EXPECT_EQ(ParseNumber("-3"), -3);
  EXPECT_EQ(ParseNumber(".5"), 0.5);
  EXPECT_EQ(ParseNumber("4.0000000e+01"), 40);
  for (const char* none :
       {"", " ", "+", "-", ".", "e3", "0.8x", "1/2", "0,8", "1,000", "1 000", "1'000", "0.8;AU6=0.5", "1.2.3", "+-1", "--1",
        "++1", "- 1", "nan", "NaN", "-nan", "inf", "-inf", "infinity", "1e999", "-1e999", "0x10", "0x1p3", "1e", "1e+", "12abc",
        "1_000", "\xD9\xA1", "1\xC2\xA0", "5%", "0.8f", "1d", "true"}) {
    EXPECT_EQ(ParseNumber(none), std::nullopt) << none;
  }
  EXPECT_EQ(ParseNumber(std::string_view("1\0", 2)), std::nullopt);
}

TEST(Number, WholeNumbersAreDecimal) {
  EXPECT_EQ(ParseWhole("010"), 10);
  EXPECT_EQ(ParseWhole("+7"), 7);
  EXPECT_EQ(ParseWhole("-7"), -7);
  EXPECT_EQ(ParseWhole("-7", 0, 10), std::nullopt);
  EXPECT_EQ(ParseWhole("11", 0, 10), std::nullopt);
  EXPECT_EQ(ParseCount("18446744073709551615"), 18446744073709551615U);
  for (const char* none : {"", "-1", "1.0", "1e3", "0x10", "1,000", "4x", "18446744073709551616", "1 2", "3(x2)"})
    EXPECT_EQ(ParseCount(none), std::nullopt) << none;
  EXPECT_EQ(ParseWhole("9223372036854775808"), std::nullopt);
}

TEST(Number, TheLocaleChangesNothing) {
  const char* german = std::setlocale(LC_ALL, "de_DE.UTF-8");
  EXPECT_EQ(ParseNumber("0.5"), 0.5);
  EXPECT_EQ(ParseNumber("0,5"), std::nullopt);
  if (german != nullptr) std::setlocale(LC_ALL, "C");
}

}  // namespace
}  // namespace auforge::features
