#include "tools/gan/edit_judge.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <sstream>

#include "features/number.h"
#include "tools/cli/cli.h"
#include "tools/gan/renderer_movements.h"

namespace auforge::tools {
namespace {

constexpr std::string_view kMadeBy = "# made by ";
constexpr std::string_view kHeader = "au,movement,mean";
// Of a file without second measurements: the largest that was found for any measure on portraits (docs/judging-edits.md).
constexpr double kUsualNoise = 0.0055;

const std::optional<MeshPoints>& Row(const MeshFile& points, const std::string& key) { return points.rows.at(key); }

// Standard deviation of the difference of two measurements of one picture, from its median, which a few faces that were
// lost sight of do not spoil. 0 when there are none.
double Noise(Measure measure, const MeshFile& points, const JudgedSet& set) {
  std::vector<double> differences;
  for (const auto& [original, again] : set.again) {
    const auto &one = Row(points, original), &two = Row(points, again);
    if (one && two) differences.push_back(std::abs(Take(measure, *one) - Take(measure, *two)));
  }
  if (differences.empty()) return 0;
  const auto middle = differences.begin() + static_cast<std::ptrdiff_t>(differences.size() / 2);
  std::nth_element(differences.begin(), middle, differences.end());
  return 1.4826 * *middle;
}

JudgedMovement JudgeOne(const Movement& movement, const std::vector<JudgedPair>& pairs, const MeshFile& points, double noise) {
  JudgedMovement row{.movement = movement, .noise = noise};
  double sum = 0;
  int right = 0;
  for (const JudgedPair& pair : pairs) {
    const auto &before = Row(points, pair.at_0), &after = Row(points, pair.at_1);
    if (!before) continue;
    ++row.faces;
    if (!after) {
      ++row.lost;
      continue;
    }
    const double moved = movement.direction * (Take(movement.measure, *after) - Take(movement.measure, *before));
    sum += moved;
    right += moved > noise;
  }
  if (row.faces == 0) {
    throw BadInputError(points.path + ": no face has points before the edits of AU" + std::to_string(movement.au) +
                        "; measure larger or clearer faces");
  }
  row.mean = row.faces > row.lost ? sum / (row.faces - row.lost) : 0;
  row.right = static_cast<double>(right) / row.faces;
  return row;
}

}  // namespace

RendererMovements DefaultRendererMovements() { return ParseRendererMovements(std::string(RendererMovementsText()), "renderer_movements.csv"); }

RendererMovements ParseRendererMovements(const std::string& text, const std::string& file) {
  RendererMovements result;
  std::istringstream lines(text);
  int number = 0;
  bool header = false;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    const auto fail = [&](const std::string& why) { throw BadInputError(file + ": line " + std::to_string(number) + ": " + why); };
    if (line.starts_with(kMadeBy)) result.made_by = line.substr(kMadeBy.size());
    if (line.empty() || line.starts_with('#')) continue;
    if (!header) {
      if (line != kHeader) fail("not the header \"" + std::string(kHeader) + "\"; gan eval --movements writes such a file");
      header = true;
      continue;
    }
    const std::size_t first = line.find(','), last = line.rfind(',');
    if (first == last) fail("\"" + line + "\" has no three fields");
    const auto au = features::ParseWhole(line.substr(0, first));
    const std::string name = line.substr(first + 1, last - first - 1);
    const auto mean = features::ParseNumber(line.substr(last + 1));
    const bool known = au && std::ranges::any_of(Movements(), [&](const Movement& m) { return m.au == *au && m.name == name; });
    if (!known) fail("\"" + line + "\": no movement of that AU and name");
    if (!mean) fail("\"" + line.substr(last + 1) + "\" is no number");
    if (!result.movement.emplace(std::pair(static_cast<int>(*au), name), *mean).second) fail("\"" + line + "\" is there twice");
  }
  if (!header) throw BadInputError(file + ": no line \"" + std::string(kHeader) + "\" in it");
  return result;
}

std::string RendererMovementsCsv(const std::vector<JudgedMovement>& judged, const std::string& made_by) {
  std::string text = std::string(kMadeBy) + made_by + "\n" + std::string(kHeader) + "\n";
  for (const JudgedMovement& row : judged) {
    char line[96];
    std::snprintf(line, sizeof(line), "%d,%s,%.4f\n", row.movement.au, std::string(row.movement.name).c_str(), row.mean);
    text += line;
  }
  return text;
}

std::vector<JudgedMovement> JudgeMovements(const MeshFile& points, const JudgedSet& set, const RendererMovements& renderer) {
  std::vector<JudgedMovement> rows;
  for (const Movement& movement : Movements()) {
    const auto pairs = set.pairs.find(movement.au);
    if (pairs == set.pairs.end()) continue;
    const double measured = Noise(movement.measure, points, set);
    rows.push_back(JudgeOne(movement, pairs->second, points, measured > 0 ? measured : kUsualNoise));
    rows.back().noise_measured = measured > 0;
    const auto known = renderer.movement.find({movement.au, std::string(movement.name)});
    if (known != renderer.movement.end()) rows.back().renderer = known->second;
  }
  return rows;
}

std::string ShortOf(const JudgedMovement& row) {
  std::string why;
  char text[64];
  if (row.right < kWantedRight) {
    std::snprintf(text, sizeof(text), "%.0f %% the right way", 100 * row.right);
    why = text;
  }
  if (row.movement.wanted && row.renderer > 0 && row.Share() < kWantedShare) {
    std::snprintf(text, sizeof(text), "%.0f %% of the renderer's movement", 100 * row.Share());
    why += (why.empty() ? "" : ", ") + std::string(text);
  }
  if (why.empty()) return {};
  return "AU" + std::to_string(row.movement.au) + " " + std::string(row.movement.name) + ": " + why;
}

}  // namespace auforge::tools
