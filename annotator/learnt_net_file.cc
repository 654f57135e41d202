#include "annotator/learnt_net_file.h"

#include <stdexcept>

#include "annotator/au_model.h"
#include "datasets/storage/atomic_file.h"

namespace auforge::annotator {

std::shared_ptr<const features::LearntNet> LoadLearntNet(const std::string& path) {
  const std::string text = datasets::storage::ReadFile(path);
  if (text.starts_with("\x89HDF")) {
    auto net = AuModel::Load(path).info().features.net;
    if (net == nullptr) throw std::runtime_error(path + ": is an AU model without a learnt net");
    return net;
  }
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  return std::make_shared<const features::LearntNet>(features::LearntNet::Parse({bytes, text.size()}, path));
}

void SaveLearntNet(const features::LearntNet& net, const std::string& path) {
  const std::vector<std::uint8_t> bytes = net.Serialise();
  datasets::storage::WriteFileAtomically(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace auforge::annotator
