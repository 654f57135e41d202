#include "tools/gan/judged_pictures.h"

#include <cstring>
#include <filesystem>
#include <optional>
#include <set>
#include <stdexcept>

#include "datasets/image_source.h"
#include "features/au_schema.h"
#include "features/number.h"
#include "tools/cli/cli.h"

namespace auforge::tools {
namespace {

constexpr std::string_view kLayout = "original/NAME, AU12_0/NAME, AU12_1/NAME, AU12_back/NAME";

// "AU12_0": which edit of which AU.
std::optional<std::pair<JudgedKind, int>> ParseEdit(std::string_view folder) {
  const std::size_t underscore = folder.find('_');
  if (underscore == std::string_view::npos || !folder.starts_with("AU")) return std::nullopt;
  const auto au = features::ParseAu(folder.substr(0, underscore));
  if (!au || JudgedFolder(JudgedKind::kAt0, *au) != std::string(folder.substr(0, underscore)) + "_0") return std::nullopt;
  const std::string_view value = folder.substr(underscore + 1);
  if (value == "0") return std::pair(JudgedKind::kAt0, *au);
  if (value == "1") return std::pair(JudgedKind::kAt1, *au);
  if (value == "back") return std::pair(JudgedKind::kBack, *au);
  return std::nullopt;
}

}  // namespace

std::string JudgedFolder(JudgedKind kind, int au) {
  const std::string name = "AU" + std::to_string(au);
  switch (kind) {
    case JudgedKind::kOriginal: return "original";
    case JudgedKind::kAgain: return "again";
    case JudgedKind::kAt0: return name + "_0";
    case JudgedKind::kAt1: return name + "_1";
    case JudgedKind::kBack: return name + "_back";
  }
  return {};
}

JudgedKey ParseJudgedKey(const std::string& file, const std::string& key) {
  const std::size_t slash = key.find('/');
  if (slash != std::string::npos && slash + 1 < key.size()) {
    const std::string folder = key.substr(0, slash), face = key.substr(slash + 1);
    if (folder == "original") return {JudgedKind::kOriginal, 0, face};
    if (folder == "again") return {JudgedKind::kAgain, 0, face};
    if (const auto edit = ParseEdit(folder)) return {edit->first, edit->second, face};
  }
  throw BadInputError(file + ": \"" + key + "\" is no picture of edits; they are " + std::string(kLayout));
}

JudgedSet PairJudgedKeys(const std::string& file, const std::vector<std::string>& keys) {
  const std::set<std::string> all(keys.begin(), keys.end());
  const auto key_of = [](JudgedKind kind, int au, const std::string& face) { return JudgedFolder(kind, au) + "/" + face; };
  const auto if_there = [&](const std::string& key) { return all.contains(key) ? key : std::string(); };
  const auto require = [&](const std::string& key, const std::string& partner) {
    if (!all.contains(partner)) throw BadInputError(file + ": " + key + " has no partner " + partner + "; every face is needed at 0 and at 1");
  };
  JudgedSet set;
  for (const std::string& key : all) {
    const JudgedKey k = ParseJudgedKey(file, key);
    const std::string at_0 = key_of(JudgedKind::kAt0, k.au, k.face), at_1 = key_of(JudgedKind::kAt1, k.au, k.face);
    const std::string original = key_of(JudgedKind::kOriginal, 0, k.face);
    switch (k.kind) {
      case JudgedKind::kOriginal: break;
      case JudgedKind::kAgain:
        require(key, original);
        set.again.emplace_back(original, key);
        break;
      case JudgedKind::kAt0: require(key, at_1); break;
      case JudgedKind::kBack:
        require(key, at_0);
        require(key, at_1);
        break;
      case JudgedKind::kAt1:
        require(key, at_0);
        set.pairs[k.au].push_back({k.face, at_0, at_1, if_there(key_of(JudgedKind::kBack, k.au, k.face)), if_there(original)});
        break;
    }
  }
  if (set.pairs.empty()) throw BadInputError(file + ": no edits in it; they are " + std::string(kLayout));
  return set;
}

std::map<std::string, std::string> ListJudgedPictures(const std::string& folder) {
  const datasets::PictureFolder listed = datasets::ListPictures(folder);
  if (listed.error != 0) throw std::runtime_error(folder + ": " + std::strerror(listed.error));
  std::map<std::string, std::string> found;
  for (const datasets::PictureFile& picture : listed.pictures) {
    if (picture.error != 0) throw std::runtime_error(picture.path + ": " + std::strerror(picture.error));
    const std::string key = std::filesystem::path(picture.name).replace_extension().string();
    ParseJudgedKey(folder, key);
    if (!found.emplace(key, picture.path).second) throw BadInputError(picture.path + ": another picture of that name with another ending; keep one");
  }
  if (found.empty()) throw BadInputError(folder + ": no picture in it; they are " + std::string(kLayout));
  return found;
}

}  // namespace auforge::tools
