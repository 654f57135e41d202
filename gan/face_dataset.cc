#include "gan/face_dataset.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <functional>
#include <future>
#include <map>
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
  std::vector<float> aus, certainty;
  std::size_t unpaired = 0;
  std::vector<std::vector<std::size_t>> partners;  // of the paired faces
  std::string pair_text;                           // for the digest

  std::vector<std::size_t> Columns(const datasets::ShardReader& shard) const {
    std::vector<std::size_t> columns;
    for (const int au : options.schema.numbers()) {
      const auto column = shard.header().schema.Find(au);
      if (!column) {
        throw datasets::storage::BadContent(
            shard.path() + ": has no AU" + std::to_string(au) +
            ", which the generator's condition needs; annotate with a model that measures it");
      }
      columns.push_back(*column);
    }
    return columns;
  }

  void AddFace(const datasets::ShardReader& shard, const std::vector<std::size_t>& columns, std::size_t i) {
    places.push_back({static_cast<std::uint32_t>(shards.size()), static_cast<std::uint32_t>(i)});
    const std::size_t width = shard.header().schema.size();
    for (const std::size_t c : columns) {
      aus.push_back(shard.AuIntensity()[i * width + c] / 5);
      const float sure = std::abs(2 * shard.AuProbability()[i * width + c] - 1);
      certainty.push_back(options.unsure_label + (1 - options.unsure_label) * std::min(sure, 1.0F));
    }
  }

  void Add(const std::string& path) {
    datasets::ShardReader shard(path);
    shard.RequireCrops();
    const std::vector<std::size_t> columns = Columns(shard);
    for (std::size_t i = 0; i < shard.FaceCount(); ++i) {
      if (shard.Quality()[i] >= options.min_quality) AddFace(shard, columns, i);
    }
    shards.push_back(std::move(shard));
    unpaired = places.size();
  }

  // Scenes of which one face is left by the quality asked for are left out.
  void AddPairs(const std::string& path) {
    datasets::ShardReader shard(path);
    shard.RequireCrops();
    const std::vector<std::size_t> columns = Columns(shard);
    for (const auto& [pair, faces] : Scenes(shard)) {
      std::vector<std::size_t> members;
      for (const std::size_t i : faces) {
        if (shard.Quality()[i] >= options.min_quality) members.push_back(i);
      }
      if (members.size() < 2) continue;
      const std::size_t first = places.size();
      for (const std::size_t i : members) {
        AddFace(shard, columns, i);
        std::vector<std::size_t>& others = partners.emplace_back();
        for (std::size_t k = 0; k < members.size(); ++k) {
          if (members[k] != i) others.push_back(first + k);
        }
      }
      pair_text += std::to_string(pair) + ":" + std::to_string(members.size()) + " ";
    }
    shards.push_back(std::move(shard));
  }

  // The faces of each scene.
  static std::map<std::int64_t, std::vector<std::size_t>> Scenes(const datasets::ShardReader& shard) {
    using datasets::storage::BadContent;
    const std::string again = "; draw pairs with auforge synth faces --expressions 4, or make them of photographs with auforge gan pairs";
    const auto column = shard.Extra("/synthetic/pair");
    if (!column) throw BadContent(shard.path() + ": has no pairs" + again);
    if (column->values.size() != shard.FaceCount())
      throw BadContent(shard.path() + ": /synthetic/pair is not one number for each face" + again);
    std::map<std::int64_t, std::vector<std::size_t>> scenes;
    for (std::size_t i = 0; i < column->values.size(); ++i) {
      const float pair = column->values[i];
      if (!(pair >= -1 && pair < 1e9F))
        throw BadContent(shard.path() + ": face " + std::to_string(i) + ": its pair is no number of one" + again);
      if (pair >= 0) scenes[std::lround(pair)].push_back(i);
    }
    for (const auto& [pair, faces] : scenes) {
      if (faces.size() > 1) continue;
      throw BadContent(shard.path() + ": face " + std::to_string(faces[0]) + ": its partner is missing (no other face is of pair " +
                       std::to_string(pair) + ")" + again);
    }
    return scenes;
  }

  cv::Mat Decode(std::size_t face) const {
    const auto [shard, row] = places.at(face);
    const std::string& path = shards[shard].path();
    datasets::DecodedImage image = datasets::DecodeImage(shards[shard].FaceImage(row), {});
    if (image.status != datasets::Outcome::kOk) {
      throw datasets::storage::BadContent(path + ": face " + std::to_string(row) + ": " + image.message);
    }
    const int size = options.image_size;
    if (face >= unpaired && (image.bgr.rows != size || image.bgr.cols != size)) {
      throw datasets::storage::BadContent(
          path + ": its pairs are of " + std::to_string(image.bgr.cols) + " pixels, the networks of " + std::to_string(size) +
          "; make them with gan pairs --image-size or synth faces --crop-size " + std::to_string(size) + ", or train with --image-size " +
          std::to_string(image.bgr.cols));
    }
    return std::move(image.bgr);
  }
};

FaceDataset::FaceDataset(const std::vector<std::string>& paths, const FaceDatasetOptions& options)
    : impl_(std::make_unique<Impl>()) {
  impl_->options = options;
  if (!paths.empty()) {
    for (const std::string& path : datasets::FindShards(paths)) impl_->Add(path);
  }
  if (options.pairs.empty()) return;
  for (const std::string& path : datasets::FindShards(options.pairs)) {
    const std::size_t first = size();
    impl_->AddPairs(path);
    if (size() > first) impl_->Decode(first);  // a set of another size is told before the work
  }
  if (size() == impl_->unpaired) {
    throw datasets::storage::BadContent(options.pairs.front() +
                                        ": has no two faces of a scene that are good enough; lower --min-quality, or draw more");
  }
}
FaceDataset::~FaceDataset() = default;
FaceDataset::FaceDataset(FaceDataset&&) noexcept = default;

std::size_t FaceDataset::size() const { return impl_->places.size(); }
std::size_t FaceDataset::UnpairedCount() const { return impl_->unpaired; }
std::span<const std::size_t> FaceDataset::Partners(std::size_t face) const {
  if (face < impl_->unpaired) return {};
  return impl_->partners.at(face - impl_->unpaired);
}
std::span<const float> FaceDataset::Certainty(std::size_t face) const {
  if (impl_->options.unsure_label == 1) return {};
  const std::size_t a = impl_->options.schema.size();
  return std::span(impl_->certainty).subspan(face * a, a);
}
const features::AuSchema& FaceDataset::schema() const { return impl_->options.schema; }
std::span<const float> FaceDataset::Aus(std::size_t face) const {
  const std::size_t a = impl_->options.schema.size();
  return std::span(impl_->aus).subspan(face * a, a);
}

cv::Mat FaceDataset::Crop(std::size_t face) const {
  const int size = impl_->options.image_size;
  cv::Mat bgr = impl_->Decode(face);
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

void FaceDataset::LoadBytes(std::size_t face, std::span<std::uint8_t> out) const {
  const cv::Mat bgr = Crop(face);
  const auto plane = static_cast<std::size_t>(bgr.rows * bgr.cols);
  for (int y = 0; y < bgr.rows; ++y) {
    const auto* line = bgr.ptr<cv::Vec3b>(y);
    for (int x = 0; x < bgr.cols; ++x) {
      const auto at = static_cast<std::size_t>(y * bgr.cols + x);
      for (std::size_t c = 0; c < 3; ++c) out[c * plane + at] = line[x][2 - static_cast<int>(c)];
    }
  }
}

int FaceDataset::image_size() const { return impl_->options.image_size; }
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
  const std::string of_aus =
      datasets::storage::HexDigest(datasets::storage::Sha256({bytes, impl_->aus.size() * sizeof(float)}));
  if (impl_->partners.empty()) return of_aus;
  return datasets::storage::Sha256Hex(of_aus + " " + std::to_string(impl_->unpaired) + " " + impl_->pair_text);
}

struct BatchLoader::Impl {
  const FaceDataset& data;
  LoaderOptions options;
  struct Pending {
    std::int64_t epoch, index;
    std::future<HostBatch> batch;
  };
  std::deque<Pending> pending;
  // Purposes of the shuffles' streams; of one kind they are those of an epoch.
  static constexpr std::uint64_t kOrder = ~std::uint64_t{0}, kUnpairedOrder = kOrder - 1;
  std::map<std::uint64_t, std::pair<std::int64_t, std::vector<std::size_t>>> orders;  // by purpose: pass and faces

  Impl(const FaceDataset& d, const LoaderOptions& o) : data(d), options(o) {}

  std::size_t PairedCount() const { return data.size() - data.UnpairedCount(); }
  bool HasPairs() const { return PairedCount() > 0; }
  std::int64_t PerEpoch() const {
    return HasPairs() ? static_cast<std::int64_t>(PairedCount()) / (options.batch - options.unpaired)
                      : static_cast<std::int64_t>(data.size()) / options.batch;
  }

  // Faces first .. first + count - 1, shuffled for a pass.
  const std::vector<std::size_t>& Order(std::int64_t pass, std::uint64_t purpose, std::size_t first, std::size_t count) {
    auto& [of_pass, order] = orders[purpose];
    if (!order.empty() && of_pass == pass) return order;
    order.resize(count);
    std::iota(order.begin(), order.end(), first);
    std::mt19937_64 random = Stream(options.seed, static_cast<std::uint64_t>(pass), purpose);
    for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
    of_pass = pass;
    return order;
  }

  // `count` faces of a kind from the `from`th that is shown at all.
  void Append(std::vector<std::size_t>& faces, std::int64_t from, int count, std::uint64_t purpose, std::size_t first,
              std::size_t of) {
    const auto pass_length = static_cast<std::int64_t>(of);
    for (std::int64_t at = from; at < from + count; ++at)
      faces.push_back(Order(at / pass_length, purpose, first, of)[static_cast<std::size_t>(at % pass_length)]);
  }

  // Of the whole batch; with pairs the unpaired ones first.
  std::vector<std::size_t> FacesOf(std::int64_t epoch, std::int64_t index) {
    std::vector<std::size_t> faces;
    if (!HasPairs()) {
      const auto& order = Order(epoch, kOrder, 0, data.size());
      const auto first = order.begin() + static_cast<std::ptrdiff_t>(index * options.batch);
      return {first, first + options.batch};
    }
    const std::int64_t number = epoch * PerEpoch() + index, mixed = std::max<std::int64_t>(0, number - options.paired_only);
    const std::int64_t alone = std::min(number, options.paired_only);
    const int unpaired = number < options.paired_only ? 0 : options.unpaired;
    Append(faces, mixed * options.unpaired, unpaired, kUnpairedOrder, 0, data.UnpairedCount());
    Append(faces, alone * options.batch + mixed * (options.batch - options.unpaired), options.batch - unpaired, kOrder,
           data.UnpairedCount(), PairedCount());
    return faces;
  }

  // This process' rows of a batch of which the first `unpaired` are of that kind.
  std::vector<bool> Mine(std::size_t unpaired) const {
    std::vector<bool> mine(static_cast<std::size_t>(options.batch));
    const auto parts = static_cast<std::size_t>(options.parts), part = static_cast<std::size_t>(options.part);
    for (const auto& [first, count] : {std::pair{std::size_t{0}, unpaired}, {unpaired, mine.size() - unpaired}}) {
      for (std::size_t i = 0; i < count; ++i) mine[first + i] = i / (count / parts) == part;
    }
    return mine;
  }

  // A random face's AUs, a little off.
  std::vector<float> DrawTarget(std::mt19937_64& random) const {
    std::vector<float> target;
    for (const float au : data.Aus(random() % data.size())) {
      const float noise = options.target_noise * (2 * Uniform(random) - 1);
      target.push_back(std::clamp(au + noise, 0.0F, 1.0F));
    }
    return target;
  }

  // images: where its pixels go, if pixels are wanted.
  using Cast = std::array<float, 3>;
  // Nothing is drawn where there is none, so that batches are those of programs that knew none.
  Cast DrawCast(std::mt19937_64& random) const {
    Cast cast{1, 1, 1};
    for (float& c : cast) c = options.colour_cast > 0 ? 1 + options.colour_cast * (2 * Uniform(random) - 1) : 1;
    return cast;
  }

  void AddFace(std::size_t face, bool flip, const Cast& cast, HostBatch& batch, std::vector<float>& images) const {
    if (options.colour_cast > 0) batch.casts.insert(batch.casts.end(), cast.begin(), cast.end());
    batch.faces.push_back(static_cast<std::int64_t>(face));
    batch.flips.push_back(flip ? 1 : 0);
    if (!options.pixels) return;
    const std::size_t at = images.size(), pixels = data.ImageValues();
    images.resize(at + pixels);
    data.LoadImage(face, flip, std::span(images).subspan(at, pixels));
  }

  HostBatch Make(std::int64_t epoch, std::int64_t index, const std::vector<std::size_t>& faces) const {
    std::mt19937_64 random =
        Stream(options.seed, static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(index));
    const auto is_paired = [this](std::size_t face) { return face >= data.UnpairedCount(); };
    const std::vector<bool> mine =
        Mine(static_cast<std::size_t>(std::count_if(faces.begin(), faces.end(), std::not_fn(is_paired))));
    HostBatch batch;
    struct Partner {
      std::size_t face;
      bool flip;
      Cast cast;
    };
    std::vector<Partner> told;  // mirrored and tinted as they are
    if (options.pixels) batch.image.reserve(faces.size() / static_cast<std::size_t>(options.parts) * data.ImageValues());
    const auto append = [](std::vector<float>& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
    for (std::size_t i = 0; i < faces.size(); ++i) {
      // The numbers of the whole batch are drawn whoever loads it: the parts together are what one process
      // would see.
      const std::size_t face = faces[i];
      const bool flip = options.flip && (random() & 1) != 0;
      const auto partners = data.Partners(face);
      const std::size_t partner = is_paired(face) ? partners[random() % partners.size()] : face;
      const std::vector<float> target = is_paired(face)
                                            ? std::vector(data.Aus(partner).begin(), data.Aus(partner).end())
                                            : DrawTarget(random);
      const float alpha = Uniform(random);
      const Cast cast = DrawCast(random);
      if (!mine[i]) continue;
      ++batch.size;
      AddFace(face, flip, cast, batch, batch.image);
      append(batch.aus, data.Aus(face));
      append(batch.target, target);
      batch.alpha.push_back(alpha);
      append(batch.certainty, data.Certainty(face));
      if (!is_paired(face)) continue;
      ++batch.paired;
      told.push_back({partner, flip, cast});
    }
    for (const auto& [partner, flip, cast] : told) AddFace(partner, flip, cast, batch, batch.answer);
    return batch;
  }

  void Enqueue(std::int64_t epoch, std::int64_t index) {
    pending.push_back({epoch, index, std::async(std::launch::async, [this, epoch, index, faces = FacesOf(epoch, index)] {
                         return Make(epoch, index, faces);
                       })});
  }

  void Check() const {
    const auto share = [this](int count, const std::string& what) {
      if (count % options.parts == 0) return;
      throw std::invalid_argument("gan: " + what + " of " + std::to_string(count) + " cannot be shared by " +
                                  std::to_string(options.parts) + " processes; give a multiple as --batch");
    };
    if (options.parts < 1) throw std::invalid_argument("gan: the parts of a batch must be >= 1");
    share(options.batch, "a batch");
    if (HasPairs()) {
      share(options.unpaired, "the photographs of a batch");
      if (options.unpaired < 0 || options.unpaired >= options.batch) {
        throw std::invalid_argument("gan: " + std::to_string(options.unpaired) + " unpaired faces in batches of " +
                                    std::to_string(options.batch) + " leave no room for pairs; lower --photo-share");
      }
      if (options.unpaired > 0 && data.UnpairedCount() == 0) {
        throw std::invalid_argument("gan: there are no faces but pairs; name a folder of photographs, or --photo-share 0");
      }
    }
    if (PerEpoch() >= 1) return;
    throw datasets::storage::BadContent("gan: " + std::to_string(data.size()) + " faces are too few for batches of " +
                                        std::to_string(options.batch) +
                                        "; annotate more photos or give a smaller --batch");
  }
};

BatchLoader::BatchLoader(const FaceDataset& data, const LoaderOptions& options)
    : impl_(std::make_unique<Impl>(data, options)) {
  impl_->Check();
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
