// What a file is, told by its first bytes, and which files of a folder or archive are pictures: the one rule that
// annotate, synth --photos and gan edit share (docs/ingestion.md). Stateless; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace auforge::datasets {

// So many first bytes of a file are enough to tell.
inline constexpr std::size_t kContentHead = 512;

enum class Content {
  kUnknown,         // nothing that is known; also an empty file
  kPicture,         // of a format that is read
  kForeignPicture,  // of a format that is known and not read: HEIC, AVIF, JPEG XL, camera raw, …
  kArchive,         // a tar
  kVideo,
  kMacSide,         // what macOS writes beside files on foreign disks and into archives: AppleDouble, .DS_Store
  kOther,           // known and none of these: text, JSON, Parquet, PDF, …
};

struct ContentKind {
  Content content = Content::kUnknown;
  std::string_view name;  // "JPEG", "HEIC", "text", "Parquet", …; empty for kUnknown
};

// head: the first bytes of a file, kContentHead of them or the whole file where it is shorter.
ContentKind TellContent(std::span<const std::uint8_t> head);

// Text of any kind: plain, JSON, HTML, XML, SVG.
bool IsTextKind(const ContentKind& kind);

// The same for names, which may carry folders:
// .jpg, .HEIC, …, also as crawlers leave them: photo.jpg?w=200, photo.jpg_large, photo.jpg:orig, photo.jpg.1
bool NamePromisesPicture(std::string_view name);
// .tar, .tar.gz, .tgz, …
bool NamePromisesArchive(std::string_view name);
// What stands after the last dot, lower case, where that looks like an ending (a letter, then at most 7 letters and
// digits); else empty.
std::string NameEnding(std::string_view name);
// A path without its ending; of a picture's name also without what a crawler put behind it: photo.jpg?w=200 -> photo.
std::string_view WithoutEnding(std::string_view path);
// The last part of a path.
std::string_view BaseName(std::string_view path);

// Whether a file counts as a picture, and so gets a row: its content is one, or its name promises one, or neither says
// that it is anything else (no ending, nothing known in it, not hidden). What macOS writes beside pictures is none.
bool IsPictureFile(std::string_view name, const ContentKind& kind);

}  // namespace auforge::datasets
