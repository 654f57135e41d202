// auforge synth sheet: what the generators make, to be looked at.
#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <opencv2/imgproc.hpp>

#include "datasets/picture_file.h"
#include "datasets/storage/atomic_file.h"
#include "tools/synth/synth_commands.h"
#include "tools/synth/synth_generators.h"

namespace auforge::tools {
namespace {

namespace synthetic = datasets::synthetic;

struct SheetArguments {
  GeneratorArguments generator;
  std::string output;
  std::string au;  // "", "AU12", "all"
  int rows = 6, columns = 8;
  int people = 0;
  std::uint64_t seed = 1;
  bool clean = false;
  float one_side = 0;
};

constexpr int kSteps = 6;  // intensities 0..5
constexpr std::array<features::HeadPose, 5> kPoses{
    {{0, 0, 0}, {30, 0, 0}, {-55, 0, 0}, {12, 20, 0}, {-15, -18, 12}}};
constexpr std::array<float, 3> kMelanin{0.25F, 0.95F, 1.9F};
constexpr int kLabel = 18;  // pixels of the line of text over a sweep

cv::Mat ContactSheet(const SheetArguments& a, const LoadedGenerator& loaded) {
  const int size = a.generator.reconstruct.size, expressions = a.generator.reconstruct.expressions;
  // The expressions of a scene stand side by side.
  const int columns = std::max(1, a.columns / expressions) * expressions;
  cv::Mat sheet(a.rows * size, columns * size, CV_8UC3, cv::Scalar::all(255));
  for (int i = 0; i < a.rows * columns; ++i) {
    const auto face = loaded.generator().Generate(a.seed, static_cast<std::uint64_t>(i));
    face.image.copyTo(sheet(cv::Rect(i % columns * size, i / columns * size, size, size)));
  }
  return sheet;
}

// Rows: three people, each in five poses. Columns: intensities 0 to 5, on both sides or on the subject's
// left.
cv::Mat Sweep(const SheetArguments& a, const LoadedGenerator& loaded, const synthetic::AuShapes& shapes,
              int au) {
  const int size = a.generator.reconstruct.size, rows = static_cast<int>(kMelanin.size() * kPoses.size());
  cv::Mat sheet(kLabel + rows * size, kSteps * size, CV_8UC3, cv::Scalar::all(255));
  const std::string title = "AU" + std::to_string(au) + " " + std::string(features::AuName(au)) + ", 0 to 5";
  cv::putText(sheet, title, {4, 13}, cv::FONT_HERSHEY_SIMPLEX, 0.42, {0, 0, 0}, 1, cv::LINE_AA);
  for (int row = 0; row < rows; ++row) {
    const auto person = static_cast<std::size_t>(row) / kPoses.size();
    features::HeadPose pose = kPoses[static_cast<std::size_t>(row) % kPoses.size()];
    for (int step = 0; step < kSteps; ++step) {
      synthetic::Expression expression = shapes.Single(au, static_cast<float>(step));
      if (a.one_side > 0) {
        for (float& v : expression.right) v *= 1 - a.one_side;
      }
      synthetic::SyntheticFace face;
      if (loaded.cg) {
        face = loaded.cg->Draw(a.seed + person, kMelanin[person], expression, pose);
      } else {
        // Photos do not bear as much: within 30 degrees of the camera.
        pose.yaw = std::clamp(pose.yaw, -30.0F, 30.0F);
        face = loaded.reconstruct->Draw(
            (static_cast<std::size_t>(a.seed) + person) % loaded.reconstruct->SourceCount(), expression,
            pose);
      }
      face.image.copyTo(sheet(cv::Rect(step * size, kLabel + row * size, size, size)));
    }
  }
  return sheet;
}

// People who face the camera, each AU at 0 and at 5, everything else the same: OUTPUT/AU12_0/003.png and
// OUTPUT/AU12_1/003.png, the layout that `gan eval --judge` reads (tools/gan/judged_pictures.h).
void WritePairs(const SheetArguments& a, const LoadedGenerator& loaded, const synthetic::AuShapes& shapes,
                const std::vector<int>& aus) {
  const std::size_t people =
      std::min(static_cast<std::size_t>(a.people), loaded.cg ? SIZE_MAX : loaded.reconstruct->SourceCount());
  const auto write = [&](const std::string& name, const synthetic::Expression& expression) {
    const std::filesystem::path folder = std::filesystem::path(a.output) / name;
    datasets::storage::MakeFolder(folder.string());
    for (std::size_t person = 0; person < people; ++person) {
      const synthetic::SyntheticFace face =
          loaded.cg ? loaded.cg->Draw(a.seed + person, kMelanin[person % kMelanin.size()], expression, {})
                    : loaded.reconstruct->Draw(person, expression, {});
      char file[32];
      std::snprintf(file, sizeof(file), "%03zu.png", person);
      datasets::WritePicture((folder / file).string(), face.image);
    }
  };
  write("original", shapes.Single(aus.front(), 0));
  for (const int au : aus) {
    write("AU" + std::to_string(au) + "_0", shapes.Single(au, 0));
    write("AU" + std::to_string(au) + "_1", shapes.Single(au, 5));
  }
  std::cout << a.output << ": " << people << " people, " << aus.size() << " AUs at 0 and at 5\n";
}

int RunSheet(SheetArguments a) {
  std::vector<int> aus;
  if (a.au == "all") {
    aus = features::CatalogueSchema().numbers();
  } else if (!a.au.empty()) {
    const auto number = features::ParseAu(a.au);
    if (!number || !features::CatalogueSchema().Find(*number))
      throw UsageError("--au " + a.au + ": not an AU of the catalogue; write AU12, or all");
    aus.push_back(*number);
  }
  if (a.people > 0 && aus.empty()) throw UsageError("--people: pairs are of AUs; write --au AU12 or --au all as well");
  if (a.au == "all" || a.people > 0) {
    datasets::storage::RequireOutputFolder(a.output);
  } else {
    datasets::RequirePictureFile(a.output);
  }
  a.generator.reconstruct.faces_per_identity = 1;
  if (a.clean) {
    a.generator.degraded = 0;
    a.generator.reconstruct.occluders.rate = 0;
  }
  const LoadedGenerator loaded = LoadGenerator(a.generator, "synth sheet");
  if (aus.empty()) {
    datasets::WritePicture(a.output, ContactSheet(a, loaded));
    std::cout << a.output << "\n";
    return kDone;
  }
  const synthetic::AuShapes shapes(*loaded.model);
  if (a.people > 0) {
    WritePairs(a, loaded, shapes, aus);
    return kDone;
  }
  for (const int au : aus) {
    std::string path = a.output;
    if (a.au == "all") {
      datasets::storage::MakeFolder(a.output);
      char name[16];
      std::snprintf(name, sizeof(name), "AU%02d.png", au);
      path = (std::filesystem::path(a.output) / name).string();
    }
    datasets::WritePicture(path, Sweep(a, loaded, shapes, au));
    std::cout << path << "\n";
  }
  return kDone;
}

}  // namespace

void AddSynthSheet(Command& synth) {
  auto a = std::make_shared<SheetArguments>();
  a->generator.method = "cg";
  a->generator.reconstruct.size = 128;
  Command command = synth.Sub("sheet", "Draw a contact sheet, or sweeps of single AUs",
                              "auforge synth sheet -o people.png --method cg --face-model face.h5\n"
                              "  auforge synth sheet -o sweeps/ --au all --face-model face.h5\n"
                              "  auforge synth sheet -o pairs/ --au all --people 20 --clean --size 256 --face-model face.h5");
  command.Add("-o,--output", a->output, "picture, .png, .jpg, …; with --au all or --people, a folder of PNGs").Required();
  command.Add("--au", a->au, "sweep of an AU (AU12) from 0 to 5 in five poses and three skins, or of all");
  command.Add("--one-side", a->one_side, "sweeps: how much weaker the subject's right half is").Range(0, 1);
  command.Add("--people", a->people,
              "instead of sweeps, pictures of so many people from the front with the AU at 0 and at 5: "
              "OUTPUT/AU12_0/, OUTPUT/AU12_1/, as gan eval --judge takes them").Range(1, 1000);
  command.Add("--rows", a->rows, "of a contact sheet").Range(1, 100);
  command.Add("--columns", a->columns, "of a contact sheet").Range(1, 100);
  command.Flag("--clean", a->clean, "contact sheet without occluders and degradation");
  command.Add("--seed", a->seed, "other people");
  AddGeneratorOptions(command, a->generator);
  command.Run([a] { return RunSheet(*a); });
}

}  // namespace auforge::tools
