// auforge gan sheet: what a generator does, face by face and AU by AU.
#include <filesystem>
#include <iostream>
#include <memory>
#include <opencv2/imgproc.hpp>

#include "datasets/image_codec.h"
#include "datasets/shard.h"
#include "gan/editor.h"
#include "tools/au_request.h"
#include "tools/face_finder.h"
#include "tools/gan_commands.h"

namespace auforge::tools {
namespace {

struct GanSheetArguments {
  std::string source, checkpoint, output;
  std::string aus = "AU12,AU25,AU26,AU4,AU1,AU9,AU45";
  double value = 0.9;
  int faces = 5;
};

struct SheetFace {
  cv::Mat crop;
  std::vector<float> intensity;
};

// Faces of a shard (or folder of shards), spread evenly over those of good quality.
std::vector<SheetFace> FromShards(const std::string& source, int wanted, features::AuSchema& schema) {
  struct Candidate {
    std::size_t shard, face;
  };
  std::vector<datasets::ShardReader> shards;
  std::vector<Candidate> candidates;
  for (const std::string& path : datasets::FindShards({source})) {
    shards.emplace_back(path);
    const datasets::ShardReader& shard = shards.back();
    for (std::size_t i = 0; i < shard.FaceCount(); ++i) {
      if (shard.FaceBox(i).width >= 60 && std::abs(shard.Pose(i).yaw) < 25) candidates.push_back({shards.size() - 1, i});
    }
  }
  if (candidates.empty()) throw BadInputError(source + ": no frontal face of 60 pixels or more");
  schema = shards.front().header().schema;
  const std::size_t count = std::min<std::size_t>(static_cast<std::size_t>(wanted), candidates.size());
  std::vector<SheetFace> faces;
  for (std::size_t i = 0; i < count; ++i) {
    const auto [shard, face] = candidates[i * candidates.size() / count];
    faces.push_back({datasets::DecodeImage(shards[shard].FaceImage(face), {}).bgr, shards[shard].Face(face).aus.intensity});
  }
  return faces;
}

std::vector<SheetFace> FromPhoto(const std::string& source, int wanted, int size, features::AuSchema& schema) {
  FaceFinder finder(60, size);
  schema = finder.schema();
  std::vector<SheetFace> faces;
  for (FoundFace& found : finder.Find(ReadPhoto(source))) {
    if (static_cast<int>(faces.size()) < wanted) faces.push_back({found.aligned.crop, found.aus.intensity});
  }
  if (faces.empty()) throw BadInputError(source + ": no face found");
  return faces;
}

cv::Mat Tile(const cv::Mat& picture, int size) {
  cv::Mat tile = picture;
  if (tile.depth() == CV_32F) tile.convertTo(tile, CV_8U, 255);
  if (tile.channels() == 1) cv::cvtColor(tile, tile, cv::COLOR_GRAY2BGR);
  cv::resize(tile, tile, cv::Size(size, size), 0, 0, cv::INTER_CUBIC);
  return tile;
}

int RunGanSheet(const GanSheetArguments& arguments) {
  const gan::Editor editor(arguments.checkpoint);
  features::AuSchema schema;
  const bool is_shard = std::filesystem::is_directory(arguments.source) || arguments.source.ends_with(".h5");
  const std::vector<SheetFace> faces = is_shard ? FromShards(arguments.source, arguments.faces, schema)
                                                : FromPhoto(arguments.source, arguments.faces, editor.image_size(), schema);
  std::vector<AuRequest> columns;
  std::vector<std::string> titles{"input", "as it is"};
  std::string au;
  for (const char c : arguments.aus + ",") {
    if (c != ',') {
      au += c;
      continue;
    }
    if (!au.empty()) {
      columns.push_back(ParseAuRequest(au + "=" + std::to_string(arguments.value), editor.schema()));
      titles.push_back(au);
    }
    au.clear();
  }
  constexpr int kTile = 128, kHead = 22, kGap = 4;
  const int width = static_cast<int>(titles.size()) * (kTile + kGap) + kGap;
  // Two rows a face: the pictures, and under each the attention that made it.
  const int height = kHead + static_cast<int>(faces.size()) * (kTile + kTile / 2 + 2 * kGap) + kGap;
  cv::Mat sheet(height, width, CV_8UC3, cv::Scalar(248, 248, 247));
  for (std::size_t i = 0; i < titles.size(); ++i) {
    cv::putText(sheet, titles[i], {kGap + static_cast<int>(i) * (kTile + kGap), 16}, cv::FONT_HERSHEY_SIMPLEX, 0.45,
                cv::Scalar(40, 36, 33), 1, cv::LINE_AA);
  }
  for (std::size_t row = 0; row < faces.size(); ++row) {
    const int y = kHead + static_cast<int>(row) * (kTile + kTile / 2 + 2 * kGap);
    const auto place = [&](std::size_t column, const gan::EditedFace* edited, const cv::Mat& picture) {
      const int x = kGap + static_cast<int>(column) * (kTile + kGap);
      Tile(picture, kTile).copyTo(sheet(cv::Rect(x, y, kTile, kTile)));
      if (edited != nullptr) {
        Tile(edited->attention, kTile / 2).copyTo(sheet(cv::Rect(x + kTile / 4, y + kTile + kGap, kTile / 2, kTile / 2)));
      }
    };
    place(0, nullptr, faces[row].crop);
    const gan::EditedFace same = editor.Edit(faces[row].crop, Condition(editor.schema(), schema, faces[row].intensity, {}));
    place(1, &same, same.face);
    for (std::size_t column = 0; column < columns.size(); ++column) {
      const auto condition = Condition(editor.schema(), schema, faces[row].intensity, columns[column]);
      const gan::EditedFace edited = editor.Edit(faces[row].crop, condition);
      place(column + 2, &edited, edited.face);
    }
  }
  datasets::WritePng(arguments.output, sheet);
  std::cout << arguments.output << ": " << faces.size() << " faces, " << columns.size() << " AUs at " << arguments.value
            << "; below each picture its attention (white keeps the input)\n";
  return kDone;
}

}  // namespace

void AddGanSheet(Cli& cli) {
  auto arguments = std::make_shared<GanSheetArguments>();
  Command command = cli.Add("sheet", "Draw what a generator does: faces by AUs, with attention masks",
                            "auforge gan sheet shards/ --checkpoint run/ -o grid.png");
  command.Positional("SOURCE", arguments->source, "a photo, a shard or a folder of shards").Required();
  command.Add("--checkpoint", arguments->checkpoint, "a run's folder or a checkpoint").Required();
  command.Add("-o,--output", arguments->output, "PNG to write").Required();
  command.Add("--aus", arguments->aus, "AUs, each a column");
  command.Add("--value", arguments->value, "what is asked of each").Range(0, 1);
  command.Add("--faces", arguments->faces, "rows").Range(1, 200);
  command.Run([arguments] { return RunGanSheet(*arguments); });
}

}  // namespace auforge::tools
