// What every training of a net here is told, beside what is its own.
#pragma once

#include <cstdint>
#include <string>

namespace auforge::annotator {

struct TrainingOptions {
  double rate = 2e-3;          // AdamW's highest, reached after a tenth of the steps; falls to 0 by a cosine
  double decay = 0.01;         // AdamW's
  bool reduced = true;         // convolutions in bfloat16
  std::string device = "cpu";  // "cpu", "cuda"
  std::uint64_t seed = 1;
  int jobs = 1;                // threads
  std::string state;           // file that a stopped training goes on from; "" = none
  std::string start_from;      // state of another training of the same sizes whose weights are begun with (TrainNet: or a net, or an
                               // AU model with one); "" = none
  double save_minutes = 3;     // between writings of the state

 protected:
  // Throws std::invalid_argument "`of`.rate = 2; must be > 0, < 1".
  void ValidateTraining(const std::string& of) const;
};

// "field = value; must be constraint".
template <typename T>
std::string MustBe(const char* field, T value, const char* constraint) {
  return std::string(field) + " = " + std::to_string(value) + "; must be " + constraint;
}

}  // namespace auforge::annotator
