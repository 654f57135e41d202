#include "gan/internal/face_store.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "gan/internal/torch_api.h"

namespace auforge::gan {
namespace {

constexpr std::int64_t kPart = 1024;  // faces decoded before they are sent

}  // namespace

std::size_t FaceStore::BytesOf(const FaceDataset& data) { return data.size() * data.ImageValues(); }

FaceStore::FaceStore(const FaceDataset& data, torch::Device device) {
  const auto count = static_cast<std::int64_t>(data.size()), values = static_cast<std::int64_t>(data.ImageValues());
  const std::int64_t side = data.image_size();
  bytes_ = torch::empty({count, 3, side, side}, torch::dtype(torch::kByte).device(device));
  scale_ = torch::full({}, 127.5, torch::device(device));
  for (std::int64_t first = 0; first < count; first += kPart) {
    const std::int64_t part = std::min(kPart, count - first);
    const torch::Tensor host = torch::empty({part, 3, side, side}, torch::kByte);
    std::uint8_t* out = host.data_ptr<std::uint8_t>();
    at::parallel_for(0, part, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        data.LoadBytes(static_cast<std::size_t>(first + i), {out + i * values, static_cast<std::size_t>(values)});
    });
    bytes_.narrow(0, first, part).copy_(host);
  }
}

torch::Tensor FaceStore::Gather(const std::vector<std::int64_t>& faces, const std::vector<std::uint8_t>& flips) const {
  const torch::Device device = bytes_.device();
  const auto n = static_cast<std::int64_t>(faces.size());
  const torch::Tensor index = ToDevice(torch::tensor(faces), device);
  const torch::Tensor flipped = ToDevice(torch::tensor(flips), device).to(torch::kBool).view({n, 1, 1, 1});
  const torch::Tensor bytes = bytes_.index_select(0, index);
  // A tensor divides; by a number a GPU would multiply, and round otherwise.
  return torch::where(flipped, bytes.flip({3}), bytes).to(torch::kFloat).div_(scale_).sub_(1);
}

}  // namespace auforge::gan
