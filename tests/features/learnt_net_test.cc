#include "features/learnt_net.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <random>
#include <thread>

#include "tests/support/faces.h"
#include "tests/support/learnt_net.h"

namespace auforge::features {
namespace {

using tests::NetShape;
using tests::RandomNet;

// A map with nothing around it, in double: the plain way.
struct PlainMap {
  int side = 0, channels = 0;
  std::vector<double> values;  // channels x side x side
  double At(int c, int y, int x) const {
    if (x < 0 || y < 0 || x >= side || y >= side) return 0;
    return values[static_cast<std::size_t>((c * side + y) * side + x)];
  }
};

PlainMap PlainConv(const PlainMap& in, const ConvWeights& conv) {
  PlainMap out{(in.side - 1) / conv.stride + 1, conv.out, {}};
  const int pad = conv.kernel / 2;
  for (int o = 0; o < conv.out; ++o) {
    for (int y = 0; y < out.side; ++y) {
      for (int x = 0; x < out.side; ++x) {
        double sum = conv.bias[static_cast<std::size_t>(o)];
        std::size_t at = static_cast<std::size_t>(o * conv.in * conv.kernel * conv.kernel);
        for (int i = 0; i < conv.in; ++i) {
          for (int ky = 0; ky < conv.kernel; ++ky) {
            for (int kx = 0; kx < conv.kernel; ++kx, ++at) {
              sum += conv.weight[at] * in.At(i, y * conv.stride + ky - pad, x * conv.stride + kx - pad);
            }
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

std::vector<double> PlainEmbedding(const NetDescription& net, const cv::Mat& bgr) {
  PlainMap map{net.crop_size, 3, {}};
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < bgr.rows; ++y) {
      for (int x = 0; x < bgr.cols; ++x)
        map.values.push_back((bgr.at<cv::Vec3b>(y, x)[c] / 255.0 - 0.5) / 0.25);
    }
  }
  map = Relu(PlainConv(map, net.stem));
  for (const NetDescription::Block& block : net.blocks) {
    PlainMap sum = PlainConv(Relu(PlainConv(map, block.first)), block.second);
    const PlainMap shortcut = PlainConv(map, block.shortcut);
    for (std::size_t i = 0; i < sum.values.size(); ++i) sum.values[i] += shortcut.values[i];
    map = Relu(std::move(sum));
  }
  const auto pixels = static_cast<std::size_t>(map.side * map.side);
  std::vector<double> embedding;
  if (net.pooling == Pooling::kNone) {
    for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
      for (std::size_t at = pixel; at < map.values.size(); at += pixels) embedding.push_back(map.values[at]);
    }
    return embedding;
  }
  embedding.resize(static_cast<std::size_t>(map.channels));
  for (std::size_t i = 0; i < map.values.size(); ++i)
    embedding[i / pixels] += map.values[i] / static_cast<double>(pixels);
  if (net.pooling != Pooling::kHalves) return embedding;
  const auto side = static_cast<std::size_t>(map.side), channels = static_cast<std::size_t>(map.channels);
  embedding.resize(2 * channels);
  for (std::size_t i = 0; i < map.values.size(); ++i) {
    const std::size_t twice = 2 * (i % side) + 1;  // of the pixel's centre
    const double sign = twice < side ? 1 : twice > side ? -1 : 0;
    embedding[channels + i / pixels] += sign * map.values[i] / static_cast<double>(pixels);
  }
  return embedding;
}

NetDescription RandomMapNet(const NetShape& shape, std::uint64_t seed) {
  NetDescription net = RandomNet(shape, seed);
  net.pooling = Pooling::kNone;
  return net;
}

std::vector<float> Embedding(const LearntNet& net, const cv::Mat& crop) {
  std::vector<float> embedding(net.embedding_size());
  net.Embed(crop, embedding);
  return embedding;
}

std::vector<std::uint32_t> Bits(const std::vector<float>& values) {
  std::vector<std::uint32_t> bits(values.size());
  std::memcpy(bits.data(), values.data(), values.size() * sizeof(float));
  return bits;
}

// Channels that fill registers and that do not, odd sides, both strides.
const NetShape kShapes[] = {
    {16, 8, 2, {{16, 2}}},
    {17, 5, 1, {{3, 1}}},
    {33, 24, 2, {{20, 2}, {40, 1}}},
    {31, 1, 2, {{1, 2}, {7, 2}, {56, 2}}},
    {47, 12, 2, {{24, 2}, {33, 2}, {72, 2}, {19, 1}}},
    {112, 24, 2, {{32, 2}, {64, 2}, {128, 2}, {192, 2}}},
};

void ExpectPlainLoops(const LearntNet& net, const NetDescription& description, const cv::Mat& crop) {
  const std::vector<float> fast = Embedding(net, crop);
  const std::vector<double> plain = PlainEmbedding(description, crop);
  ASSERT_EQ(fast.size(), plain.size());
  double most = 0;
  for (const double v : plain) most = std::max(most, v);
  ASSERT_GT(most, 0.01) << "a net that answers nothing tests nothing";
  for (std::size_t d = 0; d < plain.size(); ++d)
    EXPECT_NEAR(fast[d], plain[d], 1e-5 * most) << crop.cols << " px, number " << d;
}

TEST(LearntNet, EqualsPlainLoops) {
  for (const NetShape& shape : kShapes) {
    const NetDescription description = RandomNet(shape, 7);
    const LearntNet net = LearntNet::FromWeights(description);
    ExpectPlainLoops(net, description, tests::Texture(shape.crop, shape.crop, 3, 5));
  }
}

TEST(LearntNet, HalvesEqualPlainLoops) {
  for (const NetShape& shape : kShapes) {
    NetDescription description = RandomNet(shape, 9);
    const LearntNet means = LearntNet::FromWeights(description);
    description.pooling = Pooling::kHalves;
    const LearntNet net = LearntNet::FromWeights(description);
    const cv::Mat crop = tests::Texture(shape.crop, shape.crop, 3, 6);
    ExpectPlainLoops(net, description, crop);
    EXPECT_EQ(net.embedding_size(), 2 * net.channels());
    const std::vector<float> both = Embedding(net, crop), mean = Embedding(means, crop);
    EXPECT_TRUE(std::equal(mean.begin(), mean.end(), both.begin())) << "the means are the same bits";
    EXPECT_EQ(Bits(Embedding(LearntNet::Parse(net.Serialise(), "net"), crop)), Bits(both));
    std::vector<float> opinions(2 * net.opinion_aus().size()), wanted(opinions.size());
    net.Opinions(std::span(both).first(net.channels()), opinions);
    means.Opinions(mean, wanted);
    EXPECT_EQ(Bits(opinions), Bits(wanted));
  }
}

TEST(LearntNet, AMapThatIsKeptEqualsPlainLoops) {
  for (const NetShape& shape : kShapes) {
    const NetDescription description = RandomMapNet(shape, 8);
    const LearntNet net = LearntNet::FromWeights(description);
    const cv::Mat crop = tests::Texture(shape.crop, shape.crop, 3, 6);
    ExpectPlainLoops(net, description, crop);
    const std::vector<float> fast = Embedding(net, crop);
    const LearntNet again = LearntNet::Parse(net.Serialise(), "net");
    EXPECT_EQ(Bits(Embedding(again, crop)), Bits(fast));
    EXPECT_NE(net.digest(), LearntNet::FromWeights(RandomNet(shape, 8)).digest());
    const LearntNet narrow = LearntNet::FromWeights(description, Registers::kNarrow);
    std::vector<float> both(2 * net.embedding_size()), other(both.size());
    net.EmbedWithMirror(crop, both);
    narrow.EmbedWithMirror(crop, other);
    EXPECT_EQ(Bits(both), Bits(other));
    EXPECT_TRUE(std::equal(fast.begin(), fast.end(), both.begin()));
  }
}

TEST(LearntNet, AMapThatIsKeptHasNoOpinions) {
  NetDescription net = RandomMapNet({32, 8, 2, {{16, 2}}}, 3);
  net.opinion_aus = {12};
  net.opinion_weight.assign(32, 0.0F);
  net.opinion_bias.assign(2, 0.0F);
  EXPECT_THROW(LearntNet::FromWeights(net), std::invalid_argument);
}

TEST(LearntNet, WideAndNarrowRegistersGiveTheSameBits) {
  if (!HasWideRegisters()) GTEST_SKIP() << "this processor has no AVX-512: there is nothing to compare";
  for (const NetShape& shape : kShapes) {
    const NetDescription description = RandomNet(shape, 7);
    const LearntNet wide = LearntNet::FromWeights(description);
    const LearntNet narrow = LearntNet::FromWeights(description, Registers::kNarrow);
    for (std::uint32_t picture = 0; picture < 3; ++picture) {
      const cv::Mat crop = tests::Texture(shape.crop, shape.crop, 3, picture);
      EXPECT_EQ(Bits(Embedding(wide, crop)), Bits(Embedding(narrow, crop))) << shape.crop << " px";
      std::vector<float> both(2 * wide.embedding_size()), other(both.size());
      wide.EmbedWithMirror(crop, both);
      narrow.EmbedWithMirror(crop, other);
      EXPECT_EQ(Bits(both), Bits(other)) << shape.crop << " px with its mirror image";
    }
  }
}

TEST(LearntNet, CountsItsWork) {
  const LearntNet net = LearntNet::FromWeights(RandomNet(tests::kUsualNet, 1));
  EXPECT_EQ(net.crop_size(), 112);
  EXPECT_EQ(net.embedding_size(), 192U);
  EXPECT_NEAR(static_cast<double>(net.multiply_adds()), 46.9e6, 0.1e6);
  EXPECT_NEAR(static_cast<double>(net.weight_count()), 0.883e6, 0.001e6);
}

TEST(LearntNet, TheMirrorIsTheFlippedCropBitForBit) {
  const LearntNet net = LearntNet::FromWeights(RandomNet({45, 12, 2, {{24, 2}, {40, 2}}}, 3));
  const cv::Mat crop = tests::Texture(45, 45, 3, 9);
  cv::Mat flipped;
  cv::flip(crop, flipped, 1);
  std::vector<float> both(2 * net.embedding_size());
  net.EmbedWithMirror(crop, both);
  std::vector<float> one = Embedding(net, crop);
  const std::vector<float> other = Embedding(net, flipped);
  EXPECT_NE(one, other);
  one.insert(one.end(), other.begin(), other.end());
  EXPECT_EQ(both, one);
}

TEST(LearntNet, AGreyPictureIsItselfThreeTimes) {
  const LearntNet net = LearntNet::FromWeights(RandomNet({32, 8, 2, {{16, 2}}}, 3));
  const cv::Mat grey = tests::Texture(32, 32, 1, 9);
  cv::Mat colour;
  cv::cvtColor(grey, colour, cv::COLOR_GRAY2BGR);
  EXPECT_EQ(Embedding(net, grey), Embedding(net, colour));
}

// Nets of several sizes take turns in a thread's scratch; a crop may be a part of a larger picture.
TEST(LearntNet, GivesTheSameBitsInEveryThreadAndOrder) {
  const LearntNet small = LearntNet::FromWeights(RandomNet({20, 8, 1, {{16, 2}}}, 3));
  const LearntNet large = LearntNet::FromWeights(RandomNet({64, 24, 2, {{40, 2}, {16, 1}}}, 4));
  const cv::Mat picture = tests::Texture(100, 100, 3, 9);
  const cv::Mat little = picture(cv::Rect(3, 5, 20, 20)), big = picture(cv::Rect(30, 20, 64, 64));
  const std::vector<float> first = Embedding(small, little.clone()), second = Embedding(large, big.clone());
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        if ((t + static_cast<std::size_t>(i)) % 2 == 0) wrong[t] += Embedding(large, big) != second;
        wrong[t] += Embedding(small, little) != first;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

TEST(LearntNet, RefusesOtherCropsAndRooms) {
  const LearntNet net = LearntNet::FromWeights(RandomNet({32, 8, 2, {{16, 2}}}, 3));
  std::vector<float> room(16), tight(15);
  EXPECT_THROW(net.Embed(tests::Texture(31, 32, 3, 1), room), std::invalid_argument);
  EXPECT_THROW(net.Embed(cv::Mat(32, 32, CV_32FC3), room), std::invalid_argument);
  EXPECT_THROW(net.Embed(cv::Mat(), room), std::invalid_argument);
  EXPECT_THROW(net.Embed(tests::Texture(32, 32, 3, 1), tight), std::invalid_argument);
  EXPECT_THROW(net.EmbedWithMirror(tests::Texture(32, 32, 3, 1), room), std::invalid_argument);
}

TEST(LearntNet, ReadBackAnswersWithTheSameBits) {
  const LearntNet net = LearntNet::FromWeights(RandomNet({32, 8, 2, {{16, 2}, {24, 1}}}, 3));
  const std::vector<std::uint8_t> bytes = net.Serialise();
  const LearntNet again = LearntNet::Parse(bytes, "net");
  EXPECT_EQ(again.Serialise(), bytes);
  EXPECT_EQ(again.digest(), net.digest());
  EXPECT_EQ(net.digest().size(), 16U);
  EXPECT_NE(net.digest(), LearntNet::FromWeights(RandomNet({32, 8, 2, {{16, 2}, {24, 1}}}, 4)).digest());
  const cv::Mat crop = tests::Texture(32, 32, 3, 9);
  EXPECT_EQ(Embedding(net, crop), Embedding(again, crop));
}

// Also where every weight is as large as it may be, nothing becomes infinite.
TEST(LearntNet, StaysFinite) {
  NetDescription description = RandomNet({32, 8, 2, {{16, 2}, {24, 1}, {24, 1}}}, 3);
  for (ConvWeights* conv : tests::Layers(description)) {
    for (float& w : conv->weight) w = w < 0 ? -65504 : 65504;
  }
  const LearntNet net = LearntNet::FromWeights(description);
  for (const float v : Embedding(net, tests::Texture(32, 32, 3, 9))) EXPECT_TRUE(v >= 0 && v <= 1e6F) << v;
}

std::string FaultOf(const NetDescription& description) {
  try {
    LearntNet::FromWeights(description);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(LearntNet, NamesWhatIsWrongWithADescription) {
  const NetDescription good = RandomNet({32, 8, 2, {{16, 2}, {24, 1}}}, 3);
  ASSERT_EQ(FaultOf(good), "");
  const auto fault = [&good](const auto& change) {
    NetDescription bad = good;
    change(bad);
    return FaultOf(bad);
  };
  EXPECT_EQ(fault([](auto& n) { n.crop_size = 15; }), "learnt net: crop_size = 15; must be in 16..512");
  EXPECT_EQ(fault([](auto& n) { n.blocks.clear(); }), "learnt net: number of blocks = 0; must be in 1..16");
  EXPECT_EQ(fault([](auto& n) { n.stem.in = 1; }), "learnt net: stem.in = 1; must be 3");
  EXPECT_EQ(fault([](auto& n) { n.blocks[1].first.in = 8; }),
            "learnt net: block 1: first.in = 8; must be 16");
  EXPECT_EQ(fault([](auto& n) { n.blocks[0].first.stride = 3; }),
            "learnt net: block 0: first.stride = 3; must be in 1..2");
  EXPECT_EQ(fault([](auto& n) { n.blocks[0].shortcut.stride = 1; }),
            "learnt net: block 0: shortcut.stride = 1; must be 2");
  EXPECT_EQ(fault([](auto& n) { n.blocks[0].second.stride = 2; }),
            "learnt net: block 0: second.stride = 2; must be 1");
  EXPECT_EQ(fault([](auto& n) { n.blocks[1].second.weight.pop_back(); }),
            "learnt net: block 1: second.weight.size = 5183; must be 5184");
  EXPECT_EQ(FaultOf(RandomNet({512, 32, 1, {{8, 2}}}, 1)),
            "learnt net: numbers of a map = 8388608; must be in 1..4194304");
  EXPECT_EQ(FaultOf(RandomNet({512, 16, 1, {{16, 1}, {16, 1}, {16, 1}, {16, 1}}}, 1)),
            "learnt net: multiply-adds = 4542431232; must be in 1..4294967296");
  EXPECT_NE(fault([](auto& n) { n.stem.weight[3] = NAN; }).find("stem.weight"), std::string::npos);
  EXPECT_NE(fault([](auto& n) { n.stem.weight[3] = 65520; }).find("stem.weight"), std::string::npos);
  EXPECT_NE(fault([](auto& n) { n.blocks[0].shortcut.bias[3] = INFINITY; }).find("block 0: shortcut.bias"),
            std::string::npos);
}

std::string ParseFault(const std::vector<std::uint8_t>& bytes) {
  try {
    LearntNet::Parse(bytes, "my.net");
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

// The bytes with their checksum made right again: whoever writes a hostile net gets it right, too.
std::vector<std::uint8_t> Sealed(std::vector<std::uint8_t> bytes) {
  std::uint64_t sum = 14695981039346656037U;
  for (std::size_t i = 0; i + 8 < bytes.size(); ++i) sum = (sum ^ bytes[i]) * 1099511628211U;
  std::memcpy(bytes.data() + bytes.size() - 8, &sum, 8);
  return bytes;
}

TEST(LearntNet, RefusesDamagedFiles) {
  const std::vector<std::uint8_t> good =
      LearntNet::FromWeights(RandomNet({32, 8, 2, {{16, 2}}}, 3)).Serialise();
  ASSERT_EQ(ParseFault(good), "");
  EXPECT_EQ(Sealed(good), good);
  for (std::size_t size = 0; size < good.size(); size += size < 200 ? 1 : 97) {
    const std::vector<std::uint8_t> cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_NE(ParseFault(cut).find("my.net: damaged learnt net"), std::string::npos) << size;
    if (size > 20) {
      EXPECT_NE(ParseFault(Sealed(cut)), "") << size;
    }
  }
  for (std::size_t at = 0; at < good.size(); at += at < 200 ? 1 : 61) {
    std::vector<std::uint8_t> bent = good;
    bent[at] ^= 0x40U;
    EXPECT_NE(ParseFault(bent).find("train it again"), std::string::npos) << at;
    static_cast<void>(ParseFault(Sealed(bent)));  // may be another net, must not crash
  }
  std::vector<std::uint8_t> longer = good;
  longer.insert(longer.end(), 4, std::uint8_t{0});
  EXPECT_NE(ParseFault(Sealed(longer)).find("goes on behind its last layer"), std::string::npos);
  // Crop size, number of blocks, the stem's channels: absurd ones are refused before anything is made of
  // them.
  for (const std::size_t at : {8, 12, 16, 20, 24, 28}) {
    std::vector<std::uint8_t> absurd = good;
    std::fill_n(absurd.begin() + static_cast<std::ptrdiff_t>(at), 4, std::uint8_t{0xFF});
    EXPECT_NE(ParseFault(Sealed(absurd)).find("4294967295; must be in 0.."), std::string::npos) << at;
  }
  std::vector<std::uint8_t> infinite = good;  // the stem's first weight
  infinite[32] = 0x00;
  infinite[33] = 0x7C;
  EXPECT_NE(ParseFault(Sealed(infinite)).find("stem.weight holds a number that is not finite"),
            std::string::npos);
}

}  // namespace
}  // namespace auforge::features
