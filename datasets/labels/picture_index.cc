#include "datasets/labels/internal/picture_index.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include "datasets/folder_walk.h"
#include "datasets/internal/tar_reader.h"
#include "datasets/labels/internal/importer.h"
#include "datasets/storage/paths.h"

namespace auforge::datasets::labels {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 8> kPictureEndings{".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"};
constexpr std::array<const char*, 3> kTarEndings{".tar", ".tar.gz", ".tar.zst"};
// A picture of more bytes is not what labels speak of.
constexpr std::uint64_t kMostBytes = 64ULL << 20;

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

template <typename Endings>
std::string EndingOf(const std::string& name, const Endings& endings) {
  const std::string lower = Lower(name);
  for (const char* ending : endings) {
    if (lower.ends_with(ending)) return ending;
  }
  return "";
}

bool IsPicture(const std::string& name) { return !EndingOf(name, kPictureEndings).empty(); }
bool IsTar(const std::string& name) { return !EndingOf(name, kTarEndings).empty(); }

std::string Base(const std::string& name) { return fs::path(name).filename().string(); }

}  // namespace

std::string PictureKey(const std::string& name) {
  std::string key = Base(name);
  key.resize(key.size() - EndingOf(key, kPictureEndings).size());
  return key;
}

PictureIndex::PictureIndex(std::vector<std::string> places) : places_(std::move(places)) {
  for (const std::string& place : places_) {
    if (storage::IsFile(place)) {
      AddFile(place);
      continue;
    }
    for (const WalkedFile& file : WalkFolder(place).files) {
      if (file.error == 0) AddFile(file.path);
    }
  }
}

void PictureIndex::AddFile(const std::string& path) {
  if (!known_.insert(fs::path(path).lexically_normal().string()).second) return;
  if (IsTar(path)) {
    tars_.push_back(path);
  } else if (IsPicture(path)) {
    Add(files_, {path, ""}, Base(path));
  }
}

void PictureIndex::Add(Names& names, PicturePlace place, const std::string& name) {
  names.by_name.emplace(name, pictures_.size());
  names.by_key.emplace(PictureKey(name), pictures_.size());
  pictures_.push_back({std::move(place), false});
}

void PictureIndex::ReadTars(LabelSet& set) {
  tars_read_ = true;
  for (const std::string& tar : tars_) {
    const auto reader = OpenTar(tar, kMostBytes);
    for (ImageItem item; reader->Next(item);) {
      if (item.status != Outcome::kOk) {
        AddFault(set, item.path.empty() ? tar : item.path, 0, item.message);
        continue;
      }
      const std::string member = item.path.substr(tar.size() + 1);
      Add(members_, {tar, member}, Base(member));
    }
  }
}

std::optional<PicturePlace> PictureIndex::Take(const std::multimap<std::string, std::size_t>& names,
                                               const std::string& wanted, const std::string& name, LabelSet& set) {
  const auto [first, last] = names.equal_range(wanted);
  if (first == last) return std::nullopt;
  Picture& picture = pictures_[first->second];
  const auto several = std::distance(first, last);
  if (several > 1 && !picture.is_used) {
    const auto& [file, member] = picture.place;
    AddFault(set, name, 0,
             std::to_string(several) + " pictures have this name; " + file + (member.empty() ? "" : ":" + member) +
                 " is taken");
  }
  picture.is_used = true;
  return picture.place;
}

std::optional<PicturePlace> PictureIndex::FindPath(const std::string& name) {
  for (const std::string& place : places_) {
    const std::string direct = Under(place, name);
    std::error_code error;
    if (!fs::is_regular_file(direct, error)) continue;
    for (auto [it, last] = files_.by_name.equal_range(Base(name)); it != last; ++it) {
      Picture& picture = pictures_[it->second];
      if (!fs::equivalent(picture.place.file, direct, error)) continue;
      picture.is_used = true;
      return picture.place;
    }
    return PicturePlace{direct, ""};
  }
  return std::nullopt;
}

std::optional<PicturePlace> PictureIndex::Find(const std::string& name, LabelSet& set) {
  const std::string base = Base(name);
  if (base.empty()) return std::nullopt;
  if (const auto place = FindPath(name)) return place;
  for (const Names* names : {&files_, &members_}) {
    if (names == &members_ && !tars_read_) ReadTars(set);
    if (const auto place = Take(names->by_name, base, name, set)) return place;
    // A name that says what kind of file it is does not mean another kind.
    if (IsPicture(base)) continue;
    if (const auto place = Take(names->by_key, base, name, set)) return place;
  }
  return std::nullopt;
}

std::string PictureIndex::Expected(const std::string& name) const {
  return Under(places_.empty() ? "" : places_.front(), name);
}

std::size_t PictureIndex::Unused() const {
  return static_cast<std::size_t>(
      std::count_if(pictures_.begin(), pictures_.end(), [](const Picture& picture) { return !picture.is_used; }));
}

}  // namespace auforge::datasets::labels
