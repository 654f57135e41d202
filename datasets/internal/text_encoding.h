// Texts of unknown make (captions, metadata, lists) as UTF-8. Stateless; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace auforge::datasets {

// Whether all of it is UTF-8; may_be_cut: the last character may lack bytes.
bool IsUtf8(std::string_view text, bool may_be_cut = false);
// Appends the character of that number; U+FFFD for what is none (a lone surrogate, beyond U+10FFFF).
void AppendUtf8(char32_t character, std::string& to);
// UTF-16 with its mark, UTF-8 with and without; every byte that is no UTF-8 is taken for Windows-1252 (Latin-1 and what
// Windows adds). Marks are dropped.
std::string Utf8Text(std::string_view bytes);
// UTF-16 to UTF-8 and the mark dropped; all else as it is, bytes that are no UTF-8 included (file names).
std::string WithoutMark(std::string_view bytes);

}  // namespace auforge::datasets
