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
    if (status < ARCHIVE_WARN) return Broken();
    const char* name = archive_entry_pathname_utf8(entry);
    if (name == nullptr) name = archive_entry_pathname(entry);
    if (name == nullptr || archive_entry_filetype(entry) != AE_IFREG) return;
    Member(name);
  }

  void Member(const std::string& name) {
    const MemberName member = SplitName(name);
    if (member.is_metadata) return;
    if (current_key_ != member.key) Flush();
    current_key_ = member.key;
    const bool is_image = IsImageEnding(member.ending);
    const bool is_caption = member.ending == "txt";
    const bool is_json = member.ending == "json";
    if (!is_image && !is_caption && !is_json) return;
    std::vector<std::uint8_t> bytes;
    bool is_too_long = false;
    if (!ReadData(is_image ? max_bytes_ : kLongestMetadata, bytes, is_too_long)) {
      if (is_image) images_.push_back(Failed(name, Outcome::kUnreadable, "its data ends early in " + path_));
      return Broken();
    }
    if (is_image) {
      ImageItem item;
      item.path = path_ + ":" + name;
      item.bytes = std::move(bytes);
      if (is_too_long) {
        item = Failed(name, Outcome::kTooLarge, "more than " + std::to_string(max_bytes_) + " bytes");
      }
      images_.push_back(std::move(item));
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

  // False when the archive is broken. Stops storing (but not counting) at `most`.
  bool ReadData(std::uint64_t most, std::vector<std::uint8_t>& bytes, bool& is_too_long) {
    std::array<std::uint8_t, 1 << 16> buffer;
    for (;;) {
      const la_ssize_t got = archive_read_data(archive_.get(), buffer.data(), buffer.size());
      if (got < 0) return false;
      if (got == 0) return true;
      if (bytes.size() + static_cast<std::uint64_t>(got) > most) {
        is_too_long = true;
        bytes.clear();
        return archive_read_data_skip(archive_.get()) >= ARCHIVE_WARN;
      }
      bytes.insert(bytes.end(), buffer.begin(), buffer.begin() + got);
    }
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
    json_.clear();
    caption_.clear();
  }

  void Finish() {
    Flush();
    finished_ = true;
  }

  void Broken() {
    const char* reason = archive_error_string(archive_.get());
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
  std::string current_key_;
  std::vector<ImageItem> images_;
  std::string json_, caption_;
  std::set<std::string> keys_;
  std::deque<ImageItem> ready_;
};

}  // namespace

std::unique_ptr<ItemReader> OpenTar(const std::string& path, std::uint64_t max_bytes) {
  return std::make_unique<TarReader>(path, max_bytes);
}

}  // namespace auforge::datasets
