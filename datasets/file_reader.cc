#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "datasets/internal/fetch_stream.h"
#include "datasets/internal/file_reader.h"
#include "datasets/internal/metadata.h"

namespace auforge::datasets {
namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// A plain file; a pipe or a device might wait for ever. error: errno, EINVAL for what is no file.
File OpenPlain(const std::string& path, std::uint64_t& size, int& error) {
  struct stat status {};
  error = 0;
  if (stat(path.c_str(), &status) != 0) {
    error = errno;
  } else if (!S_ISREG(status.st_mode)) {
    error = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
  }
  if (error != 0) return {nullptr, std::fclose};
  size = static_cast<std::uint64_t>(status.st_size);
  File file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (!file) error = errno;
  return file;
}

std::string Reason(int error) {
  return error == EINVAL ? "is no file but a pipe, a socket or a device" : std::strerror(error);
}

bool Fail(ImageItem& item, Outcome status, const std::string& message) {
  item.status = status;
  item.message = message;
  return true;
}

// nullopt when there is no such file; whole = false when it is there and cannot be read, or is too long.
std::optional<std::string> ReadSide(const std::string& path, bool& whole) {
  std::uint64_t size = 0;
  int error = 0;
  const File file = OpenPlain(path, size, error);
  if (error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG || error == EISDIR) return std::nullopt;
  std::string text;
  whole = file != nullptr && size <= kLongestMetadata;
  if (!whole) return text;
  text.resize(size);
  text.resize(std::fread(text.data(), 1, size, file.get()));
  whole = text.size() == size;
  return text;
}

}  // namespace

bool FileReader::Next(ImageItem& item) {
  if (next_ == end_ || is_stopped_) return false;
  const FileEntry& entry = *next_++;
  item = ImageItem{};
  item.key = entry.key;
  item.path = entry.path;
  if (entry.is_address) return Fetch(item);
  if (entry.look_beside) ReadBeside(item);
  LookUp(entry, item);
  std::uint64_t size = 0;
  int error = entry.error;
  if (error != 0) return Fail(item, Outcome::kUnreadable, Reason(error));
  const File file = OpenPlain(entry.path, size, error);
  if (!file) return Fail(item, Outcome::kUnreadable, Reason(error));
  if (size > max_bytes_) {
    return Fail(item, Outcome::kTooLarge, std::to_string(size) + " bytes; the limit is " + std::to_string(max_bytes_));
  }
  item.bytes.resize(size);
  if (std::fread(item.bytes.data(), 1, size, file.get()) != size) {
    item.bytes.clear();
    return Fail(item, Outcome::kUnreadable, std::ferror(file.get()) != 0 ? Reason(errno) : "became shorter while it was read");
  }
  return true;
}

bool FileReader::Fetch(ImageItem& item) {
  item.url = item.path;
  is_stopped_ = !FetchPicture(item.path, fetch_, max_bytes_, item);
  if (is_stopped_) return false;
  ++fetched_;
  if (item.status != Outcome::kUnreadable) return true;
  ++failed_;
  last_fault_ = item.message;
  return true;
}

void FileReader::LookUp(const FileEntry& entry, ImageItem& item) {
  if (const std::string path = TablePathOf(entry.path); path != table_path_) {
    table_ = path.empty() ? CrawlTable() : CrawlTable(path);
    table_path_ = path;
    // A folder that is cut into several shards has been tried once.
    if (entry.begins_folder) table_.AddTo(notes_);
  }
  if (const Metadata* found = table_.Find(std::string(BaseName(WithoutEnding(entry.path))))) Fill(*found, item);
}

std::string FileReader::Fault() const {
  if (is_stopped_) return "stopped";
  if (fetched_ == 0 || failed_ < fetched_) return {};
  return "none of " + std::to_string(fetched_) + " addresses could be fetched; the last: " + last_fault_;
}

std::string TablePathOf(const std::string& picture) {
  const std::size_t slash = picture.rfind('/');
  if (slash == std::string::npos || slash == 0) return {};
  const std::string_view folder = BaseName(std::string_view(picture).substr(0, slash));
  return folder.empty() || folder == "." || folder == ".." ? "" : CrawlTable::PathFor(picture.substr(0, slash));
}

std::vector<std::string> FilesBeside(const std::string& picture) {
  const std::string stem(WithoutEnding(picture));
  std::vector<std::string> files;
  for (const char* ending : {".txt", ".json"}) {
    files.push_back(stem + ending);
    if (stem != picture) files.push_back(picture + ending);
  }
  std::erase(files, picture);
  return files;
}

void FileReader::ReadBeside(ImageItem& item) {
  for (const std::string& path : FilesBeside(item.path)) {
    bool whole = true;
    const std::optional<std::string> text = ReadSide(path, whole);
    if (!text) continue;
    ++notes_.metadata;
    if (whole) {
      const Metadata found = path.ends_with(".json") ? ReadJsonRecord(*text) : ReadCaption(*text);
      whole = found.is_whole;
      Fill(found, item);
    }
    if (!whole) ++notes_.damaged_metadata;
  }
}

ImageItem ReadImageFile(const std::string& path, std::uint64_t max_bytes) {
  const FileEntry entry{path, path, 0, false};
  ImageItem item;
  FileReader(&entry, &entry + 1, max_bytes).Next(item);
  return item;
}

ContentKind TellFile(const std::string& path, int& error) {
  std::uint64_t size = 0;
  const File file = OpenPlain(path, size, error);
  if (!file) return {};
  std::array<std::uint8_t, kContentHead> head{};
  const std::size_t read = std::fread(head.data(), 1, head.size(), file.get());
  if (read == 0 && std::ferror(file.get()) != 0) error = errno;
  return TellContent(std::span(head).first(read));
}

bool IsPictureAt(const std::string& path) {
  if (NamePromisesPicture(path) && !BaseName(path).starts_with("._")) return true;
  int error = 0;
  const ContentKind kind = TellFile(path, error);
  return error == 0 && IsPictureFile(path, kind);
}

}  // namespace auforge::datasets
