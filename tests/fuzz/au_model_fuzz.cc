// AU models: any file loads and predicts finite numbers, or is refused with a message.
#include <cmath>
#include <cstdlib>
#include <stdexcept>

#include "annotator/au_model.h"
#include "tests/fuzz/input_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace auforge;
  static fuzz::InputFile file;
  const std::string& path = file.Fill(data, size);
  try {
    annotator::AuModel::Load(path);
  } catch (const std::runtime_error& error) {
    if (std::string(error.what()).find(path) == std::string::npos) std::abort();
  }
  return 0;
}
