// How long a synthetic face takes: drawn alone, and drawn, found and measured. Needs a face model: the
// environment variable AUFORGE_FACE_MODEL names a face.h5.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>

#include "annotator/face_detector.h"
#include "annotator/landmarker.h"
#include "datasets/synthetic/cg_generator.h"
#include "features/align.h"
#include "features/feature_extractor.h"

namespace auforge::datasets::synthetic {
namespace {

struct Studio {
  explicit Studio(const std::string& path) : model(FaceModel::Load(path)), renderer(model) {}
  FaceModel model;
  FaceRenderer renderer;
};

const Studio* OpenStudio(benchmark::State& state) {
  static const std::unique_ptr<Studio> studio = [] {
    const char* path = std::getenv("AUFORGE_FACE_MODEL");
    return path != nullptr ? std::make_unique<Studio>(path) : nullptr;
  }();
  if (studio == nullptr) state.SkipWithError("AUFORGE_FACE_MODEL names no face.h5");
  return studio.get();
}

CgOptions Options(benchmark::State& state) {
  CgOptions options;
  options.size = static_cast<int>(state.range(0));
  return options;
}

// The renderer alone: geometry, shadows, samples, shading of a bare head.
void BM_Render(benchmark::State& state) {
  const Studio* studio = OpenStudio(state);
  if (studio == nullptr) return;
  const SkinPainter painter(studio->model, 384, 384);
  Random random(1, 1);
  const Person person = SamplePerson(studio->model, random);
  const SkinTextures skin = painter.Paint(person);
  const std::vector<float> still(studio->model.expressions.size(), 0.0F);
  const std::vector<Vec3> shape = studio->model.Evaluate(person.identity, still);
  const auto side = static_cast<int>(state.range(0));
  FaceScene scene;
  scene.width = scene.height = side;
  scene.shape = shape;
  scene.skin = &skin;
  scene.camera.view_from_model = RotationOf({15, 5, 3});
  scene.camera.translation = {0, 0, -79};
  scene.camera.focal = 0.5F * static_cast<float>(side) * 70 / 13.8F;
  scene.camera.centre = {static_cast<float>(side) / 2, static_cast<float>(side) / 2};
  scene.light = SampleLight(random);
  RenderScratch scratch;
  for (auto _ : state) benchmark::DoNotOptimize(studio->renderer.Render(scene, scratch).linear.data);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Render)->Arg(128)->Arg(256)->Arg(512)->Unit(benchmark::kMillisecond);

// A finished picture of method cg: person, hair, clothes, folds, backdrop, occluders, degradation.
void BM_Picture(benchmark::State& state) {
  const Studio* studio = OpenStudio(state);
  if (studio == nullptr) return;
  const CgGenerator generator(studio->model, studio->renderer, Options(state));
  std::uint64_t index = 0;
  for (auto _ : state) benchmark::DoNotOptimize(generator.Generate(1, index++).image.data);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Picture)->Arg(128)->Arg(256)->Unit(benchmark::kMillisecond)->MinTime(2);

// The same, then found, aligned and turned into features: what a labelled training face costs.
void BM_LabelledFace(benchmark::State& state) {
  const Studio* studio = OpenStudio(state);
  if (studio == nullptr) return;
  const CgGenerator generator(studio->model, studio->renderer, Options(state));
  const auto detector = annotator::MakeHogDetector({});
  const annotator::Landmarker landmarker;
  const features::FeatureExtractor extractor(features::FeatureSpec{});
  std::vector<float> row(extractor.Dimension());
  std::uint64_t index = 0;
  std::int64_t faces = 0;
  for (auto _ : state) {
    const SyntheticFace face = generator.Generate(1, index++);
    const auto found = detector->Detect(face.image);
    if (found.empty()) continue;
    const features::Landmarks68 landmarks = landmarker.Find(face.image, found.front().box);
    extractor.Extract(face.image, landmarks, row);
    benchmark::DoNotOptimize(row.data());
    ++faces;
  }
  state.SetItemsProcessed(faces);  // items_per_second: faces with features
}
BENCHMARK(BM_LabelledFace)->Arg(256)->Unit(benchmark::kMillisecond)->MinTime(3);

}  // namespace
}  // namespace auforge::datasets::synthetic

BENCHMARK_MAIN();
