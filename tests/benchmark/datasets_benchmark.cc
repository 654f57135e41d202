// Time of the stages around the annotator: reading archives, checksums, decoding, encoding crops, writing
// shards.
#include <benchmark/benchmark.h>

#include "datasets/image_codec.h"
#include "datasets/image_source.h"
#include "datasets/shard.h"
#include "datasets/storage/checksum.h"
#include "tests/support/faces.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::datasets {
namespace {

// Args: width, 1 / scale. The height is 3/4 of the width.
void DecodeJpeg(benchmark::State& state) {
  const auto width = static_cast<int>(state.range(0));
  const auto jpeg = EncodeJpeg(tests::Texture(width, 3 * width / 4, 3, 1), 85);
  const DecodeOptions options{.least_scale = 1.0 / static_cast<double>(state.range(1))};
  for (auto _ : state) benchmark::DoNotOptimize(DecodeImage(jpeg, options).bgr.data);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(jpeg.size()));
}
BENCHMARK(DecodeJpeg)->ArgsProduct({{224, 500, 2000}, {1, 2, 4}})->Unit(benchmark::kMillisecond);

// Args: side, quality.
void EncodeCrop(benchmark::State& state) {
  const auto side = static_cast<int>(state.range(0));
  const cv::Mat crop = tests::Texture(side, side, 3, 1);
  for (auto _ : state) benchmark::DoNotOptimize(EncodeJpeg(crop, static_cast<int>(state.range(1))).data());
}
BENCHMARK(EncodeCrop)->ArgsProduct({{128, 256}, {80, 92}})->Unit(benchmark::kMillisecond);

// Args: bytes of a member.
void ReadTar(benchmark::State& state) {
  const tests::TempDir dir;
  std::vector<tests::TarMember> members;
  for (int i = 0; i < 200; ++i) {
    members.push_back(
        {std::to_string(i) + ".jpg", std::string(static_cast<std::size_t>(state.range(0)), 'x')});
    members.push_back(
        {std::to_string(i) + ".json", R"({"url": "http://example.org/", "caption": "a caption"})"});
  }
  tests::WriteTar(dir / "a.tar", members);
  const ImageSource source = ImageSource::Plan({dir / "a.tar"}, {});
  for (auto _ : state) {
    const auto reader = source.Open(source.Shards()[0]);
    for (ImageItem item; reader->Next(item);) benchmark::DoNotOptimize(item.bytes.data());
  }
  state.SetItemsProcessed(state.iterations() * 200);
  state.SetBytesProcessed(state.iterations() * 200 * state.range(0));
}
BENCHMARK(ReadTar)->Arg(50 << 10)->Arg(500 << 10)->Unit(benchmark::kMillisecond);

void Digest(benchmark::State& state) {
  const std::vector<std::uint8_t> bytes(static_cast<std::size_t>(state.range(0)), 7);
  for (auto _ : state) benchmark::DoNotOptimize(storage::Sha256(bytes));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Digest)->Arg(50 << 10);

// Args: faces of the shard. Flushed to the disk and renamed, as in a run.
void WriteShard(benchmark::State& state) {
  const tests::TempDir dir;
  ShardHeader header;
  header.schema = features::AuSchema::FromNames({"AU01", "AU02", "AU04", "AU06", "AU12"});
  const auto crop = EncodeJpeg(tests::Texture(128, 128, 3, 1), 92);
  for (auto _ : state) {
    ShardWriter writer(dir / "out", 0, header);
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      SampleRecord sample;
      sample.key = std::to_string(i);
      FaceRecord face;
      face.sample = writer.AddSample(sample);
      face.image = crop;
      face.aus.intensity.assign(5, 0.5F);
      face.aus.probability.assign(5, 0.5F);
      face.aus.present.assign(5, 0);
      writer.AddFace(std::move(face));
    }
    writer.Finish();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(WriteShard)->Arg(100)->Arg(10000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace auforge::datasets

BENCHMARK_MAIN();
