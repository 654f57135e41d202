#include "tools/gan/pair_requests.h"

#include <algorithm>

#include "datasets/synthetic/au_shapes.h"
#include "features/au_schema.h"

namespace auforge::tools {
namespace {

using datasets::synthetic::Random;

constexpr float kShown = 0.5F;  // intensity from which on an AU can be taken away

void SetOneAnew(Random& random, std::span<const std::size_t> columns, std::vector<float>& aus) {
  std::vector<std::size_t> shown;
  for (const std::size_t j : columns) {
    if (aus[j] >= kShown) shown.push_back(j);
  }
  if (!shown.empty() && random.Chance(1.0F / 3)) {
    aus[shown[static_cast<std::size_t>(random.Index(static_cast<int>(shown.size())))]] = 0;
    return;
  }
  const std::size_t column = columns[static_cast<std::size_t>(random.Index(static_cast<int>(columns.size())))];
  const float intensity = random.Chance(0.5F) ? 5 : random.Uniform(1, 5);
  const std::vector<float> before = aus;
  datasets::synthetic::MakeRoomFor(features::CatalogueSchema().numbers()[column], aus);
  for (std::size_t j = 0; j < aus.size(); ++j) {
    if (std::ranges::find(columns, j) == columns.end()) aus[j] = before[j];
  }
  aus[column] = intensity;
}

// Lips part where the jaw drops and in most broad smiles; SampleExpression leaves that to the shapes.
void PartLips(Random& random, std::vector<float>& aus) {
  const features::AuSchema& schema = features::CatalogueSchema();
  const auto of = [&](int au) -> float& { return aus[*schema.Find(au)]; };
  if (of(24) > 0 || of(28) > 0) return;  // lips held shut
  float least = of(26);
  if (of(12) >= 2 && random.Chance(0.7F)) least = std::max(least, of(12) * 0.8F);
  of(25) = std::max(of(25), least);
}

}  // namespace

std::vector<float> DrawRequest(Random& random, std::span<const std::size_t> columns, std::span<const float> own, std::span<const float> other) {
  std::vector<float> wanted(own.begin(), own.end());
  const auto take = [&](std::span<const float> expression) {
    for (const std::size_t j : columns) wanted[j] = expression[j];
  };
  switch (random.Index(8)) {
    case 0:
    case 1:
    case 2: SetOneAnew(random, columns, wanted); break;
    case 3:
    case 4:
      for (int n = 2 + random.Index(2); n > 0; --n) SetOneAnew(random, columns, wanted);
      break;
    case 5: take(other); break;
    default:
      std::vector<float> expression = datasets::synthetic::SampleExpression(random, 0).Labels();
      PartLips(random, expression);
      take(expression);
  }
  return wanted;
}

datasets::synthetic::Expression ApartInHalves(Random& random, std::span<const float> own, const std::vector<float>& wanted, float one_sided) {
  datasets::synthetic::Expression halves{wanted, wanted};
  if (one_sided <= 0) return halves;
  const std::vector<int>& aus = features::CatalogueSchema().numbers();
  for (std::size_t j = 0; j < wanted.size(); ++j) {
    if (wanted[j] <= own[j] || !features::AuHasSides(aus[j]) || !random.Chance(one_sided)) continue;
    (random.Chance(0.5F) ? halves.left : halves.right)[j] = own[j] + (wanted[j] - own[j]) * random.Uniform(0, 0.9F);
  }
  return halves;
}

}  // namespace auforge::tools
