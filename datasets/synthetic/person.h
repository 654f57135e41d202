// Who is drawn: everything about a made-up person that stays the same from picture to picture.
#pragma once

#include <cstdint>
#include <vector>

#include "datasets/synthetic/face_model.h"
#include "datasets/synthetic/face_renderer.h"
#include "datasets/synthetic/random.h"

namespace auforge::datasets::synthetic {

enum class HairStyle : std::uint8_t {
  kBald, kShaved, kBuzz, kShort, kSidePart, kMedium, kLong, kCurly, kAfro, kTiedBack, kFringe, kBob
};
enum class BeardStyle : std::uint8_t { kNone, kShadow, kStubble, kMoustache, kGoatee, kFull };

struct Person {
  std::vector<float> identity;     // weights of the face model's identity shapes
  float age = 0.3F;                // 0 = 18 years .. 1 = 85 years
  float femininity = 0.5F;         // 0..1; steers brows, lips, hair, beard
  // Skin, in absorption lengths: reflectance = base * exp(-melanin * a - haemoglobin * b).
  float melanin = 0.5F;            // 0.1 (very light) .. 2.4 (very dark)
  float haemoglobin = 0.2F;        // 0.08..0.4
  float blotches = 0.5F, freckles = 0, spots = 0;  // strengths, 0..1
  float gloss = 0.4F;              // 0 matte .. 1 oily
  float lip_colour = 0.5F;         // 0..1; above 0.8 looks made up
  float eye_shadow = 0, liner = 0, blush = 0;      // make-up, 0..1
  Vec3 lipstick{0, 0, 0};          // absorption added to the lips, BGR
  Vec3 brow_colour, hair_colour;   // reflectance, BGR
  float brow_thickness = 0.5F, brow_density = 0.7F, brow_arch = 0.5F;  // 0..1
  float brow_offset = 0;           // cm, up
  HairStyle hair = HairStyle::kShort;
  float hair_length = 0.5F, hair_volume = 0.5F, hair_curl = 0.2F, grey = 0;  // 0..1
  float hairline = 0;              // cm by which it has receded, -0.8..4
  BeardStyle beard = BeardStyle::kNone;
  float beard_density = 0.5F;      // 0..1
  EyeLook eyes;
  MouthLook mouth;
  float wrinkle_depth = 0.3F;      // 0..1, of resting wrinkles
  int wrinkle_variant = 0;         // which set of folds, >= 0
  std::uint32_t seed = 0;          // of everything patterned
};

Person SamplePerson(const FaceModel& model, Random& random);

}  // namespace auforge::datasets::synthetic
