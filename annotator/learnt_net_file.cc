#include "annotator/learnt_net_file.h"

#include <stdexcept>

#include "annotator/au_model.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"

namespace auforge::annotator {

namespace {

using Net = std::shared_ptr<const features::LearntNet>;

bool IsHdf5(const std::string& content) { return content.starts_with("\x89HDF"); }

Net NetOf(const std::string& path, const std::string& content) {
  if (IsHdf5(content)) {
    Net net = AuModel::Load(path).info().features.net;
    if (net == nullptr) throw datasets::storage::BadContent(path + ": is an AU model without a learnt net");
    return net;
  }
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(content.data());
  try {
    return std::make_shared<const features::LearntNet>(features::LearntNet::Parse({bytes, content.size()}, path));
  } catch (const std::runtime_error& fault) {
    throw datasets::storage::BadContent(fault.what());
  }
}

}  // namespace

std::shared_ptr<const features::LearntNet> LoadLearntNet(const std::string& path) { return NetOf(path, datasets::storage::ReadFile(path)); }

std::shared_ptr<const features::LearntNet> LoadIfLearntNet(const std::string& path) {
  const std::string content = datasets::storage::ReadFile(path);
  return IsHdf5(content) || content.starts_with("AUFLNET") ? NetOf(path, content) : nullptr;
}

void SaveLearntNet(const features::LearntNet& net, const std::string& path) {
  const std::vector<std::uint8_t> bytes = net.Serialise();
  datasets::storage::WriteFileAtomically(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace auforge::annotator
