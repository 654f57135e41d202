// auforge gan edit-server: edits crops that another program sends over a pipe (`auforge serve --checkpoint`).
// The protocol is in edit_process.h.
#include <algorithm>
#include <iostream>
#include <memory>
#include <sstream>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "datasets/image_codec.h"
#include "gan/editor.h"
#include "tools/gan/gan_commands.h"
#include "tools/gan/gan_paste.h"

namespace auforge::tools {
namespace {

constexpr std::size_t kLargestCrop = 16U << 20;

struct BadRequest : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Reads one request behind its first line and returns the PNG that answers it.
std::string Answer(const gan::Editor& editor, const std::string& line) {
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
  const int side = editor.image_size();
  cv::Mat crop_of_side;
  cv::resize(image.bgr, crop_of_side, {side, side}, 0, 0, image.bgr.rows > side ? cv::INTER_AREA : cv::INTER_CUBIC);
  const cv::Mat face =
      ApplyChange(crop_of_side, editor.Edit(image.bgr, aus).face, ScopeOf(editor.schema(), own, aus));
  std::vector<std::uint8_t> png;
  cv::imencode(".png", face, png);
  return {png.begin(), png.end()};
}

int RunGanEditServer(const std::string& checkpoint) {
  const gan::Editor editor(checkpoint);
  std::cout << "READY";
  for (const int au : editor.schema().numbers()) std::cout << " " << au;
  std::cout << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    try {
      const std::string png = Answer(editor, line);
      std::cout << "OK " << png.size() << "\n" << png << std::flush;
    } catch (const BadRequest& fault) {
      std::cout << "ERROR " << fault.what() << std::endl;
    }
  }
  return kDone;
}

}  // namespace

void AddGanEditServer(Cli& cli) {
  auto checkpoint = std::make_shared<std::string>();
  Command command =
      cli.Add("edit-server", "Edit the faces that another program sends over a pipe (auforge serve does)",
              "auforge serve shards/ --checkpoint run/");
  command.Add("--checkpoint", *checkpoint, "a run's folder or a checkpoint").Required();
  command.Run([checkpoint] { return RunGanEditServer(*checkpoint); });
}

}  // namespace auforge::tools
