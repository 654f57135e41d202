#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "datasets/generator_network.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/hdf5_file.h"
#include "datasets/storage/lineage.h"
#include "datasets/storage/paths.h"
#include "gan/internal/checkpoint.h"

namespace auforge::gan {
namespace {

namespace fs = std::filesystem;
using datasets::storage::BadContent;
using datasets::storage::Hdf5Reader;
using datasets::storage::Hdf5Writer;

constexpr const char* kFormat = "auforge-ganimation";
constexpr std::int64_t kFormatVersion = 1;

void WriteTensor(Hdf5Writer& file, const std::string& path, const torch::Tensor& tensor, std::uint32_t& crc) {
  const torch::Tensor flat = tensor.detach().to(torch::kCPU, torch::kFloat32).contiguous();
  const std::span<const float> values(flat.data_ptr<float>(), static_cast<std::size_t>(flat.numel()));
  crc = datasets::storage::Crc32c({reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()},
                                  crc);
  const auto sizes = flat.sizes();
  file.Write<float>(path, values, std::vector<std::uint64_t>(sizes.begin(), sizes.end()));
}

// The checksum is of the stored bytes.
void WriteHalf(Hdf5Writer& file, const std::string& path, const torch::Tensor& tensor, std::uint32_t& crc) {
  const torch::Tensor flat = tensor.detach().to(torch::kCPU, torch::kHalf).contiguous();
  const std::span<const std::int16_t> bits(reinterpret_cast<const std::int16_t*>(flat.data_ptr<at::Half>()),
                                           static_cast<std::size_t>(flat.numel()));
  crc =
      datasets::storage::Crc32c({reinterpret_cast<const std::uint8_t*>(bits.data()), bits.size_bytes()}, crc);
  const auto sizes = flat.sizes();
  file.Write<std::int16_t>(path, bits, std::vector<std::uint64_t>(sizes.begin(), sizes.end()));
}

torch::Tensor ReadHalf(const Hdf5Reader& file, const std::string& path, const torch::Tensor& pattern,
                       std::uint32_t& crc) {
  const auto array = file.Read<std::int16_t>(path);
  const std::vector<std::int64_t> shape(array.shape.begin(), array.shape.end());
  if (pattern.sizes() != torch::IntArrayRef(shape))
    throw BadContent(path + " has another shape than the network");
  const std::size_t bytes = array.values.size() * sizeof(std::int16_t);
  crc = datasets::storage::Crc32c({reinterpret_cast<const std::uint8_t*>(array.values.data()), bytes}, crc);
  torch::Tensor tensor = torch::empty(shape, torch::kHalf);
  std::memcpy(tensor.data_ptr<at::Half>(), array.values.data(), bytes);
  return tensor.to(torch::kFloat);
}

// Reads into a tensor of the wanted shape.
torch::Tensor ReadTensor(const Hdf5Reader& file, const std::string& path, const torch::Tensor& pattern,
                         std::uint32_t& crc) {
  const auto array = file.Read<float>(path);
  const std::vector<std::int64_t> shape(array.shape.begin(), array.shape.end());
  if (pattern.sizes() != torch::IntArrayRef(shape))
    throw BadContent(path + " has another shape than the network");
  crc = datasets::storage::Crc32c(
      {reinterpret_cast<const std::uint8_t*>(array.values.data()), array.values.size() * sizeof(float)}, crc);
  torch::Tensor tensor = torch::empty(shape);
  std::memcpy(tensor.data_ptr<float>(), array.values.data(), array.values.size() * sizeof(float));
  return tensor;
}

void WriteAdam(Hdf5Writer& file, const std::string& group, const Parameters& p, const AdamState& adam,
               std::uint32_t& crc) {
  for (std::size_t i = 0; i < p.entries().size(); ++i) {
    WriteTensor(file, group + "/mean/" + p.entries()[i].first, adam.mean[i], crc);
    WriteTensor(file, group + "/square/" + p.entries()[i].first, adam.square[i], crc);
  }
}

AdamState ReadAdam(const Hdf5Reader& file, const std::string& group, const Parameters& p,
                   std::uint32_t& crc) {
  AdamState adam;
  for (const auto& [name, value] : p.entries()) {
    adam.mean.push_back(ReadTensor(file, group + "/mean/" + name, value, crc));
    adam.square.push_back(ReadTensor(file, group + "/square/" + name, value, crc));
  }
  return adam;
}

enum class Content { kTraining, kWeights, kHalfGenerator };

void WriteAll(Hdf5Writer& file, const Checkpoint& c, Content content) {
  const bool half = content == Content::kHalfGenerator;
  file.WriteAttribute("/", "format", std::string(kFormat));
  file.WriteAttribute("/", "format_version", kFormatVersion);
  file.WriteAttribute("/", "au_names", c.schema.Names());
  file.WriteAttribute("/", "settings", c.settings);
  if (!c.lineage.empty()) file.WriteAttribute("/", datasets::storage::kLineage, c.lineage);
  file.WriteAttribute("/", "step", c.step);
  if (std::isfinite(c.best_score)) file.WriteAttribute("/", "best_score", c.best_score);
  const NetworkOptions& n = c.network;
  file.WriteAttribute("/", "network",
                      datasets::ToNumbers({n.image_size, n.conv_dim, n.aus, n.generator_blocks, n.critic_layers, n.flow}));
  std::uint32_t generator_crc = 0, training_crc = 0;
  if (half) file.WriteAttribute("/", "generator_type", std::string("float16"));
  for (const auto& [name, value] : c.state.generator.entries()) {
    (half ? WriteHalf : WriteTensor)(file, "/generator/" + name, value, generator_crc);
  }
  file.WriteAttribute("/", "generator_crc32c", std::int64_t{generator_crc});
  if (!c.state.generator_average.entries().empty()) {
    std::uint32_t crc = 0;
    for (const auto& [name, value] : c.state.generator_average.entries()) {
      WriteTensor(file, "/generator_average/" + name, value, crc);
    }
    file.WriteAttribute("/", "generator_average_crc32c", std::int64_t{crc});
  }
  if (content != Content::kHalfGenerator && !c.state.discriminator.entries().empty()) {
    for (const auto& [name, value] : c.state.discriminator.entries()) {
      WriteTensor(file, "/discriminator/" + name, value, training_crc);
    }
  }
  if (content == Content::kTraining && !c.state.discriminator.entries().empty()) {
    WriteAdam(file, "/generator_adam", c.state.generator, c.state.generator_adam, training_crc);
    WriteAdam(file, "/discriminator_adam", c.state.discriminator, c.state.discriminator_adam, training_crc);
    file.WriteAttribute(
        "/", "adam_steps",
        std::vector<std::int64_t>{c.state.generator_adam.step, c.state.discriminator_adam.step});
    file.WriteAttribute("/", "training_crc32c", std::int64_t{training_crc});
  }
  file.Close();
}

Checkpoint ReadAll(const Hdf5Reader& file, bool with_training) {
  if (!file.HasAttribute("/", "format") || file.ReadString("/", "format") != kFormat) {
    throw BadContent("is not a GANimation checkpoint of auforge");
  }
  if (const auto version = file.ReadInteger("/", "format_version"); version != kFormatVersion) {
    throw BadContent("is of checkpoint format " + std::to_string(version) + ", this program reads " +
                             std::to_string(kFormatVersion));
  }
  Checkpoint c;
  c.schema = features::AuSchema::FromNames(file.ReadStringList("/", "au_names"));
  c.settings = file.ReadString("/", "settings");
  c.lineage = datasets::storage::StoredLineage(file);
  c.step = file.ReadInteger("/", "step");
  if (file.HasAttribute("/", "best_score")) c.best_score = file.ReadDouble("/", "best_score");
  const auto network = datasets::NetworkFromNumbers(file.ReadIntegerList("/", "network"));
  if (!network) throw BadContent("describes its network in an unknown way");
  c.network = {network->image_size, network->conv_dim, network->aus, network->generator_blocks, network->critic_layers, network->flow};
  c.network.Validate();
  if (c.network.aus != static_cast<int>(c.schema.size()))
    throw BadContent("has another number of AUs than its network");
  std::uint32_t crc = 0;
  const Parameters generator = InitGenerator(c.network, 0);
  const bool half =
      file.HasAttribute("/", "generator_type") && file.ReadString("/", "generator_type") == "float16";
  for (const auto& [name, value] : generator.entries()) {
    c.state.generator.Add(name, (half ? ReadHalf : ReadTensor)(file, "/generator/" + name, value, crc));
  }
  if (crc != file.ReadInteger("/", "generator_crc32c"))
    throw BadContent("is damaged: the generator does not match its checksum");
  if (file.Exists("/generator_average")) {
    crc = 0;
    for (const auto& [name, value] : generator.entries()) {
      c.state.generator_average.Add(name, ReadTensor(file, "/generator_average/" + name, value, crc));
    }
    if (crc != file.ReadInteger("/", "generator_average_crc32c")) {
      throw BadContent("is damaged: the averaged generator does not match its checksum");
    }
  }
  if (!with_training) return c;
  if (!file.Exists("/discriminator_adam")) {
    throw BadContent(
        "holds weights only; training cannot go on from it (gan import-weights makes a run of them)");
  }
  crc = 0;
  const Parameters discriminator = InitDiscriminator(c.network, 0);
  for (const auto& [name, value] : discriminator.entries()) {
    c.state.discriminator.Add(name, ReadTensor(file, "/discriminator/" + name, value, crc));
  }
  c.state.generator_adam = ReadAdam(file, "/generator_adam", c.state.generator, crc);
  c.state.discriminator_adam = ReadAdam(file, "/discriminator_adam", c.state.discriminator, crc);
  if (crc != file.ReadInteger("/", "training_crc32c"))
    throw BadContent("is damaged: its content does not match its checksum");
  const auto steps = file.ReadIntegerList("/", "adam_steps");
  if (steps.size() != 2) throw BadContent("lacks the optimisers' clocks");
  c.state.generator_adam.step = steps[0];
  c.state.discriminator_adam.step = steps[1];
  return c;
}

Checkpoint WeightsOf(const Checkpoint& checkpoint) {
  Checkpoint alone;
  alone.state.generator = checkpoint.BestGenerator();
  alone.state.discriminator = checkpoint.state.discriminator;
  alone.network = checkpoint.network;
  alone.schema = checkpoint.schema;
  alone.settings = checkpoint.settings;
  alone.lineage = checkpoint.lineage;
  alone.step = checkpoint.step;
  return alone;
}

}  // namespace

void SaveCheckpoint(const Checkpoint& checkpoint, const std::string& path) {
  Hdf5Writer file(path);
  WriteAll(file, checkpoint, Content::kTraining);
}

void SaveGenerator(const Checkpoint& checkpoint, const std::string& path) {
  Hdf5Writer file(path);
  WriteAll(file, WeightsOf(checkpoint), Content::kHalfGenerator);
}

void SaveWeights(const Checkpoint& checkpoint, const std::string& path) {
  Hdf5Writer file(path);
  WriteAll(file, WeightsOf(checkpoint), Content::kWeights);
}

std::string WithPath(const std::string& path, const std::string& what) {
  return what.starts_with(path) ? what : path + ": " + what;
}

Checkpoint LoadCheckpoint(const std::string& path, bool with_training) {
  datasets::storage::RequireThere(path, "no such checkpoint; train one with auforge gan train");
  try {
    const Hdf5Reader file(path);
    return ReadAll(file, with_training);
  } catch (const BadContent& error) {
    throw BadContent(WithPath(path, error.what()));
  } catch (const std::invalid_argument& error) {
    throw BadContent(WithPath(path, error.what()));
  }
}

std::string CheckpointName(std::int64_t step) {
  char name[48];
  std::snprintf(name, sizeof(name), "checkpoint_%08lld.h5", static_cast<long long>(step));
  return name;
}

std::vector<std::string> FindCheckpoints(const std::string& run) {
  std::vector<std::string> found;
  // What cannot be looked at or listed is not "none".
  if (!datasets::storage::IsThere(run) || !datasets::storage::IsFolder(run)) return found;
  for (const std::string& entry : datasets::storage::FolderEntries(run)) {
    const std::string name = fs::path(entry).filename().string();
    if (name.starts_with("checkpoint_") && name.ends_with(".h5")) found.push_back(entry);
  }
  return found;
}

}  // namespace auforge::gan
