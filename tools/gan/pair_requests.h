// What a photograph's face is asked to show so that it and its edit teach a generator.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "datasets/synthetic/au_shapes.h"
#include "datasets/synthetic/random.h"

namespace auforge::tools {

// Draws the AUs that an edit is to show, intensities 0..5 of features::CatalogueSchema(), near what users ask for: of eight
// edits three are one AU set anew (of three of those one comes to rest, when the face shows it), two are two or three AUs set
// anew, one is another face's whole expression and two are expressions that people show or mixtures of AUs
// (datasets::synthetic::SampleExpression). An AU that is set anew takes the place of those that cannot go with it. columns: of the
// AUs that may be set, at least one; the others stay. own: what the face shows; other: what another face shows.
std::vector<float> DrawRequest(datasets::synthetic::Random& random, std::span<const std::size_t> columns, std::span<const float> own,
                               std::span<const float> other);

// The same for both halves of the face: a share `one_sided`, 0..1, of the AUs that rise and have sides rises less on one half, by
// anything down to not at all.
datasets::synthetic::Expression ApartInHalves(datasets::synthetic::Random& random, std::span<const float> own,
                                              const std::vector<float>& wanted, float one_sided);

}  // namespace auforge::tools
