#include "datasets/labels/internal/picture_index.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "datasets/content_kind.h"
#include "datasets/internal/file_reader.h"
#include "datasets/internal/tar_reader.h"
#include "datasets/labels/internal/importer.h"
#include "datasets/storage/paths.h"

namespace auforge::datasets::labels {
namespace {

namespace fs = std::filesystem;

// A picture of more bytes is not what labels speak of.
constexpr std::uint64_t kMostBytes = 64ULL << 20;

std::string Base(const std::string& name) { return fs::path(name).filename().string(); }

}  // namespace

std::string PictureKey(const std::string& name) {
  const std::string base = Base(name);
  return NamePromisesPicture(base) ? std::string(WithoutEnding(base)) : base;
}

PictureIndex::PictureIndex(std::vector<std::string> places) : places_(std::move(places)) {
  for (const std::string& place : places_) {
    if (storage::IsFile(place)) {
      AddFile(place);
      continue;
    }
    const PictureFolder found = ListPictures(place);
    if (found.error != 0 && found.error != ENOENT && found.error != ENOTDIR)
      throw std::runtime_error(place + ": cannot be listed: " + std::strerror(found.error));
    for (const std::string& tar : found.tars) AddTar(tar);
    for (const PictureFile& picture : found.pictures) {
      if (picture.error == 0) AddPicture(picture.path);
    }
  }
}

// What is named itself is a tar, or else meant as a picture.
void PictureIndex::AddFile(const std::string& path) {
  int error = 0;
  if (NamePromisesArchive(path) || TellFile(path, error).content == Content::kArchive) return AddTar(path);
  AddPicture(path);
}

bool PictureIndex::IsNew(const std::string& path) {
  return known_.insert(fs::path(path).lexically_normal().string()).second;
}

void PictureIndex::AddTar(const std::string& path) {
  if (IsNew(path)) tars_.push_back(path);
}

void PictureIndex::AddPicture(const std::string& path) {
  if (IsNew(path)) Add(files_, {path, ""}, Base(path));
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
    if (NamePromisesPicture(base)) continue;
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
