// What a crawl knows of an image beside it: a caption (.txt) and a JSON record. Read leniently, for they were written by
// many hands: what can be understood is taken, and whether that was all is said. Stateless; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "datasets/image_source.h"

namespace auforge::datasets {

// Captions and records are short; of a longer one nothing is read.
inline constexpr std::uint64_t kLongestMetadata = 1 << 20;

struct Metadata {
  std::string url, caption, licence, robots;  // UTF-8, at most layout::kLongestText bytes each; empty where nothing is said
  bool is_whole = true;               // false: part of it, or all, could not be understood
};

// A caption file. Bytes that are no UTF-8 count as Windows-1252, UTF-16 by its mark; not a text at all: empty, not whole.
Metadata ReadCaption(std::string_view bytes);
// "url", "caption" (a text, or several in a list), the licence and what the site asks of robots of a JSON object. Names of
// the latter two in any spelling: "license", "LICENSE", "licence"; "robots", "X-Robots-Tag", "noai", "noimageai" (true or
// false). A licence "?" or "unknown" is none. Beyond JSON it takes what
// Python and crawlers write: NaN and Infinity, None and True, lone surrogates (U+FFFD), bytes that are no UTF-8, control
// characters in texts, commas too many, and an end that was cut off (not whole then).
Metadata ReadJsonRecord(std::string_view bytes);

// Fills the fields of the item that `found` has and the item lacks.
void Fill(const Metadata& found, ImageItem& item);

}  // namespace auforge::datasets
