// Editing a face by its Action Units with a trained generator.
#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <vector>

#include "features/au_schema.h"

namespace auforge::gan {

struct EditedFace {
  cv::Mat face{};       // CV_32FC3 BGR, 0..1: the composed picture
  cv::Mat attention{};  // CV_32FC1, 0..1: 1 keeps the input
  cv::Mat colour{};     // CV_32FC3 BGR, 0..1: what is painted where the attention is below 1
  // Of generators with a flow; empty of others.
  cv::Mat flow{};   // CV_32FC2: how far from its place each pixel of `moved` lies in the input, x and y, in sides
  cv::Mat moved{};  // CV_32FC3 BGR, 0..1: what the attention keeps
};

// The generator that comes with the program; AUFORGE_GENERATOR overrides it.
std::string DefaultGeneratorPath();

// Edit is const and may be called from any thread.
class Editor {
 public:
  // A checkpoint file, or a run's folder (its newest whole checkpoint). Throws std::runtime_error naming it.
  explicit Editor(const std::string& path);
  ~Editor();
  Editor(Editor&&) noexcept;

  const features::AuSchema& schema() const;
  int image_size() const;           // side of the crops
  const std::string& path() const;  // the checkpoint in use
  // crop: CV_8UC3 of any square size, resized to image_size. aus: one for each AU of the schema, 0..1.
  EditedFace Edit(const cv::Mat& crop, std::span<const float> aus) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auforge::gan
