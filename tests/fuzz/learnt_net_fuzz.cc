// Learnt nets: any file gives a net with a finite embedding, or is refused with a message. The checksum is
// made right first: a hostile file has the right one.
#include <cstdlib>
#include <cstring>
#include <opencv2/core.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "features/internal/learnt_net_file.h"
#include "features/learnt_net.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace auforge;
  constexpr std::size_t kMostMultiplyAdds = 50'000'000;  // others take too long
  std::vector<std::uint8_t> bytes(data, data + size);
  constexpr std::size_t kSum = sizeof(std::uint64_t);
  if (size >= kSum) {
    const std::uint64_t sum = features::internal::NetChecksum(std::span(bytes).first(size - kSum));
    std::memcpy(bytes.data() + size - kSum, &sum, kSum);
  }
  try {
    const features::LearntNet net = features::LearntNet::Parse(bytes, "input");
    if (net.Serialise() != bytes) std::abort();
    if (net.multiply_adds() > kMostMultiplyAdds) return 0;
    cv::Mat crop(net.crop_size(), net.crop_size(), CV_8UC3);
    for (int y = 0; y < crop.rows; ++y) {
      for (int x = 0; x < 3 * crop.cols; ++x) crop.ptr(y)[x] = static_cast<std::uint8_t>(x * 37 + y * 91);
    }
    std::vector<float> embeddings(2 * net.embedding_size());
    net.EmbedWithMirror(crop, embeddings);
    // What a ReLU lets through, and how much more of it is on the left, of either sign.
    const bool tells_halves = net.pooling() == features::Pooling::kHalves;
    for (std::size_t i = 0; i < embeddings.size(); ++i) {
      const bool is_difference = tells_halves && i % net.embedding_size() >= net.channels();
      if (!(embeddings[i] >= (is_difference ? -1.001e6F : 0.0F) && embeddings[i] <= 1.001e6F)) std::abort();
    }
  } catch (const std::runtime_error& error) {
    if (std::string(error.what()).find("input") == std::string::npos) std::abort();
  }
  return 0;
}
