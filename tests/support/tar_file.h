// Writes small tars for tests.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace auforge::tests {

struct TarMember {
  std::string name;
  std::string content;
  std::string hard_link = {};  // or the name of an earlier member
  std::string soft_link = {};  // or what the member, a symbolic link, leads to
};

// Plain POSIX (pax) tar.
void WriteTar(const std::string& path, const std::vector<TarMember>& members);
void WriteText(const std::string& path, const std::string& content);
std::string ReadText(const std::string& path);

}  // namespace auforge::tests
