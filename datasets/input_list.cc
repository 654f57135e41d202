#include <algorithm>
#include <cstddef>

#include "datasets/internal/input_list.h"
#include "datasets/internal/text_encoding.h"

namespace auforge::datasets {
namespace {

// Blanks at both ends off, then a pair of quotes.
std::string Path(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  line = line.substr(first, line.find_last_not_of(" \t") + 1 - first);
  const bool quoted = line.size() >= 2 && (line.front() == '"' || line.front() == '\'') && line.back() == line.front();
  return std::string(quoted ? line.substr(1, line.size() - 2) : line);
}

}  // namespace

std::vector<ListLine> ReadListLines(std::string_view content) {
  const std::string text = WithoutMark(content);
  const bool by_zeros = text.find('\0') != std::string::npos;
  std::vector<ListLine> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(by_zeros ? text.find('\0', begin) : text.find_first_of("\r\n", begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    const std::string path = by_zeros ? line : Path(line);
    if (!path.empty()) lines.push_back({path, line, !by_zeros && path.front() == '#'});
  }
  return lines;
}

}  // namespace auforge::datasets
