// auforge gan edit-server: edits crops that another program sends over a pipe (`auforge serve --checkpoint`).
// The protocol is in edit_process.h.
#include <algorithm>
#include <iostream>
#include <memory>
#include <sstream>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "annotator/landmarker.h"
#include "datasets/image_codec.h"
#include "features/align.h"
#include "tools/gan/expression_editor.h"
#include "tools/gan/gan_commands.h"

namespace auforge::tools {
namespace {

constexpr std::size_t kLargestCrop = 16U << 20;
constexpr int kSmallestCrop = 16;  // pixels, of features::AlignOptions

struct BadRequest : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Where the points of a standard crop are: those of a mean face, or found from there.
class CropPoints {
 public:
  explicit CropPoints(bool find) {
    if (find) landmarker_ = std::make_unique<annotator::Landmarker>();
  }
  features::Landmarks68 Of(const cv::Mat& crop) const {
    features::AlignOptions options;
    options.size = crop.rows;
    const features::Landmarks68& face = features::MeanFace();
    const features::Landmarks68 mean = features::Transform(features::CropFromImage(face, options), face);
    if (!landmarker_) return mean;
    // Where a detector's box lies in a standard crop, in the mean.
    const auto side = static_cast<float>(crop.rows);
    return landmarker_->FindSteady(crop, {0.105F * side, 0.095F * side, 0.83F * side, 0.83F * side});
  }

 private:
  std::unique_ptr<annotator::Landmarker> landmarker_;
};

// Reads one request behind its first line and returns the PNG that answers it.
std::string Answer(const ExpressionEditor& editor, const CropPoints& points, const std::string& line) {
  std::istringstream head(line);
  std::string word;
  std::size_t bytes = 0, rows = 0;
  head >> word >> bytes >> rows;
  // What follows cannot be told from the next request, so a head that is wrong ends the talk.
  if (word != "EDIT" || !head || bytes > kLargestCrop || rows > 64)
    throw std::runtime_error("not a request: " + line.substr(0, 60));
  std::vector<float> own(editor.schema().size(), 0.0F), aus = own;
  for (std::size_t i = 0; i < rows; ++i) {
    std::string row;
    std::getline(std::cin, row);
    std::istringstream fields(row);
    int au = 0;
    float shown = 0, wanted = 0;
    fields >> au >> shown >> wanted;
    const auto column = fields ? editor.schema().Find(au) : std::nullopt;
    if (!column) continue;
    own[*column] = std::clamp(shown / 5, 0.0F, 1.0F);
    aus[*column] = std::clamp(wanted / 5, 0.0F, 1.0F);
  }
  std::vector<std::uint8_t> crop(bytes);
  std::cin.read(static_cast<char*>(static_cast<void*>(crop.data())), static_cast<std::streamsize>(bytes));
  if (static_cast<std::size_t>(std::cin.gcount()) != bytes)
    throw std::runtime_error("the request ends early");
  const datasets::DecodedImage image = datasets::DecodeImage(crop, {});
  if (image.status != datasets::Outcome::kOk) throw BadRequest("the crop is no picture: " + image.message);
  cv::Mat crop_of_side = image.bgr;
  if (const int side = editor.CropSide(); side != 0) {
    cv::resize(image.bgr, crop_of_side, {side, side}, 0, 0, image.bgr.rows > side ? cv::INTER_AREA : cv::INTER_CUBIC);
  } else if (crop_of_side.rows != crop_of_side.cols || crop_of_side.rows < kSmallestCrop) {
    throw BadRequest("the crop is no square of " + std::to_string(kSmallestCrop) + " pixels and more");
  }
  const cv::Mat face = editor.EditCrop(crop_of_side, points.Of(crop_of_side), own, aus).face;
  std::vector<std::uint8_t> png;
  cv::imencode(".png", face, png);
  return {png.begin(), png.end()};
}

int RunGanEditServer(const EditorChoice& choice) {
  const std::unique_ptr<ExpressionEditor> chosen = MakeExpressionEditor(choice);
  const ExpressionEditor& editor = *chosen;
  const CropPoints points(editor.CropSide() == 0);
  std::cout << "READY";
  for (const int au : editor.schema().numbers()) std::cout << " " << au;
  std::cout << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    try {
      const std::string png = Answer(editor, points, line);
      std::cout << "OK " << png.size() << "\n" << png << std::flush;
    } catch (const BadRequest& fault) {
      std::cout << "ERROR " << fault.what() << std::endl;
    }
  }
  return kDone;
}

}  // namespace

void AddGanEditServer(Cli& cli) {
  auto choice = std::make_shared<EditorChoice>();
  Command command =
      cli.Add("edit-server", "Edit the faces that another program sends over a pipe (auforge serve does)",
              "auforge serve shards/ --edit warp\n"
              "  auforge serve shards/ --checkpoint run/");
  AddEditorOptions(command, *choice);
  command.Run([choice] { return RunGanEditServer(*choice); });
}

}  // namespace auforge::tools
