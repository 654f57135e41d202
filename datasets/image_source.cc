#include "datasets/image_source.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <stdexcept>

#include "datasets/internal/tar_reader.h"
#include "datasets/storage/checksum.h"
#include "datasets/video_reader.h"

namespace auforge::datasets {
namespace {

namespace fs = std::filesystem;

struct FileEntry {
  std::string path;
  std::string key;
};

bool HasEnding(const std::string& name, std::initializer_list<std::string_view> endings) {
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::any_of(endings.begin(), endings.end(), [&lower](std::string_view e) { return lower.ends_with(e); });
}

bool IsTar(const std::string& name) {
  return HasEnding(name, {".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.bz2", ".tar.xz"});
}

bool LooksLikeImage(const std::string& name) {
  return HasEnding(name, {".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"});
}

// "x{00..12}y" -> x00y … x12y; several braces multiply. Anything else is taken as it is.
std::vector<std::string> ExpandBraces(const std::string& text) {
  constexpr std::uint64_t kMost = 10'000'000;
  const std::size_t open = text.find('{');
  const std::size_t dots = text.find("..", open == std::string::npos ? 0 : open);
  const std::size_t close = text.find('}', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || dots == std::string::npos || close == std::string::npos || dots > close) return {text};
  const std::string first = text.substr(open + 1, dots - open - 1);
  const std::string last = text.substr(dots + 2, close - dots - 2);
  const auto is_number = [](const std::string& s) {
    return !s.empty() && s.size() <= 12 && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (!is_number(first) || !is_number(last)) return {text};
  const std::uint64_t low = std::stoull(first), high = std::stoull(last);
  if (low > high || high - low >= kMost) {
    throw std::runtime_error(text + ": the range in braces is empty or has more than 10,000,000 members");
  }
  const std::vector<std::string> tails = ExpandBraces(text.substr(close + 1));
  std::vector<std::string> all;
  for (std::uint64_t i = low; i <= high; ++i) {
    std::string number = std::to_string(i);
    if (number.size() < first.size()) number.insert(0, first.size() - number.size(), '0');
    for (const std::string& tail : tails) all.push_back(text.substr(0, open) + number + tail);
  }
  return all;
}

std::vector<std::string> ReadList(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + ": the list cannot be read");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty() && line.front() != '#') lines.push_back(line);
  }
  return lines;
}

// Reads files one after the other.
class FileReader : public ItemReader {
 public:
  FileReader(const FileEntry* begin, const FileEntry* end, std::uint64_t max_bytes)
      : next_(begin), end_(end), max_bytes_(max_bytes) {}

  bool Next(ImageItem& item) override {
    if (next_ == end_) return false;
    const FileEntry& entry = *next_++;
    item = ImageItem{};
    item.key = entry.key;
    item.path = entry.path;
    std::error_code error;
    const std::uint64_t size = fs::file_size(entry.path, error);
    if (error) return Fail(item, Outcome::kUnreadable, error.message());
    if (size > max_bytes_) {
      return Fail(item, Outcome::kTooLarge,
                  std::to_string(size) + " bytes; the limit is " + std::to_string(max_bytes_));
    }
    std::ifstream file(entry.path, std::ios::binary);
    item.bytes.resize(size);
    if (!file || !file.read(reinterpret_cast<char*>(item.bytes.data()), static_cast<std::streamsize>(size))) {
      item.bytes.clear();
      return Fail(item, Outcome::kUnreadable, "cannot be read");
    }
    return true;
  }

 private:
  static bool Fail(ImageItem& item, Outcome status, const std::string& message) {
    item.status = status;
    item.message = message;
    return true;
  }

  const FileEntry* next_;
  const FileEntry* end_;
  std::uint64_t max_bytes_;
};

}  // namespace

void SourceOptions::Validate() const {
  if (shard_size < 1) throw std::invalid_argument("shard_size = 0; must be >= 1");
  if (max_bytes < 1) throw std::invalid_argument("max_bytes = 0; must be >= 1");
}

struct ImageSource::Impl {
  SourceOptions options;
  std::vector<InputShard> shards;
  std::vector<std::string> tars;   // and videos: the first shards
  std::vector<FileEntry> files;    // the others, shard_size each
  std::set<std::string> keys;
  std::string files_name;

  void AddFile(const std::string& path, std::string key) {
    // The same name in two inputs: the second gets a number, so that no image is lost or counted twice.
    std::string unique = key;
    for (int n = 2; !keys.insert(unique).second; ++n) unique = key + "#" + std::to_string(n);
    files.push_back({path, unique});
  }

  void AddFolder(const std::string& folder) {
    std::vector<std::string> found;
    std::error_code error;
    auto entry = fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied, error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      const std::string name = entry->path().filename().string();
      if (entry->is_regular_file() && (LooksLikeImage(name) || IsTar(name))) found.push_back(entry->path().string());
    }
    if (error) throw std::runtime_error(folder + ": cannot be listed: " + error.message());
    std::sort(found.begin(), found.end());
    for (const std::string& path : found) {
      if (IsTar(path)) {
        tars.push_back(path);
      } else {
        AddFile(path, fs::path(path).lexically_relative(folder).generic_string());
      }
    }
  }

  void Add(const std::string& input) {
    if (input.starts_with('@')) {
      for (const std::string& line : ReadList(input.substr(1))) AddPath(line, true);
      return;
    }
    for (const std::string& path : ExpandBraces(input)) AddPath(path, false);
  }

  void AddPath(const std::string& path, bool from_list) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) {
      // A list of a million paths with a hole in it is a crawl; a mistyped argument is a mistake.
      if (from_list) return AddFile(path, path);
      throw std::runtime_error(path + ": no such file or folder");
    }
    if (fs::is_directory(status)) {
      AddFolder(path);
    } else if (IsTar(path) || LooksLikeVideo(path)) {
      tars.push_back(path);
    } else {
      AddFile(path, from_list ? path : fs::path(path).filename().string());
    }
  }

  void MakeShards(const std::vector<std::string>& inputs) {
    for (const std::string& tar : tars) shards.push_back({static_cast<int>(shards.size()), tar, 0, {}});
    std::sort(files.begin(), files.end(), [](const FileEntry& a, const FileEntry& b) { return a.key < b.key; });
    for (const std::string& input : inputs) {
      if (!IsTar(input) && !LooksLikeVideo(input)) files_name += (files_name.empty() ? "" : " ") + input;
    }
    for (std::size_t begin = 0; begin < files.size(); begin += options.shard_size) {
      const std::size_t count = std::min(options.shard_size, files.size() - begin);
      const std::string range = std::to_string(begin) + ".." + std::to_string(begin + count - 1);
      std::string keys_text;
      for (std::size_t i = begin; i < begin + count; ++i) keys_text += files[i].key + "\n";
      shards.push_back({static_cast<int>(shards.size()), "images " + range + " of " + files_name, count,
                        storage::Sha256Hex(keys_text).substr(0, 16)});
    }
  }
};

ImageSource::ImageSource() : impl_(std::make_unique<Impl>()) {}
ImageSource::ImageSource(ImageSource&&) noexcept = default;
ImageSource& ImageSource::operator=(ImageSource&&) noexcept = default;
ImageSource::~ImageSource() = default;

ImageSource ImageSource::Plan(const std::vector<std::string>& inputs, const SourceOptions& options) {
  options.Validate();
  ImageSource source;
  source.impl_->options = options;
  for (const std::string& input : inputs) source.impl_->Add(input);
  source.impl_->MakeShards(inputs);
  if (source.impl_->shards.empty()) {
    std::string names;
    for (const std::string& input : inputs) names += (names.empty() ? "" : ", ") + input;
    throw std::runtime_error(names + ": no image in it (looked for .jpg .jpeg .png .webp .bmp .tif .tiff .gif and .tar)");
  }
  return source;
}

const std::vector<InputShard>& ImageSource::Shards() const { return impl_->shards; }

std::unique_ptr<ItemReader> ImageSource::Open(const InputShard& shard) const {
  const auto index = static_cast<std::size_t>(shard.index);
  if (index < impl_->tars.size()) {
    const std::string& path = impl_->tars[index];
    if (LooksLikeVideo(path)) return std::make_unique<VideoReader>(path, VideoOptions{});
    return OpenTar(path, impl_->options.max_bytes);
  }
  const std::size_t begin = (index - impl_->tars.size()) * impl_->options.shard_size;
  const FileEntry* files = impl_->files.data();
  return std::make_unique<FileReader>(files + begin, files + begin + shard.count, impl_->options.max_bytes);
}

}  // namespace auforge::datasets
