// tools/gan/renderer_movements.csv, made part of the program by CMake.
#pragma once

#include <string_view>

namespace auforge::tools {

std::string_view RendererMovementsText();

}  // namespace auforge::tools
