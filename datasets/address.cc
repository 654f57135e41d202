#include "datasets/address.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace auforge::datasets {
namespace {

constexpr std::string_view kMark = "{}";
constexpr std::string_view kVariable = "AUFORGE_ADDRESS";

[[noreturn]] void Refuse(const std::string& command, const std::string& why) {
  throw std::invalid_argument("--fetch '" + command + "': " + why);
}

// Where the quote that opens at `at` is closed.
std::size_t ClosingQuote(const std::string& command, std::size_t at) {
  const char quote = command[at];
  for (std::size_t i = at + 1; i < command.size(); ++i) {
    if (quote == '"' && command[i] == '\\') {
      ++i;
    } else if (command[i] == quote) {
      return i;
    }
  }
  Refuse(command, std::string("a quote (") + quote + ") is not closed");
}

}  // namespace

bool IsAddress(std::string_view text) {
  const std::size_t colon = text.find("://");
  if (colon == 0 || colon == std::string_view::npos || colon + 3 == text.size()) return false;
  if (std::isalpha(static_cast<unsigned char>(text[0])) == 0) return false;
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.';
  });
}

std::string_view AddressName(std::string_view address) { return address.substr(0, address.find_first_of("?#")); }

void FetchOptions::Validate() const {
  if (seconds < 1) throw std::invalid_argument("fetch.seconds = " + std::to_string(seconds) + "; must be >= 1");
  if (!command.empty()) FetchScript(command);
}

std::string FetchScript(const std::string& command) {
  const std::string address = "\"$" + std::string(kVariable) + "\"";
  std::string script;
  bool has_address = command.find(kVariable) != std::string::npos;
  for (std::size_t i = 0; i < command.size(); ++i) {
    const char c = command[i];
    if (c == '\\' && i + 1 < command.size()) {
      script += command.substr(i++, 2);
    } else if (c == '\'' || c == '"') {
      const std::size_t end = ClosingQuote(command, i);
      const std::string quoted = command.substr(i + 1, end - i - 1);
      if (quoted != kMark && quoted.find(kMark) != std::string::npos) {
        Refuse(command, "{} stands within quotes; write it outside of them (it is quoted already), or write $" +
                            std::string(kVariable) + " there, a variable of the command's");
      }
      has_address = has_address || quoted == kMark;
      script += quoted == kMark ? address : command.substr(i, end - i + 1);
      i = end;
    } else if (command.compare(i, kMark.size(), kMark) == 0) {
      has_address = true;
      script += address;
      ++i;
    } else {
      script += c;
    }
  }
  if (!has_address) Refuse(command, "has no {}, which stands for the address: --fetch 'curl -sf {}'");
  return script;
}

}  // namespace auforge::datasets
