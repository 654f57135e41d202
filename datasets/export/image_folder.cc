#include "datasets/export/image_folder.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "datasets/export/face_text.h"
#include "datasets/export/internal/exporters.h"
#include "datasets/storage/checksum.h"

namespace auforge::datasets {
namespace {

constexpr std::size_t kLongestName = 200;  // bytes of one part of a path; file systems take 255

std::string LowerCase(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// A part of a path; what is too long ends in a digest of the whole.
std::string Part(std::string part) {
  std::replace(part.begin(), part.end(), '\0', '_');
  if (part.size() <= kLongestName) return part;
  const std::string digest = storage::Sha256Hex(part).substr(0, 16);
  std::size_t end = kLongestName - digest.size() - 1;
  while (end > 0 && (static_cast<unsigned char>(part[end]) & 0xC0) == 0x80) --end;
  return part.substr(0, end) + "-" + digest;
}

}  // namespace

std::string FileBelow(const std::string& key, const std::string& ending) {
  std::string path;
  for (std::size_t begin = 0; begin <= key.size();) {
    const std::size_t end = std::min(key.find('/', begin), key.size());
    const std::string part = key.substr(begin, end - begin);
    if (!part.empty() && part != "." && part != "..") path += (path.empty() ? "" : "/") + Part(part);
    begin = end + 1;
  }
  if (path.empty()) path = "image";
  const std::string lower = LowerCase(path);
  const bool has_ending = lower.ends_with(ending) || (ending == ".jpg" && lower.ends_with(".jpeg"));
  return has_ending ? path : path + ending;
}

struct ImageFolder::Impl {
  explicit Impl(const std::string& path) : output(path) {}
  FolderOutput output;
  // Not yet there, and neither below a file nor a folder of others.
  bool IsFree(const std::string& file) const {
    const std::string name = LowerCase(file);
    if (files.contains(name) || folders.contains(name)) return false;
    for (std::size_t slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
      if (files.contains(name.substr(0, slash))) return false;
    }
    return true;
  }
  void Take(const std::string& file) {
    const std::string name = LowerCase(file);
    files.insert(name);
    for (std::size_t slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1))
      folders.insert(name.substr(0, slash));
  }

  std::set<std::string> files, folders;  // small letters: some file systems know no others
  std::string left_out;         // lines
};

ImageFolder::ImageFolder(const std::string& path) : impl_(std::make_unique<Impl>(path)) { impl_->Take("left-out.jsonl"); }
ImageFolder::~ImageFolder() = default;

void ImageFolder::Add(const std::string& key, std::span<const std::uint8_t> bytes) {
  const std::string ending = "." + PictureEnding(bytes);
  std::string file = FileBelow(key, ending);
  for (int copy = 2; !impl_->IsFree(file); ++copy) {
    std::string other = key + "#" + std::to_string(copy);
    std::replace(other.begin(), other.end(), '/', '_');
    file = FileBelow(other, ending);
  }
  impl_->Take(file);
  impl_->output.Write(file, bytes);
}

void ImageFolder::LeaveOut(const std::string& key, const std::string& reason) {
  impl_->left_out += "{\"key\":" + JsonText(key) + ",\"reason\":" + JsonText(reason) + "}\n";
}

void ImageFolder::Finish() {
  if (!impl_->left_out.empty()) impl_->output.Write("left-out.jsonl", impl_->left_out);
  impl_->output.Finish();
}

}  // namespace auforge::datasets
