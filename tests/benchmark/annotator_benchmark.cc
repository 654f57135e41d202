// Time of the annotator's stages: landmarks one by one and in batches, the detectors, the AU model.
// Pictures come from AUFORGE_PHOTOS (dlib's example photos); without it there is nothing to measure.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <opencv2/imgproc.hpp>

#include "annotator/au_model.h"
#include "annotator/face_confirmation.h"
#include "annotator/dense_landmarker.h"
#include "annotator/face_detector.h"
#include "annotator/internal/matrix_product.h"
#include "annotator/landmarker.h"
#include "annotator/net_detector.h"
#include "datasets/image_codec.h"
#include "datasets/storage/atomic_file.h"
#include "features/align.h"
#include "tests/support/faces.h"
#include "tests/support/test_data.h"

namespace auforge::annotator {
namespace {

namespace fs = std::filesystem;

// Photos of at most 500 pixels a side, decoded.
const std::vector<cv::Mat>& Photos() {
  static const std::vector<cv::Mat> photos = [] {
    std::vector<cv::Mat> all;
    const char* folder = std::getenv("AUFORGE_PHOTOS");
    if (folder == nullptr) return all;
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().extension() == ".jpg") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    for (const fs::path& path : paths) {
      const std::string bytes = datasets::storage::ReadFile(path.string());
      const auto image =
          datasets::DecodeImage({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, {});
      if (std::max(image.width, image.height) <= 500) all.push_back(image.bgr);
    }
    return all;
  }();
  return photos;
}

const std::vector<FaceInImage>& Faces() {
  static const std::vector<FaceInImage> faces = [] {
    std::vector<FaceInImage> all;
    const auto detector = MakeHogDetector({.upsample = 1});
    for (const cv::Mat& photo : Photos()) {
      for (const features::Detection& found : detector->Detect(photo)) all.push_back({&photo, found.box});
    }
    return all;
  }();
  return faces;
}

bool Missing(benchmark::State& state) {
  if (!Photos().empty()) return false;
  state.SkipWithError("AUFORGE_PHOTOS names no folder of photos");
  return true;
}

void HogDetection(benchmark::State& state) {
  if (Missing(state)) return;
  const auto detector = MakeHogDetector({});
  // Args: side of the picture in percent.
  const double scale = static_cast<double>(state.range(0)) / 100;
  cv::Mat image;
  cv::resize(Photos().front(), image, {}, scale, scale, cv::INTER_AREA);
  for (auto _ : state) benchmark::DoNotOptimize(detector->Detect(image).size());
  state.counters["megapixels/s"] = benchmark::Counter(1e-6 * static_cast<double>(image.total()),
                                                      benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(HogDetection)->Arg(50)->Arg(100)->Arg(200)->Unit(benchmark::kMillisecond);

// Args: smallest face looked for, pixels.
void YunetDetection(benchmark::State& state) {
  if (Missing(state)) return;
  const auto model = tests::DataPath("models/face_detection_yunet_2022mar.onnx");
  if (!model) return state.SkipWithError("no YuNet model below AUFORGE_DATA");
  cv::setNumThreads(0);
  const auto detector = MakeYunetDetector({.model = *model});
  const double scale = detector->TemplateFace() / static_cast<double>(state.range(0));
  for (auto _ : state) {
    cv::Mat small;
    cv::resize(Photos().front(), small, {}, scale, scale, cv::INTER_AREA);
    benchmark::DoNotOptimize(detector->Detect(small).size());
  }
}
BENCHMARK(YunetDetection)->Arg(40)->Arg(80)->Arg(160)->Unit(benchmark::kMillisecond);

// Args: smallest face looked for, pixels.
void NetDetection(benchmark::State& state) {
  if (Missing(state)) return;
  cv::setNumThreads(0);
  const auto detector = MakeNetDetector({});
  const double scale = detector->TemplateFace() / static_cast<double>(state.range(0));
  for (auto _ : state) {
    cv::Mat small;
    cv::resize(Photos().front(), small, {}, scale, scale, cv::INTER_AREA);
    benchmark::DoNotOptimize(detector->Detect(small).size());
  }
}
BENCHMARK(NetDetection)->Arg(40)->Arg(80)->Arg(160)->Unit(benchmark::kMillisecond);

// The net alone, without levels and second looks. Args: width and height.
void DetectorNet(benchmark::State& state) {
  const std::string bytes = datasets::storage::ReadFile(DefaultDetectorPath());
  const features::GridNet net = ParseDetector({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, "net");
  const cv::Mat picture(static_cast<int>(state.range(1)), static_cast<int>(state.range(0)), CV_8UC3, cv::Scalar(40, 90, 120));
  features::GridMap map;
  for (auto _ : state) net.Run(picture, map);
}
BENCHMARK(DetectorNet)->Args({320, 240})->Args({96, 96})->Unit(benchmark::kMillisecond);

// Args: faces in a batch.
void Confirmation(benchmark::State& state) {
  if (Missing(state)) return;
  static const Landmarker landmarker("dlib");
  std::vector<FaceCandidate> batch;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    const FaceInImage& face = Faces()[static_cast<std::size_t>(i) % Faces().size()];
    batch.push_back({face.image, {face.box, 1}});
  }
  for (auto _ : state) benchmark::DoNotOptimize(ConfirmFaces(landmarker, batch).data());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Confirmation)->Arg(16)->Unit(benchmark::kMillisecond);

std::vector<FaceInImage> Batch(std::int64_t size) {
  std::vector<FaceInImage> batch;
  for (std::int64_t i = 0; i < size; ++i)
    batch.push_back(Faces()[static_cast<std::size_t>(i) % Faces().size()]);
  return batch;
}

// Args: faces in a batch.
void Landmarks(benchmark::State& state) {
  if (Missing(state)) return;
  static const Landmarker landmarker("dlib");
  const std::vector<FaceInImage> batch = Batch(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(landmarker.Find(batch).data());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Landmarks)->Arg(1)->Arg(4)->Arg(16)->Arg(64)->Unit(benchmark::kMillisecond);

// The same as annotation finds them: both ways round, twice.
void SteadyLandmarks(benchmark::State& state) {
  if (Missing(state)) return;
  static const Landmarker landmarker("dlib");
  const std::vector<FaceInImage> batch = Batch(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(landmarker.FindSteady(batch).data());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(SteadyLandmarks)->Arg(1)->Arg(16)->Unit(benchmark::kMillisecond);

// The project's own. Args: faces in a batch.
void NetLandmarks(benchmark::State& state) {
  if (Missing(state)) return;
  static const Landmarker landmarker("auforge");
  const std::vector<FaceInImage> batch = Batch(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(landmarker.FindSteady(batch).data());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(NetLandmarks)->Arg(1)->Arg(32)->Unit(benchmark::kMillisecond);

// Beside those: the dense points of one face.
void DensePointsOfAFace(benchmark::State& state) {
  if (Missing(state)) return;
  static const DenseLandmarker nets = DenseLandmarker::Load(DefaultDenseNetPath());
  static const Landmarker landmarker("auforge");
  const FaceInImage face = Batch(1).front();
  const features::Landmarks68 points = landmarker.FindSteady(*face.image, face.box);
  for (auto _ : state) benchmark::DoNotOptimize(nets.Find(*face.image, points).data());
}
BENCHMARK(DensePointsOfAFace)->Unit(benchmark::kMillisecond);

void LoadLandmarker(benchmark::State& state) {
  const char* name = state.range(0) == 0 ? "dlib" : "auforge";
  for (auto _ : state) benchmark::DoNotOptimize(Landmarker(name));
}
BENCHMARK(LoadLandmarker)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

// Args: faces in a batch.
void PredictAus(benchmark::State& state) {
  static const AuModel model = AuModel::Load(DefaultAuModelPath());
  const features::FeatureExtractor extractor(model.info().features);
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<float> rows(n * extractor.Dimension(), 0.5F);
  for (auto _ : state) benchmark::DoNotOptimize(model.Predict(rows, n).data());
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(PredictAus)->Arg(1)->Arg(16)->Arg(32)->Arg(64)->Unit(benchmark::kMillisecond);

// The product under PredictAus, at the size of the default model's largest projection. Args: rows (faces); 0 = the
// loops written down plainly (which the compiler vectorises over columns), 1 = packed on the way, 2 = packed before.
void Product(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::size_t k = 1233, m = 256;
  const std::vector<float> a(n * k, 0.25F), b(k * m, 0.5F);
  std::vector<float> c(n * m);
  const PackedMatrix packed(b.data(), k, m);
  for (auto _ : state) {
    if (state.range(1) == 2) {
      packed.Multiply(a.data(), c.data(), n);
    } else if (state.range(1) == 1) {
      MatrixProduct(a.data(), b.data(), c.data(), n, k, m);
    } else {
      std::fill(c.begin(), c.end(), 0.0F);
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t p = 0; p < k; ++p) {
          for (std::size_t j = 0; j < m; ++j) c[i * m + j] = __builtin_fmaf(a[i * k + p], b[p * m + j], c[i * m + j]);
        }
      }
    }
    benchmark::DoNotOptimize(c.data());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Product)->ArgsProduct({{1, 32}, {0, 1, 2}})->Unit(benchmark::kMicrosecond);

// What a face costs after its landmarks are known: features of 32 stored crops, their AUs and quality. Counter: ms a
// face.
void FeaturesAndAus(benchmark::State& state) {
  cv::setNumThreads(0);
  const AuModel model = AuModel::Load(DefaultAuModelPath());
  const features::FeatureExtractor extractor(model.info().features);
  const auto n = static_cast<std::size_t>(state.range(0));
  const features::AlignedFace aligned = features::AlignFace(tests::Texture(256, 256, 3, 1), tests::NeutralFace(), {});
  const features::Landmarks68 landmarks = features::Transform(aligned.crop_from_image, tests::NeutralFace());
  std::vector<float> rows(n * extractor.Dimension());
  std::vector<QualityEvidence> evidence(n);
  for (auto _ : state) {
    for (std::size_t i = 0; i < n; ++i) {
      extractor.Extract(aligned.crop, landmarks, std::span(rows).subspan(i * extractor.Dimension(), extractor.Dimension()));
      evidence[i] = EvidenceOf(aligned.crop, landmarks, 1);
    }
    benchmark::DoNotOptimize(model.Predict(rows, n, nullptr, evidence).data());
  }
  state.counters["a_face"] =
      benchmark::Counter(static_cast<double>(n), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(FeaturesAndAus)->Arg(32)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace auforge::annotator

BENCHMARK_MAIN();
