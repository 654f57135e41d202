// auforge synth stats: how synthetic faces are distributed.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "datasets/shard.h"
#include "tools/synth/synth_commands.h"
#include "tools/synth/synth_stats.h"

namespace auforge::tools {
namespace {

struct StatsArguments {
  std::vector<std::string> paths;
  bool json = false, landmarks = false;
};

double Share(std::uint64_t part, std::uint64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

nlohmann::json ToJson(const SynthStats& s) {
  nlohmann::json aus, offsets;
  const std::vector<std::string> names = s.schema.Names();
  for (std::size_t a = 0; a < names.size(); ++a) {
    aus[names[a]] = {{"active", s.active[a]}, {"histogram", s.histogram[a]}, {"together", s.together[a]}};
  }
  for (const LandmarkOffset& o : s.offsets) {
    offsets.push_back({{"x", o.mean_x}, {"y", o.mean_y}, {"median", o.median}});
  }
  const auto bins = [](const std::map<int, std::uint64_t>& map) {
    nlohmann::json json = nlohmann::json::object();
    for (const auto& [bin, count] : map) json[std::to_string(bin)] = count;
    return json;
  };
  return {{"pictures", s.pictures},
          {"faces", s.faces},
          {"au_names", names},
          {"aus", aus},
          {"yaw", bins(s.yaw)},
          {"pitch", bins(s.pitch)},
          {"roll", bins(s.roll)},
          {"occluders", s.occluders},
          {"visible_fraction", s.visible},
          {"frontal", {{"pictures", s.frontal}, {"found", s.frontal_found}}},
          {"frontal_bare", {{"pictures", s.bare_frontal}, {"found", s.bare_frontal_found}}},
          {"landmarks",
           {{"faces", s.measured},
            {"median_error", s.median_error},
            {"median_error_pixels", s.median_error_pixels},
            {"inner_error_pixels", s.inner_error_pixels},
            {"picture_side", s.picture_side},
            {"offsets", offsets}}}};
}

void PrintAus(const SynthStats& s) {
  const std::vector<std::string> names = s.schema.Names();
  std::printf("\n%-5s %-22s %7s  %s\n", "AU", "name", "active",
              "share of faces with intensity 0, up to 1, 1-2, 2-3, 3-4, 4-5");
  for (std::size_t a = 0; a < names.size(); ++a) {
    std::printf("%-5s %-22s %6.1f%%  ", names[a].c_str(),
                std::string(features::AuName(s.schema.numbers()[a])).c_str(),
                100 * Share(s.active[a], s.faces));
    for (const std::uint64_t count : s.histogram[a]) std::printf(" %5.1f%%", 100 * Share(count, s.faces));
    std::printf("\n");
  }
  std::printf("\nco-occurrence: of the faces with the row's AU, percent that have the column's\n     ");
  for (const int au : s.schema.numbers()) std::printf("%4d", au);
  std::printf("\n");
  for (std::size_t a = 0; a < names.size(); ++a) {
    std::printf("%-5s", names[a].c_str());
    for (std::size_t b = 0; b < names.size(); ++b)
      std::printf("%4.0f", 100 * Share(s.together[a][b], s.active[a]));
    std::printf("\n");
  }
  struct Pair {
    double r;
    std::size_t a, b;
  };
  std::vector<Pair> pairs;
  for (std::size_t a = 0; a < names.size(); ++a) {
    for (std::size_t b = a + 1; b < names.size(); ++b) pairs.push_back({Correlation(s, a, b), a, b});
  }
  std::sort(pairs.begin(), pairs.end(),
            [](const Pair& x, const Pair& y) { return std::abs(x.r) > std::abs(y.r); });
  std::printf("closest ties (correlation of activity):");
  for (std::size_t i = 0; i < std::min<std::size_t>(6, pairs.size()); ++i) {
    std::printf("  %s %s %.2f", names[pairs[i].a].c_str(), names[pairs[i].b].c_str(), pairs[i].r);
  }
  std::printf("\n");
}

void PrintAngles(const char* name, const std::map<int, std::uint64_t>& bins, std::uint64_t faces) {
  std::printf("%-6s", name);
  for (const auto& [bin, count] : bins)
    std::printf("  %d..%d: %.1f%%", bin, bin + 10, 100 * Share(count, faces));
  std::printf("\n");
}

void PrintLandmarks(const SynthStats& s) {
  std::printf(
      "\nlandmark offsets, percent of the distance between the eyes (detected minus exact; x to the right, y "
      "down)\n");
  std::printf("%8s %7s %7s %7s\n", "landmark", "x", "y", "median");
  for (std::size_t i = 0; i < s.offsets.size(); ++i) {
    const LandmarkOffset& o = s.offsets[i];
    std::printf("%8zu %7.2f %7.2f %7.2f\n", i, 100.0 * o.mean_x, 100.0 * o.mean_y, 100.0 * o.median);
  }
}

int RunStats(const StatsArguments& a) {
  const SynthStats s = GatherSynthStats(datasets::FindShards(a.paths));
  if (a.json) {
    std::cout << ToJson(s).dump() << "\n";
    return kDone;
  }
  std::printf("%llu pictures, %llu faces found (%.1f%%)\n", static_cast<unsigned long long>(s.pictures),
              static_cast<unsigned long long>(s.faces), 100 * Share(s.faces, s.pictures));
  std::printf("found of those with |yaw| < 30 degrees: %.1f%%; of those with nothing in front: %.1f%%\n",
              100 * Share(s.frontal_found, s.frontal), 100 * Share(s.bare_frontal_found, s.bare_frontal));
  std::printf(
      "landmarks found, from the exact ones: median %.2f pixels of %.0f, without the jaw line %.2f; %.1f%% "
      "of the "
      "distance between the eyes (%llu frontal faces with nothing in front)\n",
      static_cast<double>(s.median_error_pixels), static_cast<double>(s.picture_side),
      static_cast<double>(s.inner_error_pixels), 100.0 * s.median_error,
      static_cast<unsigned long long>(s.measured));
  PrintAus(s);
  std::printf("\n");
  PrintAngles("yaw", s.yaw, s.faces);
  PrintAngles("pitch", s.pitch, s.faces);
  PrintAngles("roll", s.roll, s.faces);
  std::printf("in front of the face:");
  for (const auto& [what, count] : s.occluders)
    std::printf("  %s: %.1f%%", what.c_str(), 100 * Share(count, s.faces));
  std::printf("\nvisible fraction:");
  for (std::size_t i = 0; i < s.visible.size(); ++i) {
    std::printf("  %.1f..%.1f: %.1f%%", 0.2 * static_cast<double>(i), 0.2 * static_cast<double>(i + 1),
                100 * Share(s.visible[i], s.faces));
  }
  std::printf("\n");
  if (a.landmarks) PrintLandmarks(s);
  return kDone;
}

}  // namespace

void AddSynthStats(Command& synth) {
  auto a = std::make_shared<StatsArguments>();
  Command command = synth.Sub("stats", "Say how synthetic faces are distributed and how well they are found",
                              "auforge synth stats renders/\n  auforge synth stats renders/ --landmarks");
  command.Positional("SHARD", a->paths, "shards or folders that 'auforge synth faces' made").Required();
  command.Flag("--landmarks", a->landmarks, "the systematic offset of every landmark too");
  command.Flag("--json", a->json, "print as JSON");
  command.Run([a] { return RunStats(*a); });
}

}  // namespace auforge::tools
