// A net that keeps its last map with the linear function that answers, ready to run, and files that hold two of them:
// what the landmarkers are made of.
#pragma once

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "annotator/internal/matrix_product.h"
#include "annotator/net_landmarker.h"
#include "features/learnt_net.h"

namespace auforge::annotator {

enum class Ways {
  kPlain,  // as it is
  kBoth,   // as it is and mirrored
};

// Immutable.
struct HeadedNet {
  features::LearntNet net;
  std::size_t outputs;
  std::vector<std::uint16_t> weight;  // outputs x D, halves
  std::vector<float> bias;
  PackedMatrix head;                  // D x outputs

  // Throws std::invalid_argument naming what does not fit, or is not finite.
  HeadedNet(features::LearntNet of, std::size_t count, std::vector<std::uint16_t> halves, std::vector<float> biases);
  static HeadedNet FromWeights(const LandmarkNetWeights& weights, std::size_t outputs, features::Registers registers);

  // answers: crops x ways x outputs, overwritten.
  void Run(std::span<const cv::Mat> crops, Ways ways, std::vector<float>& answers) const;
  std::size_t weight_count() const;
  std::size_t multiply_adds() const;  // of one crop, one way
};

struct HeadedNetsFile {
  const char* magic;  // 8 letters
  const char* what;   // "landmarker", for messages
  std::size_t first_outputs, second_outputs;
};

std::vector<std::uint8_t> HeadedNetBytes(const char* magic, const HeadedNet& first, const HeadedNet& second);
bool BeginsWith(std::span<const std::uint8_t> bytes, const char* magic);
// Throws datasets::storage::BadContent naming file (`name`), fault and remedy.
std::pair<HeadedNet, HeadedNet> ParseHeadedNets(std::span<const std::uint8_t> bytes, const HeadedNetsFile& file, const std::string& name);

}  // namespace auforge::annotator
