#include "features/half_float.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

namespace auforge::features {
namespace {

TEST(HalfFloat, KnowsTheStandardsExamples) {
  const std::pair<float, std::uint16_t> examples[] = {
      {0.0F, 0x0000},     {-0.0F, 0x8000},        {1.0F, 0x3C00},
      {-2.0F, 0xC000},    {65504.0F, 0x7BFF},     {0x1p-14F, 0x0400},
      {0x1p-24F, 0x0001}, {0x1.FF8p-15F, 0x03FF}, {0.333251953125F, 0x3555},
      {INFINITY, 0x7C00}, {-INFINITY, 0xFC00}};
  for (const auto& [value, bits] : examples) {
    EXPECT_EQ(HalfFromFloat(value), bits) << value;
    EXPECT_EQ(FloatFromHalf(bits), value);
  }
  EXPECT_TRUE(std::isnan(FloatFromHalf(HalfFromFloat(NAN))));
  EXPECT_EQ(HalfFromFloat(1.0F / 3), 0x3555);
  // Ties go to even: 2049 and 2051 lie between multiples of 2; half of the smallest is 0; 65520 is infinity.
  EXPECT_EQ(FloatFromHalf(HalfFromFloat(2049)), 2048);
  EXPECT_EQ(FloatFromHalf(HalfFromFloat(2051)), 2052);
  EXPECT_EQ(HalfFromFloat(0x1p-25F), 0);
  EXPECT_EQ(HalfFromFloat(0x1.8p-24F), 2);
  EXPECT_EQ(HalfFromFloat(65519.9F), 0x7BFF);
  EXPECT_EQ(HalfFromFloat(65520), 0x7C00);
  EXPECT_EQ(HalfFromFloat(3e38F), 0x7C00);
}

// All halves there and back, and all together as one by one (the machine's instructions where it has them).
TEST(HalfFloat, EveryHalfComesBack) {
  std::vector<std::uint16_t> halves(65536), back(65536);
  for (std::size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<std::uint16_t>(i);
  std::vector<float> floats(halves.size());
  FloatsFromHalves(halves, floats);
  HalvesFromFloats(floats, back);
  for (std::size_t i = 0; i < halves.size(); ++i) {
    const float one = FloatFromHalf(halves[i]);
    if (std::isnan(one)) {
      EXPECT_TRUE(std::isnan(floats[i]));
      continue;
    }
    ASSERT_EQ(std::memcmp(&one, &floats[i], sizeof(one)), 0) << i;
    ASSERT_EQ(HalfFromFloat(one), halves[i]) << i;
    ASSERT_EQ(back[i], halves[i]) << i;
  }
}

TEST(HalfFloat, ManyAtOnceAreRoundedLikeOne) {
  std::mt19937 random(1);
  std::vector<float> values;
  while (values.size() < 100003) {
    const auto bits = static_cast<std::uint32_t>(random());
    float value = 0;
    std::memcpy(&value, &bits, sizeof(value));
    if (values.size() % 2 == 0)
      value = std::ldexp(static_cast<float>(random() % 65536) - 32768, -static_cast<int>(random() % 40));
    if (!std::isnan(value)) values.push_back(value);
  }
  std::vector<std::uint16_t> halves(values.size());
  HalvesFromFloats(values, halves);
  for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(halves[i], HalfFromFloat(values[i])) << values[i];
  std::vector<float> rounded = values;
  RoundToHalves(rounded);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::abs(values[i]) < 65504 && std::abs(values[i]) > 0x1p-14F) {
      ASSERT_NEAR(rounded[i], values[i], std::abs(values[i]) / 2048);
    }
  }
}

}  // namespace
}  // namespace auforge::features
