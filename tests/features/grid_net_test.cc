#include "features/grid_net.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <thread>

#include "features/internal/grid_net_file.h"
#include "features/internal/learnt_net_file.h"
#include "tests/support/faces.h"
#include "tests/support/learnt_net.h"

namespace auforge::features {
namespace {

using tests::GridShape;
using tests::RandomGridNet;

// A map with nothing around it, in double: the plain way.
struct PlainMap {
  int width = 0, height = 0, channels = 0;
  std::vector<double> values;  // channels x height x width
  double At(int c, int y, int x) const {
    if (x < 0 || y < 0 || x >= width || y >= height) return 0;
    return values[static_cast<std::size_t>((c * height + y) * width + x)];
  }
};

PlainMap PlainConv(const PlainMap& in, const ConvWeights& conv) {
  PlainMap out{(in.width - 1) / conv.stride + 1, (in.height - 1) / conv.stride + 1, conv.out, {}};
  const int pad = conv.kernel / 2;
  for (int o = 0; o < conv.out; ++o) {
    for (int y = 0; y < out.height; ++y) {
      for (int x = 0; x < out.width; ++x) {
        double sum = conv.bias[static_cast<std::size_t>(o)];
        auto at = static_cast<std::size_t>(o * conv.in * conv.kernel * conv.kernel);
        for (int i = 0; i < conv.in; ++i) {
          for (int ky = 0; ky < conv.kernel; ++ky) {
            for (int kx = 0; kx < conv.kernel; ++kx, ++at)
              sum += conv.weight[at] * in.At(i, y * conv.stride + ky - pad, x * conv.stride + kx - pad);
          }
        }
        out.values.push_back(sum);
      }
    }
  }
  return out;
}

PlainMap Relu(PlainMap map) {
  for (double& v : map.values) v = std::max(0.0, v);
  return map;
}

PlainMap Sum(PlainMap a, const PlainMap& b) {
  for (std::size_t i = 0; i < a.values.size(); ++i) a.values[i] += b.values[i];
  return a;
}

PlainMap Enlarged(const PlainMap& map, int width, int height) {
  PlainMap out{width, height, map.channels, {}};
  for (int c = 0; c < map.channels; ++c) {
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) out.values.push_back(map.At(c, y / 2, x / 2));
    }
  }
  return out;
}

PlainMap PlainAnswers(const GridNetDescription& net, const cv::Mat& bgr) {
  PlainMap map{bgr.cols, bgr.rows, 3, {}};
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < bgr.rows; ++y) {
      for (int x = 0; x < bgr.cols; ++x) map.values.push_back((bgr.at<cv::Vec3b>(y, x)[c] / 255.0 - 0.5) / 0.25);
    }
  }
  const PlainMap fine = Relu(PlainConv(Relu(PlainConv(Relu(PlainConv(map, net.stem)), net.second)), net.third));
  PlainMap around = Relu(PlainConv(fine, net.down));
  for (const NetDescription::Block& block : net.context)
    around = Relu(Sum(PlainConv(Relu(PlainConv(around, block.first)), block.second), PlainConv(around, block.shortcut)));
  const PlainMap merged = Relu(Sum(PlainConv(fine, net.merge), Enlarged(PlainConv(around, net.lateral), fine.width, fine.height)));
  return PlainConv(Relu(PlainConv(merged, net.last)), {net.last.out, net.answers, 1, 1, net.answer_weight, net.answer_bias});
}

std::vector<float> Answers(const GridNet& net, const cv::Mat& picture) {
  GridMap map;
  net.Run(picture, map);
  std::vector<float> all, some(static_cast<std::size_t>(net.answers()));
  for (int y = 0; y < map.rows; ++y) {
    for (int x = 0; x < map.columns; ++x) {
      net.Answer(map, x, y, 0, some);
      all.insert(all.end(), some.begin(), some.end());
    }
  }
  return all;
}

bool SameBits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// Channels that fill registers and that do not.
const GridShape kShapes[] = {{16, 32, 32, 64, 48, 32, 32, 2, 14}, {5, 9, 3, 7, 20, 11, 1, 1, 3}, {8, 24, 40, 72, 17, 24, 33, 3, 6}};
const cv::Size kSizes[] = {{1, 1}, {8, 8}, {9, 1}, {2, 70}, {17, 16}, {33, 47}, {131, 20}, {64, 128}};

TEST(GridNet, EqualsPlainLoopsWhateverTheSize) {
  for (const GridShape& shape : kShapes) {
    const GridNetDescription description = RandomGridNet(shape, 7);
    const GridNet net = GridNet::FromWeights(description);
    for (const cv::Size size : kSizes) {
      const cv::Mat picture = tests::Texture(size.width, size.height, 3, 5);
      const PlainMap plain = PlainAnswers(description, picture);
      const std::vector<float> fast = Answers(net, picture);
      ASSERT_EQ(fast.size(), plain.values.size()) << size;
      double most = 0;
      for (const double v : plain.values) most = std::max(most, std::abs(v));
      ASSERT_GT(most, 0.01);
      for (int y = 0; y < plain.height; ++y) {
        for (int x = 0; x < plain.width; ++x) {
          for (int a = 0; a < plain.channels; ++a)
            ASSERT_NEAR(fast[static_cast<std::size_t>((y * plain.width + x) * plain.channels + a)], plain.At(a, y, x), 2e-5 * most)
                << size << " cell " << x << "," << y;
        }
      }
    }
  }
}

TEST(GridNet, WideAndNarrowRegistersGiveTheSameBits) {
  if (!HasWideRegisters()) GTEST_SKIP() << "this processor has no AVX-512: there is nothing to compare";
  for (const GridShape& shape : kShapes) {
    const GridNetDescription description = RandomGridNet(shape, 9);
    const GridNet wide = GridNet::FromWeights(description), narrow = GridNet::FromWeights(description, Registers::kNarrow);
    for (const cv::Size size : kSizes) {
      const cv::Mat picture = tests::Texture(size.width, size.height, 3, 6);
      EXPECT_TRUE(SameBits(Answers(wide, picture), Answers(narrow, picture))) << size;
    }
  }
}

TEST(GridNet, TheSameBitsFromManyThreadsAndAfterOtherPictures) {
  const GridNet net = GridNet::FromWeights(RandomGridNet(kShapes[0], 3));
  const cv::Mat picture = tests::Texture(90, 61, 3, 1), other = tests::Texture(150, 40, 3, 2);
  const std::vector<float> alone = Answers(net, picture);
  std::vector<std::vector<float>> found(4);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < found.size(); ++t) {
      threads.emplace_back([&, t] {
        GridMap map;
        net.Run(other, map);  // leaves its numbers in the memory that the next picture uses
        found[t] = Answers(net, picture);
      });
    }
  }
  for (const std::vector<float>& one : found) EXPECT_TRUE(SameBits(one, alone));
  GridMap map;
  net.Run(other, map);
  net.Run(picture, map);
  std::vector<float> some(14);
  net.Answer(map, map.columns - 1, map.rows - 1, 0, some);
  EXPECT_TRUE(std::equal(some.begin(), some.end(), alone.end() - 14));
}

TEST(GridNet, AGreyPictureIsAllThreeChannels) {
  const GridNet net = GridNet::FromWeights(RandomGridNet(kShapes[0], 3));
  const cv::Mat grey = tests::Texture(40, 30, 1, 4);
  cv::Mat bgr;
  cv::cvtColor(grey, bgr, cv::COLOR_GRAY2BGR);
  EXPECT_TRUE(SameBits(Answers(net, grey), Answers(net, bgr)));
  GridMap map;
  EXPECT_THROW(net.Run(cv::Mat(), map), std::invalid_argument);
  EXPECT_THROW(net.Run(cv::Mat(8, 8, CV_32FC3), map), std::invalid_argument);
}

TEST(GridNet, AFileGivesTheSameNet) {
  const GridNet net = GridNet::FromWeights(RandomGridNet(kShapes[2], 3));
  const GridNet again = GridNet::Parse(net.Serialise());
  EXPECT_EQ(again.Serialise(), net.Serialise());
  const cv::Mat picture = tests::Texture(70, 50, 3, 1);
  EXPECT_TRUE(SameBits(Answers(net, picture), Answers(again, picture)));
  EXPECT_EQ(again.weight_count(), net.weight_count());
}

TEST(GridNet, CountsItsWork) {
  const GridNet net = GridNet::FromWeights(RandomGridNet(kShapes[0], 1));
  EXPECT_NEAR(static_cast<double>(net.weight_count()), 173e3, 1e3);
  EXPECT_NEAR(static_cast<double>(net.multiply_adds(320, 240)), 107e6, 1e6);
}

std::string Fault(const GridNetDescription& net) {
  try {
    GridNet::FromWeights(net);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(GridNet, LayersThatDoNotFitAreNamed) {
  const auto fault = [](auto change) {
    GridNetDescription net = RandomGridNet(kShapes[0], 1);
    change(net);
    return Fault(net);
  };
  EXPECT_EQ(fault([](auto&) {}), "");
  EXPECT_EQ(fault([](auto& n) { n.second.stride = 1; }), "second.stride = 1; must be 2");
  EXPECT_EQ(fault([](auto& n) { n.context.clear(); }), "number of context blocks = 0; must be in 1..8");
  EXPECT_EQ(fault([](auto& n) { n.lateral.out = 16; }), "lateral.weight.size = 2048; must be 1024");
  EXPECT_EQ(fault([](auto& n) { n.merge.in = 8; }), "merge.in = 8; must be 32");
  EXPECT_EQ(fault([](auto& n) { n.answer_bias.pop_back(); }), "answer_bias.size = 13; must be 14");
  EXPECT_NE(fault([](auto& n) { n.last.weight[3] = std::numeric_limits<float>::quiet_NaN(); }).find("last.weight holds"), std::string::npos);
  EXPECT_NE(fault([](auto& n) { n.answer_weight[0] = INFINITY; }).find("answer_weight holds"), std::string::npos);
}

TEST(GridNet, DamagedFilesAreRefused) {
  const std::vector<std::uint8_t> good = GridNet::FromWeights(RandomGridNet({4, 8, 5, 8, 3, 6, 9}, 5)).Serialise();
  for (std::size_t size = 0; size < good.size(); size += size < 64 ? 1 : 97)
    EXPECT_THROW(GridNet::Parse(std::span(good).first(size)), std::invalid_argument) << size;
  for (std::size_t at = 0; at < good.size(); at += at < 64 ? 1 : 53) {
    std::vector<std::uint8_t> bad = good;
    bad[at] ^= 0x40;
    EXPECT_THROW(GridNet::Parse(bad), std::invalid_argument) << at;
  }
  // With the right checksum: sizes that are absurd, and numbers that are none.
  const auto sealed = [](std::vector<std::uint8_t> bytes) {
    const std::uint64_t sum = internal::NetChecksum(std::span(bytes).first(bytes.size() - 8));
    std::memcpy(bytes.data() + bytes.size() - 8, &sum, 8);
    return bytes;
  };
  for (const std::size_t at : {8U, 12U, 16U, 20U, 24U, 28U}) {
    std::vector<std::uint8_t> bad = good;
    std::fill_n(bad.begin() + static_cast<std::ptrdiff_t>(at), 4, std::uint8_t{0xFF});
    EXPECT_THROW(GridNet::Parse(sealed(bad)), std::invalid_argument) << at;
  }
  std::vector<std::uint8_t> nan = good;
  const float none = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(nan.data() + nan.size() - 12, &none, 4);
  EXPECT_THROW(GridNet::Parse(sealed(nan)), std::invalid_argument);
}

}  // namespace
}  // namespace auforge::features
