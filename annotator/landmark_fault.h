// What is said of landmark weights that are not there or not whole. Pure function.
#pragma once

#include <string>

namespace auforge::annotator {

// "PATH: cannot be read. Landmark weights come with …"
std::string LandmarkFault(const std::string& path, const std::string& what);

}  // namespace auforge::annotator
