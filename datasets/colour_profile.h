// The ICC profile in a picture file: what its numbers look like. Whoever changes a picture and drops it changes every
// colour of a photo from a phone. Of RGB pictures in JPEG (APP2, ICC.1 annex B) and PNG (iCCP). Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace auforge::datasets {

// Empty where there is none, where it is damaged, and where it is not of RGB: pictures in CMYK and grey are decoded to
// other numbers than it speaks of.
std::vector<std::uint8_t> ColourProfileOf(std::span<const std::uint8_t> picture);
// The JPEG or PNG, which has none, with the profile in; other formats, and all with an empty profile, as they were.
std::vector<std::uint8_t> WithColourProfile(std::vector<std::uint8_t> picture, std::span<const std::uint8_t> profile);

}  // namespace auforge::datasets
