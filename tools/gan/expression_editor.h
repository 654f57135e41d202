// The ways to edit a face: a generator that draws it anew, or the photo's own pixels moved (gan/warp/face_warper.h).
#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>

#include "features/au_schema.h"
#include "features/types.h"
#include "tools/cli/cli.h"

namespace auforge::tools {

// What a command's user chose; empty: not said.
struct EditorChoice {
  std::string method;      // "warp", "generator"
  std::string checkpoint;  // a run or a checkpoint: means "generator"
  std::string face_model;  // means "warp"
};
// --method, --checkpoint and --face-model.
void AddEditorOptions(Command& command, EditorChoice& choice);

// Const and thread-safe.
class ExpressionEditor {
 public:
  virtual ~ExpressionEditor() = default;
  virtual const features::AuSchema& schema() const = 0;
  // "warp", or the generator's file.
  virtual std::string Name() const = 0;
  // Side of the crops that a generator works on, pixels; 0: any, and the landmarks count to the pixel.
  virtual int CropSide() const = 0;
  // Edits one face in place, at the picture's resolution. picture: CV_8UC3; landmarks: in its pixels; own, wanted: what
  // the face shows and what it is to show, 0..1 for each AU of the schema.
  virtual void EditPhoto(cv::Mat& picture, const features::Landmarks68& landmarks, std::span<const float> own,
                         std::span<const float> wanted) const = 0;

  // Whether it can edit one half of a face alone.
  virtual bool MovesHalves() const { return false; }
  // As EditPhoto, either half of the face, the subject's, as it is asked for. requires: MovesHalves(), or equal halves.
  virtual void EditHalves(cv::Mat& picture, const features::Landmarks68& landmarks, std::span<const float> own,
                          std::span<const float> wanted_left, std::span<const float> wanted_right) const;

  struct Drawn {
    cv::Mat face;                // CV_8UC3, the crop's size
    cv::Mat attention, colour;   // a generator's masks (gan/editor.h); empty otherwise
  };
  // The same of a standard crop.
  virtual Drawn EditCrop(const cv::Mat& crop, const features::Landmarks68& landmarks, std::span<const float> own,
                         std::span<const float> wanted) const = 0;
};

// The way that was chosen; without a choice the photo's own pixels where the face model is there, else the generator
// that comes with the program. Throws UsageError for choices that contradict each other, std::runtime_error naming a
// file that cannot be used.
std::unique_ptr<ExpressionEditor> MakeExpressionEditor(const EditorChoice& choice);

}  // namespace auforge::tools
