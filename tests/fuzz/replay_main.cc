// Stands in for libFuzzer where there is no clang: feeds a fuzz target every file below the paths that are
// given, and each cut off and with bytes changed in a few places.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr int kChanges = 20;  // of every file

void Try(const Bytes& bytes) { LLVMFuzzerTestOneInput(bytes.data(), bytes.size()); }

void Replay(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const Bytes whole{std::istreambuf_iterator<char>(file), {}};
  Try(whole);
  std::mt19937 random(static_cast<std::mt19937::result_type>(whole.size()));
  for (int i = 0; i < kChanges && !whole.empty(); ++i) {
    Bytes changed = whole;
    for (int k = 0; k <= i % 4; ++k) changed[random() % changed.size()] = static_cast<std::uint8_t>(random());
    Try(changed);
    changed.resize(random() % changed.size());
    Try(changed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  int files = 0;
  for (int i = 1; i < argc; ++i) {
    if (!fs::exists(argv[i])) continue;
    if (fs::is_regular_file(argv[i])) {
      Replay(argv[i]);
      ++files;
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(argv[i])) {
      if (!entry.is_regular_file()) continue;
      Replay(entry.path());
      ++files;
    }
  }
  std::printf("%d files replayed\n", files);
  return files > 0 ? 0 : 1;
}
