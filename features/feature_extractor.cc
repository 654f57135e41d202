#include "features/feature_extractor.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <opencv2/imgproc.hpp>
#include <stdexcept>

#include "features/align.h"
#include "features/au_partition.h"
#include "features/hog.h"
#include "features/shape.h"

namespace auforge::features {
namespace {

using nlohmann::json;

// How far outside an AU's region a feature still belongs to it, inter-ocular distances.
constexpr float kLocalReach = 0.12F;

NLOHMANN_JSON_SERIALIZE_ENUM(ShapeKind, {{ShapeKind::kNone, "none"}, {ShapeKind::kEmotioNet, "emotionet"}})
NLOHMANN_JSON_SERIALIZE_ENUM(GaborPoints, {{GaborPoints::kCompact, "compact"}, {GaborPoints::kEmotioNet, "emotionet"}})
NLOHMANN_JSON_SERIALIZE_ENUM(GaborOutput, {{GaborOutput::kSqrtMagnitude, "sqrt-magnitude"},
                                           {GaborOutput::kResponses, "responses"}})

}  // namespace

void FeatureSpec::Validate() const {
  if (shape == ShapeKind::kNone && !LooksAtPicture()) {
    throw std::invalid_argument("features: shape, gabor and hog are all off, and there is no net; switch one on");
  }
  gabor_options.Validate();
}

bool FeatureSpec::LooksAtPicture() const { return gabor || hog || net != nullptr; }

std::string FeatureSpec::ToJson() const {
  const GaborOptions& g = gabor_options;
  json all{{"shape", shape},
              {"gabor", gabor},
              {"hog", hog},
              {"gabor_options",
               {{"crop_size", g.crop_size},
                {"wavelengths", g.wavelengths},
                {"orientations", g.orientations},
                {"sigma_ratios", g.sigma_ratios},
                {"phases", g.phases},
                {"gamma", g.gamma},
                {"points", g.points},
                {"output", g.output},
                {"normalisation_sigma", g.normalisation_sigma}}}};
  if (net != nullptr) all["learnt"] = net->digest();
  return all.dump();
}

FeatureSpec FeatureSpec::FromJson(const std::string& text, std::shared_ptr<const LearntNet> net) {
  FeatureSpec spec;
  std::string learnt;
  try {
    const json all = json::parse(text);
    all.at("shape").get_to(spec.shape);
    all.at("gabor").get_to(spec.gabor);
    all.at("hog").get_to(spec.hog);
    const json& g = all.at("gabor_options");
    g.at("crop_size").get_to(spec.gabor_options.crop_size);
    g.at("wavelengths").get_to(spec.gabor_options.wavelengths);
    g.at("orientations").get_to(spec.gabor_options.orientations);
    g.at("sigma_ratios").get_to(spec.gabor_options.sigma_ratios);
    g.at("phases").get_to(spec.gabor_options.phases);
    g.at("gamma").get_to(spec.gabor_options.gamma);
    g.at("points").get_to(spec.gabor_options.points);
    g.at("output").get_to(spec.gabor_options.output);
    g.at("normalisation_sigma").get_to(spec.gabor_options.normalisation_sigma);
    learnt = all.value("learnt", "");
  } catch (const json::exception& error) {
    throw std::invalid_argument(std::string("feature spec: ") + error.what());
  }
  const std::string given = net != nullptr ? net->digest() : "";
  if (learnt != given) {
    const auto name = [](const std::string& digest) { return digest.empty() ? "none" : digest; };
    throw std::invalid_argument("feature spec: wants the learnt net " + name(learnt) + ", got " + name(given));
  }
  spec.net = std::move(net);
  spec.Validate();
  return spec;
}

struct FeatureExtractor::Impl {
  FeatureSpec spec;
  std::unique_ptr<GaborBank> bank;
  std::vector<FeatureBlock> blocks;
  std::size_t dimension = 0;
  AlignOptions crop;

  void AddBlock(const char* name, std::size_t size) {
    blocks.push_back({name, dimension, size});
    dimension += size;
  }
};

FeatureExtractor::FeatureExtractor(const FeatureSpec& spec) : impl_(std::make_unique<Impl>()) {
  spec.Validate();
  impl_->spec = spec;
  impl_->crop = FeatureCrop(spec.gabor_options.crop_size);
  if (spec.shape == ShapeKind::kEmotioNet) impl_->AddBlock("shape", kShapeFeatureCount);
  if (spec.gabor) {
    impl_->bank = std::make_unique<GaborBank>(spec.gabor_options);
    impl_->AddBlock("gabor", impl_->bank->Dimension());
  }
  if (spec.hog) impl_->AddBlock("hog", HogDimension(spec.gabor_options.crop_size));
  if (spec.net != nullptr && spec.net->pooling() == Pooling::kHalves) impl_->AddBlock(kLearntHalves, 2 * spec.net->channels());
  if (spec.net != nullptr) impl_->AddBlock("learnt", 2 * spec.net->channels());
}
FeatureExtractor::~FeatureExtractor() = default;
FeatureExtractor::FeatureExtractor(FeatureExtractor&&) noexcept = default;
FeatureExtractor& FeatureExtractor::operator=(FeatureExtractor&&) noexcept = default;

const FeatureSpec& FeatureExtractor::spec() const { return impl_->spec; }
std::size_t FeatureExtractor::Dimension() const { return impl_->dimension; }
const std::vector<FeatureBlock>& FeatureExtractor::Blocks() const { return impl_->blocks; }

void FeatureExtractor::Extract(const cv::Mat& image, const Landmarks68& landmarks, std::span<float> out) const {
  if (out.size() != impl_->dimension) {
    throw std::invalid_argument("features: room for " + std::to_string(out.size()) + " values; needs " +
                                std::to_string(impl_->dimension));
  }
  cv::Mat crop, colour;
  Landmarks68 in_crop = landmarks;
  if (impl_->spec.gabor || impl_->spec.hog) {
    const AlignedFace aligned = AlignFace(image, landmarks, impl_->crop);
    colour = aligned.crop;
    in_crop = Transform(aligned.crop_from_image, landmarks);
    if (colour.channels() == 3) {
      cv::cvtColor(colour, crop, cv::COLOR_BGR2GRAY);
    } else {
      crop = colour;
    }
  }
  std::size_t block = 0;
  const auto next = [&] {
    const FeatureBlock& b = impl_->blocks[block++];
    return out.subspan(b.begin, b.size);
  };
  if (impl_->spec.shape == ShapeKind::kEmotioNet) ShapeFeatures(landmarks, next());
  if (impl_->spec.gabor) impl_->bank->Extract(crop, in_crop, next());
  if (impl_->spec.hog) HogFeatures(crop, next());
  if (const LearntNet* net = impl_->spec.net.get(); net != nullptr) {
    if (colour.cols != net->crop_size())
      colour = AlignFace(image, landmarks, FeatureCrop(net->crop_size())).crop;
    if (net->pooling() == Pooling::kMean) {
      net->EmbedWithMirror(colour, next());
    } else {
      // Of either picture the means, then the differences.
      thread_local std::vector<float> both;
      both.resize(2 * net->embedding_size());
      net->EmbedWithMirror(colour, both);
      const std::span<float> halves = next(), means = next();
      const auto c = static_cast<std::ptrdiff_t>(net->channels());
      for (const std::ptrdiff_t picture : {0, 1}) {
        const auto from = both.begin() + 2 * c * picture;
        std::copy_n(from, c, means.begin() + c * picture);
        std::copy_n(from + c, c, halves.begin() + c * picture);
      }
    }
  }
}

std::vector<std::size_t> FeatureExtractor::MirrorColumns() const {
  std::vector<std::size_t> mirror;
  const auto append = [&mirror](const std::vector<std::size_t>& columns, std::size_t none) {
    const std::size_t begin = mirror.size();
    for (const std::size_t c : columns) mirror.push_back(c == none ? kNoMirrorColumn : begin + c);
  };
  if (impl_->spec.shape == ShapeKind::kEmotioNet) append(MirrorShapeFeatures(), kNoMirrorFeature);
  if (impl_->spec.gabor) append(impl_->bank->MirrorColumns(), kNoMirrorColumn);
  if (impl_->spec.hog) append(MirrorHogFeatures(impl_->crop.size), kNoMirrorColumn);
  if (impl_->spec.net != nullptr) {
    // Of the crop, then of its mirror image.
    const std::size_t size = impl_->spec.net->channels();
    std::vector<std::size_t> columns(2 * size);
    for (std::size_t c = 0; c < columns.size(); ++c) columns[c] = (c + size) % columns.size();
    if (impl_->spec.net->pooling() == Pooling::kHalves) append(columns, kNoMirrorColumn);
    append(columns, kNoMirrorColumn);
  }
  return mirror;
}

std::vector<std::uint8_t> FeatureExtractor::LocalColumns(std::span<const int> rois) const {
  // A mean face where the crop has it.
  const auto side = static_cast<float>(impl_->crop.size);
  const float unit = impl_->crop.inter_ocular * side;
  const Landmarks68 face = Transform({unit, 0, side / 2, impl_->crop.eye_height * side}, MeanFace());
  cv::Mat mask = RoiMask(rois, face, impl_->crop.size, impl_->crop.size);
  const int reach = 2 * static_cast<int>(kLocalReach * unit) + 1;
  cv::dilate(mask, mask, cv::getStructuringElement(cv::MORPH_ELLIPSE, {reach, reach}));
  const auto is_local = [&mask](Point2 p) {
    const int x = std::clamp(static_cast<int>(p.x), 0, mask.cols - 1), y = std::clamp(static_cast<int>(p.y), 0, mask.rows - 1);
    return mask.at<std::uint8_t>(y, x) != 0;
  };
  std::vector<std::uint8_t> local;
  if (impl_->spec.shape == ShapeKind::kEmotioNet) {
    for (std::size_t f = 0; f < kShapeFeatureCount; ++f) {
      const auto landmarks = ShapeFeatureLandmarks(f);
      local.push_back(std::all_of(landmarks.begin(), landmarks.end(), [&](std::uint8_t l) { return is_local(face[l]); }));
    }
  }
  if (impl_->spec.gabor) {
    const auto points = FacePoints(face, impl_->spec.gabor_options.points);
    const std::size_t each = impl_->bank->Dimension() / points.size();
    for (const Point2& p : points) local.insert(local.end(), each, is_local(p) ? 1 : 0);
  }
  if (impl_->spec.hog) {
    const int cells = impl_->crop.size / kHogCell;
    for (int cell = 0; cell < cells * cells; ++cell) {
      const Point2 centre{(static_cast<float>(cell % cells) + 0.5F) * kHogCell, (static_cast<float>(cell / cells) + 0.5F) * kHogCell};
      local.insert(local.end(), kHogOrientations, is_local(centre) ? 1 : 0);
    }
  }
  local.resize(impl_->dimension, 1);  // learnt ones see the whole face
  return local;
}

}  // namespace auforge::features
