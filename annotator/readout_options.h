// How the readout of a model is fitted to labelled photographs, and what became of each AU (photo_readout.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace auforge::annotator {

struct ReadoutOptions {
  int folds = 5;               // of the people, 2..20
  int least_present = 8;       // photographs with the AU, and as many without it, below which it keeps what it had
  double most_lost = 0.01;     // correlation with the labels of renders that an AU may lose, 0..1
  std::vector<double> strengths = {1000, 300, 100, 30, 10, 3, 1};  // to choose from, falling, > 0
  std::uint64_t seed = 1;      // of the folds
  void Validate() const;       // throws std::invalid_argument naming field and value
};

// What became of one AU.
struct ReadoutFigure {
  int au = 0;
  std::size_t rows = 0, present = 0;        // labelled photographs, and those with the AU
  bool refitted = false;                    // false: it keeps what it had, for the reason in `why`
  std::string why;
  double strength = 0;                      // of the penalty; infinite: threshold and scale alone were fitted
  double auc_before = 0, auc_after = 0;     // on them; after: of people left out in turn. 0 where it is not refitted
  double render_r_before = 0, render_r_after = 0;  // of the score with the labels of renders, from the moments
  double share = 0, share_before = 0;       // labelled present; claimed by the model before
};

}  // namespace auforge::annotator
