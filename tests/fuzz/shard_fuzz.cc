// Shards: any file opens with sizes that fit each other, or is refused with a message.
#include <cstdlib>
#include <stdexcept>

#include "datasets/shard.h"
#include "tests/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace auforge;
  static fuzz::InputFile file;
  const std::string& path = file.Fill(data, size);
  try {
    const datasets::ShardReader shard(path);
    for (std::size_t i = 0; i < shard.FaceCount(); ++i) {
      shard.Sample(static_cast<std::size_t>(shard.FaceSample()[i]));
      try {
        shard.Face(i);
        shard.FaceImage(i);
      } catch (const std::runtime_error&) {
        continue;  // this face is damaged; the next may be whole
      }
    }
  } catch (const std::runtime_error& error) {
    if (std::string(error.what()).find(path) == std::string::npos) std::abort();
  }
  datasets::VerifyShard(path);
  return 0;
}
