// Lists of paths as people and their tools write them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace auforge::datasets {

// One line of a list: the path in it, and the line as it stands, which is the path where a file has quotes, a leading
// "#" or blanks at its ends in its name.
struct ListLine {
  std::string path;
  std::string verbatim;
  bool is_remark = false;  // begins with "#": no path unless a file is named so
};

// content: UTF-8 (with its mark or not) or any other bytes, UTF-16 with its mark. Lines end as on Unix, Windows or the old
// Mac, or with a zero (find -print0; then nothing but the zero ends a path and nothing is taken off it). Blank lines are
// no lines. Never throws but for memory.
std::vector<ListLine> ReadListLines(std::string_view content);

}  // namespace auforge::datasets
