// What lies behind made-up people, and the cache of what pictures share; no face model needed.
#include "datasets/synthetic/backdrop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <opencv2/core.hpp>
#include <thread>
#include <vector>

#include "datasets/synthetic/internal/identity_cache.h"

namespace auforge::datasets::synthetic {
namespace {

TEST(Backdrop, DependsOnItsStreamAloneAndIsFinite) {
  for (std::uint64_t i = 0; i < 60; ++i) {
    Random one(1, i), two(1, i), other(2, i);
    const cv::Mat a = PaintBackdrop(80, 60, {1, 0.9F, 0.8F}, one),
                  b = PaintBackdrop(80, 60, {1, 0.9F, 0.8F}, two);
    ASSERT_EQ(a.type(), CV_32FC3);
    ASSERT_EQ(a.size(), cv::Size(80, 60));
    EXPECT_TRUE(cv::checkRange(a, true, nullptr, 0, 50)) << i;
    EXPECT_EQ(cv::norm(a, b, cv::NORM_INF), 0);
    EXPECT_GT(cv::norm(a, PaintBackdrop(80, 60, {1, 0.9F, 0.8F}, other), cv::NORM_INF), 0);
  }
}

TEST(IdentityCache, MakesAThingOnceForAllThreadsAndForgetsTheOldest) {
  internal::IdentityCache<int> cache;
  std::atomic<int> made{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (std::uint64_t i = 0; i < 10; ++i) {
          EXPECT_EQ(*cache.Get(1, i,
                               [&] {
                                 ++made;
                                 return std::make_shared<const int>(static_cast<int>(i));
                               }),
                    static_cast<int>(i));
        }
      });
    }
  }
  EXPECT_EQ(made, 10);
  const auto kept = cache.Get(1, 0, [] { return std::make_shared<const int>(-1); });
  for (std::uint64_t i = 100; i < 200; ++i) cache.Get(1, i, [] { return std::make_shared<const int>(0); });
  EXPECT_EQ(*kept, 0) << "who holds one keeps it";
  EXPECT_EQ(*cache.Get(1, 0, [] { return std::make_shared<const int>(7); }), 7) << "made anew";
}

}  // namespace
}  // namespace auforge::datasets::synthetic
