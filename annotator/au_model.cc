#include "annotator/au_model.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "annotator/internal/au_model_weights.h"
#include "annotator/internal/matrix_product.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/hdf5_file.h"

namespace auforge::annotator {
namespace {

namespace fs = std::filesystem;
using datasets::storage::Hdf5Reader;
using datasets::storage::Hdf5Writer;

constexpr const char* kFormat = "auforge-au-model";
constexpr std::int64_t kFormatVersion = 1;

void Require(bool condition, const std::string& text) {
  if (!condition) throw std::invalid_argument(text);
}

void RequireFinite(const std::vector<float>& values, const char* name) {
  Require(std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }),
          std::string(name) + " holds a number that is not finite");
}

template <typename T>
std::vector<T> ReadColumn(const Hdf5Reader& file, const std::string& path, std::vector<std::uint64_t> shape) {
  auto array = file.Read<T>(path);
  Require(array.shape == shape, path + " has another shape than the model's sizes say");
  return std::move(array.values);
}

std::string BlockPath(const std::string& block, const char* what) { return "/front/" + block + "/" + what; }

}  // namespace

void AuModel::Weights::Validate() const {
  const std::size_t a = info.schema.size();
  Require(a > 0, "the schema is empty");
  Require(info.confidence.size() == a && calibration.size() == a && bias.size() == a,
          "confidence, calibration or bias do not match the schema of " + std::to_string(a) + " AUs");
  const features::FeatureExtractor extractor(info.features);
  const auto& expected = extractor.Blocks();
  Require(blocks.size() == expected.size(), "the blocks do not match the feature spec");
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const BlockProjection& block = blocks[i];
    Require(block.name == expected[i].name && block.begin == expected[i].begin && block.size == expected[i].size,
            "block " + block.name + " does not match the feature spec");
    Require(block.components > 0 && block.components <= block.size, "block " + block.name + " has no components");
    Require(block.mean.size() == block.size && block.projection.size() == block.size * block.components,
            "block " + block.name + " has arrays of the wrong size");
    RequireFinite(block.mean, "a mean");
    RequireFinite(block.projection, "a projection");
    total += block.components;
  }
  Require(total == components, "the number of components does not add up");
  Require(std::isfinite(gamma) && gamma > 0, "gamma = " + std::to_string(gamma) + "; must be > 0");
  Require(centre_count > 0 && centres.size() == centre_count * components && coefficients.size() == centre_count * a,
          "centres or coefficients have the wrong size");
  RequireFinite(centres, "centres");
  RequireFinite(coefficients, "coefficients");
  RequireFinite(bias, "bias");
  for (const AuCalibration& c : calibration) {
    Require(std::isfinite(c.threshold) && std::isfinite(c.gain) && std::isfinite(c.slope) && c.gain > 0 && c.slope > 0,
            "a calibration is not finite or not rising");
  }
}

std::string AuModel::Weights::Digest() const {
  std::string text = info.features.ToJson();
  for (const std::string& name : info.schema.Names()) text += name + ",";
  const auto add = [&text](const std::vector<float>& values) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(values.data());
    text += datasets::storage::HexDigest(datasets::storage::Sha256({bytes, values.size() * sizeof(float)}));
  };
  for (const BlockProjection& block : blocks) {
    add(block.mean);
    add(block.projection);
  }
  add({gamma});
  add(centres);
  add(coefficients);
  add(bias);
  for (const AuCalibration& c : calibration) add({c.threshold, c.gain, c.slope});
  return datasets::storage::Sha256Hex(text);
}

std::vector<float> AuModel::Weights::Project(const float* features, std::size_t n, std::size_t dimension) const {
  std::vector<float> projected(n * components);
  std::size_t column = 0;
  for (const BlockProjection& block : blocks) {
    std::vector<float> centred(n * block.size);
    for (std::size_t i = 0; i < n; ++i) {
      const float* row = features + i * dimension + block.begin;
      for (std::size_t j = 0; j < block.size; ++j) centred[i * block.size + j] = row[j] - block.mean[j];
    }
    std::vector<float> part(n * block.components);
    MatrixProduct(centred.data(), block.projection.data(), part.data(), n, block.size, block.components);
    for (std::size_t i = 0; i < n; ++i) {
      std::copy_n(part.data() + i * block.components, block.components, projected.data() + i * components + column);
    }
    column += block.components;
  }
  return projected;
}

std::vector<float> RbfKernel(const float* rows, std::size_t n, const float* centres, std::size_t count,
                             std::size_t components, float gamma) {
  std::vector<float> transposed(components * count);
  std::vector<float> centre_norm(count, 0.0F);
  for (std::size_t c = 0; c < count; ++c) {
    for (std::size_t k = 0; k < components; ++k) {
      const float v = centres[c * components + k];
      transposed[k * count + c] = v;
      centre_norm[c] += v * v;
    }
  }
  std::vector<float> kernel(n * count);
  MatrixProduct(rows, transposed.data(), kernel.data(), n, components, count);
  for (std::size_t i = 0; i < n; ++i) {
    float norm = 0;
    for (std::size_t k = 0; k < components; ++k) norm += rows[i * components + k] * rows[i * components + k];
    for (std::size_t c = 0; c < count; ++c) {
      const float distance = std::max(0.0F, norm + centre_norm[c] - 2 * kernel[i * count + c]);
      kernel[i * count + c] = std::exp(-gamma * distance);
    }
  }
  return kernel;
}

std::vector<float> AuModel::Weights::Scores(const std::vector<float>& projected, std::size_t n) const {
  const std::size_t a = info.schema.size();
  const std::vector<float> kernel = RbfKernel(projected.data(), n, centres.data(), centre_count, components, gamma);
  std::vector<float> scores(n * a);
  MatrixProduct(kernel.data(), coefficients.data(), scores.data(), n, centre_count, a);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < a; ++j) scores[i * a + j] += bias[j];
  }
  return scores;
}

AuModel::AuModel(std::unique_ptr<Weights> weights) : weights_(std::move(weights)) {
  weights_->Validate();
  weights_->info.digest = weights_->Digest();
}
AuModel::AuModel(AuModel&&) noexcept = default;
AuModel& AuModel::operator=(AuModel&&) noexcept = default;
AuModel::~AuModel() = default;

const AuModelInfo& AuModel::info() const { return weights_->info; }
const AuModel::Weights& AuModel::weights() const { return *weights_; }

std::vector<features::AuEstimate> AuModel::Predict(std::span<const float> features, std::size_t n) const {
  if (n == 0) return {};
  const std::size_t dimension = features.size() / n;
  const BlockProjection& last = weights_->blocks.back();
  if (features.size() != n * dimension || dimension != last.begin + last.size) {
    throw std::invalid_argument("predict: rows of " + std::to_string(dimension) + " features; the model wants " +
                                std::to_string(last.begin + last.size));
  }
  const std::size_t a = weights_->info.schema.size();
  const std::vector<float> scores = weights_->Scores(weights_->Project(features.data(), n, dimension), n);
  std::vector<features::AuEstimate> estimates(n);
  for (std::size_t i = 0; i < n; ++i) {
    features::AuEstimate& e = estimates[i];
    e.intensity.resize(a);
    e.probability.resize(a);
    e.present.resize(a);
    for (std::size_t j = 0; j < a; ++j) {
      const AuCalibration& c = weights_->calibration[j];
      const float above = scores[i * a + j] - c.threshold;
      e.intensity[j] = std::clamp(1 + c.gain * above, 0.0F, 5.0F);
      e.probability[j] = 1 / (1 + std::exp(-c.slope * above));
      // The intensity alone decides: the two can never contradict each other.
      e.present[j] = e.intensity[j] >= 1 ? 1 : 0;
    }
  }
  return estimates;
}

void AuModel::Save(const std::string& path) const {
  const Weights& w = *weights_;
  const std::string temporary = datasets::storage::TemporaryName(path);
  try {
    Hdf5Writer file(temporary);
    const std::uint64_t a = w.info.schema.size();
    file.WriteAttribute("/", "format", std::string(kFormat));
    file.WriteAttribute("/", "format_version", kFormatVersion);
    file.WriteAttribute("/", "au_names", w.info.schema.Names());
    file.WriteAttribute("/", "confidence", w.info.confidence);
    file.WriteAttribute("/", "features", w.info.features.ToJson());
    file.WriteAttribute("/", "learner", w.info.learner);
    file.WriteAttribute("/", "provenance", w.info.provenance);
    file.WriteAttribute("/", "provisional", std::int64_t{w.info.provisional});
    file.WriteAttribute("/", "digest", w.info.digest);
    file.WriteAttribute("/", "gamma", static_cast<double>(w.gamma));
    std::vector<std::string> names;
    for (const BlockProjection& block : w.blocks) {
      names.push_back(block.name);
      file.Write<float>(BlockPath(block.name, "mean"), block.mean, {block.size}, 4);
      file.Write<float>(BlockPath(block.name, "projection"), block.projection, {block.size, block.components}, 4);
    }
    file.WriteAttribute("/", "blocks", names);
    file.Write<float>("/kernel/centres", w.centres, {w.centre_count, w.components}, 4);
    file.Write<float>("/kernel/coefficients", w.coefficients, {w.centre_count, a}, 4);
    file.Write<float>("/kernel/bias", w.bias, {a});
    std::vector<float> calibration;
    for (const AuCalibration& c : w.calibration) calibration.insert(calibration.end(), {c.threshold, c.gain, c.slope});
    file.Write<float>("/calibration", calibration, {a, 3});
    file.Close();
    datasets::storage::CommitFile(temporary, path);
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
}

AuModel AuModel::Load(const std::string& path) {
  if (!fs::exists(path)) {
    throw std::runtime_error(path + ": no such AU model; name one with --model or train one with auforge train-au");
  }
  const Hdf5Reader file(path);
  if (!file.HasAttribute("/", "format") || file.ReadString("/", "format") != kFormat) {
    throw std::runtime_error(path + ": is not an AuForge AU model");
  }
  const std::int64_t version = file.ReadInteger("/", "format_version");
  if (version != kFormatVersion) {
    throw std::runtime_error(path + ": is of model format " + std::to_string(version) + ", this program reads " +
                             std::to_string(kFormatVersion) + "; train it again with auforge train-au");
  }
  try {
    auto w = std::make_unique<Weights>();
    w->info.schema = features::AuSchema::FromNames(file.ReadStringList("/", "au_names"));
    w->info.confidence = file.ReadStringList("/", "confidence");
    w->info.features = features::FeatureSpec::FromJson(file.ReadString("/", "features"));
    w->info.learner = file.ReadString("/", "learner");
    w->info.provenance = file.ReadString("/", "provenance");
    w->info.provisional = file.ReadInteger("/", "provisional") != 0;
    w->gamma = static_cast<float>(file.ReadDouble("/", "gamma"));
    std::uint64_t begin = 0;
    for (const std::string& name : file.ReadStringList("/", "blocks")) {
      auto projection = file.Read<float>(BlockPath(name, "projection"));
      Require(projection.shape.size() == 2, "projection of " + name + " is not a matrix");
      BlockProjection block{name, begin, projection.shape[0], projection.shape[1], {}, std::move(projection.values)};
      block.mean = ReadColumn<float>(file, BlockPath(name, "mean"), {block.size});
      begin += block.size;
      w->components += block.components;
      w->blocks.push_back(std::move(block));
    }
    Require(!w->blocks.empty(), "it has no blocks");
    auto centres = file.Read<float>("/kernel/centres");
    Require(centres.shape.size() == 2, "centres are not a matrix");
    w->centre_count = centres.shape[0];
    w->centres = std::move(centres.values);
    const std::uint64_t a = w->info.schema.size();
    w->coefficients = ReadColumn<float>(file, "/kernel/coefficients", {w->centre_count, a});
    w->bias = ReadColumn<float>(file, "/kernel/bias", {a});
    const auto calibration = ReadColumn<float>(file, "/calibration", {a, 3});
    for (std::size_t j = 0; j < a; ++j) {
      w->calibration.push_back({calibration[3 * j], calibration[3 * j + 1], calibration[3 * j + 2]});
    }
    AuModel model(std::move(w));
    if (model.info().digest != file.ReadString("/", "digest")) {
      throw std::invalid_argument("its content does not match its checksum");
    }
    return model;
  } catch (const std::invalid_argument& error) {
    throw std::runtime_error(path + ": damaged AU model: " + error.what() + "; fetch or train it again");
  }
}

std::string DefaultAuModelPath() {
  if (const char* configured = std::getenv("AUFORGE_MODEL"); configured != nullptr && *configured != '\0') {
    return configured;
  }
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const fs::path installed = self.parent_path().parent_path() / "share/auforge/default.h5";
  if (!error && fs::exists(installed)) return installed.string();
  return AUFORGE_DEFAULT_MODEL;
}

}  // namespace auforge::annotator
