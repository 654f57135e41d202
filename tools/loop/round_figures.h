// What a round's shards hold, in numbers, and how far that is from the round before.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/loop/plan.h"

namespace auforge::tools {

using Histogram = std::vector<std::uint64_t>;

struct RoundFigures {
  std::uint64_t images = 0, faces = 0;
  std::uint64_t training_faces = 0;                // that passed the filter
  std::map<std::string, std::uint64_t> status;     // images by what became of them
  std::map<std::string, Histogram> aus;            // faces per intensity: below 0.25, to 1, 2, 3, 4, 5
  std::map<std::string, std::uint64_t> present;    // faces with intensity >= 1
  Histogram quality = Histogram(10);               // faces per tenth of 0..1
  Histogram sizes = Histogram(6);                  // faces per box width: < 40, < 80, < 160, < 320, < 640 pixels, more
  Histogram yaw = Histogram(6);                    // faces per 15 degrees of -45..45, the ends open
  std::map<std::string, std::uint64_t> sources;    // images per host of their address, or folder or tar
  std::uint64_t against_themselves = 0;            // faces with AUs that exclude each other, both strong
  std::uint64_t captioned = 0, against_captions = 0;  // faces whose caption names an expression; that do not show it

  std::uint64_t Broken() const;      // images that could not be decoded or read
  std::uint64_t WithoutFace() const; // images of which no face came, copies of earlier ones, too
  std::uint64_t Copies() const;      // images with the bytes of an earlier one, where annotate skips them
};

// Of finished shards. training_faces is left to the caller.
RoundFigures GatherFigures(const std::vector<std::string>& shards);
std::string ToJson(const RoundFigures& figures);
RoundFigures FiguresFromJson(const std::string& text, const std::string& path);  // throws storage::BadContent

// How far two histograms are apart: the population stability index, sum of (p - q) ln(p / q) over bins, half a count added
// to each; and what chance alone reaches once in a thousand times when nothing has changed, for these numbers of faces.
struct Stability {
  double psi = 0, chance = 0;
  bool Moved(double tell) const { return psi > tell && psi > chance; }
};
Stability Compare(const Histogram& before, const Histogram& now);

struct DriftReport {
  struct Row {
    std::string name;
    Stability stability;
    bool moved = false;
  };
  std::vector<Row> rows;
  double au_psi = 0;                   // mean over AUs of what exceeds chance
  std::vector<std::string> sentences;  // what moved, for people
  std::vector<std::string> beyond;     // what is beyond the bounds; empty: the round may be learnt from
  bool has_reference = false;
};
// before: nullptr where there is no round to compare with.
DriftReport FindDrift(const RoundFigures& now, const RoundFigures* before, const DriftBounds& bounds);
std::string ToJson(const DriftReport& report);
DriftReport DriftFromJson(const std::string& text, const std::string& path);

}  // namespace auforge::tools
