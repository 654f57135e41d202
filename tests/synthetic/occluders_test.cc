#include "datasets/synthetic/occluders.h"

#include <gtest/gtest.h>

namespace auforge::datasets::synthetic {
namespace {

TEST(Occluders, RatesAreKept) {
  int with = 0;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    Random random(1, i);
    const std::uint32_t kinds = SampleOccluders({.rate = 0.3F}, random);
    with += kinds != 0;
    EXPECT_EQ(kinds >> kOccluderCount, 0U);
    EXPECT_FALSE((kinds & Bit(Occluder::kGlasses)) != 0 && (kinds & Bit(Occluder::kSunglasses)) != 0);
  }
  EXPECT_NEAR(with / 4000.0, 0.3, 0.03);
  Random random(1, 1);
  EXPECT_EQ(SampleOccluders({.rate = 0}, random), 0U);
  EXPECT_THROW(OccluderOptions{.rate = 2}.Validate(), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::datasets::synthetic
