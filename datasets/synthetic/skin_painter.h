// Paints the skin of made-up people: pigment, blood, freckles, lips, make-up, brows, beard shadow, shaven
// scalp. Immutable; thread-safe.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "datasets/synthetic/face_atlas.h"
#include "datasets/synthetic/person.h"

namespace auforge::datasets::synthetic {

// Reflectance (BGR) of skin with this much melanin and haemoglobin, in the units of Person.
Vec3 SkinReflectance(float melanin, float haemoglobin);

class SkinPainter {
 public:
  // Sides of the textures in texels, 64..4096. Takes about half a second.
  SkinPainter(const FaceModel& model, int face_side, int head_side);
  ~SkinPainter();
  SkinPainter(SkinPainter&&) noexcept;

  const FaceAtlas& atlas() const;
  // Face, head and pores, without wrinkles (wrinkles.h).
  SkinTextures Paint(const Person& person) const;

 private:
  struct Page;
  struct Mixture;
  cv::Mat PaintPage(const Page& page, const Person& person) const;
  cv::Mat Pores(const Person& person) const;

  std::unique_ptr<FaceAtlas> atlas_;
  std::unique_ptr<Page> face_, head_;
};

}  // namespace auforge::datasets::synthetic
