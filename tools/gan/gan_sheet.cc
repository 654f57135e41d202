#include "tools/gan/gan_sheet.h"

#include <cstdio>
#include <opencv2/imgproc.hpp>

#include "datasets/picture_file.h"
#include "tools/gan/au_request.h"

namespace auforge::tools {
namespace {

constexpr int kTile = 128, kHead = 22, kGap = 4;

cv::Mat Tile(const cv::Mat& picture, int side) {
  cv::Mat tile = picture;
  if (tile.depth() == CV_32F) tile.convertTo(tile, CV_8U, 255);
  if (tile.channels() == 1) cv::cvtColor(tile, tile, cv::COLOR_GRAY2BGR);
  cv::resize(tile, tile, cv::Size(side, side), 0, 0, tile.rows > side ? cv::INTER_AREA : cv::INTER_CUBIC);
  return tile;
}

AuRequest Request(const std::string& text, const features::AuSchema& schema) {
  return text.empty() ? AuRequest{} : ParseAuRequest(text, schema);
}

// The face with what is asked of it, as `gan edit` draws it.
ExpressionEditor::Drawn Draw(const ExpressionEditor& editor, const GanFaces& faces, const GanFace& face,
                       const std::vector<float>& condition) {
  return editor.EditCrop(face.crop, face.landmarks, Condition(editor.schema(), faces.schema, face.intensity, {}), condition);
}

struct Column {
  std::string title;
  AuRequest request;
};

void WriteColumns(const std::string& path, const ExpressionEditor& editor, const GanFaces& faces,
                  const std::vector<Column>& columns, bool colours) {
  std::vector<std::string> titles{"input"};
  for (const Column& column : columns) titles.push_back(column.title);
  TileGrid grid(titles, kTile);
  for (const GanFace& face : faces.faces) {
    std::vector<cv::Mat> pictures{face.crop}, attention{cv::Mat()}, colour{cv::Mat()};
    for (const Column& column : columns) {
      const auto condition = Condition(editor.schema(), faces.schema, face.intensity, column.request);
      const ExpressionEditor::Drawn edited = Draw(editor, faces, face, condition);
      pictures.push_back(edited.face);
      attention.push_back(edited.attention);
      colour.push_back(edited.colour);
    }
    grid.AddRow(pictures);
    const bool has_masks = !attention.back().empty();
    if (has_masks) grid.AddRow(attention, true);
    if (has_masks && colours) grid.AddRow(colour, true);
  }
  datasets::WritePicture(path, grid.Draw());
}

// Conditions from one request to another in equal steps.
std::vector<std::vector<float>> Between(const ExpressionEditor& editor, const GanFaces& faces, const GanFace& face,
                                        const std::string& from, const std::string& to, int steps) {
  const auto& schema = editor.schema();
  const std::vector<float> a = Condition(schema, faces.schema, face.intensity, Request(from, schema));
  const std::vector<float> b = Condition(schema, faces.schema, face.intensity, Request(to, schema));
  std::vector<std::vector<float>> conditions;
  for (int s = 0; s < steps; ++s) {
    const float t = static_cast<float>(s) / static_cast<float>(std::max(1, steps - 1));
    std::vector<float> c(a.size());
    for (std::size_t j = 0; j < c.size(); ++j) c[j] = (1 - t) * a[j] + t * b[j];
    conditions.push_back(std::move(c));
  }
  return conditions;
}

}  // namespace

TileGrid::TileGrid(std::vector<std::string> titles, int tile) : titles_(std::move(titles)), tile_(tile) {}

void TileGrid::AddRow(const std::vector<cv::Mat>& pictures, bool half) {
  rows_.push_back({pictures, half ? tile_ / 2 : tile_});
}

cv::Mat TileGrid::Draw() const {
  int height = kHead + kGap;
  for (const Row& row : rows_) height += row.side + kGap;
  const int width = static_cast<int>(titles_.size()) * (tile_ + kGap) + kGap;
  cv::Mat sheet(height, width, CV_8UC3, cv::Scalar(248, 248, 247));
  const auto left = [this](std::size_t column) { return kGap + static_cast<int>(column) * (tile_ + kGap); };
  for (std::size_t i = 0; i < titles_.size(); ++i) {
    cv::putText(sheet, titles_[i], {left(i), 16}, cv::FONT_HERSHEY_SIMPLEX, 0.42, cv::Scalar(40, 36, 33), 1,
                cv::LINE_AA);
  }
  int y = kHead;
  for (const Row& row : rows_) {
    for (std::size_t i = 0; i < row.pictures.size() && i < titles_.size(); ++i) {
      if (row.pictures[i].empty()) continue;
      const cv::Rect place(left(i) + (tile_ - row.side) / 2, y, row.side, row.side);
      Tile(row.pictures[i], row.side).copyTo(sheet(place));
    }
    y += row.side + kGap;
  }
  return sheet;
}

void WriteAuSheet(const std::string& path, const ExpressionEditor& editor, const GanFaces& faces,
                  const std::vector<std::string>& aus, double value, bool colours) {
  std::vector<Column> columns{{"as it is", {}}};
  for (const std::string& au : aus) {
    columns.push_back({au, ParseAuRequest(au + "=" + std::to_string(value), editor.schema())});
  }
  WriteColumns(path, editor, faces, columns, colours);
}

void WriteRequestSheet(const std::string& path, const ExpressionEditor& editor, const GanFaces& faces,
                       const std::vector<std::string>& requests, bool colours) {
  std::vector<Column> columns;
  for (const std::string& text : requests) columns.push_back({text, ParseAuRequest(text, editor.schema())});
  WriteColumns(path, editor, faces, columns, colours);
}

void WriteInterpolationSheet(const std::string& path, const ExpressionEditor& editor, const GanFaces& faces,
                             const std::string& from, const std::string& to, int steps) {
  std::vector<std::string> titles{"input"};
  for (int s = 0; s < steps; ++s) {
    char title[16];
    std::snprintf(title, sizeof(title), "%.2f", static_cast<double>(s) / std::max(1, steps - 1));
    titles.emplace_back(title);
  }
  TileGrid grid(titles, kTile);
  for (const GanFace& face : faces.faces) {
    std::vector<cv::Mat> pictures{face.crop};
    for (const auto& condition : Between(editor, faces, face, from, to, steps)) {
      pictures.push_back(Draw(editor, faces, face, condition).face);
    }
    grid.AddRow(pictures);
  }
  datasets::WritePicture(path, grid.Draw());
}

std::vector<cv::Mat> InterpolationFrames(const ExpressionEditor& editor, const GanFaces& faces, std::size_t face,
                                         const std::string& from, const std::string& to, int steps) {
  const GanFace& of = faces.faces.at(face);
  std::vector<cv::Mat> frames;
  for (const auto& condition : Between(editor, faces, of, from, to, steps)) {
    frames.push_back(Draw(editor, faces, of, condition).face);
  }
  for (int s = steps - 2; s > 0; --s) frames.push_back(frames[static_cast<std::size_t>(s)]);
  return frames;
}

}  // namespace auforge::tools
