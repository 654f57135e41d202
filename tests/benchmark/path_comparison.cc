// What speed costs: the faces and AUs of the fast paths against the slow one, which decodes everything at
// full size and looks for faces of 40 pixels with dlib's detector in enlarged pictures.
//   path_comparison [--portraits DIR] [--photos DIR] [--yunet MODEL]      (defaults as of throughput)
// Faces of the slow path that are at least as large as a fast path looks for and are missing there count as
// lost.
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "datasets/shard.h"
#include "features/align.h"
#include "pipeline/annotate.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"

namespace {

using namespace auforge;
namespace fs = std::filesystem;

struct Face {
  features::Box box;
  features::Landmarks68 landmarks;
  std::vector<float> intensity;
};
using Faces = std::map<std::string, std::vector<Face>>;  // by key

struct Result {
  Faces faces;
  double cpu = 0;  // seconds
  std::uint64_t images = 0;
};

double Cpu() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Result Run(pipeline::AnnotateOptions options, const std::string& output) {
  options.output = output;
  options.jobs = 1;
  Result result;
  const double start = Cpu();
  result.images = pipeline::Annotate(options, {}, {}).images;
  result.cpu = Cpu() - start;
  for (const std::string& path : datasets::FindShards({output})) {
    const datasets::ShardReader shard(path);
    for (std::size_t i = 0; i < shard.FaceCount(); ++i) {
      const std::string& key = shard.Sample(static_cast<std::size_t>(shard.FaceSample()[i])).key;
      result.faces[fs::path(path).filename().string() + "/" + key].push_back(
          {shard.FaceBox(i), shard.Landmarks(i), shard.Face(i).aus.intensity});
    }
  }
  return result;
}

// Boxes of different detectors: the same face when the eyes are at the same place.
bool Same(const Face& a, const Face& b) {
  const features::Point2 p =
      features::Midpoint(features::RightEyeCentre(a.landmarks), features::LeftEyeCentre(a.landmarks));
  const features::Point2 q =
      features::Midpoint(features::RightEyeCentre(b.landmarks), features::LeftEyeCentre(b.landmarks));
  return features::Distance(p, q) < 0.5F * features::InterOcularDistance(a.landmarks);
}

double Correlation(const std::vector<std::pair<double, double>>& pairs) {
  double mx = 0, my = 0;
  const auto n = static_cast<double>(pairs.size());
  for (const auto& [x, y] : pairs) mx += x / n, my += y / n;
  double xx = 0, yy = 0, xy = 0;
  for (const auto& [x, y] : pairs)
    xx += (x - mx) * (x - mx), yy += (y - my) * (y - my), xy += (x - mx) * (y - my);
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : NAN;
}

struct Comparison {
  std::size_t wanted = 0, lost = 0, more = 0, matched = 0;
  double landmark_distance = 0;       // in inter-ocular distances, mean
  double presence_changes = 0;        // share of face-AUs
  double correlation = 0, worst = 1;  // of AU intensities: mean and least over AUs that vary
};

Comparison Compare(const Result& slow, const Result& fast, double least_face) {
  Comparison c;
  std::vector<std::vector<std::pair<double, double>>> pairs;
  std::size_t changes = 0, values = 0, fast_faces = 0;
  for (const auto& [key, faces] : fast.faces) fast_faces += faces.size();
  for (const auto& [key, faces] : slow.faces) {
    const auto found = fast.faces.find(key);
    for (const Face& face : faces) {
      const Face* same = nullptr;
      if (found != fast.faces.end()) {
        for (const Face& other : found->second) same = Same(face, other) ? &other : same;
      }
      // dlib's boxes come in steps of 1.2.
      const bool is_wanted = face.box.width >= 1.1 * least_face;
      c.wanted += is_wanted;
      if (same == nullptr) {
        c.lost += is_wanted;
        continue;
      }
      ++c.matched;
      for (std::size_t i = 0; i < features::kLandmarkCount; ++i) {
        c.landmark_distance += features::Distance(face.landmarks[i], same->landmarks[i]) /
                               features::InterOcularDistance(face.landmarks) / features::kLandmarkCount;
      }
      pairs.resize(face.intensity.size());
      for (std::size_t j = 0; j < face.intensity.size(); ++j) {
        pairs[j].emplace_back(face.intensity[j], same->intensity[j]);
        changes += (face.intensity[j] >= 1) != (same->intensity[j] >= 1);
        ++values;
      }
    }
  }
  c.more = fast_faces - std::min(fast_faces, c.matched);
  c.landmark_distance /= std::max<double>(1, static_cast<double>(c.matched));
  c.presence_changes = static_cast<double>(changes) / std::max<double>(1, static_cast<double>(values));
  int varying = 0;
  for (const auto& au : pairs) {
    const double r = Correlation(au);
    if (std::isnan(r)) continue;
    c.correlation += r;
    c.worst = std::min(c.worst, r);
    ++varying;
  }
  c.correlation /= std::max(1, varying);
  return c;
}

void Table(const char* name, const std::vector<std::string>& inputs, const std::string& yunet) {
  const tests::TempDir dir;
  pipeline::AnnotateOptions base;
  base.inputs = inputs;
  base.reduce = false;
  base.min_face = 40;
  const Result slow = Run(base, dir / "slow");
  std::size_t faces = 0;
  for (const auto& [key, all] : slow.faces) faces += all.size();
  std::printf(
      "\n## %s: %llu pictures, the slow path finds %zu faces in %.1f ms of processor time a picture\n\n",
      name, static_cast<unsigned long long>(slow.images), faces,
      1e3 * slow.cpu / static_cast<double>(slow.images));
  std::printf(
      "| path | faces wanted | lost | others found | landmarks apart (share of eye distance) | AU intensity "
      "correlation, mean (least) | presence changes | CPU ms/picture |\n");
  std::printf("|---|---|---|---|---|---|---|---|\n");
  int run = 0;
  for (const char* detector : {"hog", "yunet", "auforge"}) {
    if (std::string(detector) == "yunet" && yunet.empty()) continue;
    for (const int min_face : {40, 80, 200}) {
      pipeline::AnnotateOptions options = base;
      options.reduce = true;
      options.detector = detector;
      if (options.detector == "yunet") options.detector_model = yunet;
      options.min_face = min_face;
      const Result fast = Run(options, dir / std::to_string(run++));
      const Comparison c = Compare(slow, fast, min_face);
      std::printf("| %s, --min-face %d | %zu | %zu | %zu | %.4f | %.3f (%.3f) | %.1f %% | %.1f |\n", detector,
                  min_face, c.wanted, c.lost, c.more, c.landmark_distance, c.correlation, c.worst,
                  100 * c.presence_changes, 1e3 * fast.cpu / static_cast<double>(fast.images));
      std::fflush(stdout);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> arguments;
  for (int i = 1; i + 1 < argc; i += 2) arguments[argv[i]] = argv[i + 1];
  const auto argument = [&arguments](const char* name, const std::string& otherwise) {
    return arguments.contains(name) ? arguments[name] : otherwise;
  };
  const char* photos_variable = std::getenv("AUFORGE_PHOTOS");
  const std::string portraits = argument("--portraits", tests::DataPath("portraits").value_or(""));
  const std::string photos = argument("--photos", photos_variable != nullptr ? photos_variable : "");
  const std::string yunet =
      argument("--yunet", tests::DataPath("models/face_detection_yunet_2022mar.onnx").value_or(""));
  std::vector<std::string> tars;
  if (!portraits.empty()) {
    for (const auto& entry : fs::directory_iterator(portraits)) {
      if (entry.path().extension() == ".tar") tars.push_back(entry.path().string());
    }
  }
  std::sort(tars.begin(), tars.end());
  if (!tars.empty()) Table("portraits", tars, yunet);
  if (!photos.empty()) Table("dlib's photos", {photos}, yunet);
  return 0;
}
