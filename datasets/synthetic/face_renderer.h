// Draws a face: geometry, textures and light in, linear-light picture out. Both methods of synthesis share
// it. FaceRenderer is immutable: any number of threads may call Render, each with its own RenderScratch.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <span>
#include <vector>

#include "datasets/synthetic/face_model.h"
#include "datasets/synthetic/light.h"
#include "datasets/synthetic/renderer.h"

namespace auforge::datasets::synthetic {

// What a sample shows.
enum class FacePart : std::uint8_t {
  kNone,
  kSkin,
  kHead,
  kMouth,
  kEyeSocket,
  kGums,
  kTeeth,
  kLeftEye,
  kRightEye,
  kLashes,
  kInnerLip,  // the skin's back as seen through the open mouth
  kHair,
  kCloth,
  kObject
};
constexpr std::uint32_t Bit(FacePart part) { return 1U << static_cast<unsigned>(part); }
inline constexpr std::uint32_t kAllParts = ~0U;

// Textures are CV_8UC4 of any square size. B, G, R = 255 sqrt(reflectance); A = 255 * gloss. Row 0 is v = 1.
// The face lies in texture coordinates [0,1)², the back of the head, neck and shoulders in [1,2) x [0,1).
struct SkinTextures {
  cv::Mat face;
  cv::Mat head;  // empty: kHead is not drawn
  // Relief of the face: CV_8SC4, the gradient of height along the surface in model space, 1 = 127/2 (x, y,
  // z), and how much light reaches a furrow: 127 all, 0 none. Empty: smooth.
  cv::Mat face_relief;
};

struct EyeLook {
  Vec3 iris{0.10F, 0.14F, 0.20F};  // reflectance, BGR
  Vec3 iris_rim{0.04F, 0.06F, 0.09F};
  float iris_angle = 24;   // half angle seen from the eye's centre, degrees
  float pupil = 0.38F;     // share of the iris
  float redness = 0.2F;    // veins, 0..1
  float white = 1;         // brightness of the sclera: 1 of light-skinned people; it darkens with the skin
  float lashes = 0.5F;     // 0: short and thin, 1: long and full
  std::uint32_t seed = 0;  // of the iris' pattern
};

struct MouthLook {
  Vec3 teeth{0.52F, 0.66F, 0.72F};
  Vec3 gums{0.16F, 0.15F, 0.42F};
  Vec3 tongue{0.17F, 0.16F, 0.45F};
};

// More triangles in model space: hair, clothes, glasses.
struct ExtraMesh {
  FacePart part = FacePart::kObject;
  std::vector<Vec3> positions;                  // model space
  std::vector<Vec3> directions;                 // unit: strand direction for kHair, normal otherwise
  std::vector<Vec3> colours;                    // reflectance, BGR
  std::vector<std::array<float, 2>> texcoords;  // kHair: across the ribbon 0..1, along it 0 (root)..1 (tip)
  std::vector<MeshTriangle> triangles;
  float gloss = 0.2F;  // strength of the highlight
  float density = 1;   // kHair: share of a ribbon that strands cover, 0..1
};

struct FaceScene {
  int width = 256, height = 256;  // pixels of the picture
  std::span<const Vec3> shape;    // all vertices of the model, expression included
  Camera camera;
  const SkinTextures* skin = nullptr;  // required
  Light light;
  EyeLook eyes;
  MouthLook mouth;
  // Multiplies the light that falls on each vertex (BGR), e.g. from the change of curvature. Empty: 1.
  std::span<const Vec3> vertex_light;
  std::span<const ExtraMesh> extras;
  std::uint32_t parts = kAllParts;  // bits of what is drawn; the rest neither shows nor hides
  float translucency = 0.5F;        // how far red light creeps round the terminator, 0..1
};

struct RenderedFace {
  cv::Mat linear;    // CV_32FC3 BGR, linear light, premultiplied by alpha
  cv::Mat alpha;     // CV_32FC1, share of the pixel that is covered, in quarters
  cv::Mat part;      // CV_8UC1 FacePart of the pixel's nearest sample
  cv::Mat depth;     // CV_32FC1 distance along the viewing axis of that sample, cm; 0 where nothing is
  cv::Mat texcoord;  // CV_32FC2 of that sample; kSkin and kHead only
};

// Memory that is worth keeping between pictures; belongs to one thread.
struct RenderScratch {
  VisibilityBuffer samples, shadow;
  std::vector<ScreenVertex> screen;
  std::vector<Vec3> normals;
  std::vector<Vec3> shape;  // as drawn
};

class FaceRenderer {
 public:
  static constexpr int kSamples = 2;  // each way, in a pixel
  // model: must outlive the renderer. Bakes ambient occlusion (about half a second).
  explicit FaceRenderer(const FaceModel& model);
  ~FaceRenderer();
  FaceRenderer(FaceRenderer&&) noexcept;

  // Throws std::invalid_argument when an array has the wrong size. scratch.normals holds the vertex normals
  // and scratch.samples the records afterwards.
  RenderedFace Render(const FaceScene& scene, RenderScratch& scratch) const;

  // How light changes where expression folds or stretches the skin: exp(-strength * change of mean curvature in
  // 1/cm), 0.4..1.4, for each vertex and equal in all colours; an ingredient of FaceScene::vertex_light.
  std::vector<Vec3> FoldLight(std::span<const Vec3> neutral, std::span<const Vec3> shape, float strength) const;

  // The triangles that may be drawn, in model vertices, and what each is. VisibilityBuffer records use these
  // rows; those of extra meshes follow.
  std::span<const MeshTriangle> Triangles() const;
  std::span<const FacePart> TriangleParts() const;
  // Texture coordinates of each triangle's corners (kHead: of the second texture).
  std::span<const std::array<std::array<float, 2>, 3>> TriangleTexcoords() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Linear light to 8 bits: exposure, a film-like shoulder, and the display's square root. CV_32FC3 to CV_8UC3.
cv::Mat ToDisplay(const cv::Mat& linear, float exposure);

}  // namespace auforge::datasets::synthetic
