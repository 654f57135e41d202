#include "gan/face_dataset.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <future>
#include <numeric>
#include <opencv2/imgproc.hpp>
#include <random>
#include <stdexcept>

#include "datasets/image_codec.h"
#include "datasets/shard.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/checksum.h"

namespace auforge::gan {
namespace {

// Uniform in [0, 1); the standard library's distributions differ between implementations.
float Uniform(std::mt19937_64& random) { return static_cast<float>(random() >> 40) * 0x1p-24F; }

std::mt19937_64 Stream(std::uint64_t seed, std::uint64_t epoch, std::uint64_t index) {
  std::seed_seq sequence{seed, seed >> 32, epoch, index};
  return std::mt19937_64(sequence);
}

}  // namespace

struct FaceDataset::Impl {
  FaceDatasetOptions options;
  std::vector<datasets::ShardReader> shards;
  struct Place {
    std::uint32_t shard, face;
  };
  std::vector<Place> places;
  std::vector<float> aus;

  void Add(const std::string& path) {
    datasets::ShardReader shard(path);
    std::vector<std::size_t> columns;
    for (const int au : options.schema.numbers()) {
      const auto column = shard.header().schema.Find(au);
      if (!column) {
        throw datasets::storage::BadContent(
            path + ": has no AU" + std::to_string(au) +
            ", which the generator's condition needs; annotate with a model that measures it");
      }
      columns.push_back(*column);
    }
    const std::size_t width = shard.header().schema.size();
    for (std::size_t i = 0; i < shard.FaceCount(); ++i) {
      if (shard.Quality()[i] < options.min_quality) continue;
      places.push_back({static_cast<std::uint32_t>(shards.size()), static_cast<std::uint32_t>(i)});
      for (const std::size_t c : columns) aus.push_back(shard.AuIntensity()[i * width + c] / 5);
    }
    shards.push_back(std::move(shard));
  }
};

FaceDataset::FaceDataset(const std::vector<std::string>& paths, const FaceDatasetOptions& options)
    : impl_(std::make_unique<Impl>()) {
  impl_->options = options;
  for (const std::string& path : datasets::FindShards(paths)) impl_->Add(path);
}
FaceDataset::~FaceDataset() = default;
FaceDataset::FaceDataset(FaceDataset&&) noexcept = default;

std::size_t FaceDataset::size() const { return impl_->places.size(); }
const features::AuSchema& FaceDataset::schema() const { return impl_->options.schema; }
std::span<const float> FaceDataset::Aus(std::size_t face) const {
  const std::size_t a = impl_->options.schema.size();
  return std::span(impl_->aus).subspan(face * a, a);
}

cv::Mat FaceDataset::Crop(std::size_t face) const {
  const auto [shard, row] = impl_->places.at(face);
  const datasets::DecodedImage image = datasets::DecodeImage(impl_->shards[shard].FaceImage(row), {});
  if (image.status != datasets::Outcome::kOk) {
    throw datasets::storage::BadContent(impl_->shards[shard].path() + ": face " + std::to_string(row) + ": " +
                             image.message);
  }
  const int size = impl_->options.image_size;
  cv::Mat bgr = image.bgr;
  if (bgr.rows != size || bgr.cols != size) {
    cv::resize(bgr, bgr, cv::Size(size, size), 0, 0, bgr.rows > size ? cv::INTER_AREA : cv::INTER_CUBIC);
  }
  return bgr;
}

void FaceDataset::LoadImage(std::size_t face, bool flip, std::span<float> out) const {
  const cv::Mat bgr = Crop(face);
  const int size = bgr.rows;
  const auto plane = static_cast<std::size_t>(size * size);
  for (int y = 0; y < size; ++y) {
    const auto* line = bgr.ptr<cv::Vec3b>(y);
    for (int x = 0; x < size; ++x) {
      const cv::Vec3b& pixel = line[flip ? size - 1 - x : x];
      const auto at = static_cast<std::size_t>(y * size + x);
      for (std::size_t c = 0; c < 3; ++c)
        out[c * plane + at] = static_cast<float>(pixel[2 - static_cast<int>(c)]) / 127.5F - 1;
    }
  }
}

std::size_t FaceDataset::ImageValues() const {
  return 3U * static_cast<std::size_t>(impl_->options.image_size * impl_->options.image_size);
}

std::vector<std::string> FaceDataset::Warnings() const {
  std::vector<std::string> warnings;
  const std::size_t a = impl_->options.schema.size();
  const std::vector<std::string> names = impl_->options.schema.Names();
  std::string flat, rare;
  for (std::size_t j = 0; j < a; ++j) {
    double sum = 0, square = 0;
    for (std::size_t i = 0; i < size(); ++i) {
      const double v = impl_->aus[i * a + j];
      sum += v;
      square += v * v;
    }
    const double n = static_cast<double>(std::max<std::size_t>(1, size()));
    const double deviation = std::sqrt(std::max(0.0, square / n - sum / n * (sum / n)));
    if (deviation < 1e-4)
      flat += " " + names[j];
    else if (deviation < 0.02)
      rare += " " + names[j];
  }
  if (!flat.empty()) {
    warnings.push_back("never vary in these faces, so the generator cannot learn them:" + flat +
                       "; add faces that show them, or expect no edit by them");
  }
  if (!rare.empty())
    warnings.push_back("hardly vary in these faces:" + rare + "; edits by them will be weak");
  return warnings;
}

std::string FaceDataset::Digest() const {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(impl_->aus.data());
  return datasets::storage::HexDigest(datasets::storage::Sha256({bytes, impl_->aus.size() * sizeof(float)}));
}

struct BatchLoader::Impl {
  const FaceDataset& data;
  LoaderOptions options;
  std::int64_t order_epoch = -1;
  std::shared_ptr<const std::vector<std::size_t>> order;
  struct Pending {
    std::int64_t epoch, index;
    std::future<HostBatch> batch;
  };
  std::deque<Pending> pending;

  Impl(const FaceDataset& d, const LoaderOptions& o) : data(d), options(o) {}

  std::int64_t PerEpoch() const { return static_cast<std::int64_t>(data.size()) / options.batch; }

  void Shuffle(std::int64_t epoch) {
    if (epoch == order_epoch) return;
    auto fresh = std::make_shared<std::vector<std::size_t>>(data.size());
    std::iota(fresh->begin(), fresh->end(), std::size_t{0});
    std::mt19937_64 random = Stream(options.seed, static_cast<std::uint64_t>(epoch), ~std::uint64_t{0});
    for (std::size_t i = fresh->size(); i > 1; --i) std::swap((*fresh)[i - 1], (*fresh)[random() % i]);
    order = std::move(fresh);
    order_epoch = epoch;
  }

  HostBatch Make(std::int64_t epoch, std::int64_t index, const std::vector<std::size_t>& faces) const {
    std::mt19937_64 random =
        Stream(options.seed, static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(index));
    const auto n = static_cast<std::size_t>(options.batch),
               mine = n / static_cast<std::size_t>(options.parts);
    const std::size_t first = mine * static_cast<std::size_t>(options.part), pixels = data.ImageValues();
    HostBatch batch;
    batch.size = static_cast<std::int64_t>(mine);
    batch.image.resize(mine * pixels);
    for (std::size_t i = 0; i < n; ++i) {
      // The numbers of the whole batch are drawn whoever loads it: the parts together are what one process
      // would see.
      const std::size_t face = faces[static_cast<std::size_t>(index) * n + i];
      const bool flip = options.flip && (random() & 1) != 0;
      std::vector<float> target;
      for (const float au : data.Aus(random() % data.size())) {
        const float noise = options.target_noise * (2 * Uniform(random) - 1);
        target.push_back(std::clamp(au + noise, 0.0F, 1.0F));
      }
      const float alpha = Uniform(random);
      if (i < first || i >= first + mine) continue;
      data.LoadImage(face, flip, std::span(batch.image).subspan((i - first) * pixels, pixels));
      const auto own = data.Aus(face);
      batch.aus.insert(batch.aus.end(), own.begin(), own.end());
      batch.target.insert(batch.target.end(), target.begin(), target.end());
      batch.alpha.push_back(alpha);
    }
    return batch;
  }

  void Enqueue(std::int64_t epoch, std::int64_t index) {
    Shuffle(epoch);
    pending.push_back({epoch, index, std::async(std::launch::async, [this, epoch, index, faces = order] {
                         return Make(epoch, index, *faces);
                       })});
  }
};

BatchLoader::BatchLoader(const FaceDataset& data, const LoaderOptions& options)
    : impl_(std::make_unique<Impl>(data, options)) {
  if (options.parts < 1 || options.batch % options.parts != 0) {
    throw std::invalid_argument("gan: a batch of " + std::to_string(options.batch) + " cannot be shared by " +
                                std::to_string(options.parts) + " processes; give a multiple as --batch");
  }
  if (impl_->PerEpoch() < 1) {
    throw datasets::storage::BadContent("gan: " + std::to_string(data.size()) + " faces are too few for batches of " +
                             std::to_string(options.batch) +
                             "; annotate more photos or give a smaller --batch");
  }
}
BatchLoader::~BatchLoader() = default;

std::int64_t BatchLoader::BatchesPerEpoch() const { return impl_->PerEpoch(); }

HostBatch BatchLoader::Get(std::int64_t epoch, std::int64_t index) {
  Impl& i = *impl_;
  if (!i.pending.empty() && (i.pending.front().epoch != epoch || i.pending.front().index != index))
    i.pending.clear();
  std::int64_t next_epoch = i.pending.empty() ? epoch : i.pending.back().epoch;
  std::int64_t next_index = i.pending.empty() ? index : i.pending.back().index + 1;
  while (static_cast<int>(i.pending.size()) < i.options.jobs + 1) {
    if (next_index >= i.PerEpoch()) {
      ++next_epoch;
      next_index = 0;
    }
    i.Enqueue(next_epoch, next_index++);
  }
  HostBatch batch = i.pending.front().batch.get();
  i.pending.pop_front();
  return batch;
}

}  // namespace auforge::gan
