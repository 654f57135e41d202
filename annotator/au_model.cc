#include "annotator/au_model.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>
#include <stdexcept>

#include "annotator/internal/answers.h"
#include "annotator/internal/au_model_weights.h"
#include "annotator/internal/half_rows.h"
#include "annotator/internal/matrix_product.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/installed.h"

namespace auforge::annotator {
namespace {

// Evidence below this lowers the quality, whatever the model makes of the face; above it the model alone
// decides.
constexpr float kGoodEvidence = 0.35F;

void Require(bool condition, const std::string& text) {
  if (!condition) throw std::invalid_argument(text);
}
// Nothing that is learnt comes near; sums of products of such numbers stay finite, and so what is predicted.
constexpr float kMostOfNumber = 1e9F;

bool IsSound(float v) { return std::abs(v) <= kMostOfNumber; }  // not of a NaN

void RequireFinite(const std::vector<float>& values, const char* name) {
  Require(std::all_of(values.begin(), values.end(), IsSound),
          std::string(name) + " holds a number that is not finite, or absurdly large");
}

void ValidateBlock(const BlockProjection& block, const features::FeatureExtractor& extractor) {
  const auto& known = extractor.Blocks();
  const auto at =
      std::find_if(known.begin(), known.end(), [&](const auto& b) { return b.name == block.name; });
  Require(at != known.end(), "block " + block.name + " is not in the feature spec");
  const std::uint64_t inputs = block.inputs();
  Require(block.components > 0 && block.components <= inputs, "block " + block.name + " has no components");
  Require(block.columns.size() == 2 * inputs && block.projection.size() == inputs * block.components,
          "block " + block.name + " has arrays of the wrong size");
  for (const std::uint32_t column : block.columns) {
    Require(column >= at->begin && column < at->begin + at->size,
            "block " + block.name + " looks outside its features");
  }
  RequireFinite(block.mean, "a mean");
  RequireFinite(block.projection, "a projection");
}

void ValidateHead(const Head& head, const features::FeatureExtractor& extractor, std::size_t aus,
                  bool is_ksda) {
  Require(!head.blocks.empty(), "head " + head.name + " has no blocks");
  std::uint64_t total = 0;
  for (const BlockProjection& block : head.blocks) {
    ValidateBlock(block, extractor);
    total += block.components;
  }
  Require(total == head.components, "the number of components does not add up");
  Require(IsSound(head.gamma) && head.gamma > 0,
          "gamma = " + std::to_string(head.gamma) + "; must be > 0");
  Require(head.centre_count > 0 && head.centres.size() == head.centre_count * head.components,
          "centres have the wrong size");
  RequireFinite(head.centres, "centres");
  if (is_ksda) return;
  Require(head.coefficients.size() == head.centre_count * aus && head.bias.size() == aus,
          "coefficients or bias have the wrong size");
  RequireFinite(head.coefficients, "coefficients");
  RequireFinite(head.bias, "bias");
}

void ValidateQuality(const QualityHead& q, std::uint64_t centres) {
  if (q.empty()) return;
  Require(q.coefficients.size() == centres + 2 * kQualityCues && q.centre.size() == kQualityCues &&
              q.spread.size() == kQualityCues,
          "the coefficients of the quality have the wrong size");
  RequireFinite(q.coefficients, "the coefficients of the quality");
  RequireFinite(q.centre, "the centre of the quality's cues");
  RequireFinite({q.bias, q.middle, q.slope}, "the map of the quality");
  Require(q.slope > 0 && std::all_of(q.spread.begin(), q.spread.end(),
                                     [](float v) { return std::isfinite(v) && v > 0; }),
          "the quality's slope or a spread of its cues is not positive");
}

void ValidateReadout(const Readout& readout, const RenderMoments& moments, std::size_t inputs, std::size_t aus) {
  Require(readout.empty() || (readout.matrix.size() == aus * inputs && readout.bias.size() == aus),
          "the readout has the wrong size");
  RequireFinite(readout.matrix, "the readout");
  RequireFinite(readout.bias, "the bias of the readout");
  Require(moments.empty() || (moments.mean.size() == inputs && moments.covariance.size() == inputs * inputs &&
                              moments.cross.size() == inputs * aus && moments.label_deviation.size() == aus),
          "the moments of renders have the wrong size");
  for (const auto* values : {&moments.mean, &moments.covariance, &moments.cross, &moments.label_deviation})
    RequireFinite(*values, "the moments of renders");
}

void ValidateSides(const SideHead& sides, const Head& first, const features::FeatureExtractor& extractor,
                   const features::AuSchema& schema) {
  if (sides.empty()) return;
  for (const std::uint32_t au : sides.aus)
    Require(au < schema.size() && features::AuHasSides(schema.numbers()[au]), "the halves are of an AU without sides");
  std::uint64_t total = 0;
  for (const BlockProjection& block : sides.blocks) {
    ValidateBlock(block, extractor);
    total += block.components;
  }
  const std::uint64_t s = sides.aus.size();
  Require(total > 0 && total == sides.components && sides.scale.size() == s &&
              sides.coefficients.size() == (total + sides.centre_count) * s &&
              sides.even_centres.size() == sides.centre_count * first.components &&
              sides.odd_centres.size() == sides.centre_count * total,
          "the halves have arrays of the wrong size");
  Require(IsSound(sides.even_gamma) && IsSound(sides.odd_gamma) && sides.even_gamma > 0 && sides.odd_gamma > 0 &&
              std::all_of(sides.scale.begin(), sides.scale.end(), [](float v) { return IsSound(v) && v > 0; }),
          "a width or scale of the halves is not positive");
  for (const auto* values : {&sides.even_centres, &sides.odd_centres, &sides.coefficients})
    RequireFinite(*values, "the halves");
  if (!sides.half.blocks.empty()) ValidateHead(sides.half, extractor, s, false);
}

void ValidateKsda(const KsdaClassifier& c, std::uint64_t centres) {
  Require(IsSound(c.gamma) && c.gamma > 0 && std::isfinite(c.spread) && c.spread > 0,
          "a ksda width is not positive");
  Require(c.rows == centres && c.dimensions > 0 && c.vectors.size() == centres * c.dimensions,
          "ksda vectors have the wrong size");
  Require(!c.letters.empty() && c.means.size() == c.letters.size() * c.dimensions,
          "ksda means have the wrong size");
  Require(std::all_of(c.letters.begin(), c.letters.end(), [](std::uint8_t l) { return l <= 5; }),
          "a ksda letter is not 0..5");
  RequireFinite(c.vectors, "ksda vectors");
  RequireFinite(c.means, "ksda means");
  Require(c.readout.empty() || c.readout.size() == c.dimensions + 1, "a ksda readout has the wrong size");
  RequireFinite(c.readout, "a ksda readout");
}

}  // namespace

void AuModel::Weights::Validate() const {
  const std::size_t a = info.schema.size();
  Require(a > 0, "the schema is empty");
  Require(info.confidence.size() == a && info.looks_at.size() == a && calibration.size() == a &&
              (info.held_out.empty() || info.held_out.size() == a),
          "confidence, figures or calibration do not match the schema of " + std::to_string(a) + " AUs");
  const features::FeatureExtractor extractor(info.features);
  Require(!heads.empty() && mix.size() == heads.size() * a, "heads or their mixture are missing");
  Require(ksda.empty() || (ksda.size() == a && heads.size() == 1), "ksda does not match the schema");
  std::set<std::string> names;
  for (const Head& head : heads) {
    ValidateHead(head, extractor, a, !ksda.empty());
    Require(names.insert(head.name).second, "two heads are called " + head.name);
  }
  RequireFinite(mix, "the mixture");
  for (const KsdaClassifier& c : ksda) ValidateKsda(c, heads[0].centre_count);
  Require(seen_bias.empty() == seen_coefficients.empty() &&
              (seen_bias.empty() ||
               (seen_bias.size() == a && seen_coefficients.size() == heads[0].centre_count * a)),
          "the coefficients of visibility have the wrong size");
  RequireFinite(seen_coefficients, "the coefficients of visibility");
  RequireFinite(seen_bias, "the bias of visibility");
  ValidateReadout(readout, moments, ReadoutInputs(), a);
  ValidateQuality(quality, heads[0].centre_count);
  ValidateSides(sides, heads[0], extractor, info.schema);
  for (const AuCalibration& c : calibration) {
    Require(IsSound(c.threshold) && IsSound(c.gain) && IsSound(c.slope) && c.gain > 0 && c.slope > 0 &&
                std::isfinite(c.centre) && std::isfinite(c.spread) && c.spread > 0,
            "a calibration is not finite or not rising");
  }
}

void AuModel::Weights::RoundToHalves() {
  const auto round = [](Head& head) {
    for (BlockProjection& block : head.blocks) RoundHalfRows(block.projection, block.components);
    RoundHalfRows(head.centres, head.components);
  };
  for (Head& head : heads) round(head);
  if (sides.empty()) return;
  if (!sides.half.blocks.empty()) round(sides.half);
  for (BlockProjection& block : sides.blocks) RoundHalfRows(block.projection, block.components);
  if (sides.centre_count == 0) return;
  RoundHalfRows(sides.even_centres, heads[0].components);
  RoundHalfRows(sides.odd_centres, sides.components);
}

std::string AuModel::Weights::Digest() const {
  std::string text = info.features.ToJson();
  if (info.landmarker != "dlib") text += "landmarks of " + info.landmarker;
  if (info.features.net != nullptr)
    text += datasets::storage::HexDigest(datasets::storage::Sha256(info.features.net->Serialise()));
  for (const std::string& name : info.schema.Names()) text += name + ",";
  const auto add = [&text](const std::vector<float>& values) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(values.data());
    text += datasets::storage::HexDigest(datasets::storage::Sha256({bytes, values.size() * sizeof(float)}));
  };
  const auto add_head = [&](const Head& head) {
    for (const BlockProjection& block : head.blocks) {
      for (const std::uint32_t column : block.columns) text += std::to_string(column) + ",";
      add(block.mean);
      add(block.projection);
    }
    add({head.gamma});
    add(head.centres);
    add(head.coefficients);
    add(head.bias);
  };
  for (const Head& head : heads) add_head(head);
  add(mix);
  for (const KsdaClassifier& c : ksda) {
    add({c.gamma, c.spread});
    add(c.vectors);
    add(c.means);
    for (const std::uint8_t letter : c.letters) text += std::to_string(letter);
    if (!c.readout.empty()) add(c.readout);
  }
  add(seen_coefficients);
  add(seen_bias);
  if (!readout.empty()) {
    add(readout.matrix);
    add(readout.bias);
  }
  for (const AuCalibration& c : calibration) add({c.threshold, c.gain, c.slope});
  if (!quality.empty()) {
    for (const auto* values : {&quality.coefficients, &quality.centre, &quality.spread}) add(*values);
    add({quality.bias, quality.middle, quality.slope});
  }
  if (!sides.empty()) {
    for (const BlockProjection& block : sides.blocks) {
      for (const std::uint32_t column : block.columns) text += std::to_string(column) + ",";
      add(block.projection);
    }
    for (const std::uint32_t au : sides.aus) text += std::to_string(au) + ",";
    for (const auto* values : {&sides.even_centres, &sides.odd_centres, &sides.coefficients, &sides.scale}) add(*values);
    add({sides.even_gamma, sides.odd_gamma});
    if (!sides.half.blocks.empty()) add_head(sides.half);
  }
  return datasets::storage::Sha256Hex(text);
}

std::pair<float, float> WeightsOf(PairPart part) {
  switch (part) {
    case PairPart::kEven:
      return {0.5F, 0.5F};
    case PairPart::kOdd:
      return {0.5F, -0.5F};
    case PairPart::kFirst:
      return {1.0F, 0.0F};
    case PairPart::kSecond:
      break;
  }
  return {0.0F, 1.0F};
}

std::vector<float> ProjectBlocks(std::span<const BlockProjection> blocks, PairPart part, const float* features,
                                 std::size_t n, std::size_t dimension) {
  std::size_t components = 0, column = 0;
  for (const BlockProjection& block : blocks) components += block.components;
  const auto [first, second] = WeightsOf(part);
  std::vector<float> projected(n * components);
  for (const BlockProjection& block : blocks) {
    const std::size_t inputs = block.inputs();
    std::vector<float> centred(n * inputs);
    for (std::size_t i = 0; i < n; ++i) {
      const float* row = features + i * dimension;
      for (std::size_t j = 0; j < inputs; ++j) {
        centred[i * inputs + j] =
            first * row[block.columns[2 * j]] + second * row[block.columns[2 * j + 1]] - block.mean[j];
      }
    }
    std::vector<float> result(n * block.components);
    if (block.packed.empty()) {
      MatrixProduct(centred.data(), block.projection.data(), result.data(), n, inputs, block.components);
    } else {
      block.packed.Multiply(centred.data(), result.data(), n);
    }
    for (std::size_t i = 0; i < n; ++i) {
      std::copy_n(result.data() + i * block.components, block.components,
                  projected.data() + i * components + column);
    }
    column += block.components;
  }
  return projected;
}

std::vector<float> Head::Project(const float* features, std::size_t n, std::size_t dimension) const {
  return ProjectBlocks(blocks, PairPart::kEven, features, n, dimension);
}

PackedMatrix PackTransposed(const float* rows, std::size_t count, std::size_t width, std::vector<float>& norms) {
  std::vector<float> transposed(width * count);
  norms.assign(count, 0.0F);
  for (std::size_t c = 0; c < count; ++c) {
    for (std::size_t k = 0; k < width; ++k) {
      const float v = rows[c * width + k];
      transposed[k * count + c] = v;
      norms[c] += v * v;
    }
  }
  return {transposed.data(), width, count};
}

namespace {

// |row - centre|^2 from transposed centres (K x C) and their squared norms.
std::vector<float> Distances(const float* rows, std::size_t n, const PackedMatrix& transposed,
                             const std::vector<float>& norms, std::size_t components) {
  const std::size_t count = norms.size();
  std::vector<float> distances(n * count);
  transposed.Multiply(rows, distances.data(), n);
  for (std::size_t i = 0; i < n; ++i) {
    float norm = 0;
    for (std::size_t k = 0; k < components; ++k) norm += rows[i * components + k] * rows[i * components + k];
    for (std::size_t c = 0; c < count; ++c) {
      float& d = distances[i * count + c];
      d = std::max(0.0F, norm + norms[c] - 2 * d);
    }
  }
  return distances;
}

}  // namespace

std::vector<float> SquaredDistances(const float* rows, std::size_t n, const float* centres, std::size_t count,
                                    std::size_t components) {
  std::vector<float> norms;
  const PackedMatrix transposed = PackTransposed(centres, count, components, norms);
  return Distances(rows, n, transposed, norms, components);
}

void Head::Prepare() {
  transposed = PackTransposed(centres.data(), centre_count, components, norms);
  for (BlockProjection& block : blocks)
    block.packed = {block.projection.data(), block.inputs(), block.components};
}

std::vector<float> RbfKernel(const float* rows, std::size_t n, const float* centres, std::size_t count,
                             std::size_t components, float gamma) {
  std::vector<float> kernel = SquaredDistances(rows, n, centres, count, components);
  for (float& v : kernel) v = std::exp(-gamma * v);
  return kernel;
}

std::vector<float> Head::Kernel(const std::vector<float>& projected, std::size_t n) const {
  if (transposed.empty())
    return RbfKernel(projected.data(), n, centres.data(), centre_count, components, gamma);
  std::vector<float> kernel = Distances(projected.data(), n, transposed, norms, components);
  for (float& v : kernel) v = std::exp(-gamma * v);
  return kernel;
}

AuModel::AuModel(std::unique_ptr<Weights> weights) : weights_(std::move(weights)) {
  weights_->Validate();
  if (weights_->has_halves) weights_->RoundToHalves();
  weights_->dimension = features::FeatureExtractor(weights_->info.features).Dimension();
  weights_->info.digest = weights_->Digest();
  for (Head& head : weights_->heads) head.Prepare();
  weights_->sides.Prepare();
}
AuModel::AuModel(AuModel&&) noexcept = default;
AuModel& AuModel::operator=(AuModel&&) noexcept = default;
AuModel::~AuModel() = default;
AuModel AuModel::WithProvenance(const std::string& text) const {
  auto copy = std::make_unique<Weights>(*weights_);
  copy->info.provenance = text;
  return AuModel(std::move(copy));
}

namespace {

// Halves of the AUs that have sides, from the face's own intensities. What is hidden stays 0.
void FillHalves(const AuModel::Weights& w, const Answers& answers, std::size_t face, features::AuEstimate& e) {
  const std::size_t a = e.intensity.size(), s = w.sides.aus.size();
  e.left.assign(a, NAN);
  e.right.assign(a, NAN);
  for (std::size_t k = 0; k < s; ++k) {
    const std::size_t j = w.sides.aus[k];
    const bool is_hidden = !answers.seen.empty() && answers.seen[face * a + j] < kLeastSeen;
    const float difference = is_hidden ? 0 : answers.differences[face * s + k];
    const Halves halves = HalvesOf(e.intensity[j], difference);
    e.left[j] = halves.left;
    e.right[j] = halves.right;
  }
}

}  // namespace

const AuModelInfo& AuModel::info() const { return weights_->info; }
const AuModel::Weights& AuModel::weights() const { return *weights_; }

std::vector<features::AuEstimate> AuModel::Predict(std::span<const float> features, std::size_t n,
                                                   std::vector<std::uint8_t>* visible,
                                                   std::span<const QualityEvidence> evidence) const {
  const Weights& w = *weights_;
  const std::size_t a = w.info.schema.size();
  if (visible != nullptr) visible->assign(n * a, 1);
  if (n == 0) return {};
  if (features.size() != n * w.dimension) {
    throw std::invalid_argument("predict: rows of " + std::to_string(features.size() / n) +
                                " features; the model wants " + std::to_string(w.dimension));
  }
  if (!evidence.empty() && evidence.size() != n)
    throw std::invalid_argument("predict: evidence for another number of faces");
  const bool judges = !evidence.empty() && !w.quality.empty();
  const Answers answers = Answer(w, features.data(), n, judges);
  const std::vector<float> intensities = IntensitiesOf(w, answers);
  std::vector<features::AuEstimate> estimates(n);
  for (std::size_t i = 0; i < n; ++i) {
    features::AuEstimate& e = estimates[i];
    e.intensity.assign(a, 0.0F);
    e.probability.assign(a, 0.0F);
    e.present.assign(a, 0);
    for (std::size_t j = 0; j < a; ++j) {
      const std::size_t at = i * a + j;
      if (!answers.seen.empty() && answers.seen[at] < kLeastSeen) {
        if (visible != nullptr) (*visible)[at] = 0;
        continue;
      }
      const AuCalibration& c = w.calibration[j];
      e.intensity[j] = intensities[at];
      e.probability[j] = 1 / (1 + std::exp(-c.slope * (answers.scores[at] - c.threshold)));
      // The intensity alone decides: the two can never contradict each other.
      e.present[j] = e.intensity[j] >= 1 ? 1 : 0;
    }
    if (!answers.differences.empty()) FillHalves(w, answers, i, e);
    if (!evidence.empty()) e.quality = FaceQuality(evidence[i]);
  }
  if (!judges) return estimates;
  const std::vector<float> errors =
      ExpectedErrors(w.quality, answers.kernel, QualityCues(w, answers, intensities, evidence), n);
  for (std::size_t i = 0; i < n; ++i) {
    const float gate = std::min(1.0F, estimates[i].quality / kGoodEvidence);
    estimates[i].quality = gate * QualityOf(w.quality, errors[i]);
  }
  return estimates;
}

std::string DefaultAuModelPath() {
  if (const char* configured = std::getenv("AUFORGE_MODEL"); configured != nullptr && *configured != '\0') {
    return configured;
  }
  const std::string installed = datasets::storage::InstalledFile("default.h5");
  return installed.empty() ? AUFORGE_DEFAULT_MODEL : installed;
}

}  // namespace auforge::annotator
