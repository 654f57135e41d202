// The nearest emotion of a face: how likely each category makes the AUs that were estimated.
#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "annotator/emotions.h"

namespace auforge::annotator {
namespace {

// Share of people who show an AU in a category: nearly all, most, many, half, some, a few. Sets that define a category are
// EmotioNet's (and, for the six basic ones, those of EMFACS, Friesen & Ekman 1983, as well); what goes along with them
// are the AUs that part of the people add (Du, Tao & Martinez, PNAS 2014).
constexpr float kAll = 0.95F, kMost = 0.85F, kMany = 0.6F, kHalf = 0.5F, kSome = 0.35F, kFew = 0.2F;
// An AU that has nothing to do with the category: shown by chance, or an error.
constexpr float kByChance = 0.08F;
// Resting faces are commoner than any one of the basic emotions, compounds are rarer.
constexpr float kBasicPrior = 0, kNeutralPrior = 0.5F, kCompoundPrior = -1.5F;
// Farther than this from every category and a face is "other".
constexpr float kFar = 7;

using Shares = std::map<int, float>;
struct Category {
  std::string name;
  float prior;  // log
  Shares shares;
};

const std::vector<AuEvidence>& LearntTable() {
  static const std::vector<AuEvidence> table{
      {1, -1.57F, 3.22F},  {2, -1.11F, 3.69F},  {4, -1.79F, 2.72F},  {5, -1.09F, 2.78F},  {6, -1.37F, 3.52F},
      {7, -1.39F, 2.36F},  {9, -1.15F, 3.77F},  {10, -1.62F, 3.62F}, {12, -2.16F, 3.27F}, {15, -1.04F, 3.69F},
      {16, -0.84F, 2.95F}, {17, -0.88F, 3.33F}, {20, -1.11F, 3.57F}, {23, -0.60F, 3.29F}, {24, -1.45F, 2.67F},
      {25, -2.68F, 2.57F}, {26, -2.23F, 3.14F}};
  return table;
}

const std::vector<Category>& Categories() {
  static const std::vector<Category> categories{
      {"neutral", kNeutralPrior, {}},
      {"happy", kBasicPrior, {{12, kAll}, {25, kHalf}, {6, kHalf}, {7, kSome}}},
      {"sad", kBasicPrior, {{1, kMost}, {4, kMost}, {15, kMany}, {17, kSome}}},
      {"fearful", kBasicPrior, {{1, kMost}, {4, kMost}, {25, kMost}, {2, kMany}, {5, kMany}, {20, kMany}, {26, kSome}}},
      {"angry",
       kBasicPrior,
       {{4, kAll}, {7, kMany}, {23, kSome}, {24, kSome}, {5, kFew}, {10, kFew}, {17, kFew}, {25, kFew}}},
      {"surprised", kBasicPrior, {{1, kMost}, {25, kMost}, {2, kMany}, {5, kMany}, {26, kMany}}},
      {"disgusted", kBasicPrior, {{9, kMost}, {10, kMany}, {17, kMany}, {4, kSome}, {15, kSome}, {16, kSome}, {24, kFew}}},
      {"happily sad", kCompoundPrior, {{12, kAll}, {4, kMost}, {6, kMost}, {25, kMany}, {1, kSome}}},
      {"happily surprised", kCompoundPrior, {{12, kAll}, {1, kMost}, {2, kMost}, {25, kMost}, {5, kMany}, {26, kSome}}},
      {"happily disgusted", kCompoundPrior, {{10, kAll}, {12, kAll}, {25, kMost}, {6, kMany}, {9, kMany}}},
      {"happily fearful",
       kCompoundPrior,
       {{12, kAll}, {1, kMost}, {2, kMost}, {25, kMost}, {26, kMost}, {5, kSome}, {20, kSome}}},
      {"sadly fearful", kCompoundPrior, {{1, kMost}, {4, kMost}, {15, kMost}, {25, kMost}, {2, kSome}, {20, kSome}}},
      {"sadly angry", kCompoundPrior, {{4, kMost}, {7, kMost}, {15, kMost}, {17, kSome}}},
      {"sadly surprised", kCompoundPrior, {{1, kMost}, {4, kMost}, {25, kMost}, {26, kMost}, {2, kSome}}},
      {"sadly disgusted", kCompoundPrior, {{10, kAll}, {4, kMost}, {15, kMany}, {1, kSome}, {6, kSome}, {17, kSome}}},
      {"fearfully angry", kCompoundPrior, {{4, kMost}, {20, kMost}, {25, kMost}, {5, kSome}, {7, kSome}}},
      {"fearfully surprised",
       kCompoundPrior,
       {{1, kMost}, {2, kMost}, {5, kMost}, {20, kMost}, {25, kMost}, {26, kMany}, {4, kSome}}},
      {"fearfully disgusted",
       kCompoundPrior,
       {{1, kMost}, {4, kMost}, {10, kMost}, {20, kMost}, {25, kMost}, {2, kSome}, {5, kSome}}},
      {"angrily surprised", kCompoundPrior, {{4, kMost}, {25, kMost}, {26, kMost}, {7, kMany}, {5, kSome}}},
      {"angrily disgusted", kCompoundPrior, {{4, kMost}, {10, kMost}, {17, kMost}, {7, kMany}, {9, kMany}, {24, kSome}}},
      {"disgustedly surprised",
       kCompoundPrior,
       {{10, kAll}, {1, kMost}, {2, kMost}, {5, kMost}, {4, kSome}, {17, kSome}}},
      {"awed", kCompoundPrior, {{1, kMost}, {2, kMost}, {5, kMost}, {25, kMost}, {26, kMany}, {20, kSome}}},
      {"appalled", kCompoundPrior, {{4, kMost}, {9, kMost}, {10, kMost}, {17, kSome}}},
      {"hatred", kCompoundPrior, {{4, kMost}, {7, kMost}, {10, kMost}, {17, kSome}, {24, kSome}}}};
  return categories;
}

// A category with the share of every AU by its FACS number.
constexpr std::size_t kAuNumbers = 65;
struct DenseCategory {
  std::uint8_t number = 0;  // index into EmotionNames()
  float prior = 0;
  std::array<float, kAuNumbers> shares{};
};

const std::vector<DenseCategory>& DenseCategories() {
  static const std::vector<DenseCategory> dense = [] {
    const std::vector<std::string> names = EmotionNames();
    std::vector<DenseCategory> all;
    for (const Category& category : Categories()) {
      DenseCategory& d = all.emplace_back();
      d.number = static_cast<std::uint8_t>(std::find(names.begin(), names.end(), category.name) - names.begin());
      d.prior = category.prior;
      d.shares.fill(kByChance);
      for (const auto& [au, share] : category.shares) d.shares[static_cast<std::size_t>(au)] = share;
    }
    return all;
  }();
  return dense;
}

constexpr std::uint8_t kOther = 1;

// Log-likelihood ratio of an estimate; 0 of an AU that nothing was learnt of.
float EvidenceOf(int au, float intensity) {
  for (const AuEvidence& e : LearntEvidence()) {
    if (e.au == au) return e.absent + (e.marked - e.absent) * std::min(intensity, kMarkedIntensity) / kMarkedIntensity;
  }
  return 0;
}

}  // namespace

const std::vector<AuEvidence>& LearntEvidence() { return LearntTable(); }

NearestEmotion EmotionNearest(const features::AuSchema& schema, std::span<const float> intensity,
                              std::span<const std::uint8_t> visible) {
  const std::vector<int>& aus = schema.numbers();
  std::vector<double> ratio(aus.size(), 1.0);
  double best_set = 0;  // log-likelihood of the AUs that explain the estimates best, by that of none
  for (std::size_t j = 0; j < aus.size(); ++j) {
    const bool is_known = visible.empty() || visible[j] != 0;
    const float evidence = is_known && aus[j] < static_cast<int>(kAuNumbers) ? EvidenceOf(aus[j], intensity[j]) : 0;
    ratio[j] = std::exp(static_cast<double>(evidence));
    best_set += std::max(0.0F, evidence);
  }
  NearestEmotion nearest{kOther, 0, kFar};
  double best = -kFar;
  std::vector<double> weights{best};
  for (const DenseCategory& category : DenseCategories()) {
    double likelihood = 1;
    for (std::size_t j = 0; j < aus.size(); ++j) {
      if (ratio[j] == 1) continue;
      const double p = category.shares[static_cast<std::size_t>(aus[j])];
      likelihood *= p * ratio[j] + 1 - p;
    }
    const double distance = best_set - std::log(likelihood), weight = category.prior - distance;
    weights.push_back(weight);
    if (weight <= best) continue;
    best = weight;
    nearest = {category.number, 0, static_cast<float>(distance)};
  }
  double sum = 0;
  for (const double weight : weights) sum += std::exp(weight - best);
  nearest.score = static_cast<float>(1 / sum);
  return nearest;
}

AuEvidence FitEvidence(std::span<const float> intensity, std::span<const float> label, const AuEvidence& fallback) {
  constexpr double kLeastFaces = 8, kRidge = 0.02, kUsualWeight = 4;
  double shown = 0, hidden = 0;
  for (const float l : label) {
    if (std::isnan(l)) continue;
    (l >= 1 ? shown : hidden) += 1;
  }
  if (shown < kLeastFaces || hidden < kLeastFaces) return fallback;
  double offset = 0, slope = 2;
  for (int iteration = 0; iteration < 50; ++iteration) {  // Newton
    double g0 = 0, g1 = -kRidge * (slope - kUsualWeight), h00 = 1e-6, h01 = 0, h11 = kRidge;
    for (std::size_t i = 0; i < label.size(); ++i) {
      if (std::isnan(label[i])) continue;
      const double u = std::min(intensity[i], kMarkedIntensity) / kMarkedIntensity;
      const bool is_shown = label[i] >= 1;
      const double weight = 0.5 / (is_shown ? shown : hidden);
      const double p = 1 / (1 + std::exp(-(offset + slope * u)));
      const double residual = weight * ((is_shown ? 1 : 0) - p), curvature = weight * p * (1 - p);
      g0 += residual;
      g1 += residual * u;
      h00 += curvature;
      h01 += curvature * u;
      h11 += curvature * u * u;
    }
    const double determinant = h00 * h11 - h01 * h01;
    offset += (h11 * g0 - h01 * g1) / determinant;
    slope += (h00 * g1 - h01 * g0) / determinant;
  }
  return {fallback.au, static_cast<float>(offset), static_cast<float>(offset + slope)};
}

}  // namespace auforge::annotator
