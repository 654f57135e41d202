#include "datasets/video_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "datasets/storage/child_groups.h"
#include "datasets/storage/installed.h"
#include "datasets/storage/memory_fault.h"

namespace auforge::datasets {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestFrame = 512U << 20;  // bytes of a BMP

std::string Decoder(const std::string& configured) {
  if (!configured.empty()) return configured;
  const std::string beside = storage::ProgramBeside("auforge-video");
  if (!beside.empty()) return beside;
  std::error_code error;
  if (fs::exists(AUFORGE_VIDEO_PROGRAM, error)) return AUFORGE_VIDEO_PROGRAM;
  return "auforge-video";
}

// The decoder with the ends of its pipes. Throws std::runtime_error where it cannot be started, has ended, or
// says nothing for too long.
class Process {
 public:
  Process(const std::string& program, const std::string& file, int seconds) : seconds_(seconds) {
    int to[2], from[2];
    if (pipe2(to, O_CLOEXEC) != 0) throw std::runtime_error("no pipe for " + program);
    if (pipe2(from, O_CLOEXEC) != 0) {
      close(to[0]), close(to[1]);
      throw std::runtime_error("no pipe for " + program);
    }
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, to[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, from[1], STDOUT_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    // Ctrl-C is for the run: it closes the pipe, which ends the decoder.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    char* const arguments[] = {const_cast<char*>(program.c_str()), const_cast<char*>(file.c_str()), nullptr};
    const int error = posix_spawnp(&pid_, program.c_str(), &files, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    close(to[0]);
    close(from[1]);
    in_ = to[1];
    out_ = from[0];
    if (error == 0) {
      group_.emplace(pid_);
      return;
    }
    pid_ = -1;
    Close();
    throw std::runtime_error(program + ": " + std::strerror(error) +
                             "; videos need this program (tools/build.sh release auforge-video)");
  }
  ~Process() { Close(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Everything there is to ask; the decoder reads it before it answers. A decoder that died already says so
  // itself by saying nothing, and must not take us with it.
  void Ask(const std::string& text) {
    sigset_t pipe, before;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    bool broken = false;
    for (std::size_t at = 0; at < text.size() && !broken;) {
      const ssize_t wrote = write(in_, text.data() + at, text.size() - at);
      if (wrote > 0) at += static_cast<std::size_t>(wrote);
      broken = wrote < 0 && errno != EINTR;
    }
    const timespec at_once{0, 0};
    if (broken) sigtimedwait(&pipe, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    close(in_);
    in_ = -1;
  }

  std::string Line() {
    std::size_t end = 0;
    while ((end = buffer_.find('\n')) == std::string::npos) {
      if (buffer_.size() > 65536) throw std::runtime_error("its decoder talks nonsense");
      char bytes[65536];
      buffer_.append(bytes, Read(bytes, sizeof(bytes)));
    }
    std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    return line;
  }

  std::vector<std::uint8_t> Bytes(std::size_t size) {
    std::vector<std::uint8_t> bytes(size);
    std::size_t at = std::min(size, buffer_.size());
    std::memcpy(bytes.data(), buffer_.data(), at);
    buffer_.erase(0, at);
    while (at < size) at += Read(bytes.data() + at, size - at);
    return bytes;
  }

 private:
  std::size_t Read(void* to, std::size_t size) {
    pollfd waiting{out_, POLLIN, 0};
    int ready = 0;
    while ((ready = poll(&waiting, 1, seconds_ * 1000)) < 0 && errno == EINTR) {
    }
    if (ready == 0) throw std::runtime_error("its decoder took more than " + std::to_string(seconds_) + " s");
    ssize_t got = 0;
    while ((got = read(out_, to, size)) < 0 && errno == EINTR) {
    }
    if (got <= 0) throw std::runtime_error("its decoder broke down");
    return static_cast<std::size_t>(got);
  }
  void Close() {
    if (in_ >= 0) close(in_);
    if (out_ >= 0) close(out_);
    in_ = out_ = -1;
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);  // it owns nothing that would want tidying up
    waitpid(pid_, nullptr, 0);
    group_.reset();
    pid_ = -1;
  }

  int seconds_;
  pid_t pid_ = -1;
  std::optional<storage::ChildGroup> group_;
  int in_ = -1, out_ = -1;
  std::string buffer_;
};

}  // namespace

void VideoOptions::Validate() const {
  if (seconds < 1)
    throw std::invalid_argument("video.seconds = " + std::to_string(seconds) + "; must be >= 1");
  if (!std::is_sorted(frames.begin(), frames.end()) || (!frames.empty() && frames.front() < 1))
    throw std::invalid_argument("video.frames must be >= 1 and ascending");
}

bool LooksLikeVideo(const std::string& name) {
  std::string extension = fs::path(name).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  static constexpr const char* kKnown[] = {".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".mpg",  ".mpeg",
                                           ".wmv", ".flv", ".3gp", ".3g2", ".ts",  ".mts",  ".m2ts", ".ogv"};
  return std::any_of(std::begin(kKnown), std::end(kKnown), [&](const char* e) { return extension == e; });
}

struct VideoReader::Impl {
  std::string path;
  VideoOptions options;
  std::unique_ptr<Process> process;
  bool is_over = false;
  long frame = 0;
  long frames_read = 0;

  // The decoder's lines: "FRAME number bytes seconds" and that many bytes, "LOST number", "END frames", "ERROR what is wrong".
  void Read(ImageItem& item) {
    if (!process) {
      std::error_code error;
      if (!fs::is_regular_file(path, error)) throw std::runtime_error("no such file");
      process =
          std::make_unique<Process>(Decoder(options.program), fs::absolute(path).string(), options.seconds);
      std::string wanted;
      for (const long n : options.frames) wanted += std::to_string(n) + "\n";
      process->Ask(wanted);
    }
    const std::string line = process->Line();
    std::istringstream fields(line);
    std::string word;
    std::size_t size = 0;
    fields >> word;
    if (word == "ERROR") throw std::runtime_error(line.substr(std::min<std::size_t>(line.size(), 6)));
    if (word == "END" && fields >> frames_read) {
      is_over = true;
      return;
    }
    const bool is_lost = word == "LOST";
    const bool is_good = is_lost ? static_cast<bool>(fields >> frame)
                                 : word == "FRAME" && fields >> frame >> size >> item.timestamp && size <= kLargestFrame;
    if (!is_good) throw std::runtime_error("its decoder talks nonsense");
    frames_read = frame;
    if (is_lost) {
      item.status = Outcome::kUndecodable;
      item.message = "this frame of the video is damaged";
    } else {
      item.bytes = process->Bytes(size);
    }
    std::string number = std::to_string(frame);
    if (number.size() < 5) number.insert(0, 5 - number.size(), '0');
    item.key = fs::path(path).stem().string() + "/" + number;
    item.path = path + ":" + std::to_string(frame);
    item.frame = frame;
  }
};

VideoReader::VideoReader(std::string path, VideoOptions options) : impl_(std::make_unique<Impl>()) {
  options.Validate();
  impl_->path = std::move(path);
  impl_->options = std::move(options);
}
VideoReader::~VideoReader() = default;

bool VideoReader::Next(ImageItem& item) {
  item = ImageItem{};
  impl_->frame = 0;
  if (impl_->is_over) return false;
  try {
    impl_->Read(item);
    if (impl_->is_over) impl_->process.reset();
    return !impl_->is_over;
  } catch (const std::runtime_error& error) {
    impl_->is_over = true;
    impl_->process.reset();
    if (storage::IsOutOfMemory(error)) throw;
    impl_->frame = 0;
    item = ImageItem{};
    item.key = fs::path(impl_->path).stem().string();
    item.path = impl_->path;
    item.status = Outcome::kUnreadable;
    item.message = error.what();
    return true;
  }
}

long VideoReader::frame() const { return impl_->frame; }
long VideoReader::frames_read() const { return impl_->frames_read; }

}  // namespace auforge::datasets
