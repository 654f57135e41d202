#include "tools/net/channels.h"

#include <sstream>

#include "features/number.h"
#include "tools/cli/cli.h"

namespace auforge::tools {

std::vector<int> ParseChannels(const std::string& option, const std::string& text) {
  std::vector<int> channels;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, ',');) {
    const auto number = features::ParseWhole(word, 0, 9999);
    if (!number)
      throw UsageError(option + " " + text + ": \"" + word + "\" is no number of channels; write 32,64,128,192");
    channels.push_back(static_cast<int>(*number));
  }
  return channels;
}

}  // namespace auforge::tools
