#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include "datasets/content_kind.h"
#include "datasets/internal/crawl_table.h"
#include "datasets/internal/stored_text.h"
#include "datasets/parquet/reader.h"
#include "datasets/storage/memory_fault.h"

namespace auforge::datasets {
namespace {

using parquet::Reader;
using parquet::Value;

constexpr const char* kList = ".list.element";

// An open file, closed again.
class OpenFile {
 public:
  explicit OpenFile(const std::string& path) : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~OpenFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

void ReadAt(int descriptor, std::uint64_t offset, std::span<std::uint8_t> to) {
  for (std::size_t at = 0; at < to.size();) {
    const ssize_t got = pread(descriptor, to.data() + at, to.size() - at, static_cast<off_t>(offset + at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw std::runtime_error("cannot be read: " + std::string(std::strerror(errno)));
    if (got == 0) throw std::runtime_error("became shorter while it was read");
    at += static_cast<std::size_t>(got);
  }
}

std::string TextOf(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  return {};
}

// A column of texts, a text a row (several of a list one after the other); empty where there is none of these names.
std::vector<std::string> Texts(const Reader& reader, std::initializer_list<const char*> names) {
  for (const std::string name : names) {
    for (const std::string& column : {name, name + kList}) {
      if (!reader.Has(column)) continue;
      const parquet::ColumnValues values = reader.Read(column);
      std::vector<std::string> texts(reader.rows());
      for (std::size_t i = 0; i < values.values.size(); ++i) {
        std::string& text = texts[values.rows[i]];
        text += (text.empty() ? "" : " ") + TextOf(values.values[i]);
      }
      for (std::string& text : texts) text = StoredText(text);
      return texts;
    }
  }
  return std::vector<std::string>(reader.rows());
}

}  // namespace

std::string CrawlTable::PathFor(const std::string& shard) {
  std::string stem = shard;
  while (stem.size() > 1 && stem.ends_with('/')) stem.pop_back();
  if (NamePromisesArchive(stem)) {
    const std::size_t base = stem.size() - BaseName(stem).size();
    const std::size_t tar = stem.rfind(".tar");
    stem.erase(tar != std::string::npos && tar > base ? tar : stem.rfind('.'));
  }
  return stem + ".parquet";
}

CrawlTable::CrawlTable(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  try {
    const OpenFile file(path);
    if (file.descriptor() < 0) throw std::runtime_error("cannot be read: " + std::string(std::strerror(errno)));
    Read(file.descriptor(), static_cast<std::uint64_t>(status.st_size));
  } catch (const std::runtime_error& error) {
    if (storage::IsOutOfMemory(error)) throw;
    by_key_.clear();
    statuses_.clear();
    fault_ = path + ": " + error.what();
  }
}

void CrawlTable::Read(int descriptor, std::uint64_t size) {
  const Reader reader([descriptor](std::uint64_t offset, std::span<std::uint8_t> to) { ReadAt(descriptor, offset, to); }, size);
  if (!reader.Has("key")) return;
  const std::vector<std::string> keys = Texts(reader, {"key"}), urls = Texts(reader, {"url"}), captions = Texts(reader, {"caption"}),
                                 licences = Texts(reader, {"license", "licence"}), statuses = Texts(reader, {"status"}),
                                 messages = Texts(reader, {"error_message"});
  for (std::size_t row = 0; row < keys.size(); ++row) {
    if (!statuses[row].empty()) statuses_[statuses[row]].Add(1, messages[row]);
    if (keys[row].empty() || (urls[row].empty() && captions[row].empty() && licences[row].empty())) continue;
    by_key_.emplace(keys[row], Metadata{.url = urls[row], .caption = captions[row], .licence = licences[row], .robots = {}});
  }
}

const Metadata* CrawlTable::Find(const std::string& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &found->second;
}

void CrawlTable::AddTo(SideNotes& notes) const {
  for (const auto& [status, tried] : statuses_) notes.crawl[status].Add(tried.count, tried.example);
  if (!fault_.empty()) notes.unread_tables.Add(1, fault_);
}

}  // namespace auforge::datasets
