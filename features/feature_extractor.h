// The features of one face as one row of floats: shape, Gabor and (optionally) HOG and learnt blocks, as a spec
// says.
// A FeatureSpec is stored in every AU model, so that a model is always fed what it was trained on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <vector>

#include "features/gabor.h"
#include "features/learnt_net.h"
#include "features/types.h"

namespace auforge::features {

enum class ShapeKind { kNone, kEmotioNet };  // kEmotioNet: 2,145 distances + 321 angles

struct FeatureSpec {
  ShapeKind shape = ShapeKind::kEmotioNet;
  bool gabor = true;
  GaborOptions gabor_options;  // bank, crop size and points
  bool hog = false;            // histogram of oriented gradients over the aligned crop
  std::shared_ptr<const LearntNet> net;  // null: no learnt features

  void Validate() const;          // throws std::invalid_argument naming field, value and constraint
  bool LooksAtPicture() const;    // or at landmarks alone
  std::string ToJson() const;     // canonical: equal specs give equal text; of the net only its digest
  // net: the one that the text names, null where it names none. Throws std::invalid_argument.
  static FeatureSpec FromJson(const std::string& json, std::shared_ptr<const LearntNet> net = nullptr);
  friend bool operator==(const FeatureSpec& a, const FeatureSpec& b) { return a.ToJson() == b.ToJson(); }
};

// The block of how a learnt net's channels differ between the halves of the picture; what both have in common is in
// "learnt", behind it.
inline constexpr const char* kLearntHalves = "learnt-halves";

// A run of columns that belong together and are standardised and projected together.
struct FeatureBlock {
  std::string name;  // "shape", "gabor", "hog", kLearntHalves, "learnt"
  std::size_t begin = 0;
  std::size_t size = 0;
};

// Thread-safe after construction: Extract is const and keeps no state.
class FeatureExtractor {
 public:
  explicit FeatureExtractor(const FeatureSpec& spec);
  ~FeatureExtractor();
  FeatureExtractor(FeatureExtractor&&) noexcept;
  FeatureExtractor& operator=(FeatureExtractor&&) noexcept;

  const FeatureSpec& spec() const;
  std::size_t Dimension() const;
  const std::vector<FeatureBlock>& Blocks() const;
  // image: CV_8UC1 or CV_8UC3 (BGR); landmarks in its pixels; out: size Dimension(), overwritten. Gabor and HOG
  // see its grey; a net sees its colours, and of a grey picture three equal ones.
  void Extract(const cv::Mat& image, const Landmarks68& landmarks, std::span<float> out) const;

  // For each column the one of the mirrored face that equals it, or kNoMirrorColumn.
  std::vector<std::size_t> MirrorColumns() const;
  // Dimension() values, 1 where a column looks at nothing but what lies in or close to these regions of the
  // AU partition: distances and angles between points there, Gabor points and HOG cells there, and whatever a net
  // has learnt. Told on a mean face.
  std::vector<std::uint8_t> LocalColumns(std::span<const int> rois) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auforge::features
