#include "datasets/robots.h"

#include <cctype>

namespace auforge::datasets {
namespace {

bool IsBetween(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0 || c == ',' || c == ';' || c == ':' || c == '\0'; }

}  // namespace

std::string PlainDirectives(std::string_view text) {
  std::string plain;
  bool is_list = false, is_space = false;  // seen since the last letter
  for (const char c : text) {
    if (c == ',' || c == ';') {
      is_list = true;
    } else if (std::isspace(static_cast<unsigned char>(c)) != 0 || c == '\0') {
      is_space = true;
    } else {
      if (!plain.empty() && is_list) plain += ',';
      if (!plain.empty() && (is_list || is_space)) plain += ' ';
      plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      is_list = is_space = false;
    }
  }
  return plain;
}

bool ForbidsAi(std::string_view directives) {
  for (std::size_t begin = 0; begin < directives.size();) {
    std::size_t end = begin;
    while (end < directives.size() && !IsBetween(directives[end])) ++end;
    const std::string word = PlainDirectives(directives.substr(begin, end - begin));
    if (word == "noai" || word == "noimageai") return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace auforge::datasets
