#include "datasets/synthetic/cg_generator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string>

#include "datasets/storage/checksum.h"
#include "datasets/synthetic/backdrop.h"
#include "datasets/synthetic/internal/face_regions.h"
#include "datasets/synthetic/internal/generator_parts.h"
#include "datasets/synthetic/internal/identity_cache.h"
#include "datasets/synthetic/landmark_points.h"

namespace auforge::datasets::synthetic {
namespace {

// Purposes of random streams.
enum : std::uint64_t {
  kPerson = 51,
  kExpression = 52,
  kCamera = 53,
  kLight = 54,
  kCover = 55,
  kDegrade = 56,
  kBackdrop = 57
};

constexpr Vec3 kLookAt{0, 1.2F, 3.5F};  // the point of the head that the camera centres on
constexpr float kFront = 9;             // z of the face, whose distance counts
constexpr float kFaceHeight = 13.8F;    // brow to chin, cm, that a framing is measured in

}  // namespace

struct CgGenerator::Character {
  Person person;
  Outfit outfit;
  std::vector<Vec3> neutral;
  SkinTextures skin;
  std::vector<AttachedMesh> worn;  // hair, beard, clothes
  std::vector<float> resting;      // weights of the model's expressions when nothing is expressed
  BrowLift brow_lift{};
};

struct CgGenerator::Plan {
  Expression expression;
  std::vector<float> weights;
  WrinkleStyle wrinkles;
  float folds = 0.4F;
  features::HeadPose pose;
  float distance = 70;       // cm
  float face_share = 0.55F;  // of the picture's side, brow to chin
  features::Point2 shift;    // of the picture's middle, shares of the side
  Light light;
  float exposure = 1;
  std::uint32_t occluders = 0;
  std::uint64_t cover_seed = 0, backdrop_seed = 0;
  bool is_plain = false;      // an even grey backdrop
  bool has_siblings = false;  // the scene is drawn with other expressions, too
};

class CgGenerator::Cast : public internal::IdentityCache<Character> {};

void CgOptions::Validate() const {
  internal::Need(size >= 64 && size <= 1024, "cg.size", size, "64..1024 pixels");
  internal::Need(faces_per_identity >= 1, "cg.faces_per_identity", faces_per_identity, ">= 1");
  internal::Need(expressions >= 1 && expressions <= 64, "cg.expressions", expressions, "1..64");
  internal::Need(one_sided >= 0 && one_sided <= 1, "cg.one_sided", one_sided, "0..1");
  internal::Need(gaze >= 0 && gaze <= 4, "cg.gaze", gaze, "0..4");
  internal::Need(texture_side >= 128 && texture_side <= 2048, "cg.texture_side", texture_side, "128..2048 texels");
  internal::Need(yaw >= 0 && yaw <= 60, "cg.yaw", yaw, "0..60 degrees");
  internal::Need(pitch >= 0 && pitch <= 30, "cg.pitch", pitch, "0..30 degrees");
  internal::Need(roll >= 0 && roll <= 60, "cg.roll", roll, "0..60 degrees");
  internal::Need(turned >= 0 && turned <= 1, "cg.turned", turned, "0..1");
  internal::Need(yaw_limit >= 0 && yaw_limit <= 90, "cg.yaw_limit", yaw_limit, "0..90 degrees");
  internal::Need(pitch_limit >= 0 && pitch_limit <= 60, "cg.pitch_limit", pitch_limit, "0..60 degrees");
  internal::Need(roll_limit >= 0 && roll_limit <= 90, "cg.roll_limit", roll_limit, "0..90 degrees");
  occluders.Validate();
  degrade.Validate();
}

namespace {

CgOptions Checked(const CgOptions& options) {
  options.Validate();
  return options;
}

// The brows of most people are half arched and not offset.
BrowLift LiftOf(const Person& person, const FaceModel& model) {
  BrowLift lift;
  for (std::size_t i = 0; i < lift.size(); ++i) {
    const float x = MarkedPoints()[17 + i].On(model.neutral).x;
    lift[i] = internal::BrowHeight(x, person.brow_arch, person.brow_offset) - internal::BrowHeight(x, 0.5F, 0);
  }
  return lift;
}

}  // namespace

CgGenerator::CgGenerator(const FaceModel& model, const FaceRenderer& renderer, const CgOptions& options)
    : model_(model),
      renderer_(renderer),
      options_(Checked(options)),
      au_shapes_(model),
      mixer_(model),
      truth_(model),
      painter_(model, options.texture_side, std::max(128, options.texture_side * 2 / 3)),
      wrinkles_(model, painter_.atlas()),
      salon_(model),
      wardrobe_(model),
      cast_(std::make_unique<Cast>()) {}
CgGenerator::~CgGenerator() = default;

std::string CgGenerator::ConfigDigest() const {
  std::string text = "cg 6 " + std::to_string(options_.size) + " " +
                     std::to_string(options_.faces_per_identity) + " " +
                     std::to_string(options_.texture_side);
  for (const float v :
       {options_.yaw, options_.pitch, options_.roll, options_.turned, options_.yaw_limit,
        options_.pitch_limit, options_.roll_limit, options_.occluders.rate, options_.degrade.tone,
        options_.degrade.cast, options_.degrade.grey, options_.degrade.small, options_.degrade.blur,
        options_.degrade.motion, options_.degrade.noise, options_.degrade.jpeg}) {
    text += " " + std::to_string(v);
  }
  if (options_.expressions > 1) text += " expressions " + std::to_string(options_.expressions);
  if (options_.gaze != CgOptions{}.gaze) text += " gaze " + std::to_string(options_.gaze);
  if (options_.one_sided != kOneSided) text += " one-sided " + std::to_string(options_.one_sided);
  return storage::HexDigest({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

std::shared_ptr<const CgGenerator::Character> CgGenerator::MakeCharacter(Person person,
                                                                         const Outfit& outfit) const {
  auto character = std::make_shared<Character>();
  character->person = std::move(person);
  const Person& p = character->person;
  character->outfit = outfit;
  const std::vector<float> still(model_.expressions.size(), 0.0F);
  character->neutral = model_.Evaluate(p.identity, still);
  character->skin = painter_.Paint(p);
  wardrobe_.PaintBody(outfit, painter_.atlas().face, character->skin.face);
  wardrobe_.PaintBody(outfit, painter_.atlas().head, character->skin.head);
  character->brow_lift = LiftOf(p, model_);
  character->resting = still;
  Random resting(p.seed, 0, kExpression);
  AddRestingFace(model_, resting, character->resting);
  // The model's lids stand wide open.
  const float lids = resting.Uniform(0.06F, 0.20F);
  for (const char* lid : {"eyeBlink_L", "eyeBlink_R"}) character->resting[model_.Expression(lid)] += lids;
  Person shown = p;
  // Under a hat only what is cut short at its edge shows.
  if (outfit.hat == Outfit::Hat::kScarf) shown.hair = HairStyle::kBald;
  if (outfit.hat == Outfit::Hat::kBeanie) shown.hair = HairStyle::kBuzz;
  character->worn = salon_.Dress(shown, character->neutral);
  for (AttachedMesh& mesh : wardrobe_.Dress(outfit, character->neutral))
    character->worn.push_back(std::move(mesh));
  return character;
}

SyntheticFace CgGenerator::Make(const Character& character, const Plan& plan) const {
  std::vector<Vec3> shape = character.neutral;
  mixer_.Add(plan.weights, shape);
  const auto side = static_cast<float>(options_.size);
  Camera camera;
  camera.view_from_model = RotationOf(plan.pose);
  camera.focal = plan.face_share * side * plan.distance / kFaceHeight;
  camera.centre = {side * (0.5F + plan.shift.x), side * (0.5F + plan.shift.y)};
  camera.translation = Vec3{0, 0, -plan.distance - (kFront - kLookAt.z)} - camera.view_from_model(kLookAt);

  SkinTextures skin = character.skin;
  skin.face_relief = character.skin.face_relief.clone();
  wrinkles_.Add(plan.wrinkles, plan.expression, skin.face_relief);
  const std::vector<Vec3> folds = renderer_.FoldLight(character.neutral, shape, plan.folds);
  std::vector<ExtraMesh> extras;
  for (const AttachedMesh& worn : character.worn) {
    extras.push_back(worn.mesh);
    for (std::size_t i = 0; i < worn.anchor.size(); ++i) {
      const auto v = static_cast<std::size_t>(worn.anchor[i]);
      extras.back().positions[i] += shape[v] - character.neutral[v];
    }
  }
  Random cover(plan.cover_seed, plan.occluders, kCover);
  const Vec3 skin_colour = SkinReflectance(character.person.melanin, character.person.haemoglobin);
  const std::span<const Vec3> fitted_to = plan.has_siblings ? character.neutral : shape;
  for (ExtraMesh& mesh : OccluderMeshes(shape, fitted_to, skin_colour, plan.occluders, cover)) extras.push_back(std::move(mesh));

  FaceScene scene;
  scene.width = scene.height = options_.size;
  scene.shape = shape;
  scene.camera = camera;
  scene.skin = &skin;
  scene.light = plan.light;
  scene.eyes = character.person.eyes;
  scene.mouth = character.person.mouth;
  scene.vertex_light = folds;
  scene.extras = extras;
  scene.translucency = 0.75F - 0.15F * std::min(2.0F, character.person.melanin);
  thread_local RenderScratch scratch;
  const RenderedFace drawn = renderer_.Render(scene, scratch);

  const ShLight total = plan.light.Total();
  const Vec3 behind = Irradiance(total, {0, 0.3F, 0.954F});
  Random backdrop(plan.backdrop_seed, 0, kBackdrop);
  cv::Mat picture = plan.is_plain
                        ? cv::Mat(options_.size, options_.size, CV_32FC3, cv::Scalar(0.30, 0.29, 0.27))
                        : PaintBackdrop(options_.size, options_.size, Mix({1, 1, 1}, behind, 0.6F), backdrop);
  for (int y = 0; y < picture.rows; ++y) {
    auto* out = picture.ptr<cv::Vec3f>(y);
    const auto* face = drawn.linear.ptr<cv::Vec3f>(y);
    const auto* alpha = drawn.alpha.ptr<float>(y);
    for (int x = 0; x < picture.cols; ++x) {
      if (alpha[x] > 0) out[x] = face[x] + out[x] * (1 - alpha[x]);
    }
  }

  SyntheticFace face;
  // Cameras expose for the face, but not fully: dark skin stays dark.
  face.image = ToDisplay(picture, std::pow(0.42F / skin_colour.y, 0.5F) * plan.exposure);
  truth_.Complete({character.neutral, shape, camera, plan.expression, plan.light, plan.occluders, scratch,
                   character.person.eyes.iris_angle, character.brow_lift},
                  face);
  return face;
}

SyntheticFace CgGenerator::Generate(std::uint64_t seed, std::uint64_t index) const {
  const auto [scene, number] = internal::PlaceOf(index, options_.expressions);
  const std::uint64_t identity = scene / static_cast<std::uint64_t>(options_.faces_per_identity);
  const auto character = cast_->Get(seed, identity, [&] {
    Random random(seed, identity, kPerson);
    Person person = SamplePerson(model_, random);
    const Outfit outfit = SampleOutfit(person, random);
    return MakeCharacter(std::move(person), outfit);
  });
  Plan plan;
  Random expression(seed, scene, kExpression);
  plan.has_siblings = options_.expressions > 1;
  plan.expression = plan.has_siblings ? SampleSceneExpression(seed, scene, number)
                                         : SampleExpression(expression, options_.one_sided);
  plan.weights = au_shapes_.Weights(plan.expression, expression.Uniform(0.85F, 1.15F));
  for (std::size_t e = 0; e < plan.weights.size(); ++e)
    plan.weights[e] = std::min(1.2F, plan.weights[e] + character->resting[e]);
  if (plan.has_siblings) {
    AddSceneNuisance(model_, plan.expression, seed, scene, plan.weights);
  } else {
    AddNuisance(model_, plan.expression, expression, plan.weights, options_.gaze);
  }
  plan.folds = expression.Uniform(0.25F, 0.6F);
  const Person& person = character->person;
  plan.wrinkles = {person.wrinkle_depth, 0.35F + 0.55F * person.wrinkle_depth + expression.Uniform(0, 0.2F),
                   person.wrinkle_variant};

  Random random(seed, scene, kCamera);
  const auto draw = [&random](float deviation, float limit) {
    return std::clamp(random.Normal(0, deviation), -limit, limit);
  };
  if (random.Chance(options_.turned)) {
    // Evenly in a ball: necks do not turn, nod and lean to their limits at once.
    std::array<float, 3> share{};
    do {
      for (float& s : share) s = random.Uniform(-1, 1);
    } while (share[0] * share[0] + share[1] * share[1] + share[2] * share[2] > 1);
    plan.pose = {share[0] * options_.yaw_limit, share[1] * options_.pitch_limit, share[2] * options_.roll_limit};
  } else {
    plan.pose = {draw(options_.yaw, options_.yaw_limit), draw(options_.pitch, options_.pitch_limit),
                 draw(options_.roll, options_.roll_limit)};
  }
  plan.distance = std::exp(random.Uniform(std::log(42.0F), std::log(220.0F)));
  plan.face_share = random.Uniform(0.40F, 0.60F);
  plan.shift = {random.Uniform(-0.06F, 0.06F), random.Uniform(-0.05F, 0.06F)};
  Random cover(seed, scene, kCover);
  plan.occluders = SampleOccluders(options_.occluders, cover);
  plan.cover_seed = cover.Bits();
  if ((plan.occluders & Bit(Occluder::kFrameCut)) != 0) {
    (random.Chance(0.5F) ? plan.shift.x : plan.shift.y) +=
        (random.Chance(0.5F) ? 1.0F : -1.0F) * random.Uniform(0.18F, 0.3F);
  }
  plan.backdrop_seed = random.Bits();
  Random light(seed, scene, kLight);
  plan.light = SampleLight(light);
  plan.exposure = std::exp(light.Normal(0.10F, 0.15F));

  return internal::Finished(Make(*character, plan), options_.degrade, Random(seed, scene, kDegrade), identity);
}

SyntheticFace CgGenerator::Draw(std::uint64_t person_seed, float melanin, const Expression& expression,
                                features::HeadPose pose) const {
  constexpr std::uint64_t kSheets = 0x5348454554ULL;  // keeps these people apart from those of data sets
  const auto tone = static_cast<std::uint64_t>(melanin < 0 ? 0 : 1 + std::lround(1000 * melanin));
  const auto character = cast_->Get(kSheets + tone, person_seed, [&] {
    Random random(kSheets, person_seed, kPerson);
    Person person = SamplePerson(model_, random);
    if (melanin >= 0) person.melanin = melanin;
    Outfit outfit = SampleOutfit(person, random);
    outfit.hat = Outfit::Hat::kNone;
    return MakeCharacter(std::move(person), outfit);
  });
  Plan plan;
  plan.expression = expression;
  plan.weights = au_shapes_.Weights(expression, 1);
  for (std::size_t e = 0; e < plan.weights.size(); ++e)
    plan.weights[e] = std::min(1.2F, plan.weights[e] + character->resting[e]);
  const Person& person = character->person;
  plan.wrinkles = {person.wrinkle_depth, 0.45F + 0.55F * person.wrinkle_depth, person.wrinkle_variant};
  plan.pose = pose;
  plan.is_plain = true;
  plan.face_share = 0.50F;
  plan.shift = {0, 0.03F};
  const auto grey = [](float v) { return Vec3{v, v, v}; };
  plan.light.ambient[0] = grey(0.42F);
  plan.light.ambient[1] = grey(0.14F);
  plan.light.ambient[2] = grey(0.08F);
  plan.light.lamps = {{Normalised({0.55F, 0.55F, 0.8F}), Vec3{0.52F, 0.55F, 0.58F}, 0.7F, true}};
  SyntheticFace face = Make(*character, plan);
  face.identity = static_cast<std::int64_t>(person_seed);
  return face;
}

}  // namespace auforge::datasets::synthetic
