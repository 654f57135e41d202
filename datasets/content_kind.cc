#include "datasets/content_kind.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

#include "datasets/internal/image_header.h"
#include "datasets/internal/text_encoding.h"

namespace auforge::datasets {
namespace {

using Bytes = std::span<const std::uint8_t>;
using namespace std::string_view_literals;

bool Has(Bytes bytes, std::string_view magic, std::size_t at = 0) {
  return bytes.size() >= at + magic.size() && std::memcmp(bytes.data() + at, magic.data(), magic.size()) == 0;
}

std::string_view View(Bytes bytes, std::size_t at, std::size_t size) {
  if (at >= bytes.size()) return {};
  return {reinterpret_cast<const char*>(bytes.data()) + at, std::min(size, bytes.size() - at)};
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

struct Magic {
  std::string_view bytes;
  std::size_t at;
  ContentKind kind;
};

constexpr std::array kMagics{
    Magic{"\xFF\x0A"sv, 0, {Content::kForeignPicture, "JPEG XL"}},
    Magic{"\0\0\0\x0CJXL \r\n\x87\n"sv, 0, {Content::kForeignPicture, "JPEG XL"}},
    Magic{"\0\0\0\x0CjP  "sv, 0, {Content::kForeignPicture, "JPEG 2000"}},
    Magic{"\xFF\x4F\xFF\x51"sv, 0, {Content::kForeignPicture, "JPEG 2000"}},
    Magic{"II\xBC\x01"sv, 0, {Content::kForeignPicture, "JPEG XR"}},
    Magic{"8BPS\0"sv, 0, {Content::kForeignPicture, "Photoshop"}},
    Magic{"gimp xcf"sv, 0, {Content::kForeignPicture, "GIMP"}},
    Magic{"\x76\x2F\x31\x01"sv, 0, {Content::kForeignPicture, "OpenEXR"}},
    Magic{"#?RADIANCE"sv, 0, {Content::kForeignPicture, "Radiance HDR"}},
    Magic{"#?RGBE"sv, 0, {Content::kForeignPicture, "Radiance HDR"}},
    Magic{"qoif"sv, 0, {Content::kForeignPicture, "QOI"}},
    Magic{"FLIF"sv, 0, {Content::kForeignPicture, "FLIF"}},
    Magic{"BPG\xFB"sv, 0, {Content::kForeignPicture, "BPG"}},
    Magic{"DDS \x7C"sv, 0, {Content::kForeignPicture, "DDS"}},
    Magic{"DICM"sv, 128, {Content::kForeignPicture, "DICOM"}},
    Magic{"SIMPLE  ="sv, 0, {Content::kForeignPicture, "FITS"}},
    Magic{"AT&TFORM"sv, 0, {Content::kForeignPicture, "DjVu"}},
    Magic{"FUJIFILMCCD-RAW"sv, 0, {Content::kForeignPicture, "camera raw"}},
    Magic{"IIRO"sv, 0, {Content::kForeignPicture, "camera raw"}},
    Magic{"IIRS"sv, 0, {Content::kForeignPicture, "camera raw"}},
    Magic{"IIU\0"sv, 0, {Content::kForeignPicture, "camera raw"}},
    Magic{"FOVb"sv, 0, {Content::kForeignPicture, "camera raw"}},
    Magic{"ustar"sv, 257, {Content::kArchive, "tar"}},
    Magic{"\0\x05\x16\x07"sv, 0, {Content::kMacSide, "macOS"}},
    Magic{"\0\x05\x16\0"sv, 0, {Content::kMacSide, "macOS"}},
    Magic{"\0\0\0\x01"
          "Bud1"sv,
          0,
          {Content::kMacSide, "macOS"}},
    Magic{"AVI "sv, 8, {Content::kVideo, "video"}},
    Magic{"\x1A\x45\xDF\xA3"sv, 0, {Content::kVideo, "video"}},
    Magic{"\0\0\x01\xBA"sv, 0, {Content::kVideo, "video"}},
    Magic{"\0\0\x01\xB3"sv, 0, {Content::kVideo, "video"}},
    Magic{"FLV\x01"sv, 0, {Content::kVideo, "video"}},
    Magic{"\x30\x26\xB2\x75\x8E\x66\xCF\x11"sv, 0, {Content::kVideo, "video"}},
    Magic{"OggS"sv, 0, {Content::kVideo, "Ogg"}},
    Magic{"WAVE"sv, 8, {Content::kOther, "sound"}},
    Magic{"ID3\x02"sv, 0, {Content::kOther, "sound"}},
    Magic{"ID3\x03"sv, 0, {Content::kOther, "sound"}},
    Magic{"ID3\x04"sv, 0, {Content::kOther, "sound"}},
    Magic{"fLaC"sv, 0, {Content::kOther, "sound"}},
    Magic{"PAR1"sv, 0, {Content::kOther, "Parquet"}},
    Magic{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, 0, {Content::kOther, "Thumbs.db or Office"}},
    Magic{"PK\x03\x04"sv, 0, {Content::kOther, "zip"}},
    Magic{"PK\x05\x06"sv, 0, {Content::kOther, "zip"}},
    Magic{"\x1F\x8B"sv, 0, {Content::kOther, "gzip"}},
    Magic{"\x28\xB5\x2F\xFD"sv, 0, {Content::kOther, "zstd"}},
    Magic{"\xFD"
          "7zXZ\0"sv,
          0,
          {Content::kOther, "xz"}},
    Magic{"1AY&SY"sv, 4, {Content::kOther, "bzip2"}},
    Magic{"7z\xBC\xAF\x27\x1C"sv, 0, {Content::kOther, "7z"}},
    Magic{"Rar!\x1A\x07"sv, 0, {Content::kOther, "rar"}},
    Magic{"%PDF-"sv, 0, {Content::kOther, "PDF"}},
    Magic{"%!PS"sv, 0, {Content::kOther, "PostScript"}},
    Magic{"SQLite format 3\0"sv, 0, {Content::kOther, "SQLite"}},
    Magic{"\x89HDF\r\n\x1A\n"sv, 0, {Content::kOther, "HDF5"}},
    Magic{"MATLAB 5.0"sv, 0, {Content::kOther, "MATLAB"}},
    Magic{"\x93NUMPY"sv, 0, {Content::kOther, "NumPy"}},
    Magic{"\x80\x02"sv, 0, {Content::kOther, "pickle"}},
    Magic{"\x80\x03"sv, 0, {Content::kOther, "pickle"}},
    Magic{"\x80\x04\x95"sv, 0, {Content::kOther, "pickle"}},
    Magic{"\x80\x05\x95"sv, 0, {Content::kOther, "pickle"}},
    Magic{"\xDE\xC0\xEF\xBE"sv, 16, {Content::kOther, "LMDB"}},
    Magic{"ARROW1\0"sv, 0, {Content::kOther, "Arrow"}},
    Magic{"bplist00"sv, 0, {Content::kOther, "property list"}},
    Magic{"\x7F"
          "ELF"sv,
          0,
          {Content::kOther, "program"}},
    Magic{"MZ\x90\0"sv, 0, {Content::kOther, "program"}},
};

// ISO base media: HEIC and AVIF are pictures in the box of a video.
ContentKind TellMedia(Bytes head) {
  if (!Has(head, "ftyp", 4)) return {};
  const std::string_view brand = View(head, 8, 4);
  if (brand == "crx ") return {Content::kForeignPicture, "camera raw"};
  // A picture may hide behind a general brand ("mif1", "msf1") and say what it is among the compatible ones.
  const std::size_t box = static_cast<std::size_t>(head[2]) << 8 | head[3];
  const std::string_view brands = View(head, 8, std::max<std::size_t>(box, 12) - 8);
  for (std::size_t i = 0; i + 4 <= brands.size(); i += 4) {
    const std::string_view one = brands.substr(i, 4);
    if (one == "avif" || one == "avis") return {Content::kForeignPicture, "AVIF"};
  }
  constexpr std::array kHeif{"heic"sv, "heix"sv, "heim"sv, "heis"sv, "hevc"sv, "hevx"sv, "hevm"sv, "hevs"sv, "mif1"sv, "msf1"sv, "mif2"sv};
  if (std::find(kHeif.begin(), kHeif.end(), brand) != kHeif.end()) return {Content::kForeignPicture, "HEIC"};
  return {Content::kVideo, "video"};
}

// Portable bitmap and its kin: "P5", white space, then a remark or two numbers.
bool IsPortableMap(Bytes head) {
  if (head.size() < 8 || head[0] != 'P' || head[1] < '1' || head[1] > '7') return false;
  const auto is_space = [&head](std::size_t at) { return at < head.size() && (head[at] == ' ' || (head[at] >= '\t' && head[at] <= '\r')); };
  if (!is_space(2)) return false;
  if (head[1] == '7') return Has(head, "WIDTH ", 3) || head[3] == '#';
  if (head[3] == '#') return true;
  std::size_t at = 3;
  for (int number = 0; number < 2; ++number) {
    const std::size_t begin = at;
    while (at < head.size() && std::isdigit(head[at]) != 0) ++at;
    if (at == begin || !is_space(at)) return false;
    while (is_space(at)) ++at;
  }
  return true;
}

bool IsIcon(Bytes head) {
  return head.size() >= 22 && Has(head, "\0\0\x01\0"sv) && head[4] >= 1 && head[4] <= 64 && head[5] == 0 && head[9] == 0 &&
         head[10] <= 1 && head[11] == 0;
}

ContentKind TellText(Bytes head) {
  if (Has(head, "\xFF\xFE") || Has(head, "\xFE\xFF")) return {Content::kOther, "text"};
  const bool is_text = !head.empty() && std::all_of(head.begin(), head.end(), [](std::uint8_t c) {
    return c >= 0x20 ? c != 0x7F : c == '\n' || c == '\r' || c == '\t' || c == '\f';
  });
  if (!is_text) return {};
  // Noise of high bytes is no text: a text is UTF-8, or of eight bits and mostly letters of ASCII.
  const auto high = static_cast<std::size_t>(std::count_if(head.begin(), head.end(), [](std::uint8_t c) { return c >= 0x80; }));
  if (!IsUtf8(View(head, 0, head.size()), true) && high * 2 > head.size()) return {};
  std::string_view text = View(head, 0, head.size());
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {Content::kOther, "text"};
  if (text[first] == '{' || text[first] == '[') return {Content::kOther, "JSON"};
  if (text[first] != '<') return {Content::kOther, "text"};
  const std::string tags = Lower(text.substr(first));
  if (tags.find("<svg") != std::string::npos) return {Content::kOther, "SVG"};
  return {Content::kOther, tags.find("<html") != std::string::npos || tags.starts_with("<!doctype html") ? "HTML" : "XML"};
}

constexpr std::array kPictureEndings{
    "jpg"sv,  "jpeg"sv, "jpe"sv,  "jfif"sv, "jfi"sv,  "jif"sv,  "pjpeg"sv, "pjp"sv, "mpo"sv, "png"sv, "apng"sv, "webp"sv,
    "bmp"sv,  "dib"sv,  "tif"sv,  "tiff"sv, "gif"sv,  "heic"sv, "heif"sv,  "hif"sv, "avif"sv, "jxl"sv, "jp2"sv,  "j2k"sv,
    "jpx"sv,  "jpf"sv,  "jxr"sv,  "wdp"sv,  "psd"sv,  "exr"sv,  "hdr"sv,   "pgm"sv, "ppm"sv, "pnm"sv, "tga"sv,  "cr2"sv,
    "cr3"sv,  "nef"sv,  "arw"sv,  "dng"sv,  "raf"sv,  "orf"sv,  "rw2"sv,   "img"sv};

bool IsPictureEnding(std::string_view ending) {
  return std::find(kPictureEndings.begin(), kPictureEndings.end(), ending) != kPictureEndings.end();
}

// Where a picture's ending begins in a base name; npos when it has none.
std::size_t PictureDot(std::string_view name) {
  const std::string base = Lower(name);
  const std::string ending = NameEnding(base);
  if (IsPictureEnding(ending)) return base.rfind('.');
  // A text about a picture (photo.jpg_info.json) is named after it.
  constexpr std::array kTextEndings{"txt"sv, "json"sv, "jsonl"sv, "csv"sv,  "tsv"sv, "xml"sv, "xmp"sv, "html"sv,
                                    "htm"sv, "md"sv,   "yaml"sv,  "yml"sv, "npy"sv, "npz"sv, "pts"sv};
  const bool is_text = std::find(kTextEndings.begin(), kTextEndings.end(), ending) != kTextEndings.end();
  if (is_text && base.find('?') == std::string::npos) return std::string::npos;
  for (std::size_t dot = base.find('.', 1); dot != std::string::npos; dot = base.find('.', dot + 1)) {
    std::size_t end = dot + 1;
    while (end < base.size() && std::isalnum(static_cast<unsigned char>(base[end])) != 0) ++end;
    if (end == base.size() || !IsPictureEnding(std::string_view(base).substr(dot + 1, end - dot - 1))) continue;
    if (base[end] != '.') return dot;
    // photo.jpg.1: the second download of that name.
    if (base.find_first_not_of("0123456789", end + 1) == std::string::npos && end + 1 < base.size()) return dot;
  }
  return std::string::npos;
}

}  // namespace

std::string_view BaseName(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string NameEnding(std::string_view name) {
  const std::string_view base = BaseName(name);
  const std::size_t dot = base.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  std::string ending = Lower(base.substr(dot + 1));
  const bool looks = !ending.empty() && ending.size() <= 8 && std::isalpha(static_cast<unsigned char>(ending.front())) != 0 &&
                     std::all_of(ending.begin(), ending.end(), [](unsigned char c) { return std::isalnum(c) != 0; });
  // 7z and 3gp begin with a digit; a year or a version does not name a format.
  if (ending == "7z" || ending == "3gp" || ending == "3g2") return ending;
  return looks ? ending : std::string();
}

bool NamePromisesPicture(std::string_view name) { return PictureDot(BaseName(name)) != std::string_view::npos; }

std::string_view WithoutEnding(std::string_view path) {
  const std::string_view base = BaseName(path);
  std::size_t dot = PictureDot(base);
  if (dot == std::string_view::npos && !NameEnding(base).empty()) dot = base.rfind('.');
  return dot == std::string_view::npos ? path : path.substr(0, path.size() - base.size() + dot);
}

bool NamePromisesArchive(std::string_view name) {
  constexpr std::array kEndings{".tar"sv,     ".tar.gz"sv, ".tgz"sv,     ".tar.zst"sv, ".tzst"sv, ".tar.bz2"sv,
                                ".tbz2"sv,    ".tbz"sv,    ".tar.xz"sv,  ".txz"sv,     ".tar.lz4"sv, ".tar.lzma"sv};
  const std::string lower = Lower(name);
  return std::any_of(kEndings.begin(), kEndings.end(), [&lower](std::string_view e) { return lower.ends_with(e); });
}

ContentKind TellContent(Bytes head) {
  const ImageHeader header = ReadImageHeader(head);
  if (header.is_raw) return {Content::kForeignPicture, "camera raw"};
  if (header.format != ImageFormat::kUnknown) return {Content::kPicture, FormatName(header.format)};
  if (const ContentKind media = TellMedia(head); media.content != Content::kUnknown) return media;
  for (const Magic& magic : kMagics) {
    if (Has(head, magic.bytes, magic.at)) return magic.kind;
  }
  if (IsPortableMap(head)) return {Content::kForeignPicture, "portable map"};
  if (IsIcon(head)) return {Content::kForeignPicture, "icon"};
  return TellText(head);
}

bool IsTextKind(const ContentKind& kind) {
  constexpr std::array kNames{"text"sv, "JSON"sv, "HTML"sv, "XML"sv, "SVG"sv};
  return std::find(kNames.begin(), kNames.end(), kind.name) != kNames.end();
}

bool IsPictureFile(std::string_view name, const ContentKind& kind) {
  if (kind.content == Content::kPicture || kind.content == Content::kForeignPicture) return true;
  const std::string_view base = BaseName(name);
  if (kind.content == Content::kMacSide || base.starts_with("._")) return false;
  if (NamePromisesPicture(base)) return true;
  return kind.content == Content::kUnknown && NameEnding(base).empty() && !base.starts_with('.') && !base.starts_with('_');
}

}  // namespace auforge::datasets
