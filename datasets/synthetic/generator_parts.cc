#include "datasets/synthetic/internal/generator_parts.h"

#include <stdexcept>
#include <utility>

namespace auforge::datasets::synthetic::internal {

void Need(bool ok, const std::string& field, double value, const std::string& range) {
  if (!ok) throw std::invalid_argument(field + " = " + std::to_string(value) + "; must be " + range);
}

ScenePlace PlaceOf(std::uint64_t index, int expressions) {
  const auto k = static_cast<std::uint64_t>(expressions);
  return {index / k, static_cast<int>(index % k)};
}

SyntheticFace Finished(SyntheticFace face, const DegradeOptions& options, Random random, std::uint64_t identity) {
  face.image = Degrade(face.image, options, random);
  face.identity = static_cast<std::int64_t>(identity);
  return face;
}

}  // namespace auforge::datasets::synthetic::internal
