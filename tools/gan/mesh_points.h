// Points of faces that another program has measured (MediaPipe's face mesh with attention), and what `gan eval --judge`
// reads off them. docs/judging-edits.md describes the file. Stateless.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "features/types.h"

namespace auforge::tools {

// The points that measures are taken of, in pixels of their picture. The first element of a pair is of the side that
// has the smaller x in an unmirrored picture.
struct MeshPoints {
  using Pair = std::array<features::Point2, 2>;
  Pair eye_corners;                   // mesh 33, 263
  Pair mouth_corners;                 // 61, 291
  Pair nose_wings;                    // 98, 327
  features::Point2 lip_top;           // 0
  features::Point2 lips_inner_top;    // 13
  features::Point2 lips_inner_bottom;  // 14
  features::Point2 nose_tip;          // 1
  features::Point2 chin;              // 152
  // Of the attention part around each eye:
  Pair lid_below, lid_above;     // 4, 12
  Pair outer_corner, inner_corner;  // 0, 8
  Pair brow_inner, brow_outer;   // 68, 64
};

struct MeshFile {
  std::string path;
  std::string made_by;  // which program measured; empty when the file does not say
  std::map<std::string, std::optional<MeshPoints>> rows;  // by key; nullopt where that program saw no face
};

// Throws storage::BadContent naming the file and what is wrong with it (another kind of file, another number of points,
// a key twice, a point that is not a number or eyes in one place), std::runtime_error when it cannot be read.
MeshFile ReadMeshFile(const std::string& path);

// What can be measured of a face, in inter-ocular distances (eye corners 33 to 263). Heights are along the normal of
// the line through those corners, so that a tilted head measures as an upright one.
enum class Measure { kMouthWidth, kCornerHeight, kLipGap, kJaw, kUpperLip, kInnerBrow, kOuterBrow, kBrowGap, kLids, kNoseWings };
double Take(Measure measure, const MeshPoints& points);

// Where an AU, asked for, has to move a measure.
struct Movement {
  int au;
  Measure measure;
  std::string_view name;  // "mouth width"
  double direction;       // +1: it grows
  bool wanted;            // one of the seven AUs that are held to a share of the renderer's movement
};
std::span<const Movement> Movements();

}  // namespace auforge::tools
