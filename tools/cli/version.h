// What --version says.
#pragma once

#include <string>

namespace auforge::tools {

// "auforge 0.1.0" and, on two lines more, what it was built with: compiler, processor, commit, libraries.
std::string VersionText(const std::string& program);
// "0.1.0"
std::string Version();

}  // namespace auforge::tools
