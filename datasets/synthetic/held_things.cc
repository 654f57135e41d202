#include "datasets/synthetic/internal/held_things.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "datasets/synthetic/internal/face_shader.h"

namespace auforge::datasets::synthetic::internal {
namespace {

constexpr float kPi = std::numbers::pi_v<float>;

Vec3 At(std::span<const Vec3> shape, std::size_t landmark) {
  return shape[static_cast<std::size_t>(LandmarkVertices()[landmark])];
}

Vec3 RandomColour(Random& random, float low, float high) {
  return {random.Uniform(low, high), random.Uniform(low, high), random.Uniform(low, high)};
}

Vec3 Tinted(Vec3 colour, Vec3 tint) { return {colour.x * tint.x, colour.y * tint.y, colour.z * tint.z}; }

// A ring of a swept body.
struct Ring {
  Vec3 centre;
  float wide, high;  // radii along `across` and at right angles to it, cm
  Vec3 colour;
};

// A body through rings, round or oval, closed at both ends. The underside is a little darker: it is in its
// own shade.
void Sweep(ExtraMesh& mesh, std::span<const Ring> rings, Vec3 across, Vec3 up) {
  constexpr std::size_t kRound = 14;
  const auto base = static_cast<std::int32_t>(mesh.positions.size());
  for (std::size_t r = 0; r < rings.size(); ++r) {
    const Vec3 direction =
        Normalised(rings[std::min(r + 1, rings.size() - 1)].centre - rings[r > 0 ? r - 1 : 0].centre);
    const Vec3 side = Normalised(across - direction * Dot(across, direction)), top = Cross(side, direction);
    for (std::size_t k = 0; k < kRound; ++k) {
      const float angle = 2 * kPi * static_cast<float>(k) / kRound;
      const Vec3 offset = side * (rings[r].wide * std::cos(angle)) + top * (rings[r].high * std::sin(angle));
      const float shade = 0.80F + 0.20F * SmoothStep(-1.0F, 0.4F, Dot(Normalised(offset), up));
      mesh.positions.push_back(rings[r].centre + offset);
      mesh.colours.push_back(rings[r].colour * shade);
    }
  }
  const auto at = [base](std::size_t ring, std::size_t k) {
    return base + static_cast<std::int32_t>(ring * kRound + k % kRound);
  };
  for (std::size_t r = 0; r + 1 < rings.size(); ++r) {
    for (std::size_t k = 0; k < kRound; ++k) {
      mesh.triangles.push_back({at(r, k), at(r + 1, k), at(r, k + 1)});
      mesh.triangles.push_back({at(r, k + 1), at(r + 1, k), at(r + 1, k + 1)});
    }
  }
  for (const std::size_t end : {std::size_t{0}, rings.size() - 1}) {
    for (std::size_t k = 1; k + 1 < kRound; ++k)
      mesh.triangles.push_back({at(end, 0), at(end, k), at(end, k + 1)});
  }
}

// Rings that round a body off at its first centre, coming from `outwards`.
void AddRoundEnd(std::vector<Ring>& rings, const Ring& end, Vec3 outwards) {
  for (const float angle : {0.15F, 0.55F, 0.95F, 1.3F}) {
    const float s = std::sin(angle), c = std::cos(angle);
    rings.push_back({end.centre + outwards * (end.wide * c), end.wide * s, end.high * s, end.colour});
  }
}

void AddBall(ExtraMesh& mesh, Vec3 centre, float radius, Vec3 colour, Random& random, bool striped) {
  std::vector<Ring> rings;
  const Vec3 other = striped ? RandomColour(random, 0.02F, 0.7F) : colour;
  constexpr int kSteps = 14;
  for (int i = 0; i <= kSteps; ++i) {
    const float angle = kPi * (0.02F + 0.96F * static_cast<float>(i) / kSteps);
    const float r = radius * std::sin(angle);
    rings.push_back({centre + Vec3{0, radius * std::cos(angle), 0}, r, r, i / 3 % 2 == 0 ? colour : other});
  }
  Sweep(mesh, rings, {1, 0, 0}, {0, 1, 0});
}

// A box with a pattern of lines on its front.
void AddBox(ExtraMesh& mesh, Vec3 centre, Vec3 half_x, Vec3 half_y, Vec3 half_z, Vec3 colour, Vec3 line,
            int lines) {
  const auto quad = [&mesh](Vec3 middle, Vec3 u, Vec3 v, Vec3 shade) {
    const auto base = static_cast<std::int32_t>(mesh.positions.size());
    for (const Vec3 p : {middle - u - v, middle + u - v, middle - u + v, middle + u + v}) {
      mesh.positions.push_back(p);
      mesh.colours.push_back(shade);
    }
    mesh.triangles.push_back({base, base + 1, base + 2});
    mesh.triangles.push_back({base + 1, base + 3, base + 2});
  };
  for (const float s : {-1.0F, 1.0F}) {
    quad(centre + half_x * s, half_z, half_y * s, colour);
    quad(centre + half_y * s, half_x, half_z * s, colour);
    quad(centre + half_z * s, half_x * s, half_y, colour);
  }
  for (int i = 0; i < lines; ++i) {
    const float y = 0.8F - 1.6F * static_cast<float>(i) / static_cast<float>(std::max(1, lines - 1));
    const float length = 0.4F + 0.45F * Hash01(static_cast<std::uint32_t>(i * 7 + lines));
    quad(centre + half_z * 1.04F + half_y * y + half_x * (length - 0.85F), half_x * length,
         half_y * (0.35F / static_cast<float>(lines)), line);
  }
}

void Finish(ExtraMesh& mesh) {
  mesh.directions.resize(mesh.positions.size());
  VertexNormals(mesh.positions, mesh.triangles, mesh.directions);
}

// Where a hand lies and which way it goes.
struct Palm {
  Vec3 knuckles;           // middle of the knuckles
  Vec3 along, across, up;  // to the wrist; to the little finger; out of the back of the hand
};

void AddFinger(ExtraMesh& mesh, const Palm& palm, Vec3 root, float length, float radius, float aside,
               const std::array<float, 3>& lift, Vec3 skin) {
  constexpr std::array<float, 3> kShare{0.46F, 0.30F, 0.24F};
  const Vec3 creased = skin * 0.80F, tip = Tinted(skin, {0.86F, 0.86F, 1.06F});
  std::vector<Ring> rings{{root + palm.along * 0.8F, radius, radius, skin}};
  Vec3 at = root, direction;
  for (std::size_t i = 0; i < 3; ++i) {
    direction =
        Normalised(palm.along * -std::cos(lift[i]) + palm.up * std::sin(lift[i]) + palm.across * aside);
    const Vec3 next = at + direction * (length * kShare[i]);
    const float thick = radius * (1.04F - 0.1F * static_cast<float>(i));
    rings.push_back({Mix(at, next, 0.06F), thick * 1.02F, thick, creased});
    rings.push_back({Mix(at, next, 0.16F), thick, thick * 0.98F, skin});
    rings.push_back({Mix(at, next, 0.55F), thick * 0.93F, thick * 0.90F, i == 2 ? tip : skin});
    rings.push_back({Mix(at, next, 0.9F), thick * 0.94F, thick * 0.88F, i == 2 ? tip : skin});
    at = next;
  }
  const Ring end{at, radius * 0.80F, radius * 0.74F, tip};
  std::vector<Ring> round;
  AddRoundEnd(round, end, direction);
  rings.insert(rings.end(), round.rbegin(), round.rend());
  Sweep(mesh, rings, palm.across, palm.up);
  // The nail.
  const Vec3 top = Normalised(palm.up - direction * Dot(palm.up, direction));
  const Vec3 nail = at + top * (radius * 0.50F) + direction * (radius * 0.05F),
             colour = Tinted(skin, {1.25F, 1.2F, 1.2F});
  const std::array<Ring, 4> rings_of_nail{
      {{nail - direction * (radius * 0.75F), radius * 0.34F, radius * 0.10F, colour},
       {nail - direction * (radius * 0.4F), radius * 0.52F, radius * 0.30F, colour},
       {nail + direction * (radius * 0.3F), radius * 0.52F, radius * 0.30F, colour},
       {nail + direction * (radius * 0.6F), radius * 0.36F, radius * 0.12F, colour * 1.1F}}};
  Sweep(mesh, rings_of_nail, palm.across, palm.up);
}

void AddPalmAndArm(ExtraMesh& mesh, const Palm& palm, Vec3 skin, Random& random) {
  const auto ring = [&](float along, float wide, float high, Vec3 colour) {
    return Ring{palm.knuckles + palm.along * along - palm.up * 0.25F, wide, high, colour};
  };
  const std::array<Ring, 8> flesh{{ring(-0.9F, 3.2F, 0.5F, skin * 0.9F), ring(-0.2F, 3.9F, 1.0F, skin),
                                   ring(1.5F, 4.0F, 1.3F, skin), ring(4.5F, 3.9F, 1.6F, skin),
                                   ring(7.5F, 3.3F, 1.8F, skin), ring(9.5F, 2.8F, 1.9F, skin * 0.95F),
                                   ring(14, 3.0F, 2.2F, skin), ring(26, 4.2F, 3.6F, skin)}};
  Sweep(mesh, flesh, palm.across, palm.up);
  if (!random.Chance(0.6F)) return;
  const float cuff = random.Uniform(10.5F, 14);
  const Vec3 cloth = RandomColour(random, 0.02F, 0.6F);
  const std::array<Ring, 4> sleeve{{ring(cuff, 3.3F, 2.5F, cloth * 0.6F),
                                    ring(cuff + 0.1F, 3.9F, 3.1F, cloth), ring(cuff + 5, 4.3F, 3.6F, cloth),
                                    ring(cuff + 16, 5.2F, 4.8F, cloth)}};
  Sweep(mesh, sleeve, palm.across, palm.up);
}

void AddThumb(ExtraMesh& mesh, const Palm& palm, Vec3 skin, float spread) {
  const Vec3 root = palm.knuckles + palm.along * 6.5F - palm.across * 2.3F - palm.up * 0.5F;
  const Vec3 first = Normalised(palm.along * -1.0F - palm.across * spread - palm.up * 0.15F);
  const Vec3 second = Normalised(palm.along * -1.0F - palm.across * (spread * 0.45F) - palm.up * 0.3F);
  const Vec3 joint = root + first * 4.2F, tip = joint + second * 2.9F;
  std::vector<Ring> rings{{root, 1.5F, 1.3F, skin},
                          {Mix(root, joint, 0.5F), 1.2F, 1.05F, skin},
                          {joint, 1.08F, 0.98F, skin * 0.85F},
                          {Mix(joint, tip, 0.4F), 1.05F, 0.9F, skin},
                          {Mix(joint, tip, 0.8F), 0.98F, 0.8F, skin}};
  std::vector<Ring> round;
  AddRoundEnd(round, {tip, 0.85F, 0.65F, Tinted(skin, {0.86F, 0.86F, 1.06F})}, second);
  rings.insert(rings.end(), round.rbegin(), round.rend());
  Sweep(mesh, rings, palm.across, palm.up);
}

void AddMug(ExtraMesh& mesh, Vec3 mouth, Random& random) {
  const float radius = random.Uniform(3.2F, 4.2F), height = random.Uniform(7.5F, 10.5F);
  const Vec3 colour = RandomColour(random, 0.03F, 0.75F),
             band = random.Chance(0.5F) ? RandomColour(random, 0.03F, 0.75F) : colour;
  const float tilt = random.Uniform(0, 0.9F);
  const Vec3 axis =
      Normalised(Vec3{random.Normal(0, 0.1F), std::cos(tilt), -std::sin(tilt)});  // rim towards the mouth
  const Vec3 rim = mouth + Vec3{0, 0, 0.4F} + Vec3{0, 0, radius * std::cos(tilt)};
  std::vector<Ring> rings;
  constexpr int kSteps = 10;
  for (int i = 0; i <= kSteps; ++i) {
    const float t = static_cast<float>(i) / kSteps;
    rings.push_back({rim - axis * (height * t), radius * (1 - 0.12F * t * t), radius * (1 - 0.12F * t * t),
                     i >= 4 && i <= 6 ? band : colour});
  }
  Sweep(mesh, rings, {1, 0, 0}, {0, 1, 0});
  const float side = random.Chance(0.5F) ? 1.0F : -1.0F;
  std::vector<Ring> handle;
  for (int i = 0; i <= 10; ++i) {
    const float angle = kPi * static_cast<float>(i) / 10;
    const Vec3 centre = rim - axis * (height * (0.5F - 0.3F * std::cos(angle)));
    handle.push_back(
        {centre + Vec3{side * (radius * 0.92F + 2.2F * std::sin(angle)), 0, 0}, 0.55F, 0.55F, colour});
  }
  Sweep(mesh, handle, {0, 0, 1}, {0, 1, 0});
}

void AddMicrophone(ExtraMesh& mesh, Vec3 mouth, Random& random) {
  const Vec3 grille = Vec3{1, 1, 1} * random.Uniform(0.03F, 0.3F), dark = RandomColour(random, 0.01F, 0.05F);
  const Vec3 head = mouth + Vec3{random.Normal(0, 1), random.Uniform(-2.5F, 0), random.Uniform(3, 5)};
  AddBall(mesh, head, random.Uniform(2.2F, 2.8F), grille, random, false);
  const Vec3 down = Normalised(Vec3{random.Normal(0, 0.4F), -1, random.Uniform(0.1F, 0.8F)});
  const std::array<Ring, 4> handle{{{head + down * 2.0F, 1.9F, 1.9F, grille * 0.6F},
                                    {head + down * 3.0F, 1.8F, 1.8F, dark},
                                    {head + down * 8.0F, 1.4F, 1.4F, dark},
                                    {head + down * 24.0F, 1.2F, 1.2F, dark}}};
  Sweep(mesh, handle, {1, 0, 0}, {0, 1, 0.5F});
}

void AddFlatThing(ExtraMesh& mesh, Vec3 place, bool is_phone, Random& random) {
  const float turn = is_phone ? random.Uniform(-1.2F, 1.2F) : random.Uniform(-0.3F, 0.3F),
              lean = random.Normal(0, 0.35F);
  const Vec3 x = Normalised({std::cos(turn), std::sin(turn), std::sin(lean)});
  const Vec3 z = Normalised(Vec3{0, 0.2F, 1} - x * Dot(Vec3{0, 0.2F, 1}, x)), y = Cross(z, x);
  if (is_phone) {
    const Vec3 back =
        random.Chance(0.5F) ? RandomColour(random, 0.01F, 0.05F) : RandomColour(random, 0.1F, 0.7F);
    const Vec3 centre = place + Vec3{0, 0, 2};
    AddBox(mesh, centre, x * 3.6F, y * 7.3F, z * 0.4F, back, {}, 0);
    for (const float down : {0.9F, 2.4F})
      AddBall(mesh, centre + x * -2.4F + y * (7.3F - 0.6F - down) + z * 0.3F, 0.6F, {0.01F, 0.01F, 0.01F},
              random, false);
    return;
  }
  const bool is_book = random.Chance(0.5F);
  const Vec3 colour = is_book ? RandomColour(random, 0.03F, 0.6F) : Vec3{0.72F, 0.75F, 0.75F};
  const float thick = is_book ? 1.2F : 0.05F, half_height = random.Uniform(7, 12);
  const Vec3 centre = place + Vec3{0, -half_height * random.Uniform(0.7F, 1.0F), 3 + thick};
  AddBox(mesh, centre, x * random.Uniform(6, 10), y * half_height, z * thick, colour,
         is_book ? RandomColour(random, 0.1F, 0.8F) : Vec3{0.06F, 0.06F, 0.06F}, is_book ? 3 : 14);
}

void AddStick(ExtraMesh& mesh, Vec3 mouth, Random& random) {
  const Vec3 colour = RandomColour(random, 0.05F, 0.75F), band = RandomColour(random, 0.05F, 0.75F);
  const float radius = random.Uniform(0.25F, 0.65F);
  const Vec3 out =
      Normalised({random.Normal(0, 0.8F), random.Normal(-0.3F, 0.5F), random.Uniform(0.5F, 1.2F)});
  std::vector<Ring> rings;
  for (int i = 0; i <= 8; ++i)
    rings.push_back(
        {mouth + out * (static_cast<float>(i) * 1.7F - 0.3F), radius, radius, i == 5 ? band : colour});
  Sweep(mesh, rings, {0.9F, 0.3F, 0}, {0, 1, 0.5F});
}

}  // namespace

ExtraMesh MakeHand(std::span<const Vec3> shape, Vec3 skin, Random& random) {
  ExtraMesh mesh;
  mesh.gloss = random.Uniform(0.1F, 0.35F);
  skin = skin * random.Uniform(0.85F, 1.1F);
  // Fingertips reach for a place of the face, the hand comes from below or from a side.
  constexpr std::array<std::size_t, 8> kPlaces{57, 33, 48, 54, 8, 3, 13, 30};
  const Vec3 touched = At(shape, kPlaces[static_cast<std::size_t>(random.Index(8))]);
  const float angle = random.Uniform(0.15F, 0.85F) * kPi;
  Palm palm;
  palm.along = Normalised({std::cos(angle), -std::sin(angle), random.Uniform(0.12F, 0.45F)});
  palm.up = Normalised(Vec3{0, 0, 1} - palm.along * palm.along.z);
  palm.across = Cross(palm.up, palm.along) * (random.Chance(0.5F) ? 1.0F : -1.0F);
  palm.knuckles = touched + palm.up * 0.6F + palm.along * 7.6F;
  constexpr std::array<float, 4> kLength{7.2F, 8.0F, 7.4F, 5.9F}, kRadius{0.84F, 0.86F, 0.82F, 0.72F};
  const int extended = 1 + random.Index(4);
  const float fan = random.Uniform(0.0F, 0.10F), arch = random.Uniform(0.05F, 0.4F);
  for (std::size_t i = 0; i < 4; ++i) {
    const float place = static_cast<float>(i) - 1.5F;
    const Vec3 root = palm.knuckles + palm.across * (place * 1.9F) + palm.along * (0.25F * place * place);
    const bool straight = static_cast<int>(i) < extended;
    const std::array<float, 3> lift = straight
                                          ? std::array<float, 3>{arch, 0, -arch * random.Uniform(0.6F, 1.4F)}
                                          : std::array<float, 3>{-0.5F, -2.0F, -3.1F};
    AddFinger(mesh, palm, root, kLength[i], kRadius[i], fan * place + random.Normal(0, 0.02F), lift, skin);
  }
  AddPalmAndArm(mesh, palm, skin, random);
  AddThumb(mesh, palm, skin, random.Uniform(0.3F, 1.0F));
  Finish(mesh);
  return mesh;
}

ExtraMesh MakeObject(std::span<const Vec3> shape, Random& random) {
  ExtraMesh mesh;
  mesh.gloss = random.Uniform(0.05F, 0.9F);
  const Vec3 mouth = (At(shape, 51) + At(shape, 57)) * 0.5F;
  const Vec3 anywhere = At(shape, static_cast<std::size_t>(random.Index(68)));
  switch (random.Index(6)) {
    case 0:
      AddMug(mesh, mouth, random);
      break;
    case 1:
      AddFlatThing(mesh, anywhere, true, random);
      break;
    case 2:
      AddMicrophone(mesh, mouth, random);
      break;
    case 3: {
      const float radius = random.Uniform(2.2F, 4.2F);
      AddBall(mesh, anywhere + Vec3{0, 0, radius * 0.9F}, radius, RandomColour(random, 0.02F, 0.7F), random,
              random.Chance(0.5F));
      break;
    }
    case 4:
      AddFlatThing(mesh, At(shape, 33), false, random);
      break;
    default:
      AddStick(mesh, mouth, random);
      break;
  }
  Finish(mesh);
  return mesh;
}

}  // namespace auforge::datasets::synthetic::internal
