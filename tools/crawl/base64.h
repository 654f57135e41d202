// Bytes as text, for pictures inside a page (RFC 4648).
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace auforge::tools {

std::string Base64(std::span<const std::uint8_t> bytes);

}  // namespace auforge::tools
