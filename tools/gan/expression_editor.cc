#include "tools/gan/expression_editor.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <vector>

#include "datasets/storage/paths.h"
#include "features/align.h"
#include "gan/editor.h"
#include "gan/warp/face_warper.h"
#include "tools/gan/gan_paste.h"
#include "tools/gan/loaded_warper.h"

namespace auforge::tools {
namespace {

class Generator final : public ExpressionEditor {
 public:
  explicit Generator(const std::string& path) : editor_(path) {}
  const features::AuSchema& schema() const override { return editor_.schema(); }
  std::string Name() const override { return editor_.path(); }
  int CropSide() const override { return editor_.image_size(); }

  void EditPhoto(cv::Mat& picture, const features::Landmarks68& landmarks, std::span<const float> own,
                 std::span<const float> wanted) const override {
    features::AlignOptions options;
    options.size = editor_.image_size();
    const features::AlignedFace aligned = features::AlignFace(picture, landmarks, options);
    const EditScope scope =
        ScopeOf(schema(), own, wanted, features::Transform(aligned.crop_from_image, landmarks), options.size);
    PasteChange(aligned.crop, editor_.Edit(aligned.crop, wanted), aligned.crop_from_image, picture, scope);
  }

  Drawn EditCrop(const cv::Mat& crop, const features::Landmarks68& landmarks, std::span<const float> own,
                 std::span<const float> wanted) const override {
    const gan::EditedFace edited = editor_.Edit(crop, wanted);
    const EditScope scope = ScopeOf(schema(), own, wanted, landmarks, crop.rows);
    return {ApplyChange(crop, edited, scope), edited.attention, edited.colour};
  }

 private:
  gan::Editor editor_;
};

class Warp final : public ExpressionEditor {
 public:
  explicit Warp(const std::string& path) : warper_(path) {}
  const features::AuSchema& schema() const override { return features::CatalogueSchema(); }
  std::string Name() const override { return "warp"; }
  int CropSide() const override { return 0; }

  void EditPhoto(cv::Mat& picture, const features::Landmarks68& landmarks, std::span<const float> own,
                 std::span<const float> wanted) const override {
    EditHalves(picture, landmarks, own, wanted, wanted);
  }

  bool MovesHalves() const override { return true; }
  void EditHalves(cv::Mat& picture, const features::Landmarks68& landmarks, std::span<const float> own,
                  std::span<const float> wanted_left, std::span<const float> wanted_right) const override {
    const auto intensities = [](std::span<const float> shares) {
      std::vector<float> values(shares.begin(), shares.end());
      for (float& v : values) v *= 5;
      return values;
    };
    const std::vector<float> shown = intensities(own);
    warper_.get().Edit(picture, landmarks, {shown, shown}, {intensities(wanted_left), intensities(wanted_right)});
  }

  Drawn EditCrop(const cv::Mat& crop, const features::Landmarks68& landmarks, std::span<const float> own,
                 std::span<const float> wanted) const override {
    Drawn drawn{crop.clone(), {}, {}};
    EditPhoto(drawn.face, landmarks, own, wanted);
    return drawn;
  }

 private:
  LoadedWarper warper_;
};

}  // namespace

void ExpressionEditor::EditHalves(cv::Mat& picture, const features::Landmarks68& landmarks, std::span<const float> own,
                                  std::span<const float> wanted_left, std::span<const float> wanted_right) const {
  if (!std::ranges::equal(wanted_left, wanted_right)) throw std::logic_error(Name() + ": edits whole faces");
  EditPhoto(picture, landmarks, own, wanted_left);
}

void AddEditorOptions(Command& command, EditorChoice& choice) {
  command
      .Add("--method", choice.method,
           "warp moves the photo's own pixels, generator draws; default: warp where its face model is, and generator with "
           "--checkpoint")
      .OneOf({"warp", "generator"});
  command.Add("--checkpoint", choice.checkpoint, "a run's folder or a checkpoint; default: the generator that comes with the program");
  command.Add("--face-model", choice.face_model, "for warp, from 'auforge synth import-model'; default: where tools/fetch-face-model.sh puts it");
}

std::unique_ptr<ExpressionEditor> MakeExpressionEditor(const EditorChoice& choice) {
  const bool generator = choice.method == "generator" || !choice.checkpoint.empty();
  const char* named = std::getenv("AUFORGE_FACE_MODEL");
  const bool warp = choice.method == "warp" || !choice.face_model.empty() || (!generator && named != nullptr && *named != '\0');
  if (warp && generator) throw UsageError("--method warp and --face-model do not go with --method generator and --checkpoint");
  const std::string model = choice.face_model.empty() ? warp::DefaultFaceModelPath() : choice.face_model;
  if (!generator && (warp || datasets::storage::Exists(model))) return std::make_unique<Warp>(model);
  if (!generator) {
    std::cerr << "no face model at " << model << ": the generator draws; tools/fetch-face-model.sh gets the model, for edits of "
              << "the photo's own pixels\n";
  }
  return std::make_unique<Generator>(choice.checkpoint.empty() ? gan::DefaultGeneratorPath() : choice.checkpoint);
}

}  // namespace auforge::tools
