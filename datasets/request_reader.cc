// Paths and images from a pipe.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "datasets/internal/file_reader.h"
#include "datasets/live_source.h"

namespace auforge::datasets {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kLongestPath = 64 << 10;   // bytes; what is longer is no path
constexpr std::size_t kBlock = 256 << 10;        // bytes read at once
constexpr std::size_t kMostTaken = 4 << 20;      // bytes of images handed over at once; one may be more
constexpr std::chrono::milliseconds kGlance{100};  // between two looks at `stop`

class RequestReader : public LiveSource {
 public:
  RequestReader(int descriptor, std::uint64_t max_bytes) : descriptor_(descriptor), max_bytes_(max_bytes) {}

  bool Take(std::vector<ImageItem>& items, const LiveWait& wait) override {
    const std::size_t before = items.size();
    std::size_t bytes = 0;
    for (;;) {
      while (items.size() - before < wait.most && bytes < kMostTaken) {
        ImageItem item;
        if (!Parse(item)) break;
        bytes += item.bytes.size();
        items.push_back(std::move(item));
      }
      const bool has_some = items.size() > before;
      if (items.size() - before >= wait.most || bytes >= kMostTaken) return true;
      if (ended_) {
        ImageItem rest;
        if (!TakeRest(rest)) return has_some;
        items.push_back(std::move(rest));
        return true;
      }
      if (wait.stop && wait.stop()) return true;
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(wait.until - Clock::now());
      if (!has_some && left.count() < 0) return true;
      const auto time = has_some ? std::chrono::milliseconds(0) : std::clamp(left, std::chrono::milliseconds(0), kGlance);
      if (!Read(static_cast<int>(time.count())) && has_some) return true;
    }
  }

  std::string Fault() const override { return fault_; }

 private:
  std::size_t Unread() const { return buffer_.size() - at_; }

  // Whether there was something to read, the end included, within that many milliseconds.
  bool Read(int milliseconds) {
    pollfd wait{descriptor_, POLLIN, 0};
    const int ready = poll(&wait, 1, milliseconds);
    if (ready == 0 || (ready < 0 && errno == EINTR)) return false;
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ = 0;
    const std::size_t had = buffer_.size();
    buffer_.resize(had + kBlock);
    const ssize_t got = read(descriptor_, buffer_.data() + had, kBlock);
    const int error = errno;
    buffer_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && (error == EINTR || error == EAGAIN)) return false;
    if (got < 0) throw std::runtime_error(std::string("the requests cannot be read: ") + std::strerror(error));
    ended_ = got == 0;
    return true;
  }

  void Skip() {
    const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, Unread()));
    at_ += now;
    skip_ -= now;
  }

  // False where the next request is not there as a whole.
  bool Parse(ImageItem& item) {
    Skip();
    if (in_long_path_ && !SkipLongPath()) return false;
    if (in_image_) return FillImage(item);
    if (Unread() == 0) return false;
    return buffer_[at_] == 0 ? ParseImage(item) : ParsePath(item);
  }

  bool ParseImage(ImageItem& item) {
    if (Unread() < kLengthBytes) return false;
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < kLengthBytes; ++i) length = length << 8 | buffer_[at_ + i];
    at_ += kLengthBytes;
    image_ = {};
    image_.key = std::to_string(count_);
    image_.path = "request " + image_.key;
    if (length > max_bytes_) {
      skip_ = length;
      Skip();
      ++count_;
      item = std::move(image_);
      item.status = Outcome::kTooLarge;
      item.message = std::to_string(length) + " bytes; the limit is " + std::to_string(max_bytes_);
      return true;
    }
    in_image_ = true;
    length_ = static_cast<std::size_t>(length);
    return FillImage(item);
  }

  // Memory is taken as bytes come, not as a length promises them.
  bool FillImage(ImageItem& item) {
    const std::size_t now = std::min(length_ - image_.bytes.size(), Unread());
    const auto begin = buffer_.begin() + static_cast<std::ptrdiff_t>(at_);
    image_.bytes.insert(image_.bytes.end(), begin, begin + static_cast<std::ptrdiff_t>(now));
    at_ += now;
    if (image_.bytes.size() < length_) return false;
    in_image_ = false;
    ++count_;
    item = std::move(image_);
    return true;
  }

  bool ParsePath(ImageItem& item) {
    const auto begin = buffer_.begin() + static_cast<std::ptrdiff_t>(at_);
    const auto end = std::find_if(begin, buffer_.end(), [](std::uint8_t c) { return c == '\n' || c == 0; });
    const bool is_whole = end != buffer_.end();
    if (end - begin > static_cast<std::ptrdiff_t>(kLongestPath)) {
      at_ = static_cast<std::size_t>(end - buffer_.begin());
      in_long_path_ = true;
      SkipLongPath();
      Refuse(item, "a path of more than " + std::to_string(kLongestPath) + " bytes");
      return true;
    }
    if (!is_whole) return false;
    std::string path(begin, end);
    if (*end == '\n' && path.ends_with('\r')) path.pop_back();
    at_ += static_cast<std::size_t>(end - begin) + 1;
    ReadPath(path, item);
    return true;
  }

  bool SkipLongPath() {
    const auto begin = buffer_.begin() + static_cast<std::ptrdiff_t>(at_);
    const auto end = std::find_if(begin, buffer_.end(), [](std::uint8_t c) { return c == '\n' || c == 0; });
    in_long_path_ = end == buffer_.end();
    at_ = static_cast<std::size_t>(end - buffer_.begin()) + (in_long_path_ ? 0 : 1);
    return !in_long_path_;
  }

  void ReadPath(const std::string& path, ImageItem& item) {
    if (path.empty()) return Refuse(item, "an empty line names no image");
    const FileEntry entry{path, path, 0, true};
    FileReader(&entry, &entry + 1, max_bytes_).Next(item);
    ++count_;
  }

  void Refuse(ImageItem& item, const std::string& message) {
    item = {};
    item.key = std::to_string(count_++);
    item.path = "request " + item.key;
    item.status = Outcome::kUnreadable;
    item.message = message;
  }

  // What is left when the input has ended: a path without a line break, or part of an image. True where it gets an item.
  bool TakeRest(ImageItem& item) {
    const bool is_skipping = skip_ > 0;
    const std::vector<std::uint8_t> rest(buffer_.begin() + static_cast<std::ptrdiff_t>(at_), buffer_.end());
    skip_ = 0;
    buffer_.clear();
    at_ = 0;
    if (!is_skipping && !in_image_ && rest.empty()) return false;
    if (!is_skipping && !in_image_ && rest.front() != 0) {
      ReadPath(std::string(rest.begin(), rest.end()), item);
      return true;
    }
    in_image_ = false;
    fault_ = "the input ended within an image";
    if (is_skipping) return false;  // it has its answer already: too large
    Refuse(item, fault_);
    return true;
  }

  int descriptor_;
  std::uint64_t max_bytes_;
  std::vector<std::uint8_t> buffer_;
  std::size_t at_ = 0;           // of the first byte of buffer_ that is not read
  std::uint64_t count_ = 0;      // requests so far
  std::uint64_t skip_ = 0;       // bytes of an image that is too large
  bool in_long_path_ = false;    // its end is still to come
  bool in_image_ = false;        // image_ is incomplete: of its length_ bytes it has some
  std::size_t length_ = 0;
  ImageItem image_;
  bool ended_ = false;
  std::string fault_;
};

}  // namespace

std::unique_ptr<LiveSource> ReadRequests(int descriptor, std::uint64_t max_bytes) {
  return std::make_unique<RequestReader>(descriptor, max_bytes);
}

}  // namespace auforge::datasets
