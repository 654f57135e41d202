// Archives and webdataset samples: any bytes give a bounded list of items, each with a key of its own.
#include <cstdlib>
#include <set>

#include "datasets/internal/tar_reader.h"
#include "tests/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace auforge;
  static fuzz::InputFile file;
  constexpr std::uint64_t kMostBytes = 1 << 16;
  const auto reader = datasets::OpenTar(file.Fill(data, size), kMostBytes);
  std::set<std::string> keys;
  for (datasets::ImageItem item; reader->Next(item);) {
    if (item.bytes.size() > kMostBytes) std::abort();
    if (item.status != datasets::Outcome::kOk && item.message.empty()) std::abort();
    if (!keys.insert(item.key).second) std::abort();
    item = {};
  }
  return 0;
}
