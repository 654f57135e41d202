// Facial Action Units: the catalogue, ordered schemas, and what an annotator says about one face.
// An AuSchema travels with every model, shard and checkpoint; nobody assumes which column is which AU.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auforge::features {

// An ordered list of distinct FACS AU numbers. Column j of an AU matrix belongs to numbers()[j].
class AuSchema {
 public:
  AuSchema() = default;
  // Throws std::invalid_argument when a number is not in 1..64 or occurs twice.
  explicit AuSchema(std::vector<int> facs_numbers);
  // Parses {"AU1", "AU12"} (also "1", "AU01"); throws std::invalid_argument naming the bad one.
  static AuSchema FromNames(const std::vector<std::string>& names);

  const std::vector<int>& numbers() const { return numbers_; }
  std::size_t size() const { return numbers_.size(); }
  // Column of an AU; 43 and 45 stand for each other (both are closed eyes in a still). nullopt when absent.
  std::optional<std::size_t> Find(int facs_number) const;
  // "AU1", "AU12", …
  std::vector<std::string> Names() const;
  friend bool operator==(const AuSchema&, const AuSchema&) = default;

 private:
  std::vector<int> numbers_;
};

// The 17 AUs, in order, that condition GANimation (those OpenFace measures).
const AuSchema& GanSchema();
// Every AU that the default annotator and the synthetic faces know:
// 1 2 4 5 6 7 9 10 12 14 15 16 17 18 20 22 23 24 25 26 28 45.
const AuSchema& CatalogueSchema();

// "Inner brow raiser" for 1, … ; empty for a number outside FACS.
std::string_view AuName(int facs_number);
// "AU12", "au 12", "12", "AU06" -> 12; nullopt for anything else.
std::optional<int> ParseAu(std::string_view text);

// What is said about one face; vectors have one entry per AU of the schema in use.
// Invariant: present[j] == (intensity[j] >= 1).
// Whether the halves of a face can show the Action Unit to different degrees: those of the catalogue that move a brow, a
// lid, a cheek, a corner of the mouth; not what the jaw or the lips do as a whole.
bool AuHasSides(int facs_number);

struct AuEstimate {
  std::vector<float> intensity;      // 0..5; FACS A..E = 1..5
  std::vector<float> probability;    // 0..1, of presence, calibrated
  std::vector<std::uint8_t> present; // 0 or 1
  float quality = 0;                 // 0..1, how far the estimate can be trusted
  // 0..5 of the subject's own left and right half, NaN for AUs without sides; both empty where nothing tells. The
  // stronger half is 1 or more exactly where the AU is present.
  std::vector<float> left = {}, right = {};
};

}  // namespace auforge::features
