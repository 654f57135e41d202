#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/support/tar_file.h"

namespace auforge::tests {

void WriteText(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary);
  if (!(file << content)) throw std::runtime_error(path);
}

std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace auforge::tests
