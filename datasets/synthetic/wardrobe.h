// Clothes on made-up people, from the neck to beyond the picture's edge. Wardrobe is immutable; thread-safe.
#pragma once

#include <span>
#include <vector>

#include "datasets/synthetic/face_atlas.h"
#include "datasets/synthetic/hair.h"
#include "datasets/synthetic/person.h"

namespace auforge::datasets::synthetic {

enum class Garment : std::uint8_t { kTshirt, kShirt, kJacket, kRollneck, kDeepNeck };

struct Outfit {
  Garment garment = Garment::kTshirt;
  Vec3 cloth{0.1F, 0.1F, 0.1F}, shirt{0.7F, 0.7F, 0.7F}, tie{0.02F, 0.02F, 0.2F};  // reflectance, BGR
  int pattern = 0;  // 0 plain, 1 stripes, 2 checks
  bool has_tie = false;
  enum class Hat : std::uint8_t { kNone, kBeanie, kScarf } hat = Hat::kNone;
  Vec3 hat_colour{0.1F, 0.1F, 0.1F};
};

Outfit SampleOutfit(const Person& person, Random& random);

class Wardrobe {
 public:
  explicit Wardrobe(const FaceModel& model);

  // Paints what is dressed on a texture of the face (the throat belongs to it) or the head (nape and shoulders do).
  void PaintBody(const Outfit& outfit, const AtlasPage& page, cv::Mat& texture) const;
  // The rest of the shoulders and chest, a collar, a hat.
  std::vector<AttachedMesh> Dress(const Outfit& outfit, std::span<const Vec3> neutral) const;

 private:
  std::vector<std::int32_t> rim_;  // the body's lower edge, all round
};

}  // namespace auforge::datasets::synthetic
