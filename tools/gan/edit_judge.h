// Do edits move a face as their AUs do? Judged by points that another program measured, against what the renderer shows
// for the same AUs. Pure functions.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tools/gan/judged_pictures.h"
#include "tools/gan/mesh_points.h"

namespace auforge::tools {

// Mean movement of the renderer's faces from AU 0 to AU 5, by AU and name of the movement, in inter-ocular distances; in
// the movement's own direction, so that right is positive.
struct JudgedMovement;
struct RendererMovements {
  std::string made_by;  // which program measured
  std::map<std::pair<int, std::string>, double> movement;
};

// The renderer's movements that come with the program (tools/gan/renderer_movements.csv).
RendererMovements DefaultRendererMovements();
// CSV: a line "# made by …", the header "au,movement,mean", a line a movement. Throws BadInputError naming `file`, the
// line and what is wrong with it.
RendererMovements ParseRendererMovements(const std::string& text, const std::string& file);
std::string RendererMovementsCsv(const std::vector<JudgedMovement>& judged, const std::string& made_by);

// One row of the report.
struct JudgedMovement {
  Movement movement{};
  int faces = 0;          // with points before the edit
  int lost = 0;           // of these, without points after it: they count as not moved
  double mean = 0;        // movement in its own direction, over faces with points before and after
  double right = 0;       // share of `faces` that move the right way by more than noise, 0..1
  double noise = 0;       // what this measure varies by when nothing changes
  bool noise_measured = false;  // from the file's rows of `again`; else the usual one
  double renderer = 0;    // 0: not known
  double Share() const { return renderer > 0 ? mean / renderer : 0; }
};

// Rows in the order of Movements(), of the AUs that the file has edits of. Throws BadInputError when no face of an AU
// has points before its edit.
std::vector<JudgedMovement> JudgeMovements(const MeshFile& points, const JudgedSet& set, const RendererMovements& renderer);

// What edits that people believe need: >= 95 % the right way and, of the AUs that are held to it, >= 60 % of the
// renderer's movement. Empty when they do; else "AU4 brow down: 58 % the right way, 18 % of the renderer's movement".
constexpr double kWantedRight = 0.95, kWantedShare = 0.60;
std::string ShortOf(const JudgedMovement& row);

}  // namespace auforge::tools
