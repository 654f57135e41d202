// Numbers wherever users write them: any bytes as a number, as a label table's field, as a request of AUs and as a data
// spec. What is taken for a number is one from its first character to its last, and prints as text that reads the same.
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "datasets/labels/internal/text_table.h"
#include "features/number.h"
#include "tools/au/au_data.h"
#include "tools/cli/cli.h"
#include "tools/gan/au_request.h"

namespace {

using namespace auforge;

void Require(bool good) {
  if (!good) std::abort();
}

void Numbers(std::string_view text) {
  const auto number = features::ParseNumber(text);
  const auto whole = features::ParseWhole(text);
  const auto count = features::ParseCount(text);
  if (number) {
    Require(std::isfinite(*number));
    Require(text.find_first_not_of("0123456789+-.eE \t\r\n") == std::string_view::npos);
    char written[64];
    const auto end = std::to_chars(written, written + sizeof(written), *number).ptr;
    Require(features::ParseNumber(std::string_view(written, static_cast<std::size_t>(end - written))) == number);
  }
  if (whole) {
    Require(number && std::abs(*number - static_cast<double>(*whole)) <= 1e-15 * std::abs(*number));
    Require(features::ParseWhole(std::to_string(*whole)) == whole);
    // "-0" is a whole number and no count: counts have no minus sign.
    Require(text.find('-') != std::string_view::npos || count == static_cast<std::uint64_t>(*whole));
  }
  if (count) Require(features::ParseCount(std::to_string(*count)) == count);
  for (const char separator : {',', ';', '\t'}) {
    const auto field = datasets::labels::NumberOf(text, separator);
    Require(!number || field == number);
    Require(separator != ',' || field == number);
  }
}

void Request(const std::string& text) {
  try {
    for (const tools::AskedAu& asked : tools::ParseAuRequest(text, features::GanSchema(), tools::Halves::kTaken))
      Require(asked.column < features::GanSchema().size() && asked.value >= 0 && asked.value <= 1);
  } catch (const tools::UsageError& error) {
    Require(!error.message.empty());
  }
}

void Spec(const std::string& text) {
  try {
    const tools::DataSpec spec = tools::ParseDataSpec(text);
    for (const auto& [option, value] : spec.options) Require(spec.Number(option, 0, 1000) <= 1000);
  } catch (const tools::UsageError& error) {
    Require(!error.message.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(static_cast<const char*>(static_cast<const void*>(data)), size);
  Numbers(text);
  Request(text);
  Spec(text);
  return 0;
}
