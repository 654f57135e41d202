#include "gan/editor.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <opencv2/imgproc.hpp>
#include <stdexcept>

#include "gan/internal/checkpoint.h"

namespace auforge::gan {

struct Editor::Impl {
  Checkpoint checkpoint;
  std::string path;
};

std::string DefaultGeneratorPath() {
  if (const char* configured = std::getenv("AUFORGE_GENERATOR"); configured != nullptr && *configured != '\0') {
    return configured;
  }
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path installed = self.parent_path().parent_path() / "share/auforge/generator.h5";
  if (!error && std::filesystem::exists(installed)) return installed.string();
  return AUFORGE_DEFAULT_GENERATOR;
}

Editor::Editor(const std::string& path) : impl_(std::make_unique<Impl>()) {
  std::vector<std::string> candidates{path};
  if (std::filesystem::is_directory(path)) {
    candidates = FindCheckpoints(path);
    if (candidates.empty()) throw std::runtime_error(path + ": no checkpoint in it; train one with auforge gan train");
    std::reverse(candidates.begin(), candidates.end());
  }
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    try {
      impl_->checkpoint = LoadCheckpoint(candidates[i], false);
      impl_->path = candidates[i];
      return;
    } catch (const std::runtime_error&) {
      // A damaged newest one: the one before it serves. The last failure is the user's.
      if (i + 1 == candidates.size()) throw;
    }
  }
}
Editor::~Editor() = default;
Editor::Editor(Editor&&) noexcept = default;

const features::AuSchema& Editor::schema() const { return impl_->checkpoint.schema; }
int Editor::image_size() const { return impl_->checkpoint.network.image_size; }
const std::string& Editor::path() const { return impl_->path; }

EditedFace Editor::Edit(const cv::Mat& crop, std::span<const float> aus) const {
  if (aus.size() != schema().size()) {
    throw std::invalid_argument("edit: " + std::to_string(aus.size()) + " AUs; the generator takes " +
                                std::to_string(schema().size()));
  }
  const torch::NoGradGuard no_grad;
  const int size = image_size();
  cv::Mat scaled = crop;
  if (crop.rows != size || crop.cols != size) {
    cv::resize(crop, scaled, cv::Size(size, size), 0, 0, crop.rows > size ? cv::INTER_AREA : cv::INTER_CUBIC);
  }
  cv::Mat rgb;
  cv::cvtColor(scaled, rgb, cv::COLOR_BGR2RGB);
  rgb.convertTo(rgb, CV_32FC3, 1 / 127.5, -1);
  const torch::Tensor image = torch::from_blob(rgb.data, {1, size, size, 3}).permute({0, 3, 1, 2}).contiguous();
  const torch::Tensor condition =
      torch::tensor(std::vector<float>(aus.begin(), aus.end())).view({1, static_cast<std::int64_t>(aus.size())});
  const GeneratorOutput output = RunGenerator(impl_->checkpoint.BestGenerator(), impl_->checkpoint.network, image, condition);
  torch::Tensor composed = (Compose(output, image) * 0.5 + 0.5).clamp(0, 1).permute({0, 2, 3, 1}).contiguous();
  torch::Tensor attention = output.attention.contiguous();
  torch::Tensor colour = (output.colour * 0.5 + 0.5).permute({0, 2, 3, 1}).contiguous();
  EditedFace result;
  cv::cvtColor(cv::Mat(size, size, CV_32FC3, composed.data_ptr<float>()), result.face, cv::COLOR_RGB2BGR);
  cv::cvtColor(cv::Mat(size, size, CV_32FC3, colour.data_ptr<float>()), result.colour, cv::COLOR_RGB2BGR);
  result.attention = cv::Mat(size, size, CV_32FC1, attention.data_ptr<float>()).clone();
  return result;
}

}  // namespace auforge::gan
