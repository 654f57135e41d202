#include "datasets/synthetic/reconstruct_generator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <string>

#include "datasets/storage/checksum.h"
#include "datasets/synthetic/internal/composite.h"
#include "datasets/synthetic/internal/face_outline.h"
#include "datasets/synthetic/internal/face_topology.h"
#include "datasets/synthetic/internal/generator_parts.h"
#include "datasets/synthetic/internal/identity_cache.h"

namespace auforge::datasets::synthetic {
namespace {

// Purposes of random streams.
enum : std::uint64_t {
  kPerson = 11,
  kExpression = 12,
  kCamera = 13,
  kLight = 14,
  kCover = 15,
  kDegrade = 16
};

constexpr float kMostTurn = 30;     // degrees of yaw away from the photo's own
constexpr float kEdgeInner = 1.7F;  // cm inside the face's edge where the drawn face has taken over
constexpr float kEdgeOuter = 0.15F;
constexpr float kLeastFacing = 0.25F;  // cosine towards the camera
constexpr std::uint64_t kSheets =
    0x5348454554ULL;  // keeps the people of sheets apart from those of data sets

struct EyeColour {
  Vec3 middle, rim;
};
constexpr std::array<EyeColour, 5> kEyeColours{{{{0.016F, 0.028F, 0.055F}, {0.008F, 0.012F, 0.024F}},
                                                {{0.028F, 0.052F, 0.10F}, {0.012F, 0.022F, 0.045F}},
                                                {{0.045F, 0.095F, 0.14F}, {0.03F, 0.05F, 0.06F}},
                                                {{0.27F, 0.21F, 0.14F}, {0.13F, 0.09F, 0.05F}},
                                                {{0.24F, 0.23F, 0.20F}, {0.11F, 0.10F, 0.08F}}}};

EyeLook SampleEyes(const PhotoSource& source, Random& random) {
  const bool dark = source.skin_colour.y < 0.16F;
  const EyeColour& colour = kEyeColours[static_cast<std::size_t>(random.Index(dark ? 2 : 5))];
  EyeLook eyes;
  const float shade = random.Uniform(0.7F, 1.3F);
  eyes.iris = colour.middle * shade;
  eyes.iris_rim = colour.rim * shade;
  eyes.iris_angle = random.Uniform(23, 26);
  eyes.redness = random.Uniform(0, 0.5F);
  eyes.white = 0.65F + 0.35F * SmoothStep(0.06F, 0.22F, source.skin_colour.y);
  eyes.seed = static_cast<std::uint32_t>(random.Bits());
  eyes.lashes = static_cast<float>(eyes.seed >> 16U) / 65535;
  return eyes;
}

MouthLook SampleMouth(Random& random) {
  MouthLook mouth;
  const float yellow = random.Uniform(0, 0.3F), bright = random.Uniform(0.75F, 1.1F);
  mouth.teeth = Vec3{0.62F - 0.6F * yellow, 0.66F - 0.25F * yellow, 0.69F} * bright;
  return mouth;
}

// Whether a vertex of a shape clearly faces the camera.
bool Faces(const Camera& camera, std::span<const Vec3> shape, std::span<const Vec3> normals, std::int32_t v) {
  const auto at = static_cast<std::size_t>(v);
  return Dot(camera.view_from_model(normals[at]), Normalised(camera.View(shape[at]) * -1.0F)) > kLeastFacing;
}

}  // namespace

// The neutral shapes of made-up people.
class ReconstructGenerator::People : public internal::IdentityCache<std::vector<Vec3>> {};

struct ReconstructGenerator::Plan {
  std::size_t source = 0;
  std::shared_ptr<const std::vector<Vec3>> neutral;  // who it is, without an expression
  std::vector<float> weights;                        // of the model's expressions
  Expression expression;
  features::HeadPose pose;  // yaw and pitch; roll is the camera's
  features::Similarity target_from_picture;
  EyeLook eyes;
  MouthLook mouth;
  Light light;
  float folds = 0.5F;
  WrinkleStyle wrinkles;  // a photo has its resting ones already
  std::uint32_t occluders = 0;
  bool has_siblings = false;  // the scene is drawn with other expressions, too
};

void ReconstructOptions::Validate() const {
  internal::Need(size >= 64 && size <= 1024, "reconstruct.size", size, "64..1024 pixels");
  internal::Need(faces_per_identity >= 1, "reconstruct.faces_per_identity", faces_per_identity, ">= 1");
  internal::Need(expressions >= 1 && expressions <= 64, "reconstruct.expressions", expressions, "1..64");
  internal::Need(one_sided >= 0 && one_sided <= 1, "reconstruct.one_sided", one_sided, "0..1");
  internal::Need(identity_deviation >= 0 && identity_deviation <= 2, "reconstruct.identity_deviation", identity_deviation,
                 "0..2");
  internal::Need(yaw >= 0 && yaw <= 40, "reconstruct.yaw", yaw, "0..40 degrees");
  internal::Need(pitch >= 0 && pitch <= 20, "reconstruct.pitch", pitch, "0..20 degrees");
  internal::Need(roll >= 0 && roll <= 40, "reconstruct.roll", roll, "0..40 degrees");
  occluders.Validate();
  degrade.Validate();
}

ReconstructGenerator::ReconstructGenerator(const FaceModel& model, const FaceRenderer& renderer,
                                           std::vector<PhotoSource> sources,
                                           const ReconstructOptions& options)
    : model_(model),
      renderer_(renderer),
      sources_(std::move(sources)),
      options_(options),
      au_shapes_(model),
      mixer_(model),
      wrinkles_(model, FaceAtlas(model, 384, 64)),
      truth_(model),
      outline_(std::make_unique<internal::FaceOutline>(model)),
      people_(std::make_unique<People>()) {
  options_.Validate();
  if (sources_.empty()) throw std::invalid_argument("ReconstructGenerator: needs at least one photo");
  std::vector<float> edge = DistanceFromFaceEdge(model);
  for (std::int32_t v = 0; v < internal::kNarrowFaceEnd; v += 23) anchors_.push_back(v);
  for (float& d : edge) d = SmoothStep(kEdgeOuter, kEdgeInner, d);
  blend_ = SkinUnwrap(model, 256).Paint(edge);
  const internal::FaceTopology topology = internal::MakeTopology(model);
  std::vector<Vec3> normals(model.VertexCount());
  for (const PhotoSource& source : sources_) {
    source_shapes_.push_back(source.fit.Shape(model));
    VertexNormals(source_shapes_.back(), topology.Surface(), normals);
    anchor_seen_.emplace_back();
    for (const std::int32_t v : anchors_)
      anchor_seen_.back().push_back(Faces(source.fit.camera, source_shapes_.back(), normals, v));
    source_outlines_.push_back(outline_->Trace(source_shapes_.back(), source.fit.camera));
  }
}

ReconstructGenerator::~ReconstructGenerator() = default;

std::string ReconstructGenerator::ConfigDigest() const {
  std::string text =
      "reconstruct 5 " + std::to_string(options_.size) + " " + std::to_string(options_.faces_per_identity);
  for (const float v :
       {options_.identity_deviation, options_.yaw, options_.pitch, options_.roll, options_.occluders.rate,
        options_.degrade.tone, options_.degrade.cast, options_.degrade.grey, options_.degrade.small,
        options_.degrade.blur, options_.degrade.motion, options_.degrade.noise, options_.degrade.jpeg}) {
    text += " " + std::to_string(v);
  }
  if (options_.expressions > 1) text += " expressions " + std::to_string(options_.expressions);
  if (options_.one_sided != kOneSided) text += " one-sided " + std::to_string(options_.one_sided);
  for (const PhotoSource& source : sources_) {
    const auto* bytes = source.picture.ptr<std::uint8_t>();
    text += " " + storage::HexDigest({bytes, source.picture.total() * 3});
  }
  return storage::HexDigest({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

cv::Mat ReconstructGenerator::Background(const Plan& plan, std::span<const Vec3> shape,
                                         std::span<const Vec3> normals, const Camera& posed) const {
  const PhotoSource& source = sources_[plan.source];
  std::vector<internal::Drag> drags;
  // Skin that turns away drags nothing: what lies beside it now is what lay beside the outline.
  for (std::size_t i = 0; i < anchors_.size(); ++i) {
    if (!anchor_seen_[plan.source][i] || !Faces(posed, shape, normals, anchors_[i])) continue;
    const auto at = static_cast<std::size_t>(anchors_[i]);
    const Camera& camera = source.fit.camera;
    drags.push_back(
        {camera.Project(camera.View(source_shapes_[plan.source][at])), posed.Project(posed.View(shape[at]))});
  }
  const std::vector<features::Point2> outline = outline_->Trace(shape, posed);
  for (std::size_t i = 0; i < outline.size(); ++i) drags.push_back({source_outlines_[plan.source][i], outline[i]});
  return internal::WarpBackground(source.picture, drags, plan.target_from_picture.Inverse(), options_.size);
}

std::shared_ptr<const std::vector<Vec3>> ReconstructGenerator::Neutral(const FaceFit& fit,
                                                                       std::span<const float> identity) const {
  const std::vector<float> still(model_.expressions.size(), 0.0F);
  std::vector<Vec3> shape = model_.Evaluate(identity, still);
  fit.AddPull(shape);
  return std::make_shared<const std::vector<Vec3>>(std::move(shape));
}

SyntheticFace ReconstructGenerator::Make(const Plan& plan) const {
  const PhotoSource& source = sources_[plan.source];
  const std::vector<Vec3>& neutral = *plan.neutral;
  std::vector<Vec3> shape = neutral;
  mixer_.Add(plan.weights, shape);

  // The photo's camera with the new pose; then everything turned, scaled and shifted into the target.
  Camera posed = source.fit.camera;
  posed.view_from_model = RotationOf({plan.pose.yaw, plan.pose.pitch, 0});
  Camera camera = posed;
  const features::Similarity& g = plan.target_from_picture;
  camera.focal *= g.Scale();
  camera.centre = g(posed.centre);
  const float c = g.a / g.Scale(), s = g.b / g.Scale();
  camera.view_from_model.row[0] = posed.view_from_model.row[0] * c + posed.view_from_model.row[1] * s;
  camera.view_from_model.row[1] = posed.view_from_model.row[1] * c - posed.view_from_model.row[0] * s;

  FaceScene scene;
  scene.width = scene.height = options_.size;
  scene.shape = shape;
  scene.camera = camera;
  SkinTextures skin = source.skin;
  skin.face_relief = wrinkles_.Smooth();
  wrinkles_.Add(plan.wrinkles, plan.expression, skin.face_relief);
  scene.skin = &skin;
  scene.light = plan.light;
  scene.eyes = plan.eyes;
  scene.mouth = plan.mouth;
  const std::vector<Vec3> folds = renderer_.FoldLight(source_shapes_[plan.source], shape, plan.folds);
  scene.vertex_light = folds;
  Random cover(plan.eyes.seed, plan.occluders, kCover);
  const std::span<const Vec3> fitted_to = plan.has_siblings ? neutral : shape;
  const std::vector<ExtraMesh> worn = OccluderMeshes(shape, fitted_to, source.skin_colour, plan.occluders, cover);
  scene.extras = worn;
  scene.parts = kAllParts & ~Bit(FacePart::kHead);
  thread_local RenderScratch scratch;
  const RenderedFace drawn = renderer_.Render(scene, scratch);
  const cv::Mat background = Background(plan, shape, scratch.normals, posed);

  SyntheticFace face;
  face.image = internal::Compose(background, drawn, blend_);
  truth_.Complete({neutral, shape, camera, plan.expression, plan.light, plan.occluders, scratch, plan.eyes.iris_angle}, face);
  face.source_key = source.key;
  return face;
}

SyntheticFace ReconstructGenerator::Generate(std::uint64_t seed, std::uint64_t index) const {
  const auto [scene, number] = internal::PlaceOf(index, options_.expressions);
  const std::uint64_t identity = scene / static_cast<std::uint64_t>(options_.faces_per_identity);
  Plan plan;
  Random person(seed, identity, kPerson);
  plan.source = static_cast<std::size_t>(person.Index(static_cast<int>(sources_.size())));
  const PhotoSource& source = sources_[plan.source];
  std::vector<float> weights = source.fit.identity;
  for (std::size_t i = 0; i < model_.identities.size(); ++i) {
    const float change = std::clamp(person.Normal(0, options_.identity_deviation), -1.0F, 1.0F);
    if (i < weights.size()) weights[i] += change;
  }
  plan.neutral = people_->Get(seed, identity, [&] { return Neutral(source.fit, weights); });
  plan.eyes = SampleEyes(source, person);
  plan.mouth = SampleMouth(person);

  Random expression(seed, scene, kExpression);
  plan.has_siblings = options_.expressions > 1;
  plan.expression = plan.has_siblings ? SampleSceneExpression(seed, scene, number)
                                         : SampleExpression(expression, options_.one_sided);
  plan.weights = au_shapes_.Weights(plan.expression, expression.Uniform(0.85F, 1.15F));
  AddRestingFace(model_, person, plan.weights);
  if (plan.has_siblings) {
    AddSceneNuisance(model_, plan.expression, seed, scene, plan.weights);
  } else {
    AddNuisance(model_, plan.expression, expression, plan.weights);
  }
  plan.folds = expression.Uniform(0.35F, 0.9F);
  plan.wrinkles = {0, person.Uniform(0.15F, 0.75F), person.Index(WrinkleMaps::kVariants)};

  Random random(seed, scene, kCamera);
  const auto draw = [&random](float deviation) {
    return std::clamp(random.Normal(0, deviation), -2.2F * deviation, 2.2F * deviation);
  };
  const features::HeadPose own = PoseOf(source.fit.camera.view_from_model);
  plan.pose.yaw = std::clamp(draw(options_.yaw), own.yaw - kMostTurn, own.yaw + kMostTurn);
  plan.pose.pitch = own.pitch * 0.5F + draw(options_.pitch);
  const float roll = draw(options_.roll) * std::numbers::pi_v<float> / 180;
  Random cover(seed, scene, kCover);
  plan.occluders = SampleOccluders(options_.occluders, cover);
  const auto side = static_cast<float>(options_.size);
  const float scale = random.Uniform(0.72F, 1.06F) * side / 256;  // as large as those of cg
  const float a = scale * std::cos(roll), b = scale * std::sin(roll);
  const features::Point2 middle{kPictureSide * 0.5F, kPictureSide * (kPictureEyeHeight + 0.06F)};
  features::Point2 to{side * random.Uniform(0.44F, 0.56F), side * random.Uniform(0.45F, 0.55F)};
  if ((plan.occluders & Bit(Occluder::kFrameCut)) != 0) {
    (random.Chance(0.5F) ? to.x : to.y) +=
        (random.Chance(0.5F) ? 1.0F : -1.0F) * side * random.Uniform(0.18F, 0.3F);
  }
  plan.target_from_picture = {a, b, to.x - (a * middle.x - b * middle.y),
                              to.y - (b * middle.x + a * middle.y)};

  Random light(seed, scene, kLight);
  const float share = light.Chance(0.25F) ? 0 : light.Uniform(0, 0.7F);
  plan.light = SampleLight(light);
  for (std::size_t i = 0; i < 9; ++i)
    plan.light.ambient[i] = Mix(source.light[i], plan.light.ambient[i], share);
  for (Lamp& lamp : plan.light.lamps) lamp.colour = lamp.colour * share;

  return internal::Finished(Make(plan), options_.degrade, Random(seed, scene, kDegrade), identity);
}

SyntheticFace ReconstructGenerator::Draw(std::size_t source, const Expression& expression,
                                         features::HeadPose pose) const {
  Plan plan;
  plan.source = source;
  plan.expression = expression;
  plan.weights = au_shapes_.Weights(expression, 1);
  plan.neutral = people_->Get(kSheets, source, [&] { return Neutral(sources_[source].fit, sources_[source].fit.identity); });
  plan.pose = {pose.yaw, pose.pitch, 0};
  const float scale = static_cast<float>(options_.size) / 256,
              roll = pose.roll * std::numbers::pi_v<float> / 180;
  const float a = scale * std::cos(roll), b = scale * std::sin(roll);
  const features::Point2 middle{kPictureSide * 0.5F, kPictureSide * (kPictureEyeHeight + 0.06F)};
  const float half = static_cast<float>(options_.size) / 2;
  plan.target_from_picture = {a, b, half - (a * middle.x - b * middle.y),
                              half - (b * middle.x + a * middle.y)};
  plan.light.ambient = sources_[source].light;
  Random person(source, 0, kPerson);
  plan.eyes = SampleEyes(sources_[source], person);
  plan.mouth = SampleMouth(person);
  plan.wrinkles = {0, 0.5F, static_cast<int>(source % WrinkleMaps::kVariants)};
  SyntheticFace face = Make(plan);
  face.identity = static_cast<std::int64_t>(source);
  return face;
}

}  // namespace auforge::datasets::synthetic
