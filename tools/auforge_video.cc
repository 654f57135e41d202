// auforge-video: decodes a video for auforge, which reads frames from a pipe. A program of its own because
// the libraries that decode video cost every start 60 ms and more, and so that a file that crashes one of
// them ends that file, not the run.
//
//   auforge-video FILE <wanted >frames
//
// wanted: numbers of frames, from 1, ascending, a line each; nothing = all. Out, for each: "FRAME number
// bytes\n" and the frame as BMP; then "END frames\n", the number of frames that were read, or "ERROR what is
// wrong\n".
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/videoio.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr double kMostPixels = 1e8;

bool Write(const void* data, std::size_t size) { return std::fwrite(data, 1, size, stdout) == size; }
bool Say(const std::string& line) { return Write((line + "\n").data(), line.size() + 1); }

int Fail(const std::string& text) {
  Say("ERROR " + text);
  std::fflush(stdout);
  return 3;
}

std::vector<long> ReadWanted() {
  std::vector<long> wanted;
  for (long number = 0; std::cin >> number;) wanted.push_back(number);
  return wanted;
}

// The container's own number of frames says whether all are there; where it is computed from a duration it
// may be off by a little.
bool IsCutShort(long read, double said) {
  return said > 0 && said < 1e9 && static_cast<double>(read) + std::max(1.0, said / 100) < said;
}

int Decode(const std::string& file) {
  const std::vector<long> wanted = ReadWanted();
  if (!std::ifstream(file)) return Fail("cannot be read");
  // A path with a leading slash is a file to every library, never an address or a pattern.
  cv::VideoCapture video(std::filesystem::absolute(file).string(), cv::CAP_FFMPEG);
  if (!video.isOpened()) return Fail("is no video that can be decoded; copy it again from its source");
  if (video.get(cv::CAP_PROP_FRAME_WIDTH) * video.get(cv::CAP_PROP_FRAME_HEIGHT) > kMostPixels)
    return Fail("frames of more than " + std::to_string(static_cast<long>(kMostPixels)) + " pixels");
  const double said = video.get(cv::CAP_PROP_FRAME_COUNT);
  std::size_t next = 0;
  cv::Mat frame;
  std::vector<std::uint8_t> bytes;
  long read = 0;
  while ((wanted.empty() || next < wanted.size()) && video.grab()) {
    ++read;
    while (next < wanted.size() && wanted[next] < read) ++next;
    if (!wanted.empty() && (next == wanted.size() || wanted[next] != read)) continue;
    if (!video.retrieve(frame) || !cv::imencode(".bmp", frame, bytes))
      return Fail("frame " + std::to_string(read) +
                  " cannot be decoded; copy the video again from its source");
    if (!Say("FRAME " + std::to_string(read) + " " + std::to_string(bytes.size())) ||
        !Write(bytes.data(), bytes.size()))
      return 1;
    std::fflush(stdout);
  }
  const bool is_done = !wanted.empty() && wanted.back() <= read;
  if (!is_done && IsCutShort(read, said)) {
    return Fail("is cut short: it ends after frame " + std::to_string(read) + " of " +
                std::to_string(static_cast<long>(said)) + "; copy it again from its source");
  }
  Say("END " + std::to_string(read));
  std::fflush(stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || std::string_view(argv[1]).starts_with("-")) {
    std::cerr << "usage: auforge-video FILE <frames-wanted >frames\nDecodes a video for auforge; see "
                 "docs/ingestion.md.\n";
    return argc == 2 && std::string_view(argv[1]) == "--help" ? 0 : 2;
  }
  // What is wrong with a video is told by us, once.
  setenv("OPENCV_FFMPEG_LOGLEVEL", "-8", 1);
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  try {
    return Decode(argv[1]);
  } catch (const std::exception& error) {
    return Fail(error.what());
  }
}
