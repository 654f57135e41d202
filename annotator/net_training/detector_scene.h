// Scenes to train a face detector on: faces whose points are known, pasted into pictures without faces, and such
// pictures alone; every size, turn, light, cover and edge. Pure functions of faces, backgrounds and random stream.
#pragma once

#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "annotator/net_training/point_set.h"
#include "features/types.h"

namespace auforge::annotator {

struct SceneFace {
  features::Box box;                        // BoxAround its points, pixels of the scene
  std::array<features::Point2, 5> points;   // right and left eye, nose, right and left corner of the mouth
  bool wanted = true;                       // false: neither face nor background: too small, too large, hidden, lying
};

struct Scene {
  cv::Mat picture;  // side x side, CV_8UC3
  std::vector<SceneFace> faces;
};

// What scenes are made of; not owned.
struct SceneSources {
  const std::vector<PointFace>* renders = nullptr;
  const std::vector<PointFace>* photos = nullptr;  // may be empty
  const std::vector<cv::Mat>* backgrounds = nullptr;
  double photo_share = 0.5;  // of pasted faces, where there are photos
};

struct SceneSizes {
  int side = 128;           // pixels
  double least_face = 12;   // side of the smallest and largest box that a detector should answer to
  double most_face = 60;
};

// Up to four faces before a background; those that stand on their heads are none.
Scene FaceScene(const SceneSources& sources, const SceneSizes& sizes, std::mt19937_64& random);
// A part of a picture without faces.
Scene EmptyScene(const SceneSources& sources, const SceneSizes& sizes, std::mt19937_64& random);

// Pictures to paste into: files, folders, lists, tars. Kept at most 480 pixels wide and high, larger ones also in parts.
// What cannot be decoded is counted and left out. Throws std::runtime_error where nothing can be read.
std::vector<cv::Mat> LoadBackgrounds(const std::vector<std::string>& inputs, const PointSetLog& log);

}  // namespace auforge::annotator
