// auforge eval-landmarks: landmarkers side by side, on pictures whose points are known, and against themselves.
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "datasets/image_codec.h"
#include "datasets/storage/atomic_file.h"
#include "features/align.h"
#include "tools/commands.h"
#include "tools/landmarks/landmark_scores.h"

namespace auforge::tools {
namespace {

using features::Landmarks68;

constexpr double kShut = 0.1;  // of the eye's width: the gap of lids that are shut
constexpr std::array<double, 4> kBands{0, 15, 30, 60};

struct EvalLandmarkArguments {
  std::vector<std::string> data, xml, consistency, landmarkers;
  int most = 0, jobs = 1;
  bool json = false;
};

// A picture with a face.
struct EvalFace {
  annotator::PointRow truth;
  features::Box box;
};

std::vector<EvalFace> FacesOfTables(const std::string& path) {
  std::vector<EvalFace> faces;
  for (const annotator::PointRow& row : annotator::ReadPointTables(path)) {
    if (std::count(row.known.begin() + 17, row.known.end(), true) < 51) continue;
    faces.push_back({row, annotator::BoxAround(row.points)});
  }
  return faces;
}

cv::Mat Read(const std::string& path) {
  const std::string bytes = datasets::storage::ReadFile(path);
  const datasets::DecodedImage image =
      datasets::DecodeImage({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, {});
  if (image.status != datasets::Outcome::kOk) throw BadInputError(path + ": " + image.message);
  return image.bgr;
}

void ForEach(std::size_t count, int jobs, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  const auto run = [&] {
    try {
      for (std::size_t i = next++; i < count; i = next++) work(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      next = count;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int j = 1; j < jobs; ++j) threads.emplace_back(run);
    run();
  }
  if (failure) std::rethrow_exception(failure);
}

// A table with a column for each landmarker.
class Report {
 public:
  explicit Report(std::vector<std::string> columns) : columns_(std::move(columns)) {}
  void Add(const std::string& section, const std::string& row, const std::vector<double>& values, std::size_t faces) {
    if (section != section_) {
      section_ = section;
      text_ += "\n" + section + "\n";
      char cell[64];
      std::snprintf(cell, sizeof(cell), "%-24s%8s", "", "faces");
      text_ += cell;
      for (const std::string& name : columns_) {
        std::snprintf(cell, sizeof(cell), "%26s", name.c_str());
        text_ += cell;
      }
      text_ += "\n";
    }
    char cell[64];
    std::snprintf(cell, sizeof(cell), "%-24s%8zu", row.c_str(), faces);
    text_ += cell;
    for (const double v : values) {
      std::snprintf(cell, sizeof(cell), "%26.4f", v);
      text_ += cell;
    }
    text_ += "\n";
    for (std::size_t c = 0; c < values.size(); ++c) json_[section][row][columns_[c]] = values[c];
    json_[section][row]["faces"] = faces;
  }
  const std::string& text() const { return text_; }
  const nlohmann::json& json() const { return json_; }

 private:
  std::vector<std::string> columns_;
  std::string section_, text_;
  nlohmann::json json_ = nlohmann::json::object();
};

double MeanOf(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}
double MedianOf(std::vector<double> values) {
  if (values.empty()) return 0;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

using Landmarkers = std::vector<std::unique_ptr<annotator::Landmarker>>;

// found[l][f]: what landmarker l finds on face f.
std::vector<std::vector<Landmarks68>> FindAll(const Landmarkers& landmarkers, const std::vector<EvalFace>& faces, int jobs) {
  std::vector<std::vector<Landmarks68>> found(landmarkers.size(), std::vector<Landmarks68>(faces.size()));
  ForEach(faces.size(), jobs, [&](std::size_t f) {
    const cv::Mat image = Read(faces[f].truth.picture);
    for (std::size_t l = 0; l < landmarkers.size(); ++l) found[l][f] = landmarkers[l]->FindSteady(image, faces[f].box);
  });
  return found;
}

// unit: of a face's distances.
void AddErrors(Report& report, const std::string& section, const std::vector<EvalFace>& faces,
               const std::vector<std::vector<Landmarks68>>& found, const std::function<bool(const EvalFace&)>& counts,
               const std::function<double(const Landmarks68&)>& unit) {
  for (const LandmarkRegion& region : LandmarkRegions()) {
    std::vector<double> means;
    std::size_t count = 0;
    for (const std::vector<Landmarks68>& points : found) {
      std::vector<double> errors;
      for (std::size_t f = 0; f < faces.size(); ++f) {
        if (!counts(faces[f])) continue;
        const double error = RegionError(points[f], faces[f].truth, region) / unit(faces[f].truth.points);
        if (std::isfinite(error)) errors.push_back(error);
      }
      means.push_back(MeanOf(errors));
      count = errors.size();
    }
    if (count > 0) report.Add(section, region.name, means, count);
  }
}

// Mean errors of the pose that the points tell, degrees.
void AddPoses(Report& report, const std::string& section, const std::vector<EvalFace>& faces,
              const std::vector<std::vector<Landmarks68>>& found) {
  constexpr std::array<std::pair<const char*, float features::HeadPose::*>, 3> kAngles{
      {{"yaw", &features::HeadPose::yaw}, {"pitch", &features::HeadPose::pitch}, {"roll", &features::HeadPose::roll}}};
  for (const auto& [name, angle] : kAngles) {
    std::vector<double> means;
    std::size_t count = 0;
    for (const std::vector<Landmarks68>& points : found) {
      std::vector<double> errors;
      for (std::size_t f = 0; f < faces.size(); ++f) {
        const double error = std::abs(annotator::EstimatePose(points[f]).*angle - faces[f].truth.pose.*angle);
        if (std::isfinite(error)) errors.push_back(error);
      }
      means.push_back(MeanOf(errors));
      count = errors.size();
    }
    if (count > 0) report.Add(section, name, means, count);
  }
}

bool CanBeSeen(const annotator::PointRow& row, std::size_t first, std::size_t last) {
  return std::none_of(row.seen.begin() + static_cast<std::ptrdiff_t>(first), row.seen.begin() + static_cast<std::ptrdiff_t>(last),
                      [](std::int8_t seen) { return seen == 0; });
}

// Median of the eyes that are shut and can be seen.
void AddGaps(Report& report, const std::string& section, const std::vector<EvalFace>& faces,
             const std::vector<std::vector<Landmarks68>>& found) {
  std::vector<double> medians, truth;
  for (const std::vector<Landmarks68>& points : found) {
    std::vector<double> gaps;
    truth.clear();
    for (std::size_t f = 0; f < faces.size(); ++f) {
      for (const std::size_t eye : {36, 42}) {
        const double gap = LidGap(faces[f].truth.points, eye);
        if (gap > kShut || !CanBeSeen(faces[f].truth, eye, eye + 6)) continue;
        gaps.push_back(LidGap(points[f], eye));
        truth.push_back(gap);
      }
    }
    medians.push_back(MedianOf(gaps));
  }
  if (truth.empty()) return;
  char row[64];
  std::snprintf(row, sizeof(row), "median (truth %.3f)", MedianOf(truth));
  report.Add(section, row, medians, truth.size());
}

void EvaluateTables(const EvalLandmarkArguments& a, const Landmarkers& landmarkers, Report& report) {
  for (const std::string& path : a.data) {
    std::vector<EvalFace> faces = FacesOfTables(path);
    if (a.most > 0 && faces.size() > static_cast<std::size_t>(a.most)) faces.resize(static_cast<std::size_t>(a.most));
    if (faces.empty()) throw BadInputError(path + ": holds no face whose inner points are known");
    const auto found = FindAll(landmarkers, faces, a.jobs);
    const auto eyes = [](const Landmarks68& p) { return static_cast<double>(features::InterOcularDistance(p)); };
    const bool turned = std::any_of(faces.begin(), faces.end(), [](const EvalFace& f) { return std::isfinite(f.truth.pose.yaw); });
    if (!turned) AddErrors(report, path + ": mean distance by that of the eyes", faces, found, [](const EvalFace&) { return true; }, eyes);
    for (std::size_t b = 0; turned && b + 1 < kBands.size(); ++b) {
      char title[96];
      std::snprintf(title, sizeof(title), ": |yaw| %.0f to %.0f degrees, mean distance by that of the eyes", kBands[b], kBands[b + 1]);
      AddErrors(report, path + title, faces, found,
                [&](const EvalFace& f) { return std::abs(f.truth.pose.yaw) >= kBands[b] && std::abs(f.truth.pose.yaw) < kBands[b + 1]; }, eyes);
    }
    AddErrors(report, path + ": all faces, by that of the outer eye corners", faces, found, [](const EvalFace&) { return true; },
              OuterEyeDistance);
    AddPoses(report, path + ": mean error of the pose, degrees", faces, found);
    AddGaps(report, path + ": gap between shut lids by the eye's width", faces, found);
  }
}

void EvaluateXml(const EvalLandmarkArguments& a, const Landmarkers& landmarkers, Report& report) {
  for (const std::string& path : a.xml) {
    std::vector<EvalFace> faces;
    for (const XmlFace& face : ReadDlibXml(path)) faces.push_back({face.truth, face.box});
    AddErrors(report, path + ": mean distance by that of the outer eye corners", faces, FindAll(landmarkers, faces, a.jobs),
              [](const EvalFace&) { return true; }, OuterEyeDistance);
  }
}

void EvaluateConsistency(const EvalLandmarkArguments& a, const Landmarkers& landmarkers, Report& report) {
  for (const std::string& path : a.consistency) {
    std::vector<EvalFace> faces = FacesOfTables(path);
    if (a.most > 0 && faces.size() > static_cast<std::size_t>(a.most)) faces.resize(static_cast<std::size_t>(a.most));
    const std::vector<Disturbance>& kinds = Disturbances();
    std::vector<std::vector<std::vector<double>>> moved(
        kinds.size(), std::vector<std::vector<double>>(landmarkers.size(), std::vector<double>(faces.size())));
    ForEach(faces.size(), a.jobs, [&](std::size_t f) {
      const cv::Mat image = Read(faces[f].truth.picture);
      for (std::size_t l = 0; l < landmarkers.size(); ++l) {
        const Landmarks68 still = landmarkers[l]->FindSteady(image, faces[f].box);
        for (std::size_t k = 0; k < kinds.size(); ++k)
          moved[k][l][f] = Movement(*landmarkers[l], image, faces[f].box, still, kinds[k]);
      }
    });
    std::vector<double> total(landmarkers.size(), 0);
    for (std::size_t k = 0; k < kinds.size(); ++k) {
      std::vector<double> means;
      for (std::size_t l = 0; l < landmarkers.size(); ++l) {
        means.push_back(MeanOf(moved[k][l]));
        total[l] += means.back() / static_cast<double>(kinds.size());
      }
      report.Add(path + ": mean movement by the distance of the eyes", kinds[k].name, means, faces.size());
    }
    report.Add(path + ": mean movement by the distance of the eyes", "mean", total, faces.size());
  }
}

int RunEvalLandmarks(const EvalLandmarkArguments& a) {
  if (a.data.empty() && a.xml.empty() && a.consistency.empty())
    throw UsageError("nothing to judge by; name tables of points with --data, dlib's XML with --xml or pictures with --consistency");
  std::vector<std::string> names = a.landmarkers;
  if (names.empty()) names = {annotator::DefaultLandmarks()};
  Landmarkers landmarkers;
  std::vector<std::string> columns;
  for (const std::string& name : names) {
    landmarkers.push_back(std::make_unique<annotator::Landmarker>(name));
    columns.push_back(landmarkers.back()->Name());
  }
  Report report(columns);
  EvaluateTables(a, landmarkers, report);
  EvaluateXml(a, landmarkers, report);
  EvaluateConsistency(a, landmarkers, report);
  std::cout << (a.json ? report.json().dump(1) + "\n" : report.text());
  return kDone;
}

}  // namespace

void AddEvalLandmarks(Cli& cli) {
  auto a = std::make_shared<EvalLandmarkArguments>();
  a->jobs = AvailableCores();
  Command command = cli.Add("eval-landmarks", "Judge landmarkers by pictures whose points are known, and by themselves",
                            "auforge synth faces --method cg --turned 0.4 --seed 9 -o shards/ --images held/\n"
                            "  auforge eval-landmarks --data held/ --landmarks auforge --landmarks dlib");
  command.Add("--data", a->data, "tables of points, or folders of them: 'synth faces --images', tools/landmarks");
  command.Add("--xml", a->xml, "dlib's XML of images, boxes and 68 parts");
  command.Add("--consistency", a->consistency,
              "tables of points whose pictures are shown mirrored, compressed, halved and with boxes that are off");
  command.Add("--landmarks", a->landmarkers, "auforge, dlib[:FILE] or FILE; several stand side by side");
  command.Add("--most", a->most, "faces of each, 0: all").Range(0, 1e9);
  command.Add("-j,--jobs", a->jobs, "threads").Range(1, 1024);
  command.Flag("--json", a->json, "for machines");
  command.Run([a] { return RunEvalLandmarks(*a); });
}

}  // namespace auforge::tools
