// The AU model's file, format 5 (docs/au-model-format.md).
#include <algorithm>
#include <stdexcept>

#include "annotator/au_model.h"
#include "annotator/internal/au_model_file.h"
#include "annotator/internal/au_model_weights.h"
#include "annotator/internal/half_rows.h"
#include "annotator/model_lineage.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/hdf5_file.h"
#include "datasets/storage/lineage.h"
#include "datasets/storage/paths.h"

namespace auforge::annotator {
namespace {

using datasets::storage::Half;
using datasets::storage::Hdf5Reader;
using datasets::storage::Hdf5Writer;

constexpr const char* kFormat = "auforge-au-model";
constexpr std::int64_t kFormatVersion = 5, kOldestFormat = 2;
constexpr std::int64_t kFirstWithHalves = 4;
// A model of another landmarker than dlib's is one that older programs must not use; other models stay readable for them.
constexpr std::int64_t kFirstWithLandmarker = 5;
constexpr const char* kNetPath = "/learnt_net";

void Require(bool condition, const std::string& text) {
  if (!condition) throw std::invalid_argument(text);
}

template <typename T>
std::vector<T> ReadArray(const Hdf5Reader& file, const std::string& path,
                         const std::vector<std::uint64_t>& shape) {
  auto array = file.Read<T>(path);
  Require(array.shape == shape, path + " has another shape than the model's sizes say");
  return std::move(array.values);
}
template <typename T>
auto ReadMatrix(const Hdf5Reader& file, const std::string& path) {
  auto array = file.Read<T>(path);
  Require(array.shape.size() == 2 && array.shape[0] > 0 && array.shape[1] > 0, path + " is not a matrix");
  return array;
}

// A matrix as halves with scales for its rows, or, of a model that has none, as it is.
void WriteMatrix(Hdf5Writer& file, const std::string& path, const std::vector<float>& values, std::uint64_t rows,
                 std::uint64_t width, bool as_halves, int gzip) {
  if (!as_halves) return file.Write<float>(path, values, {rows, width}, gzip);
  const HalfRows half = ToHalfRows(values, width);
  std::vector<Half> bits(half.halves.size());
  std::transform(half.halves.begin(), half.halves.end(), bits.begin(), [](std::uint16_t h) { return Half{h}; });
  file.Write<Half>(path, bits, {rows, width}, gzip);
  file.Write<float>(path + "_scale", half.scale, {rows}, gzip);
}
datasets::storage::NdArray<float> ReadHalfOrFloatMatrix(const Hdf5Reader& file, const std::string& path) {
  if (!file.Stores<Half>(path)) return ReadMatrix<float>(file, path);
  const auto bits = ReadMatrix<Half>(file, path);
  HalfRows half;
  half.scale = ReadArray<float>(file, path + "_scale", {bits.shape[0]});
  half.halves.resize(bits.values.size());
  std::transform(bits.values.begin(), bits.values.end(), half.halves.begin(),
                 [](Half h) { return static_cast<std::uint16_t>(h); });
  return {bits.shape, FromHalfRows(half, bits.shape[1])};
}

void WriteHead(Hdf5Writer& file, const std::string& base, const Head& head, std::uint64_t a, bool as_halves, int gzip) {
  std::vector<std::string> names;
  for (const BlockProjection& block : head.blocks) {
    names.push_back(block.name);
    const std::string at = base + "/" + block.name + "/";
    file.Write<std::uint32_t>(at + "columns", block.columns, {block.inputs(), 2}, gzip);
    file.Write<float>(at + "mean", block.mean, {block.inputs()}, gzip);
    WriteMatrix(file, at + "projection", block.projection, block.inputs(), block.components, as_halves, gzip);
  }
  WriteMatrix(file, base + "/centres", head.centres, head.centre_count, head.components, as_halves, gzip);
  if (!head.bias.empty()) {
    file.Write<float>(base + "/coefficients", head.coefficients, {head.centre_count, a}, gzip);
    file.Write<float>(base + "/bias", head.bias, {a});
  }
  file.WriteAttribute(base, "blocks", names);
  file.WriteAttribute(base, "gamma", static_cast<double>(head.gamma));
}

Head ReadHead(const Hdf5Reader& file, const std::string& base, const std::string& name, std::uint64_t a, bool is_ksda) {
  Head head;
  head.name = name;
  head.gamma = static_cast<float>(file.ReadDouble(base, "gamma"));
  for (const std::string& block_name : file.ReadStringList(base, "blocks")) {
    const std::string at = base + "/" + block_name + "/";
    auto projection = ReadHalfOrFloatMatrix(file, at + "projection");
    const std::uint64_t inputs = projection.shape[0];
    BlockProjection block{block_name, projection.shape[1], {}, {}, std::move(projection.values), {}};
    block.columns = ReadArray<std::uint32_t>(file, at + "columns", {inputs, 2});
    block.mean = ReadArray<float>(file, at + "mean", {inputs});
    head.components += block.components;
    head.blocks.push_back(std::move(block));
  }
  auto centres = ReadHalfOrFloatMatrix(file, base + "/centres");
  head.centre_count = centres.shape[0];
  head.centres = std::move(centres.values);
  if (is_ksda) return head;
  head.coefficients = ReadArray<float>(file, base + "/coefficients", {head.centre_count, a});
  head.bias = ReadArray<float>(file, base + "/bias", {a});
  return head;
}

void WriteKsda(Hdf5Writer& file, const std::string& name, const KsdaClassifier& c, int gzip) {
  const std::string base = "/ksda/" + name;
  file.Write<float>(base + "/vectors", c.vectors, {c.rows, c.dimensions}, gzip);
  file.Write<float>(base + "/means", c.means, {c.letters.size(), c.dimensions});
  file.Write<std::uint8_t>(base + "/letters", c.letters, {c.letters.size()});
  if (!c.readout.empty()) file.Write<float>(base + "/readout", c.readout, {c.dimensions + 1});
  file.WriteAttribute(base, "gamma", static_cast<double>(c.gamma));
  file.WriteAttribute(base, "spread", static_cast<double>(c.spread));
}

KsdaClassifier ReadKsda(const Hdf5Reader& file, const std::string& name) {
  const std::string base = "/ksda/" + name;
  auto vectors = ReadMatrix<float>(file, base + "/vectors");
  KsdaClassifier c;
  c.gamma = static_cast<float>(file.ReadDouble(base, "gamma"));
  c.spread = static_cast<float>(file.ReadDouble(base, "spread"));
  c.rows = vectors.shape[0];
  c.dimensions = vectors.shape[1];
  c.vectors = std::move(vectors.values);
  c.letters = file.Read<std::uint8_t>(base + "/letters").values;
  c.means = ReadArray<float>(file, base + "/means", {c.letters.size(), c.dimensions});
  if (file.Exists(base + "/readout"))
    c.readout = ReadArray<float>(file, base + "/readout", {c.dimensions + 1});
  return c;
}

void WriteQuality(Hdf5Writer& file, const QualityHead& q, int gzip) {
  if (q.empty()) return;
  file.Write<float>("/quality/coefficients", q.coefficients, {q.coefficients.size()}, gzip);
  file.Write<float>("/quality/centre", q.centre, {q.centre.size()});
  file.Write<float>("/quality/spread", q.spread, {q.spread.size()});
  const std::vector<float> map{q.bias, q.middle, q.slope};
  file.Write<float>("/quality/map", map, {map.size()});
}

QualityHead ReadQuality(const Hdf5Reader& file, std::uint64_t centres) {
  QualityHead q;
  if (!file.Exists("/quality/map")) return q;
  q.coefficients = ReadArray<float>(file, "/quality/coefficients", {centres + 2 * kQualityCues});
  q.centre = ReadArray<float>(file, "/quality/centre", {kQualityCues});
  q.spread = ReadArray<float>(file, "/quality/spread", {kQualityCues});
  const auto map = ReadArray<float>(file, "/quality/map", {3});
  q.bias = map[0];
  q.middle = map[1];
  q.slope = map[2];
  return q;
}

void WriteSides(Hdf5Writer& file, const SideHead& sides, std::uint64_t even, bool as_halves, int gzip) {
  if (sides.empty()) return;
  std::vector<std::string> names;
  for (const BlockProjection& block : sides.blocks) {
    names.push_back(block.name);
    const std::string at = "/sides/" + block.name + "/";
    file.Write<std::uint32_t>(at + "columns", block.columns, {block.inputs(), 2}, gzip);
    WriteMatrix(file, at + "projection", block.projection, block.inputs(), block.components, as_halves, gzip);
  }
  if (sides.centre_count > 0) {
    WriteMatrix(file, "/sides/even_centres", sides.even_centres, sides.centre_count, even, as_halves, gzip);
    WriteMatrix(file, "/sides/odd_centres", sides.odd_centres, sides.centre_count, sides.components, as_halves, gzip);
  }
  const std::uint64_t s = sides.aus.size();
  file.Write<float>("/sides/coefficients", sides.coefficients, {sides.components + sides.centre_count, s}, gzip);
  file.Write<float>("/sides/scale", sides.scale, {s});
  file.Write<std::uint32_t>("/sides/aus", sides.aus, {s});
  if (!sides.half.blocks.empty()) WriteHead(file, "/sides/half", sides.half, s, as_halves, gzip);
  file.WriteAttribute("/sides", "blocks", names);
  file.WriteAttribute("/sides", "even_gamma", static_cast<double>(sides.even_gamma));
  file.WriteAttribute("/sides", "odd_gamma", static_cast<double>(sides.odd_gamma));
}

SideHead ReadSides(const Hdf5Reader& file) {
  SideHead sides;
  if (!file.Exists("/sides/aus")) return sides;
  for (const std::string& name : file.ReadStringList("/sides", "blocks")) {
    const std::string at = "/sides/" + name + "/";
    auto projection = ReadHalfOrFloatMatrix(file, at + "projection");
    const std::uint64_t inputs = projection.shape[0];
    BlockProjection block{name, projection.shape[1], {}, {}, std::move(projection.values), {}};
    block.columns = ReadArray<std::uint32_t>(file, at + "columns", {inputs, 2});
    block.mean.assign(inputs, 0.0F);
    sides.components += block.components;
    sides.blocks.push_back(std::move(block));
  }
  if (file.Exists("/sides/even_centres")) {
    auto even = ReadHalfOrFloatMatrix(file, "/sides/even_centres");
    auto odd = ReadHalfOrFloatMatrix(file, "/sides/odd_centres");
    sides.centre_count = even.shape[0];
    sides.even_centres = std::move(even.values);
    sides.odd_centres = std::move(odd.values);
  }
  sides.aus = file.Read<std::uint32_t>("/sides/aus").values;
  sides.scale = ReadArray<float>(file, "/sides/scale", {sides.aus.size()});
  if (file.Exists("/sides/half/centres"))
    sides.half = ReadHead(file, "/sides/half", "half", sides.aus.size(), false);
  sides.coefficients =
      ReadArray<float>(file, "/sides/coefficients", {sides.components + sides.centre_count, sides.aus.size()});
  sides.even_gamma = static_cast<float>(file.ReadDouble("/sides", "even_gamma"));
  sides.odd_gamma = static_cast<float>(file.ReadDouble("/sides", "odd_gamma"));
  return sides;
}

void WriteInfo(Hdf5Writer& file, const AuModelInfo& info, bool has_halves) {
  file.WriteAttribute("/", "format", std::string(kFormat));
  const bool is_dlib = info.landmarker == "dlib";
  file.WriteAttribute("/", "format_version", !is_dlib     ? kFirstWithLandmarker
                                             : has_halves ? kFirstWithHalves
                                                          : kFirstWithHalves - 1);
  if (!is_dlib) file.WriteAttribute("/", "landmarker", info.landmarker);
  file.WriteAttribute("/", "au_names", info.schema.Names());
  file.WriteAttribute("/", "confidence", info.confidence);
  file.WriteAttribute("/", "looks_at", info.looks_at);
  file.WriteAttribute("/", "features", info.features.ToJson());
  file.WriteAttribute("/", "learner", info.learner);
  file.WriteAttribute("/", "provenance", info.provenance);
  file.WriteAttribute("/", "provisional", std::int64_t{info.provisional});
  file.WriteAttribute("/", "digest", info.digest);
  if (info.held_out.empty()) return;
  std::vector<float> figures;
  for (const HeldOutFigures& f : info.held_out)
    figures.insert(figures.end(), {f.r, f.icc, f.mae, f.auc, f.f1});
  file.Write<float>("/held_out", figures, {info.held_out.size(), 5});
}

std::shared_ptr<const features::LearntNet> ReadNet(const Hdf5Reader& file, const std::string& path) {
  if (!file.Exists(kNetPath)) return nullptr;
  const auto bytes = file.Read<std::uint8_t>(kNetPath);
  return std::make_shared<const features::LearntNet>(features::LearntNet::Parse(bytes.values, path + ": " + kNetPath));
}

AuModelInfo ReadInfo(const Hdf5Reader& file, const std::string& path) {
  AuModelInfo info;
  info.schema = features::AuSchema::FromNames(file.ReadStringList("/", "au_names"));
  info.confidence = file.ReadStringList("/", "confidence");
  info.looks_at = file.ReadStringList("/", "looks_at");
  info.features = features::FeatureSpec::FromJson(file.ReadString("/", "features"), ReadNet(file, path));
  info.learner = file.ReadString("/", "learner");
  if (file.HasAttribute("/", "landmarker")) info.landmarker = file.ReadString("/", "landmarker");
  info.provenance = file.ReadString("/", "provenance");
  info.provisional = file.ReadInteger("/", "provisional") != 0;
  if (!file.Exists("/held_out")) return info;
  const auto figures = ReadArray<float>(file, "/held_out", {info.schema.size(), 5});
  for (std::size_t j = 0; j < info.schema.size(); ++j) {
    const float* f = figures.data() + 5 * j;
    info.held_out.push_back({f[0], f[1], f[2], f[3], f[4]});
  }
  return info;
}

void ReadReadout(const Hdf5Reader& file, AuModel::Weights& w) {
  const std::uint64_t a = w.info.schema.size(), u = w.ReadoutInputs();
  if (file.Exists("/readout")) {
    w.readout.matrix = ReadArray<float>(file, "/readout/matrix", {a, u});
    w.readout.bias = ReadArray<float>(file, "/readout/bias", {a});
  }
  if (file.Exists("/renders")) {
    w.moments.mean = ReadArray<float>(file, "/renders/mean", {u});
    w.moments.covariance = ReadArray<float>(file, "/renders/covariance", {u, u});
    w.moments.cross = ReadArray<float>(file, "/renders/cross", {u, a});
    w.moments.label_deviation = ReadArray<float>(file, "/renders/label_deviation", {a});
  }
}

AuModel ReadModel(const Hdf5Reader& file, const std::string& path, bool with_digest) {
  if (!file.HasAttribute("/", "format") || file.ReadString("/", "format") != kFormat) {
    throw datasets::storage::BadContent(path + ": is not an AuForge AU model");
  }
  const std::int64_t version = file.ReadInteger("/", "format_version");
  if (version < kOldestFormat || version > kFormatVersion) {
    throw datasets::storage::BadContent(path + ": is of model format " + std::to_string(version) +
                             ", this program reads " + std::to_string(kOldestFormat) + " to " +
                             std::to_string(kFormatVersion) + "; train it again with auforge train-au");
  }
  try {
    auto w = std::make_unique<AuModel::Weights>();
    w->has_halves = version >= kFirstWithHalves;
    w->info = ReadInfo(file, path);
    const std::uint64_t a = w->info.schema.size();
    const bool is_ksda = w->info.learner == "ksda";
    for (const std::string& name : file.ReadStringList("/", "heads"))
      w->heads.push_back(ReadHead(file, "/heads/" + name, name, a, is_ksda));
    w->mix = ReadArray<float>(file, "/mix", {w->heads.size(), a});
    if (is_ksda) {
      for (const std::string& name : w->info.schema.Names()) w->ksda.push_back(ReadKsda(file, name));
    }
    if (file.Exists("/visibility/bias") && !w->heads.empty()) {
      w->seen_coefficients =
          ReadArray<float>(file, "/visibility/coefficients", {w->heads[0].centre_count, a});
      w->seen_bias = ReadArray<float>(file, "/visibility/bias", {a});
    }
    const auto calibration = ReadArray<float>(file, "/calibration", {a, 5});
    for (std::size_t j = 0; j < a; ++j) {
      const float* c = calibration.data() + 5 * j;
      w->calibration.push_back({c[0], c[1], c[2], c[3], c[4]});
    }
    if (!w->heads.empty()) ReadReadout(file, *w);
    w->sides = ReadSides(file);
    if (!w->heads.empty()) w->quality = ReadQuality(file, w->heads[0].centre_count);
    AuModel model(std::move(w));
    if (with_digest && model.info().digest != file.ReadString("/", "digest")) {
      throw std::invalid_argument("its content does not match its checksum");
    }
    return model;
  } catch (const std::invalid_argument& error) {
    throw datasets::storage::BadContent(path + ": damaged AU model: " + error.what() + "; fetch or train it again");
  }
}

void WriteReadout(Hdf5Writer& file, const AuModel::Weights& w, int gzip) {
  const std::uint64_t a = w.info.schema.size(), u = w.ReadoutInputs();
  if (!w.readout.empty()) {
    file.Write<float>("/readout/matrix", w.readout.matrix, {a, u}, gzip);
    file.Write<float>("/readout/bias", w.readout.bias, {a});
  }
  if (!w.moments.empty()) {
    file.Write<float>("/renders/mean", w.moments.mean, {u});
    file.Write<float>("/renders/covariance", w.moments.covariance, {u, u}, gzip);
    file.Write<float>("/renders/cross", w.moments.cross, {u, a}, gzip);
    file.Write<float>("/renders/label_deviation", w.moments.label_deviation, {a});
  }
}

}  // namespace

void SaveAuModel(const AuModel::Weights& w, const std::string& path, int gzip, const std::string& lineage) {
  Hdf5Writer file(path);
  const std::uint64_t a = w.info.schema.size();
  WriteInfo(file, w.info, w.has_halves);
  if (!lineage.empty()) file.WriteAttribute("/", datasets::storage::kLineage, lineage);
  if (w.info.features.net != nullptr) {
    const std::vector<std::uint8_t> net = w.info.features.net->Serialise();
    file.Write<std::uint8_t>(kNetPath, net, {net.size()}, gzip);
  }
  std::vector<std::string> heads;
  for (const Head& head : w.heads) {
    heads.push_back(head.name);
    WriteHead(file, "/heads/" + head.name, head, a, w.has_halves, gzip);
  }
  file.WriteAttribute("/", "heads", heads);
  file.Write<float>("/mix", w.mix, {w.heads.size(), a});
  const std::vector<std::string> names = w.info.schema.Names();
  for (std::size_t j = 0; j < w.ksda.size(); ++j) WriteKsda(file, names[j], w.ksda[j], gzip);
  if (!w.seen_bias.empty()) {
    file.Write<float>("/visibility/coefficients", w.seen_coefficients, {w.heads[0].centre_count, a}, gzip);
    file.Write<float>("/visibility/bias", w.seen_bias, {a});
  }
  WriteReadout(file, w, gzip);
  WriteQuality(file, w.quality, gzip);
  WriteSides(file, w.sides, w.heads[0].components, w.has_halves, gzip);
  std::vector<float> calibration;
  for (const AuCalibration& c : w.calibration) {
    calibration.insert(calibration.end(), {c.threshold, c.gain, c.slope, c.centre, c.spread});
  }
  file.Write<float>("/calibration", calibration, {a, 5});
  file.Close();
}

void AuModel::Save(const std::string& path) const { SaveAuModel(*weights_, path, kAuModelGzip); }

void SaveWithLineage(const AuModel& model, const std::string& path, const std::string& lineage) {
  SaveAuModel(model.weights(), path, kAuModelGzip, lineage);
}

AuModel AuModel::Load(const std::string& path) {
  datasets::storage::RequireThere(path, "no such AU model; name one with --model or train one with auforge train-au");
  return ReadModel(Hdf5Reader(path), path, true);
}

std::string LandmarkerOfModel(const std::string& path) {
  try {
    const Hdf5Reader file(path);
    if (file.HasAttribute("/", "landmarker")) return file.ReadString("/", "landmarker");
  } catch (const std::exception&) {
    // Loading it says what is wrong.
  }
  return AuModelInfo{}.landmarker;
}

AuModel ParseAuModel(std::span<const std::uint8_t> bytes, const std::string& name, bool with_digest) {
  return ReadModel(Hdf5Reader(bytes, name), name, with_digest);
}

AuModel AuModel::Parse(std::span<const std::uint8_t> bytes, const std::string& name) {
  return ParseAuModel(bytes, name, true);
}

}  // namespace auforge::annotator
