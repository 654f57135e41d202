// Which members of a tar belong together, and the texts of a whole tar that do not stand beside their pictures.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "datasets/internal/metadata.h"
#include "datasets/internal/tar_stream.h"

namespace auforge::datasets {

// What a member's name says. "d/000.seg.png" -> sample d/000, stem d/000.seg, key d/000;
// "Photo 2.0 (final).jpg" -> sample "Photo 2", stem and key "Photo 2.0 (final)": no kind of data is called "0 (final)".
struct MemberName {
  std::string name;
  std::string sample;  // up to the first dot of the base name, as webdataset has it
  std::string stem;    // without the ending, and what a crawler put behind it
  std::string key;     // of the row: the sample where what follows it could be a kind of data, else the stem
};
MemberName SplitMemberName(const std::string& name);

enum class MemberKind { kPicture, kCaption, kRecord, kOther };
struct Member {
  MemberKind kind = MemberKind::kOther;
  std::string what;                // of kOther: what it is, for people
  std::vector<std::uint8_t> head;  // bytes that were read to tell
  bool is_whole = true;            // false: the archive is broken there
};
// What a file is among the members: by the rule of IsPictureFile, .txt and .json being texts.
Member TellMember(TarStream& stream, const TarMemberInfo& info);

// Reads a caption or record; not whole when it is too long. false when the archive is broken.
bool ReadMetadataMember(TarStream& stream, const TarMemberInfo& info, MemberKind kind, Metadata& found);

// Members of one key that stand together.
struct TarRun {
  struct Text {
    std::string stem;
    MemberKind kind = MemberKind::kCaption;
    Metadata found;
  };
  std::string key;
  std::vector<MemberName> pictures;
  std::vector<Text> texts;
  std::uint64_t bytes = 0;  // of the pictures

  // It is not collected for ever: thousands of members may have one name.
  bool IsFull(std::uint64_t max_bytes) const { return bytes > max_bytes || texts.size() > 1024; }
  struct Pairs {
    std::vector<std::vector<std::size_t>> of_picture;  // indices into texts: the caption, then the record
    std::vector<bool> used;                            // of each text
  };
  // The n-th picture of a name gets the n-th caption and the n-th record of its stem, of its whole name, or of its sample;
  // the last where there are fewer.
  Pairs Pair() const;
};

// The texts of an archive that stand away from their pictures.
class TarTexts {
 public:
  // Reads the file once, pictures passed over. max_bytes: as of the reader.
  static TarTexts Collect(const std::string& path, std::uint64_t max_bytes);
  // Takes those texts of a run that none of its pictures has asked for. At most kMostStrayBytes are kept of an archive.
  void Keep(TarRun& run);

  // Of a picture that lacks a caption or a record; the next one of that name each time, the last where there is no other.
  void Fill(const MemberName& picture, bool caption, bool record, ImageItem& item);
  bool Has(const std::string& stem) const { return by_stem_.contains(stem); }
  // Texts that no picture asked for.
  std::uint64_t Unused() const;

 private:
  struct Entry {
    std::vector<Metadata> texts;
    std::size_t used = 0;
  };
  struct Entries {
    Entry captions, records;
  };

  std::map<std::string, Entries> by_stem_;
  std::uint64_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

inline constexpr std::uint64_t kMostStrayBytes = 64 << 20;

}  // namespace auforge::datasets
