// Pictures of what an editor does with faces.
#pragma once

#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "tools/gan/expression_editor.h"
#include "tools/gan/gan_faces.h"

namespace auforge::tools {

// A grid of tiles under column titles, on a light ground. A row is a picture for each column, empty ones left
// blank; half rows (half the height, tiles centred) carry the masks.
class TileGrid {
 public:
  TileGrid(std::vector<std::string> titles, int tile);
  void AddRow(const std::vector<cv::Mat>& pictures, bool half = false);
  cv::Mat Draw() const;  // CV_8UC3

 private:
  struct Row {
    std::vector<cv::Mat> pictures;
    int side;
  };
  std::vector<std::string> titles_;
  int tile_;
  std::vector<Row> rows_;
};

// Faces by AUs, each asked alone at `value`; below each picture of a generator its attention (white keeps the input)
// and, when `colours`, what it would draw there.
void WriteAuSheet(const std::string& path, const ExpressionEditor& editor, const GanFaces& faces,
                  const std::vector<std::string>& aus, double value, bool colours = false);

// Faces by whole requests ("AU12=0.8,AU6=0.5"), each a column.
void WriteRequestSheet(const std::string& path, const ExpressionEditor& editor, const GanFaces& faces,
                       const std::vector<std::string>& requests, bool colours = false);

// Columns from one request to another in `steps` pictures (from may be empty: the face as it is).
void WriteInterpolationSheet(const std::string& path, const ExpressionEditor& editor, const GanFaces& faces,
                             const std::string& from, const std::string& to, int steps);

// The same of one face as a film that runs there and back, at the crop's own size: frames of CV_8UC3.
std::vector<cv::Mat> InterpolationFrames(const ExpressionEditor& editor, const GanFaces& faces, std::size_t face,
                                         const std::string& from, const std::string& to, int steps);

}  // namespace auforge::tools
