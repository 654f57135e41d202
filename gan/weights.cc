#include "gan/weights.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "datasets/storage/bad_content.h"
#include "datasets/storage/hdf5_file.h"
#include "datasets/storage/paths.h"
#include "gan/internal/weights.h"

namespace auforge::gan {
namespace {

namespace fs = std::filesystem;
using datasets::storage::BadContent;
using datasets::storage::Hdf5Reader;

std::vector<std::uint64_t> ShapeOf(const Hdf5Reader& file, const std::string& path) {
  if (!file.Exists(path)) throw BadContent("has no " + path);
  return file.Shape(path);
}

// What the tensors' shapes say of the network.
NetworkOptions Recognise(const Hdf5Reader& file, const ImportOptions& options) {
  NetworkOptions network;
  const auto first = ShapeOf(file, "/generator/main.0.weight");
  if (first.size() != 4 || first[1] < 4)
    throw BadContent("/generator/main.0.weight is no first convolution");
  network.conv_dim = static_cast<int>(std::min<std::uint64_t>(first[0], 1 << 20));
  network.aus = static_cast<int>(std::min<std::uint64_t>(first[1] - 3, 1 << 20));
  // main.9 is the first residual block.
  network.generator_blocks = 0;
  while (file.Exists("/generator/main." + std::to_string(9 + network.generator_blocks) + ".main.0.weight"))
    ++network.generator_blocks;
  network.flow = file.Exists("/generator/flow_reg.0.weight");
  network.image_size = options.image_size.value_or(network.image_size);
  network.critic_layers = UsualCriticLayers(network.image_size);
  if (file.Exists("/discriminator")) {
    network.critic_layers = 0;
    while (file.Exists("/discriminator/main." + std::to_string(2 * network.critic_layers) + ".weight"))
      ++network.critic_layers;
    const auto head = ShapeOf(file, "/discriminator/conv2.weight");
    if (head.size() != 4 || head[2] > 512 || network.critic_layers > 9)
      throw BadContent("/discriminator/conv2.weight is no head");
    network.image_size = static_cast<int>(head[2] << network.critic_layers);
  }
  network.Validate();
  return network;
}

Parameters ReadNetwork(const Hdf5Reader& file, const std::string& group, const Parameters& pattern) {
  Parameters p;
  for (const auto& [name, value] : pattern.entries()) {
    const std::string path = group + "/" + name;
    const auto shape = ShapeOf(file, path);
    const std::vector<std::int64_t> sizes(shape.begin(), shape.end());
    if (value.sizes() != torch::IntArrayRef(sizes))
      throw BadContent(path + " has another shape than the network");
    const auto array = file.Read<float>(path);
    torch::Tensor tensor = torch::empty(sizes);
    std::memcpy(tensor.data_ptr<float>(), array.values.data(), array.values.size() * sizeof(float));
    if (!torch::isfinite(tensor).all().item<bool>())
      throw BadContent(path + " holds numbers that are not finite");
    p.Add(name, tensor);
  }
  return p;
}

// What the user says and what the file says must be the same.
void CheckAgainst(const std::string& file, const Checkpoint& c, const ImportOptions& options) {
  const auto list = [](const features::AuSchema& schema) {
    std::string text;
    for (const std::string& name : schema.Names()) text += (text.empty() ? "" : ",") + name;
    return text;
  };
  if (options.schema && *options.schema != c.schema) {
    throw std::runtime_error(file + ": says itself what its AUs are: " + list(c.schema) + ", not " + list(*options.schema) +
                             "; leave --aus out");
  }
  if (options.image_size && *options.image_size != c.network.image_size) {
    throw std::runtime_error(file + ": is of faces of " + std::to_string(c.network.image_size) + " pixels, not " +
                             std::to_string(*options.image_size) + "; leave --image-size out");
  }
}

// A file of another program: what its tensors are is told by their names and shapes.
Checkpoint ReadForeign(const Hdf5Reader& file, const ImportOptions& options) {
  Checkpoint c;
  c.schema = file.HasAttribute("/", "au_names")
                 ? features::AuSchema::FromNames(file.ReadStringList("/", "au_names"))
                 : options.schema.value_or(features::GanSchema());
  c.network = Recognise(file, options);
  if (c.network.aus != static_cast<int>(c.schema.size())) {
    throw BadContent("takes " + std::to_string(c.network.aus) + " AUs; name them with --aus");
  }
  c.state.generator = ReadNetwork(file, "/generator", InitGenerator(c.network, 0));
  return c;
}

// The run's newest checkpoint, where `from` is a folder.
std::string FileOf(const std::string& from) {
  if (!datasets::storage::IsFolder(from)) return from;
  const std::vector<std::string> found = FindCheckpoints(from);
  if (found.empty())
    throw std::runtime_error(from + ": no checkpoint in it; train one with auforge gan train");
  return found.back();
}

}  // namespace

int UsualCriticLayers(int image_size) {
  const int halvings = static_cast<int>(std::bit_width(static_cast<unsigned>(std::max(1, image_size)))) - 1;
  return std::min(NetworkOptions{}.critic_layers, halvings);
}

Checkpoint ReadWeights(const std::string& from, const ImportOptions& options) {
  const std::string path = FileOf(from);
  datasets::storage::RequireThere(path, "no such file");
  try {
    const Hdf5Reader file(path);
    Checkpoint c;
    if (file.HasAttribute("/", "format")) {
      const Checkpoint theirs = LoadCheckpoint(path, false);
      c.network = theirs.network;
      c.schema = theirs.schema;
      c.state.generator = theirs.BestGenerator();
    } else {
      c = ReadForeign(file, options);
    }
    if (file.Exists("/discriminator"))
      c.state.discriminator = ReadNetwork(file, "/discriminator", InitDiscriminator(c.network, 0));
    return c;
  } catch (const BadContent& error) {
    throw BadContent(WithPath(path, error.what()));
  } catch (const std::invalid_argument& error) {
    throw BadContent(WithPath(path, error.what()));
  }
}

void ExportWeights(const std::string& from, const std::string& to, bool half) {
  const std::string path = FileOf(from);
  const bool training = Hdf5Reader(path).Exists("/discriminator_adam");
  const Checkpoint checkpoint = LoadCheckpoint(path, training);
  (half ? SaveGenerator : SaveWeights)(checkpoint, to);
}

std::string ImportWeights(const std::string& weights, const std::string& run, const ImportOptions& options) {
  if (!FindCheckpoints(run).empty()) {
    throw std::runtime_error(run + ": holds a training already; give another folder");
  }
  Checkpoint c = ReadWeights(weights, options);
  CheckAgainst(weights, c, options);
  if (c.state.discriminator.entries().empty()) c.state.discriminator = InitDiscriminator(c.network, 1);
  c.state.generator_adam = MakeAdamState(c.state.generator);
  c.state.discriminator_adam = MakeAdamState(c.state.discriminator);
  c.settings = R"({"imported":true})";
  datasets::storage::MakeFolder(run);
  const std::string path = (fs::path(run) / CheckpointName(0)).string();
  SaveCheckpoint(c, path);
  return path;
}

}  // namespace auforge::gan
