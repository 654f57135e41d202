#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cctype>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "datasets/internal/tar_reader.h"

namespace auforge::datasets {
namespace {

using nlohmann::json;

// Captions and metadata are short; a longer one is cut off, not read into memory.
constexpr std::uint64_t kLongestMetadata = 1 << 20;

constexpr std::int64_t kBombBytes = 1LL << 28;
constexpr std::int64_t kBombRatio = 100;

struct MemberName {
  std::string key;       // with folders, up to the first dot of the base name
  std::string ending;    // after that dot, lower case
  bool is_metadata = false;  // __x__: belongs to the archive, not to a sample
};

MemberName SplitName(const std::string& name) {
  const std::size_t slash = name.rfind('/');
  const std::size_t base = slash == std::string::npos ? 0 : slash + 1;
  const std::size_t dot = name.find('.', base);
  MemberName result;
  result.key = name.substr(0, dot);
  if (dot != std::string::npos) result.ending = name.substr(dot + 1);
  std::transform(result.ending.begin(), result.ending.end(), result.ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string stem = result.key.substr(base);
  result.is_metadata = stem.size() > 4 && stem.starts_with("__") && stem.ends_with("__");
  return result;
}

bool IsImageEnding(const std::string& ending) {
  static const std::set<std::string> endings{"jpg", "jpeg", "jpe", "png", "webp", "bmp", "tif", "tiff", "gif", "img"};
  const std::size_t dot = ending.rfind('.');
  return endings.contains(dot == std::string::npos ? ending : ending.substr(dot + 1));
}

void ApplyJson(const std::string& text, ImageItem& item) {
  const json record = json::parse(text, nullptr, false);
  if (!record.is_object()) return;
  const auto take = [&record](const char* name, std::string& to) {
    const auto found = record.find(name);
    if (found != record.end() && found->is_string() && to.empty()) to = found->get<std::string>();
  };
  take("url", item.url);
  take("caption", item.keywords);
  take("license", item.licence);
  take("licence", item.licence);
}

class TarReader : public ItemReader {
 public:
  TarReader(std::string path, std::uint64_t max_bytes)
      : path_(std::move(path)), max_bytes_(max_bytes), archive_(archive_read_new(), archive_read_free) {
    archive_read_support_format_tar(archive_.get());
    archive_read_support_format_empty(archive_.get());
    archive_read_support_filter_all(archive_.get());
    // Two archives written one after the other into one file are read as one.
    archive_read_set_options(archive_.get(), "read_concatenated_archives");
  }

  bool Next(ImageItem& item) override {
    while (ready_.empty() && !finished_) Advance();
    if (ready_.empty()) return false;
    item = std::move(ready_.front());
    ready_.pop_front();
    return true;
  }

 private:
  void Advance() {
    if (!opened_) {
      opened_ = true;
      if (archive_read_open_filename(archive_.get(), path_.c_str(), 1 << 16) != ARCHIVE_OK) return Broken();
    }
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(archive_.get(), &entry);
    if (status == ARCHIVE_EOF) return Finish();
    if (status < ARCHIVE_WARN || IsBomb()) return Broken();
    const char* name = archive_entry_pathname_utf8(entry);
    if (name == nullptr) name = archive_entry_pathname(entry);
    if (name == nullptr || archive_entry_filetype(entry) != AE_IFREG) return;
    Member(name, archive_entry_size_is_set(entry) != 0 ? archive_entry_size(entry) : 0);
  }

  void Member(const std::string& name, std::int64_t size) {
    const MemberName member = SplitName(name);
    if (member.is_metadata) {
      if (!Discard()) Broken();
      return;
    }
    if (current_key_ != member.key) Flush();
    current_key_ = member.key;
    const bool is_image = IsImageEnding(member.ending);
    const bool is_caption = member.ending == "txt";
    const bool is_json = member.ending == "json";
    if (!is_image && !is_caption && !is_json) {
      if (!Discard()) Broken();
      return;
    }
    std::vector<std::uint8_t> bytes;
    // A size is known before anything is read: a sparse member may claim terabytes of zeros.
    const std::uint64_t most = is_image ? max_bytes_ : kLongestMetadata;
    const bool is_too_long = size < 0 || static_cast<std::uint64_t>(size) > most;
    if (is_too_long ? !Discard() : !ReadData(static_cast<std::size_t>(size), bytes)) {
      if (is_image) images_.push_back(Failed(name, Outcome::kUnreadable, "its data cannot be read from " + path_));
      return Broken();
    }
    if (is_image) {
      ImageItem item;
      item.path = path_ + ":" + name;
      item.bytes = std::move(bytes);
      if (is_too_long) {
        item = Failed(name, Outcome::kTooLarge, "more than " + std::to_string(max_bytes_) + " bytes");
      }
      waiting_bytes_ += item.bytes.size();
      images_.push_back(std::move(item));
      // Thousands of members of one name must not be collected before the first is handed out.
      if (waiting_bytes_ > max_bytes_) Flush();
    } else if (!is_too_long) {
      (is_json ? json_ : caption_).assign(bytes.begin(), bytes.end());
    }
  }

  ImageItem Failed(const std::string& name, Outcome status, const std::string& message) const {
    ImageItem item;
    item.path = path_ + ":" + name;
    item.status = status;
    item.message = message;
    return item;
  }

  // Both: false when the archive is broken.
  bool ReadData(std::size_t size, std::vector<std::uint8_t>& bytes) {
    // Grows with what is really there: the size may be a lie.
    constexpr std::size_t kStep = 1 << 20;
    while (bytes.size() < size) {
      const std::size_t have = bytes.size();
      bytes.resize(std::min(size, have + kStep));
      const la_ssize_t got = archive_read_data(archive_.get(), bytes.data() + have, bytes.size() - have);
      if (got < 0 || IsBomb()) return false;
      bytes.resize(have + static_cast<std::size_t>(got));
      if (got == 0) break;
    }
    return true;
  }
  bool Discard() {
    if (archive_filter_count(archive_.get()) <= 1) return archive_read_data_skip(archive_.get()) >= ARCHIVE_WARN;
    // Compressed: all of it must be unpacked to get past it, under watch.
    for (;;) {
      const void* block = nullptr;
      std::size_t length = 0;
      la_int64_t offset = 0;
      const int status = archive_read_data_block(archive_.get(), &block, &length, &offset);
      if (status == ARCHIVE_EOF) return true;
      if (status < ARCHIVE_WARN || IsBomb()) return false;
    }
  }

  // Images hardly compress: who unpacks to a hundred times its size is no archive of images.
  bool IsBomb() {
    const la_int64_t unpacked = archive_filter_bytes(archive_.get(), 0);
    const la_int64_t packed = archive_filter_bytes(archive_.get(), -1);
    is_bomb_ = is_bomb_ || (unpacked > kBombBytes && unpacked / kBombRatio > packed);
    return is_bomb_;
  }

  // The sample is complete: a name with another key follows.
  void Flush() {
    for (std::size_t i = 0; i < images_.size(); ++i) {
      ImageItem& item = images_[i];
      std::string key = current_key_;
      for (int n = 2; !keys_.insert(key).second; ++n) key = current_key_ + "#" + std::to_string(n);
      item.key = key;
      ApplyJson(json_, item);
      if (!caption_.empty()) item.keywords = caption_;
      ready_.push_back(std::move(item));
    }
    images_.clear();
    waiting_bytes_ = 0;
    json_.clear();
    caption_.clear();
  }

  void Finish() {
    Flush();
    finished_ = true;
  }

  void Broken() {
    const char* reason = is_bomb_ ? "it unpacks to more than a hundred times its size"
                                  : archive_error_string(archive_.get());
    Flush();
    finished_ = true;
    ImageItem item;
    item.key = "__archive__";
    item.path = path_;
    item.status = Outcome::kUnreadable;
    item.message = path_ + ": the archive is damaged here: " + (reason != nullptr ? reason : "unexpected end") +
                   "; what came before was read";
    ready_.push_back(std::move(item));
  }

  std::string path_;
  std::uint64_t max_bytes_;
  std::unique_ptr<archive, int (*)(archive*)> archive_;
  bool opened_ = false;
  bool finished_ = false;
  bool is_bomb_ = false;
  std::string current_key_;
  std::vector<ImageItem> images_;    // of the sample that is being collected
  std::uint64_t waiting_bytes_ = 0;  // of these
  std::string json_, caption_;
  std::set<std::string> keys_;
  std::deque<ImageItem> ready_;
};

}  // namespace

std::unique_ptr<ItemReader> OpenTar(const std::string& path, std::uint64_t max_bytes) {
  return std::make_unique<TarReader>(path, max_bytes);
}

}  // namespace auforge::datasets
