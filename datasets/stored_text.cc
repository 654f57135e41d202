#include "datasets/internal/stored_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "datasets/internal/shard_layout.h"

namespace auforge::datasets {

std::string StoredText(const std::string& text) {
  using nlohmann::json;
  std::string clean = text;
  std::replace(clean.begin(), clean.end(), '\0', ' ');
  const json quoted = clean;
  clean = json::parse(quoted.dump(-1, ' ', false, json::error_handler_t::replace)).get<std::string>();
  if (clean.size() > layout::kLongestText) {
    std::size_t end = layout::kLongestText;
    while (end > 0 && (static_cast<unsigned char>(clean[end]) & 0xC0) == 0x80) --end;
    clean.resize(end);
  }
  return clean;
}

}  // namespace auforge::datasets
