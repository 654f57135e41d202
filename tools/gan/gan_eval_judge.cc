#include "tools/gan/gan_eval_judge.h"

#include <chrono>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "datasets/storage/atomic_file.h"
#include "tools/cli/cli.h"
#include "tools/cli/progress.h"
#include "tools/gan/edit_judge.h"
#include "tools/gan/picture_judge.h"

namespace auforge::tools {
namespace {

using Json = nlohmann::ordered_json;
using Pictures = std::map<std::string, std::string>;

constexpr std::string_view kMesh = "mesh:";

struct Verdict {
  std::string source;                     // what was judged
  std::vector<JudgedMovement> movements;  // of the mesh
  std::string measured_by, renderer_by;
  std::optional<std::map<int, PictureFigures>> pictures;
  bool has_identity = false;
};

std::vector<std::string> Keys(const auto& map) {
  std::vector<std::string> keys;
  for (const auto& entry : map) keys.push_back(entry.first);
  return keys;
}

// Points and pictures of one set: each picture measured, and nothing measured that is not there. Of pictures that were
// edited back no movement is told.
void RequireSame(const MeshFile& points, const Pictures& pictures) {
  for (const auto& [key, path] : pictures) {
    const bool back = ParseJudgedKey(points.path, key).kind == JudgedKind::kBack;
    if (!back && !points.rows.contains(key)) throw BadInputError(points.path + ": no points of " + path + "; measure the whole folder again");
  }
  for (const auto& [key, row] : points.rows) {
    const bool again = ParseJudgedKey(points.path, key).kind == JudgedKind::kAgain;
    if (!again && !pictures.contains(key)) throw BadInputError(points.path + ": points of " + key + ", a picture that is not in the folder; give the folder that was measured");
  }
}

RendererMovements ReadRenderer(const std::string& path) {
  return path.empty() ? DefaultRendererMovements() : ParseRendererMovements(datasets::storage::ReadFile(path), path);
}

Verdict Judge(const JudgeArguments& a) {
  Verdict verdict;
  std::optional<Pictures> pictures;
  if (!a.pictures.empty()) pictures = ListJudgedPictures(a.pictures);
  JudgedSet set;
  if (a.judge.starts_with(kMesh)) {
    const MeshFile points = ReadMeshFile(a.judge.substr(kMesh.size()));
    set = PairJudgedKeys(points.path, Keys(points.rows));
    if (pictures) RequireSame(points, *pictures);
    const RendererMovements renderer = ReadRenderer(a.renderer);
    verdict.source = points.path;
    verdict.measured_by = points.made_by;
    verdict.renderer_by = renderer.made_by;
    verdict.movements = JudgeMovements(points, set, renderer);
    if (pictures) set = PairJudgedKeys(a.pictures, Keys(*pictures));  // with those edited back, which no points tell of
  } else {
    verdict.source = a.pictures;
    set = PairJudgedKeys(a.pictures, Keys(*pictures));
  }
  if (pictures) {
    ProgressLine line("gan eval", a.quiet);
    const auto start = std::chrono::steady_clock::now();
    verdict.pictures = JudgePictures(set, *pictures, {a.embedding}, [&](std::size_t done, std::size_t count) {
      line.Update(done, count, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), "pairs");
    });
    line.Finish();
    verdict.has_identity = !a.embedding.empty();
  }
  return verdict;
}

Json Report(const Verdict& v) {
  Json report{{"judged", v.source}};
  if (!v.movements.empty()) report["points_measured_by"] = v.measured_by;
  if (!v.movements.empty()) report["renderer_measured_by"] = v.renderer_by;
  for (const JudgedMovement& row : v.movements) {
    Json entry{{"au", row.movement.au}, {"movement", row.movement.name}, {"faces", row.faces}, {"lost", row.lost},
               {"mean", row.mean}, {"right_way", row.right}, {"noise", row.noise}, {"noise_measured", row.noise_measured}};
    if (row.renderer > 0) {
      entry["renderer"] = row.renderer;
      entry["share_of_renderer"] = row.Share();
    }
    const std::string why = ShortOf(row);
    entry["falls_short"] = !why.empty();
    report["movements"].push_back(entry);
  }
  if (!v.pictures) return report;
  for (const auto& [au, f] : *v.pictures) {
    Json entry{{"faces", f.faces}, {"au_mse", f.au_mse}, {"rise", f.rise}, {"background_rmse", f.background}};
    if (f.back_faces > 0) entry["back_grey"] = f.back;
    if (v.has_identity) entry["identity"] = f.identity;
    report["pictures"]["AU" + std::to_string(au)] = entry;
  }
  return report;
}

void PrintMovements(const Verdict& v) {
  std::printf("%s: points measured by %s; AU asked at 0 -> at 1, in inter-ocular distances\n", v.source.c_str(),
              v.measured_by.empty() ? "who does not say" : v.measured_by.c_str());
  std::printf("AU    movement       faces  moves the right way   mean    noise   renderer   share\n");
  for (const JudgedMovement& row : v.movements) {
    std::printf("AU%-3d %-14s %5d %16.0f %%   %+.4f   %.4f", row.movement.au, std::string(row.movement.name).c_str(), row.faces,
                100 * row.right, row.mean, row.noise);
    if (row.renderer > 0) std::printf("   %+.4f   %4.0f %%", row.renderer, 100 * row.Share());
    std::printf("\n");
  }
  int lost = 0;
  for (const JudgedMovement& row : v.movements) lost += row.lost;
  if (lost > 0) std::printf("without a face after the edit, counted as not moved: %d\n", lost);
  if (!v.movements.empty() && !v.movements.front().noise_measured)
    std::printf("noise: the usual one; the file has no second measurements (rows of again/)\n");
  if (v.measured_by != v.renderer_by) {
    std::printf("the renderer's movements were measured by %s: shares compare two programs' points; make them anew with --movements\n",
                v.renderer_by.empty() ? "who does not say" : v.renderer_by.c_str());
  }
  bool good = true;
  for (const JudgedMovement& row : v.movements) {
    const std::string why = ShortOf(row);
    if (why.empty()) continue;
    std::printf("%s%s\n", good ? "falls short of 95 % the right way or 60 % of the renderer's movement:\n  " : "  ", why.c_str());
    good = false;
  }
  if (good) std::printf("every movement goes the right way in >= 95 %% of the faces, the wanted ones >= 60 %% of the renderer's\n");
}

void PrintPictures(const std::map<int, PictureFigures>& pictures, bool has_identity) {
  std::printf("AU    faces   AU MSE    rise   background RMSE   there and back%s\n", has_identity ? "   identity" : "");
  PictureFigures mean;
  int aus = 0, with_back = 0;
  const auto print = [&](const char* name, const PictureFigures& f, bool back) {
    std::printf("%-5s %5d   %6.3f  %+.2f   %15.4f", name, f.faces, f.au_mse, f.rise, f.background);
    if (back) std::printf("   %9.2f grey", f.back);
    else std::printf("   %14s", "-");
    if (has_identity) std::printf("   %8.3f", f.identity);
    std::printf("\n");
  };
  for (const auto& [au, f] : pictures) {
    print(("AU" + std::to_string(au)).c_str(), f, f.back_faces > 0);
    if (f.faces == 0) continue;
    ++aus;
    mean.faces += f.faces;
    mean.au_mse += f.au_mse;
    mean.rise += f.rise;
    mean.background += f.background;
    mean.identity += f.identity;
    with_back += f.back_faces > 0;
    mean.back += f.back;
  }
  if (aus > 1) {
    for (double* value : {&mean.au_mse, &mean.rise, &mean.background, &mean.identity}) *value /= aus;
    mean.back /= std::max(1, with_back);
    print("mean", mean, with_back > 0);
  }
  std::printf("AU MSE and rise: by the program's own annotator (0..5), a relative of generators that learnt from its labels\n");
  if (!has_identity) std::printf("identity: not measured; --embedding takes dlib's face recognition network\n");
}

void CheckArguments(const JudgeArguments& a) {
  const bool mesh = a.judge.starts_with(kMesh) && a.judge.size() > kMesh.size();
  if (!mesh && a.judge != "annotator") throw UsageError("--judge " + a.judge + ": write mesh:POINTS.h5 or annotator");
  if (!mesh && a.pictures.empty()) throw UsageError("--judge annotator: give the folder of pictures as well");
  if (!mesh && !a.movements.empty()) throw UsageError("--movements: what the points show; it goes with --judge mesh:POINTS.h5");
  if (a.pictures.empty() && !a.embedding.empty()) throw UsageError("--embedding: identity is told from pictures; give their folder as well");
  for (const std::string& output : {a.json_file, a.movements}) {
    if (!output.empty()) datasets::storage::RequireOutputFile(output);
  }
}

}  // namespace

int RunJudge(const JudgeArguments& arguments) {
  CheckArguments(arguments);
  const Verdict verdict = Judge(arguments);
  const std::string report = Report(verdict).dump(2) + "\n";
  if (!arguments.json_file.empty()) datasets::storage::WriteFileAtomically(arguments.json_file, report);
  if (!arguments.movements.empty())
    datasets::storage::WriteFileAtomically(arguments.movements, RendererMovementsCsv(verdict.movements, verdict.measured_by));
  if (arguments.json) {
    std::cout << report;
    return kDone;
  }
  if (!verdict.movements.empty()) PrintMovements(verdict);
  if (verdict.pictures) PrintPictures(*verdict.pictures, verdict.has_identity);
  std::fflush(stdout);
  return kDone;
}

}  // namespace auforge::tools
