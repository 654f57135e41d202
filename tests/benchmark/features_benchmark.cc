// What the features of one face cost, on one thread.
//   features_benchmark --benchmark_filter=Gabor
// Banks: 0 the compact set, 1 EmotioNet's 5,280 responses. GaborFilter2D is the plain way that the product replaces.
#include <benchmark/benchmark.h>

#include <numbers>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "features/align.h"
#include "features/feature_extractor.h"
#include "features/gabor.h"
#include "features/hog.h"
#include "features/learnt_net.h"
#include "features/shape.h"
#include "tests/support/faces.h"
#include "tests/support/learnt_net.h"

namespace auforge::features {
namespace {

GaborOptions Bank(std::int64_t index) { return index == 0 ? GaborOptions{} : GaborOptions::EmotioNet(); }

// The aligned grey crop of a face and its landmarks.
struct Crop {
  cv::Mat grey;
  Landmarks68 landmarks;
};
Crop MakeCrop(int size) {
  const Landmarks68 face = tests::NeutralFace();
  const AlignedFace aligned = AlignFace(tests::Texture(256, 256, 1, 1), face, {.size = size});
  return {aligned.crop, Transform(aligned.crop_from_image, face)};
}

std::vector<cv::Point> Pixels(const Crop& crop, const GaborOptions& options) {
  std::vector<cv::Point> pixels;
  for (const Point2 p : FacePoints(crop.landmarks, options.points)) {
    pixels.emplace_back(static_cast<int>(p.x), static_cast<int>(p.y));
  }
  return pixels;
}

void Shape(benchmark::State& state) {
  const Landmarks68 face = tests::NeutralFace();
  std::vector<float> out(kShapeFeatureCount);
  for (auto _ : state) {
    ShapeFeatures(face, out);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(Shape);

// Args: side of the crop, channels, face size in the photo as a multiple of 60 pixels between the eyes.
void Align(benchmark::State& state) {
  const auto scale = static_cast<float>(state.range(2));
  const int side = static_cast<int>(256 * state.range(2));
  const cv::Mat image = tests::Texture(side, side, static_cast<int>(state.range(1)), 1);
  const Landmarks68 face = Transform({scale, 0, 0, 0}, tests::NeutralFace());
  const AlignOptions options{.size = static_cast<int>(state.range(0))};
  for (auto _ : state) benchmark::DoNotOptimize(AlignFace(image, face, options).crop.data);
}
BENCHMARK(Align)->ArgsProduct({{112, 128}, {1, 3}, {1, 4}});

void Normalise(benchmark::State& state) {
  const Crop crop = MakeCrop(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(NormaliseLocally(crop.grey, 14).data);
}
BENCHMARK(Normalise)->Arg(112)->Arg(224);

void GaborProduct(benchmark::State& state) {
  const GaborOptions options = Bank(state.range(0));
  const GaborBank bank(options);
  const Crop crop = MakeCrop(options.crop_size);
  const cv::Mat grey = NormaliseLocally(crop.grey, options.normalisation_sigma);
  const std::vector<cv::Point> pixels = Pixels(crop, options);
  std::vector<float> out(pixels.size() * bank.FilterCount());
  for (auto _ : state) {
    bank.Respond(grey, pixels, out);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(GaborProduct)->Arg(0)->Arg(1);

void GaborFilter2D(benchmark::State& state) {
  cv::setNumThreads(0);
  const GaborOptions options = Bank(state.range(0));
  const GaborBank bank(options);
  const Crop crop = MakeCrop(options.crop_size);
  const cv::Mat grey = NormaliseLocally(crop.grey, options.normalisation_sigma);
  const std::vector<cv::Point> pixels = Pixels(crop, options);
  std::vector<cv::Mat> filters;
  for (std::size_t f = 0; f < bank.FilterCount(); ++f) filters.push_back(bank.Filter(f));
  cv::Mat response;
  for (auto _ : state) {
    float sum = 0;
    for (const cv::Mat& filter : filters) {
      cv::filter2D(grey, response, CV_32F, filter, cv::Point(-1, -1), 0, cv::BORDER_REPLICATE);
      for (const cv::Point& p : pixels) sum += response.at<float>(p);
    }
    benchmark::DoNotOptimize(sum);
  }
}
BENCHMARK(GaborFilter2D)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void Hog(benchmark::State& state) {
  const Crop crop = MakeCrop(static_cast<int>(state.range(0)));
  std::vector<float> out(HogDimension(crop.grey.rows));
  for (auto _ : state) {
    HogFeatures(crop.grey, out);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(Hog)->Arg(112)->Arg(224);

// The usual net on a crop. Args: alone (0) or with its mirror image (1); narrow registers (0) or the widest (1).
void Learnt(benchmark::State& state) {
  const LearntNet net =
      LearntNet::FromWeights(tests::RandomNet(tests::kUsualNet, 1),
                             state.range(1) != 0 ? Registers::kWidest : Registers::kNarrow);
  const cv::Mat crop = tests::Texture(net.crop_size(), net.crop_size(), 3, 1);
  const bool with_mirror = state.range(0) != 0;
  std::vector<float> out(net.embedding_size() * (with_mirror ? 2 : 1));
  for (auto _ : state) {
    with_mirror ? net.EmbedWithMirror(crop, out) : net.Embed(crop, out);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
  const double work = 2.0 * static_cast<double>(net.multiply_adds() * (with_mirror ? 2 : 1));
  state.counters["FLOP"] =
      benchmark::Counter(work, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}
BENCHMARK(Learnt)->ArgsProduct({{0, 1}, {0, 1}})->Unit(benchmark::kMillisecond);

// Everything for one face of a colour photo. Args: bank, HOG.
void Extract(benchmark::State& state) {
  cv::setNumThreads(0);
  FeatureSpec spec;
  spec.gabor_options = Bank(state.range(0));
  spec.hog = state.range(1) != 0;
  const FeatureExtractor extractor(spec);
  const cv::Mat image = tests::Texture(256, 256, 3, 1);
  const Landmarks68 face = tests::NeutralFace();
  std::vector<float> out(extractor.Dimension());
  for (auto _ : state) {
    extractor.Extract(image, face, out);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(Extract)->ArgsProduct({{0, 1}, {0, 1}});

}  // namespace
}  // namespace auforge::features

BENCHMARK_MAIN();
