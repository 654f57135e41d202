// End-to-end throughput of annotation, beside one thread's plain dlib detection and landmarks for the same
// pictures: the ratio travels between machines, the images a second do not.
//   throughput [--portraits DIR] [--photos DIR] [--yunet MODEL] [--images N] [--jobs N]
// Defaults: AUFORGE_DATA/portraits, AUFORGE_PHOTOS, AUFORGE_DATA/models/face_detection_yunet_2022mar.onnx,
// 1200, 2.
#include <dlib/image_processing.h>
#include <dlib/image_processing/frontal_face_detector.h>
#include <dlib/opencv.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <opencv2/core/utility.hpp>
#include <opencv2/imgproc.hpp>

#include "annotator/landmarker.h"
#include "datasets/image_codec.h"
#include "datasets/image_source.h"
#include "pipeline/annotate.h"
#include "pipeline/stopwatch.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"

namespace {

using namespace auforge;
namespace fs = std::filesystem;

double Wall() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double Seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
}

struct Cost {
  double wall = 0, cpu = 0;  // seconds
  double memory = 0;         // MB at the peak
  std::uint64_t images = 0, faces = 0;
};

// In a process of its own, so that start-up and memory are those of a run.
Cost Run(const pipeline::AnnotateOptions& options) {
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) std::abort();
  const double start = Wall();
  const pid_t child = fork();
  if (child == 0) {
    std::uint64_t counts[2] = {0, 0};
    try {
      const auto summary = pipeline::Annotate(options, {}, {});
      counts[0] = summary.images;
      counts[1] = summary.faces;
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
    }
    const bool written = write(pipe_ends[1], counts, sizeof(counts)) == static_cast<ssize_t>(sizeof(counts));
    _exit(written ? 0 : 1);
  }
  close(pipe_ends[1]);
  std::uint64_t counts[2] = {0, 0};
  if (read(pipe_ends[0], counts, sizeof(counts)) != static_cast<ssize_t>(sizeof(counts))) std::abort();
  close(pipe_ends[0]);
  rusage usage{};
  int status = 0;
  wait4(child, &status, 0, &usage);
  return {Wall() - start, Seconds(usage.ru_utime) + Seconds(usage.ru_stime),
          static_cast<double>(usage.ru_maxrss) / 1000, counts[0], counts[1]};
}

struct Plain {
  double wall = 0, cpu = 0;  // seconds a picture
};

// dlib's own detector and shape predictor, nothing of ours, one thread, pictures decoded before.
Plain PlainDlib(const std::vector<cv::Mat>& pictures) {
  static dlib::frontal_face_detector detector = dlib::get_frontal_face_detector();
  static const dlib::shape_predictor predictor = [] {
    dlib::shape_predictor p;
    dlib::deserialize(annotator::LandmarkFile("dlib")) >> p;
    return p;
  }();
  const double wall = Wall(), cpu = pipeline::Stopwatch::Now();
  for (const cv::Mat& picture : pictures) {
    cv::Mat grey;
    cv::cvtColor(picture, grey, cv::COLOR_BGR2GRAY);
    for (const dlib::rectangle& box : detector(dlib::cv_image<unsigned char>(grey))) {
      predictor(dlib::cv_image<dlib::bgr_pixel>(picture), box);
    }
  }
  const auto n = static_cast<double>(pictures.size());
  return {(Wall() - wall) / n, (pipeline::Stopwatch::Now() - cpu) / n};
}

std::vector<cv::Mat> Decode(const std::vector<std::string>& inputs, std::size_t most) {
  std::vector<cv::Mat> pictures;
  const auto source = datasets::ImageSource::Plan(inputs, {});
  for (const auto& shard : source.Shards()) {
    const auto reader = source.Open(shard);
    for (datasets::ImageItem item; pictures.size() < most && reader->Next(item);) {
      const auto image = datasets::DecodeImage(item.bytes, {});
      if (image.status == datasets::Outcome::kOk) pictures.push_back(image.bgr);
    }
  }
  return pictures;
}

// dlib's photos of at most 500 pixels a side, linked until there are `images`.
std::vector<std::string> RepeatPhotos(const std::string& folder, const std::string& to, std::size_t images) {
  std::vector<fs::path> photos;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".jpg") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
    const auto size = datasets::PeekSize(bytes);
    if (std::max(size.width, size.height) <= 500) photos.push_back(entry.path());
  }
  std::sort(photos.begin(), photos.end());
  fs::create_directories(to);
  for (std::size_t i = 0; i < images && !photos.empty(); ++i) {
    char name[32];
    std::snprintf(name, sizeof(name), "%06zu.jpg", i);
    fs::create_symlink(photos[i % photos.size()], fs::path(to) / name);
  }
  return {to};
}

std::vector<std::string> RepeatTars(const std::string& folder, std::size_t images) {
  std::vector<std::string> tars, inputs;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".tar") tars.push_back(entry.path().string());
  }
  std::sort(tars.begin(), tars.end());
  for (std::size_t i = 0; !tars.empty() && i * 95 < images; ++i) inputs.push_back(tars[i % tars.size()]);
  return inputs;
}

void Measure(const char* name, const std::vector<std::string>& inputs, const std::string& yunet, int jobs) {
  const auto pictures = Decode(inputs, 100);
  if (pictures.empty()) return;
  const tests::TempDir out;
  int run = 0;
  Plain plain = PlainDlib(pictures);
  std::printf("\n## %s: plain dlib, one thread: %.2f ms a picture (%.2f ms of processor time)\n\n", name,
              1e3 * plain.wall, 1e3 * plain.cpu);
  std::printf(
      "| detector | threads | images/s | images/s without start-up | CPU ms/image | in plain dlib threads | "
      "by CPU time | MB | faces |\n");
  std::printf("|---|---|---|---|---|---|---|---|---|\n");
  for (const char* detector : {"hog", "yunet", "auforge"}) {
    if (std::strcmp(detector, "yunet") == 0 && yunet.empty()) continue;
    for (const int threads : {1, jobs}) {
      pipeline::AnnotateOptions options;
      options.detector = detector;
      if (std::strcmp(detector, "yunet") == 0) options.detector_model = yunet;
      options.jobs = threads;
      options.inputs = inputs;
      options.output = out / std::to_string(run++);
      // Start-up: the same with one picture of rubbish.
      pipeline::AnnotateOptions nothing = options;
      const std::string rubbish = out / (std::to_string(run) + ".jpg");
      std::ofstream(rubbish) << "rubbish";
      nothing.inputs = {rubbish};
      nothing.output = out / std::to_string(run++);
      const Cost start_up = Run(nothing);
      const Plain before = PlainDlib(pictures);
      const Cost cost = Run(options);
      const Plain after = PlainDlib(pictures);
      const double plain_wall = (before.wall + after.wall) / 2, plain_cpu = (before.cpu + after.cpu) / 2;
      const auto n = static_cast<double>(cost.images);
      const double steady = n / std::max(1e-9, cost.wall - start_up.wall);
      const double cpu_each = (cost.cpu - start_up.cpu) / n;
      std::printf("| %s | %d | %.0f | %.0f | %.2f | %.2f | %.2f | %.0f | %llu |\n", detector, threads,
                  n / cost.wall, steady, 1e3 * cpu_each, steady * plain_wall, threads * plain_cpu / cpu_each,
                  cost.memory, static_cast<unsigned long long>(cost.faces));
      std::fflush(stdout);
      if (threads == 1 && std::strcmp(detector, "hog") == 0) {
        std::fprintf(stderr, "start-up: %.2f s (%.2f s of processor time)\n", start_up.wall, start_up.cpu);
      }
      if (jobs == 1) break;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  cv::setNumThreads(0);
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
  const auto images = static_cast<std::size_t>(std::stoul(argument("--images", "1200")));
  const int jobs = std::stoi(argument("--jobs", "2"));
  double load[1] = {0};
  if (getloadavg(load, 1) == 1)
    std::printf("load of the machine before the start: %.2f on %ld processors\n", load[0],
                sysconf(_SC_NPROCESSORS_ONLN));
  const tests::TempDir dir;
  if (!portraits.empty()) Measure("portraits", RepeatTars(portraits, images), yunet, jobs);
  if (!photos.empty())
    Measure("photos of 500x375", RepeatPhotos(photos, dir / "photos", images), yunet, jobs);
  return 0;
}
