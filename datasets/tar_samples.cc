#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <set>

#include "datasets/content_kind.h"
#include "datasets/internal/tar_samples.h"

namespace auforge::datasets {
namespace {

// ".seg", ".depth_left": a kind of data; ".0 (final)", ".2021", ".0001" are part of a name.
bool CouldBeKindOfData(std::string_view middle) {
  bool at_begin = false;
  return std::all_of(middle.begin(), middle.end(), [&at_begin](unsigned char c) {
    if (c == '.') return at_begin = true;
    const bool fits = std::isalpha(c) != 0 || c == '_' || (!at_begin && (std::isdigit(c) != 0 || c == '-'));
    at_begin = false;
    return fits;
  });
}

// "./a" and "a" are one place.
std::string Plain(std::string name) {
  while (name.starts_with("./")) name.erase(0, 2);
  return name;
}

// Those of a kind that may be a picture's, best first.
std::array<std::string, 3> StemsOf(const MemberName& picture) {
  return {Plain(picture.stem), Plain(picture.name), Plain(picture.sample)};
}

}  // namespace

MemberName SplitMemberName(const std::string& name) {
  MemberName split;
  split.name = name;
  const std::size_t slash = name.rfind('/');
  const std::size_t base = slash == std::string::npos ? 0 : slash + 1;
  split.stem = std::string(WithoutEnding(name));
  const std::size_t dot = name.find('.', base + 1);  // a dot in front hides a file and ends no name
  split.sample = split.stem.substr(0, dot);
  split.key = CouldBeKindOfData(std::string_view(split.stem).substr(split.sample.size())) ? split.sample : split.stem;
  return split;
}

Member TellMember(TarStream& stream, const TarMemberInfo& info) {
  const std::string_view base = BaseName(info.name);
  const std::string_view stem = base.substr(0, base.find('.', 1));
  Member member;
  if (stem.size() > 4 && stem.starts_with("__") && stem.ends_with("__")) {
    member.what = "note of the archive";
    return member;
  }
  if (info.name.starts_with("__MACOSX/") || info.name.find("/__MACOSX/") != std::string::npos) {
    member.what = "macOS";
    return member;
  }
  if (!base.starts_with("._")) {
    const std::string ending = NameEnding(base);
    if (ending == "txt") member.kind = MemberKind::kCaption;
    if (ending == "json") member.kind = MemberKind::kRecord;
    if (NamePromisesPicture(base)) member.kind = MemberKind::kPicture;
    if (member.kind != MemberKind::kOther) return member;
  }
  member.is_whole = stream.Read(std::min<std::uint64_t>(kContentHead, info.size), member.head);
  const ContentKind kind = TellContent(member.head);
  if (member.is_whole && IsPictureFile(base, kind)) member.kind = MemberKind::kPicture;
  member.what = kind.name.empty() ? base.starts_with("._") ? "macOS" : "unknown content" : std::string(kind.name);
  return member;
}

bool ReadMetadataMember(TarStream& stream, const TarMemberInfo& info, MemberKind kind, Metadata& found) {
  found = {};
  if (info.size > kLongestMetadata) {
    found.is_whole = false;
    return stream.Skip();
  }
  std::vector<std::uint8_t> bytes;
  if (!stream.Read(info.size, bytes)) return false;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  found = kind == MemberKind::kCaption ? ReadCaption(text) : ReadJsonRecord(text);
  return true;
}

TarRun::Pairs TarRun::Pair() const {
  std::map<std::pair<std::string, MemberKind>, std::vector<std::size_t>> by_stem;
  for (std::size_t i = 0; i < texts.size(); ++i) by_stem[{Plain(texts[i].stem), texts[i].kind}].push_back(i);
  Pairs pairs{std::vector<std::vector<std::size_t>>(pictures.size()), std::vector<bool>(texts.size(), false)};
  std::map<std::string, std::size_t> seen;
  for (std::size_t p = 0; p < pictures.size(); ++p) {
    const std::size_t ordinal = seen[pictures[p].name]++;
    for (const MemberKind kind : {MemberKind::kCaption, MemberKind::kRecord}) {
      for (const std::string& stem : StemsOf(pictures[p])) {
        const auto found = by_stem.find({stem, kind});
        if (found == by_stem.end()) continue;
        const std::size_t text = found->second[std::min(ordinal, found->second.size() - 1)];
        pairs.of_picture[p].push_back(text);
        pairs.used[text] = true;
        break;
      }
    }
  }
  return pairs;
}

TarTexts TarTexts::Collect(const std::string& path, std::uint64_t max_bytes) {
  TarTexts texts;
  TarStream stream(path);
  TarMemberInfo info;
  TarRun run;
  while (stream.Next(info) == TarStream::Step::kMember) {
    if (!info.is_file) continue;
    const MemberName name = SplitMemberName(info.name);
    const Member member = TellMember(stream, info);
    if (!member.is_whole) break;
    if (member.kind != MemberKind::kOther) {
      if (run.key != name.key || run.IsFull(max_bytes)) {
        texts.Keep(run);
        run = {};
        run.key = name.key;
      }
      if (member.kind == MemberKind::kPicture) {
        run.pictures.push_back(name);
        if (info.size <= max_bytes) run.bytes += info.size;
      } else {
        Metadata found;
        if (!ReadMetadataMember(stream, info, member.kind, found)) break;
        run.texts.push_back({name.stem, member.kind, std::move(found)});
        continue;
      }
    }
    if (!stream.Skip()) break;
  }
  texts.Keep(run);
  return texts;
}

void TarTexts::Keep(TarRun& run) {
  const TarRun::Pairs pairs = run.Pair();
  for (std::size_t i = 0; i < run.texts.size(); ++i) {
    if (pairs.used[i]) continue;
    TarRun::Text& text = run.texts[i];
    const std::uint64_t size = text.stem.size() + text.found.caption.size() + text.found.url.size() + text.found.licence.size() +
                               text.found.robots.size() + 128;
    if (bytes_ + size > kMostStrayBytes) {
      ++dropped_;
      continue;
    }
    bytes_ += size;
    Entries& entries = by_stem_[Plain(text.stem)];
    (text.kind == MemberKind::kCaption ? entries.captions : entries.records).texts.push_back(std::move(text.found));
  }
}

void TarTexts::Fill(const MemberName& picture, bool caption, bool record, ImageItem& item) {
  const auto take = [&item](Entry& entry) {
    if (entry.texts.empty()) return false;
    datasets::Fill(entry.texts[std::min(entry.used, entry.texts.size() - 1)], item);
    ++entry.used;
    return true;
  };
  for (const std::string& stem : StemsOf(picture)) {
    const auto found = by_stem_.find(stem);
    if (found == by_stem_.end()) continue;
    if (caption && take(found->second.captions)) caption = false;
    if (record && take(found->second.records)) record = false;
  }
}

std::uint64_t TarTexts::Unused() const {
  std::uint64_t unused = dropped_;
  for (const auto& [stem, entries] : by_stem_) {
    for (const Entry* entry : {&entries.captions, &entries.records}) unused += entry->texts.size() - std::min(entry->used, entry->texts.size());
  }
  return unused;
}

}  // namespace auforge::datasets
