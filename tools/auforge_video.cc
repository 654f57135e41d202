// auforge-video: decodes a video for auforge, which reads frames from a pipe. A program of its own because
// the libraries that decode video cost every start 60 ms and more, and so that a file that crashes one of
// them ends that file, not the run.
//
//   auforge-video FILE <wanted >frames
//
// wanted: numbers of frames, from 1, ascending, a line each; nothing = all. Out, for each: "FRAME number bytes
// seconds\n" and the frame as BMP, or "LOST number\n" where it cannot be decoded; then "END frames\n", the number of
// frames that were read or lost, or "ERROR what is wrong\n".
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <new>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/videoio.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
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

// The library says "no" for want of memory, too: errno tells, which a failed allocation sets and nothing but another
// failure changes. Call with errno = 0 before.
bool IsGiven(bool answer) {
  if (!answer && errno == ENOMEM) throw std::bad_alloc();
  return answer;
}

std::vector<long> ReadWanted() {
  std::vector<long> wanted;
  for (long number = 0; std::cin >> number;) wanted.push_back(number);
  if (!std::cin.eof()) throw std::runtime_error("was asked for a frame that is no number");
  return wanted;
}

// The container's own number of frames says whether all are there; where it is computed from a duration it
// may be off by a little.
bool IsCutShort(long read, double said) {
  return said > 0 && said < 1e9 && static_cast<double>(read) + std::max(1.0, said / 100) < said;
}

// The frames of a video, counted from 1 as a player does: one that cannot be decoded is one of them.
class Frames {
 public:
  explicit Frames(cv::VideoCapture& video) : video_(video) {}

  // Goes on to the next frame that can be decoded; false at the end of the video. `first_lost`: the first of those
  // between it and the one before, number() where there are none.
  bool Next(long& first_lost) {
    // The library says "no" for a frame that is damaged and for the end alike: only a frame behind it tells which it
    // was. So many in a row are the end.
    constexpr long kMostLostInARow = 1000;
    for (long lost = 0; lost <= kMostLostInARow; ++lost) {
      errno = 0;
      if (!IsGiven(video_.grab())) continue;
      first_lost = number_ + 1;
      number_ += lost + 1;
      any_lost_ = any_lost_ || lost > 0;
      return true;
    }
    return false;
  }
  long number() const { return number_; }
  bool any_lost() const { return any_lost_; }

 private:
  cv::VideoCapture& video_;
  long number_ = 0;
  bool any_lost_ = false;
};

// Which frames are asked for; asked about with rising numbers.
class Wanted {
 public:
  explicit Wanted(std::vector<long> numbers) : numbers_(std::move(numbers)) {}
  bool Contains(long number) {
    while (next_ < numbers_.size() && numbers_[next_] < number) ++next_;
    return numbers_.empty() || (next_ < numbers_.size() && numbers_[next_] == number);
  }
  // All up to this one are answered.
  bool EndsAt(long number) const { return !numbers_.empty() && numbers_.back() <= number; }

 private:
  std::vector<long> numbers_;
  std::size_t next_ = 0;
};

// When the frame that was just grabbed is shown. Containers that give frames no times have a rate.
double SecondsOf(const cv::VideoCapture& video, long number) {
  const double seconds = video.get(cv::CAP_PROP_POS_MSEC) / 1000;
  if (number == 1 || seconds > 0) return std::max(0.0, seconds);
  const double rate = video.get(cv::CAP_PROP_FPS);
  return rate > 0 ? static_cast<double>(number - 1) / rate : 0;
}

bool SayFrame(cv::VideoCapture& video, long number) {
  cv::Mat frame;
  std::vector<std::uint8_t> bytes;
  errno = 0;
  if (!IsGiven(video.retrieve(frame) && !frame.empty() && cv::imencode(".bmp", frame, bytes)))
    return Say("LOST " + std::to_string(number));
  return Say("FRAME " + std::to_string(number) + " " + std::to_string(bytes.size()) + " " +
             std::to_string(SecondsOf(video, number))) && Write(bytes.data(), bytes.size());
}

int Decode(const std::string& file) {
  Wanted wanted(ReadWanted());
  if (!std::ifstream(file)) return Fail("cannot be read");
  // A path with a leading slash is a file to every library, never an address or a pattern.
  errno = 0;
  cv::VideoCapture video(std::filesystem::absolute(file).string(), cv::CAP_FFMPEG);
  if (!IsGiven(video.isOpened())) return Fail("is no video that can be decoded; copy it again from its source");
  if (video.get(cv::CAP_PROP_FRAME_WIDTH) * video.get(cv::CAP_PROP_FRAME_HEIGHT) > kMostPixels)
    return Fail("frames of more than " + std::to_string(static_cast<long>(kMostPixels)) + " pixels");
  const double said = video.get(cv::CAP_PROP_FRAME_COUNT);
  Frames frames(video);
  long first_lost = 0;
  while (!wanted.EndsAt(frames.number()) && frames.Next(first_lost)) {
    for (long lost = first_lost; lost < frames.number(); ++lost) {
      if (wanted.Contains(lost) && !Say("LOST " + std::to_string(lost))) return 1;
    }
    if (wanted.Contains(frames.number()) && !SayFrame(video, frames.number())) return 1;
    std::fflush(stdout);
  }
  if (!wanted.EndsAt(frames.number()) && IsCutShort(frames.number(), said)) {
    const std::string of = std::to_string(frames.number()) + " of " + std::to_string(static_cast<long>(said));
    return Fail(frames.any_lost() ? "is damaged: only " + of + " frames could be found; copy it again from its source"
                                  : "is cut short: it ends after frame " + of + "; copy it again from its source");
  }
  Say("END " + std::to_string(frames.number()));
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
  } catch (const std::bad_alloc&) {
    return Fail("out of memory");
  } catch (const std::exception& error) {
    return Fail(error.what());
  }
}
