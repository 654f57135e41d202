// The warper of photographs with the face model that it works by, from a file.
#pragma once

#include <string>

#include "datasets/synthetic/face_model.h"
#include "gan/warp/face_warper.h"

namespace auforge::tools {

// Immutable; thread-safe. Stays where it is: the warper refers to the model.
class LoadedWarper {
 public:
  // path: of a face model. Throws std::runtime_error where there is none, saying how to get one, BadInputError where it is
  // another model than the one whose parts are known.
  explicit LoadedWarper(const std::string& path);
  LoadedWarper(const LoadedWarper&) = delete;
  LoadedWarper& operator=(const LoadedWarper&) = delete;
  const warp::FaceWarper& get() const { return warper_; }

 private:
  datasets::synthetic::FaceModel model_;
  warp::FaceWarper warper_;
};

}  // namespace auforge::tools
