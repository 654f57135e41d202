// Shards: any file opens with sizes that fit each other, or is refused with a message.
#include <cstdlib>
#include <span>
#include <stdexcept>
#include <string>

#include "datasets/shard.h"
#include "tests/fuzz/quick_hdf5.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace auforge;
  static const fuzz::QuickHdf5 quick;
  try {
    const datasets::ShardReader shard(std::span(data, size), "input");
    for (std::size_t i = 0; i < shard.FaceCount(); ++i) {
      shard.Sample(static_cast<std::size_t>(shard.FaceSample()[i]));
      try {
        shard.Face(i);
        shard.FaceImage(i);
      } catch (const std::runtime_error&) {
        continue;  // this face is damaged; the next may be whole
      }
    }
    shard.ExtraText("/samples/licence");
    datasets::VerifyShard(shard);
  } catch (const std::runtime_error& error) {
    if (std::string(error.what()).find("input") == std::string::npos) std::abort();
  }
  return 0;
}
