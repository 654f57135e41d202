// All faces of a training as bytes in the memory of the device that computes: a batch is then a list of numbers.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "gan/face_dataset.h"

namespace auforge::gan {

class FaceStore {
 public:
  // Decodes every face, with as many threads as LibTorch uses. Throws as FaceDataset::LoadImage does.
  FaceStore(const FaceDataset& data, torch::Device device);
  static std::size_t BytesOf(const FaceDataset& data);
  // What FaceDataset::LoadImage gives of those faces, to the bit: [n,3,S,S]. flips: n, 1 where the face is mirrored.
  torch::Tensor Gather(const std::vector<std::int64_t>& faces, const std::vector<std::uint8_t>& flips) const;

 private:
  torch::Tensor bytes_;  // [faces,3,S,S], RGB
  torch::Tensor scale_;  // []
};

}  // namespace auforge::gan
