#include "gan/editor.h"

#include <algorithm>
#include <cstdlib>
#include <opencv2/imgproc.hpp>
#include <stdexcept>

#include "datasets/storage/installed.h"
#include "datasets/storage/paths.h"
#include "gan/internal/checkpoint.h"
#include "gan/internal/editing.h"

namespace auforge::gan {

struct Editor::Impl {
  Checkpoint checkpoint;
  std::string path;
};

std::string DefaultGeneratorPath() {
  if (const char* configured = std::getenv("AUFORGE_GENERATOR");
      configured != nullptr && *configured != '\0') {
    return configured;
  }
  const std::string installed = datasets::storage::InstalledFile("generator.h5");
  return installed.empty() ? AUFORGE_DEFAULT_GENERATOR : installed;
}

Editor::Editor(const std::string& path) : impl_(std::make_unique<Impl>()) {
  std::vector<std::string> candidates{path};
  if (datasets::storage::IsFolder(path)) {
    candidates = FindCheckpoints(path);
    if (candidates.empty())
      throw std::runtime_error(path + ": no checkpoint in it; train one with auforge gan train");
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
  return EditWith(impl_->checkpoint.BestGenerator(), impl_->checkpoint.network, crop, aus);
}

EditedFace EditWith(const Parameters& generator, const NetworkOptions& network, const cv::Mat& crop,
                    std::span<const float> aus) {
  const torch::NoGradGuard no_grad;
  const int size = network.image_size;
  cv::Mat scaled = crop;
  if (crop.rows != size || crop.cols != size) {
    cv::resize(crop, scaled, cv::Size(size, size), 0, 0, crop.rows > size ? cv::INTER_AREA : cv::INTER_CUBIC);
  }
  cv::Mat rgb;
  cv::cvtColor(scaled, rgb, cv::COLOR_BGR2RGB);
  rgb.convertTo(rgb, CV_32FC3, 1 / 127.5, -1);
  const torch::Device device = generator.entries().front().second.device();
  const torch::Tensor image =
      torch::from_blob(rgb.data, {1, size, size, 3}).permute({0, 3, 1, 2}).contiguous().to(device);
  const torch::Tensor condition = torch::tensor(std::vector<float>(aus.begin(), aus.end()))
                                      .view({1, static_cast<std::int64_t>(aus.size())})
                                      .to(device);
  const GeneratorOutput output = RunGenerator(generator, network, image, condition);
  const auto to_mat = [size](const torch::Tensor& t) {
    torch::Tensor rows = t.to(torch::kCPU).permute({0, 2, 3, 1}).contiguous();
    return cv::Mat(size, size, CV_32FC(static_cast<int>(rows.size(3))), rows.data_ptr<float>()).clone();
  };
  EditedFace result;
  const torch::Tensor moved = Move(output, image);
  cv::cvtColor(to_mat((ComposeMoved(output, moved) * 0.5 + 0.5).clamp(0, 1)), result.face, cv::COLOR_RGB2BGR);
  cv::cvtColor(to_mat(output.colour * 0.5 + 0.5), result.colour, cv::COLOR_RGB2BGR);
  result.attention = to_mat(output.attention);
  if (output.flow.defined()) {
    result.flow = to_mat(output.flow);
    cv::cvtColor(to_mat((moved * 0.5 + 0.5).clamp(0, 1)), result.moved, cv::COLOR_RGB2BGR);
  }
  return result;
}

cv::Mat SampleGrid(const Checkpoint& checkpoint, const std::vector<cv::Mat>& crops,
                   const std::vector<std::vector<float>>& aus) {
  std::vector<std::size_t> columns;
  for (const int au : {1, 2, 4, 9, 12, 25, 26, 45}) {
    if (const auto column = checkpoint.schema.Find(au)) columns.push_back(*column);
  }
  for (std::size_t j = 0; columns.empty() && j < std::min<std::size_t>(8, checkpoint.schema.size()); ++j)
    columns.push_back(j);
  const int side = checkpoint.network.image_size;
  cv::Mat grid(2 * side * static_cast<int>(crops.size()), side * (1 + static_cast<int>(columns.size())),
               CV_8UC3, cv::Scalar(248, 248, 247));
  for (std::size_t row = 0; row < crops.size(); ++row) {
    const int y = 2 * side * static_cast<int>(row);
    crops[row].copyTo(grid(cv::Rect(0, y, side, side)));
    for (std::size_t c = 0; c < columns.size(); ++c) {
      std::vector<float> condition = aus[row];
      condition[columns[c]] = 1;
      const EditedFace edited =
          EditWith(checkpoint.BestGenerator(), checkpoint.network, crops[row], condition);
      const int x = side * (1 + static_cast<int>(c));
      edited.face.convertTo(grid(cv::Rect(x, y, side, side)), CV_8UC3, 255);
      cv::Mat attention;
      edited.attention.convertTo(attention, CV_8UC1, 255);
      cv::cvtColor(attention, grid(cv::Rect(x, y + side, side, side)), cv::COLOR_GRAY2BGR);
    }
  }
  return grid;
}

}  // namespace auforge::gan
