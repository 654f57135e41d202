#include "gan/warp/internal/mouth.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "gan/warp/internal/sample.h"

namespace auforge::warp::internal {
namespace {

using features::Point2;
using synthetic::FacePart;
using synthetic::Vec3;

constexpr float kOwnGap = 0.12F;  // cm between the lips from which on a photo shows what lies behind

std::vector<cv::Point> Polygon(const Opening& opening, int shift) {
  const auto scale = static_cast<float>(1 << shift);
  std::vector<cv::Point> polygon;
  const auto add = [&](Point2 p) { polygon.emplace_back(cvRound((p.x - 0.5F) * scale), cvRound((p.y - 0.5F) * scale)); };
  for (const Point2& p : opening.upper) add(p);
  for (auto p = opening.lower.rbegin(); p != opening.lower.rend(); ++p) add(*p);
  return polygon;
}

float LargestGap(const Opening& opening) {
  float gap = 0;
  for (std::size_t k = 0; k < opening.upper.size(); ++k) gap = std::max(gap, features::Distance(opening.upper[k], opening.lower[k]));
  return gap;
}

float LargestMove(const Opening& before, const Opening& after) {
  float move = 0;
  for (std::size_t k = 0; k < before.upper.size(); ++k) {
    move = std::max({move, features::Distance(before.upper[k], after.upper[k]), features::Distance(before.lower[k], after.lower[k])});
  }
  return move;
}

Vec3 Mean(std::span<const Vec3> shape, std::initializer_list<std::size_t> landmarks) {
  Vec3 sum;
  for (const std::size_t i : landmarks) sum += shape[static_cast<std::size_t>(synthetic::LandmarkVertices()[i])];
  return sum * (1 / static_cast<float>(landmarks.size()));
}

// Where a pixel lies in an opening: across from -1 to 1 at the corners, and cm below the upper rim and above the lower.
struct InOpening {
  float across = 0, below_upper = 0, above_lower = 0;
};
class OpeningFrame {
 public:
  OpeningFrame(const Opening& opening, float pixels_per_cm) : opening_(opening), px_(pixels_per_cm) {
    const Point2 a = opening.upper.front(), b = opening.upper.back();
    length_ = std::max(1.0F, features::Distance(a, b));
    along_ = {(b.x - a.x) / length_, (b.y - a.y) / length_};
  }
  InOpening At(Point2 p) const {
    const Point2 o = opening_.upper.front();
    const float along = ((p.x - o.x) * along_.x + (p.y - o.y) * along_.y) / length_;
    const auto k = static_cast<std::size_t>(std::lround(std::clamp(along, 0.0F, 1.0F) * (kRimPoints - 1)));
    const auto down = [&](Point2 q) { return ((q.y - o.y) * along_.x - (q.x - o.x) * along_.y) / px_; };
    return {2 * along - 1, down(p) - down(opening_.upper[k]), down(opening_.lower[k]) - down(p)};
  }

  // Unit, across the line between the corners.
  Point2 Down() const { return {-along_.y, along_.x}; }

 private:
  const Opening& opening_;
  float px_, length_ = 1;
  Point2 along_;
};

// Linear colour of what lies behind the lips. lit: as the renderer has it; depth: cm behind the lips.
cv::Vec3f Behind(FacePart part, const cv::Vec3f& lit, float depth, const InOpening& at, float gap, const PhotoLight& light) {
  const cv::Vec3f lips{light.lips.x, light.lips.y, light.lips.z};
  // The cheeks keep light from the sides, the upper lip from above; a wide mouth lets more in.
  const float sides = 1 - 0.93F * synthetic::SmoothStep(0.40F, 0.92F, std::abs(at.across));
  const float roof = 1 - 0.45F * std::exp(-std::max(0.0F, at.below_upper) / 0.12F);
  const float reach = 0.7F + 0.5F * std::min(gap, 2.0F);
  const float falls = std::exp(-std::max(0.0F, depth - 0.2F) / reach);
  switch (part) {
    case FacePart::kTeeth: {
      const float shade = sides * roof * (0.06F + 0.94F * std::pow(falls, 1.3F));
      // What little light comes back from the sides has been red before.
      cv::Vec3f c;
      const float white = light.white;
      for (int i = 0; i < 3; ++i) {
        constexpr std::array<float, 3> kIvory{0.78F, 0.92F, 1.0F};
        const float form = std::clamp(lit[i] / std::max(1e-4F, white), 0.0F, 1.0F);
        const float hue = std::pow(lips[i] / std::max(1e-4F, lips[2]), 1.1F * (1 - shade));
        c[i] = white * kIvory[static_cast<std::size_t>(i)] * shade * hue * (0.72F + 0.28F * form);
      }
      return c;
    }
    case FacePart::kGums:
      return lips * (0.62F * sides * roof * falls);
    case FacePart::kSkin:
    case FacePart::kInnerLip:
      return lit * (0.55F + 0.45F * sides);
    default:
      return cv::Vec3f{0.013F, 0.011F, 0.075F} * (light.white * sides * (0.35F + 0.65F * falls));
  }
}

// 0..1: where a tongue lies in a mouth that gapes.
float Tongue(const InOpening& at, float gap) {
  const float x = at.across / 0.62F, height = 0.52F * gap;
  const float top = height * std::sqrt(std::max(0.0F, 1 - x * x));
  return synthetic::SmoothStep(0.45F, 1.1F, gap) * (1 - synthetic::SmoothStep(0.62F * top, top + 0.05F, at.above_lower));
}

// What shows of the mouth inside `box`; display values.
cv::Mat DrawInside(const synthetic::FaceRenderer& renderer, const PhotoLight& light, const synthetic::Camera& camera,
                   std::span<const Vec3> shape, const Opening& before, const Opening& opening, float pixels_per_cm, const cv::Rect& box) {
  const auto byte = [](float linear) { return cv::saturate_cast<std::uint8_t>(255 * std::sqrt(std::max(0.0F, linear))); };
  synthetic::SkinTextures skin;
  skin.face = cv::Mat(64, 64, CV_8UC4, cv::Scalar(byte(light.lips.x), byte(light.lips.y), byte(light.lips.z), 40));
  synthetic::FaceScene scene;
  scene.width = box.width;
  scene.height = box.height;
  scene.shape = shape;
  scene.camera = camera;
  scene.camera.centre.x -= static_cast<float>(box.x);
  scene.camera.centre.y -= static_cast<float>(box.y);
  scene.skin = &skin;
  scene.light.ambient = light.harmonics;
  scene.mouth.teeth = Vec3{1, 1, 1} * light.white;
  scene.parts = Bit(FacePart::kSkin) | Bit(FacePart::kMouth) | Bit(FacePart::kGums) | Bit(FacePart::kTeeth) | Bit(FacePart::kInnerLip);
  synthetic::RenderScratch scratch;
  const synthetic::RenderedFace drawn = renderer.Render(scene, scratch);
  const float front = -camera.View(Mean(shape, {61, 62, 63, 65, 66, 67})).z;
  const float gap = LargestGap(opening) / pixels_per_cm;
  const OpeningFrame frame(opening, pixels_per_cm), own(before, pixels_per_cm);
  const bool shows_teeth = LargestGap(before) > kOwnGap * pixels_per_cm;
  cv::Mat inside(box.size(), CV_32FC3);
  inside.forEach<cv::Vec3f>([&](cv::Vec3f& c, const int* at) {
    const float alpha = drawn.alpha.at<float>(at[0], at[1]);
    const cv::Vec3f lit = alpha > 0 ? drawn.linear.at<cv::Vec3f>(at[0], at[1]) * (1 / alpha) : cv::Vec3f{};
    const Point2 p{static_cast<float>(box.x + at[1]) + 0.5F, static_cast<float>(box.y + at[0]) + 0.5F};
    const InOpening in = frame.At(p);
    auto part = static_cast<FacePart>(drawn.part.at<std::uint8_t>(at[0], at[1]));
    // Teeth that the photo shows are not drawn again below their edge.
    if (part == FacePart::kTeeth && shows_teeth && own.At(p).below_upper > 0.1F) part = FacePart::kMouth;
    c = Behind(part, lit, drawn.depth.at<float>(at[0], at[1]) - front, in, gap, light);
    if (part == FacePart::kSkin || part == FacePart::kInnerLip || part == FacePart::kTeeth) return;
    const float tongue = Tongue(in, gap);
    const float lie = 0.55F + 0.45F * synthetic::SmoothStep(0, 0.35F, in.above_lower), furrow = 1 - 0.16F * std::exp(-std::pow(in.across / 0.07F, 2.0F));
    c = c * (1 - tongue) + cv::Vec3f{0.21F, 0.20F, 0.68F} * (0.80F * light.white * lie * furrow * tongue);
  });
  // As soft as a photo: parts meet without steps.
  cv::GaussianBlur(inside, inside, {}, std::max(0.6F, 0.03F * pixels_per_cm));
  cv::sqrt(cv::max(inside, 0), inside);
  if (light.is_grey) {
    inside.forEach<cv::Vec3f>([](cv::Vec3f& c, const int*) { c = cv::Vec3f::all(0.114F * c[0] + 0.587F * c[1] + 0.299F * c[2]); });
  }
  return inside;
}

Point2 Between(Point2 a, Point2 b, float t) { return {a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)}; }

// Where what hangs from the skull ends and what moves with the jaw begins, a share of the way from the upper rim to the
// lower: the dark gap between the rows of teeth; 1 where there is none, as in a smile that shows the upper row alone.
float JawBegins(const Opening& opening, const cv::Mat& photo) {
  constexpr int kSteps = 24;
  std::array<float, kSteps + 1> profile{};
  for (int i = 0; i <= kSteps; ++i) {
    for (std::size_t k = kRimPoints / 3; k < 2 * kRimPoints / 3; ++k) {
      profile[static_cast<std::size_t>(i)] += Luma(At(photo, Between(opening.upper[k], opening.lower[k], static_cast<float>(i) / kSteps)));
    }
  }
  const auto from = profile.begin() + kSteps / 4, to = profile.end() - kSteps / 8;
  const auto darkest = std::min_element(from, to);
  const float above = *std::max_element(profile.begin(), darkest + 1);
  return *darkest < 0.4F * above ? static_cast<float>(darkest - profile.begin()) / kSteps : 1.0F;
}

// How far behind a rim (cm) the photo surely shows what lies behind the lips: where it is brightest, for teeth are. Both rims.
struct Inner {
  std::array<float, kRimPoints> upper{}, lower{};
};
Inner FindInner(const Opening& opening, float pixels_per_cm, const cv::Mat& photo) {
  constexpr float kLeast = 0.07F, kMost = 0.30F, kStep = 0.02F;
  Inner raw, smooth;
  for (std::size_t k = 0; k < kRimPoints; ++k) {
    const float gap = std::max(1e-3F, features::Distance(opening.upper[k], opening.lower[k]) / pixels_per_cm);
    const auto brightest = [&](Point2 from, Point2 to) {
      float best = std::min(kLeast, 0.5F * gap), luma = -1;
      for (float cm = best; cm <= std::min(kMost, 0.5F * gap); cm += kStep) {
        const float now = Luma(At(photo, Between(from, to, cm / gap)));
        if (now > luma) {
          luma = now;
          best = cm;
        }
      }
      return best;
    };
    raw.upper[k] = brightest(opening.upper[k], opening.lower[k]);
    raw.lower[k] = brightest(opening.lower[k], opening.upper[k]);
  }
  for (int k = 0; k < kRimPoints; ++k) {
    float weight = 0;
    const auto at = static_cast<std::size_t>(k);
    for (int n = std::max(0, k - 2); n <= std::min(kRimPoints - 1, k + 2); ++n, ++weight) {
      smooth.upper[at] += raw.upper[static_cast<std::size_t>(n)];
      smooth.lower[at] += raw.lower[static_cast<std::size_t>(n)];
    }
    smooth.upper[at] /= weight;
    smooth.lower[at] /= weight;
  }
  return smooth;
}

// What the photo itself shows behind the lips: the upper teeth stand still while lips move, the lower ones go with the jaw.
void PutOwnMouth(const Opening& before, const Opening& after, Point2 jaw_moves, float pixels_per_cm, const cv::Mat& source, const cv::Rect& box,
                 cv::Mat& inside) {
  constexpr float kBared = 0.40F;  // cm that lips may bare beyond what the photo shows
  const Inner inner = FindInner(before, pixels_per_cm, source);
  const float rim = 0.05F * pixels_per_cm, split = JawBegins(before, source);
  cv::Mat own = OpeningMask(before, source.size(), 0);
  const int size = 2 * std::max(1, cvRound(rim)) + 1;
  cv::erode(own, own, cv::getStructuringElement(cv::MORPH_ELLIPSE, {size, size}));
  cv::GaussianBlur(own, own, {}, std::max(0.6F, rim));
  const OpeningFrame frame(before, pixels_per_cm);
  const auto share_at = [&](Point2 p) {
    const int x = static_cast<int>(p.x), y = static_cast<int>(p.y);
    if (x < 0 || y < 0 || x >= own.cols || y >= own.rows) return 0.0F;
    return std::min(1.0F, 1.6F * own.at<float>(y, x));
  };
  for (int y = 0; y < box.height; ++y) {
    for (int x = 0; x < box.width; ++x) {
      const Point2 p{static_cast<float>(box.x + x) + 0.5F, static_cast<float>(box.y + y) + 0.5F};
      const InOpening at = frame.At(p);
      const auto k = static_cast<std::size_t>(std::lround(std::clamp((at.across + 1) / 2, 0.0F, 1.0F) * (kRimPoints - 1)));
      cv::Vec3f& c = inside.at<cv::Vec3f>(y, x);
      const auto height = [&](const InOpening& in) { return in.below_upper / std::max(0.02F, in.below_upper + in.above_lower); };
      // What lips bare beyond that goes on as it was at their rims.
      const auto moved_down = [&](Point2 q, float cm) {
        return Point2{q.x + frame.Down().x * cm * pixels_per_cm, q.y + frame.Down().y * cm * pixels_per_cm};
      };
      if (split < 1) {
        const Point2 jaw{p.x - jaw_moves.x, p.y - jaw_moves.y};
        const Point2 with_jaw = moved_down(jaw, -std::clamp(inner.lower[k] - frame.At(jaw).above_lower, 0.0F, 0.6F * kBared));
        // As long as the jaw hardly moves both rows overlap, so that no gap shows between them.
        const float apart = std::hypot(jaw_moves.x, jaw_moves.y) / pixels_per_cm;
        const float from = split - 0.08F - 0.25F * (1 - synthetic::SmoothStep(0, 0.2F, apart));
        const float s = share_at(with_jaw) * synthetic::SmoothStep(from, from + 0.16F, height(frame.At(with_jaw)));
        c = c * (1 - s) + At(source, with_jaw) * s;
      }
      float bared = std::clamp(inner.upper[k] - at.below_upper, 0.0F, kBared);
      if (split == 1) {
        // Upper teeth that reach the lower lip do so when it gives way a little; when the mouth opens they end.
        const float drop = features::Distance(before.lower[k], after.lower[k]) / pixels_per_cm;
        bared -= std::clamp(inner.lower[k] - at.above_lower, 0.0F, kBared) * (1 - synthetic::SmoothStep(0.15F, 0.4F, drop));
      }
      const Point2 still = moved_down(p, bared);
      const float s = share_at(still) * (split < 1 ? 1 - synthetic::SmoothStep(split - 0.08F, split + 0.08F, height(frame.At(still))) : 1.0F);
      const float roof = 0.65F + 0.35F * synthetic::SmoothStep(-kBared, 0, at.below_upper);
      c = c * (1 - s) + At(source, still) * (roof * s);
    }
  }
}

}  // namespace

Opening Trace(const Seam& seam, std::span<const Point2> at) {
  Opening opening{TraceRim(seam.upper, at), TraceRim(seam.lower, at)};
  const Point2 a = opening.upper.front(), b = opening.upper.back();
  const float length = std::max(1e-3F, features::Distance(a, b));
  const Point2 down{-(b.y - a.y) / length, (b.x - a.x) / length};
  for (std::size_t k = 0; k < opening.upper.size(); ++k) {
    Point2 &u = opening.upper[k], &l = opening.lower[k];
    if ((l.x - u.x) * down.x + (l.y - u.y) * down.y < 0) u = l = features::Midpoint(u, l);
  }
  return opening;
}

cv::Mat OpeningMask(const Opening& opening, cv::Size size, float blur) {
  constexpr int kShift = 6;
  cv::Mat mask = cv::Mat::zeros(size, CV_8UC1), soft;
  cv::fillPoly(mask, std::vector<std::vector<cv::Point>>{Polygon(opening, kShift)}, 255, cv::LINE_AA, kShift);
  mask.convertTo(soft, CV_32FC1, 1 / 255.0);
  if (blur > 0.3F) cv::GaussianBlur(soft, soft, {}, blur);
  return soft;
}

void FillMouth(const synthetic::FaceRenderer& renderer, const PhotoLight& light, const synthetic::Camera& camera,
               std::span<const Vec3> shape, const Opening& before, const Opening& after, Point2 jaw_moves, float pixels_per_cm,
               const cv::Mat& source, cv::Mat& target) {
  if (LargestGap(after) < 0.06F * pixels_per_cm) return;
  // Lips that stay leave what is between them alone.
  const float share = synthetic::SmoothStep(0.01F, 0.06F, LargestMove(before, after) / pixels_per_cm);
  if (share == 0) return;
  const int margin = std::max(4, cvRound(0.3F * pixels_per_cm));
  cv::Rect box = cv::boundingRect(Polygon(after, 0));
  box = cv::Rect(box.x - margin, box.y - margin, box.width + 2 * margin, box.height + 2 * margin) & cv::Rect({0, 0}, target.size());
  if (box.empty()) return;
  cv::Mat inside = DrawInside(renderer, light, camera, shape, before, after, pixels_per_cm, box);
  if (LargestGap(before) > kOwnGap * pixels_per_cm) PutOwnMouth(before, after, jaw_moves, pixels_per_cm, source, box, inside);
  const cv::Mat mask = OpeningMask(after, target.size(), std::max(0.5F, 0.02F * pixels_per_cm))(box);
  cv::Mat part = target(box);
  for (int y = 0; y < box.height; ++y) {
    for (int x = 0; x < box.width; ++x) {
      const float s = share * mask.at<float>(y, x);
      cv::Vec3f& c = part.at<cv::Vec3f>(y, x);
      c = c * (1 - s) + inside.at<cv::Vec3f>(y, x) * s;
    }
  }
}

void DrawLipLine(const Opening& before, const Opening& after, float pixels_per_cm, cv::Mat& target) {
  const float px = pixels_per_cm;
  cv::Rect box = cv::boundingRect(Polygon(after, 0));
  const int margin = cvCeil(0.25F * px) + 1;
  box = cv::Rect(box.x - margin, box.y - margin, box.width + 2 * margin, box.height + 2 * margin) & cv::Rect({0, 0}, target.size());
  const OpeningFrame frame(after, px);
  // The lips' colours beside the line, smooth along it: rests of teeth are painted over.
  std::array<cv::Vec3f, kRimPoints> upper, lower;
  const cv::Mat picture = target.clone();
  const Point2 a = after.upper.front(), b = after.upper.back();
  const float length = std::max(1e-3F, features::Distance(a, b));
  const Point2 down{-(b.y - a.y) / length * px, (b.x - a.x) / length * px};
  for (std::size_t k = 0; k < kRimPoints; ++k) {
    cv::Vec3f above{0, 0, 0}, below{0, 0, 0};
    float count = 0;
    for (int n = -3; n <= 3; ++n) {
      const auto at = static_cast<std::size_t>(std::clamp(static_cast<int>(k) + n, 0, kRimPoints - 1));
      for (const float cm : {0.17F, 0.22F, 0.27F}) {
        above += At(picture, {after.upper[at].x - down.x * cm, after.upper[at].y - down.y * cm});
        below += At(picture, {after.lower[at].x + down.x * cm, after.lower[at].y + down.y * cm});
        count += 1;
      }
    }
    upper[k] = above * (1 / count);
    lower[k] = below * (1 / count);
  }
  for (int y = box.y; y < box.y + box.height; ++y) {
    for (int x = box.x; x < box.x + box.width; ++x) {
      const InOpening at = frame.At({static_cast<float>(x) + 0.5F, static_cast<float>(y) + 0.5F});
      if (std::abs(at.across) >= 1) continue;
      const auto k = static_cast<std::size_t>(std::lround((at.across + 1) / 2 * (kRimPoints - 1)));
      const float was = features::Distance(before.upper[k], before.lower[k]) / px, is = features::Distance(after.upper[k], after.lower[k]) / px;
      const float closed = synthetic::SmoothStep(0.05F, 0.2F, was - is) * (1 - synthetic::SmoothStep(0.3F, 0.6F, is / std::max(0.01F, was)));
      if (closed == 0) continue;
      const float off = (at.below_upper - at.above_lower) / 2;  // cm from the middle of the line
      cv::Vec3f& c = target.at<cv::Vec3f>(y, x);
      const float fill = closed * (1 - synthetic::SmoothStep(0.11F, 0.20F, std::abs(off))), low = synthetic::SmoothStep(-0.06F, 0.06F, off);
      c = c * (1 - fill) + (upper[k] * (1 - low) + lower[k] * low) * fill;
      const float dark = 0.50F * std::exp(-(off / 0.05F) * (off / 0.05F)) + 0.15F * std::exp(-(off / 0.15F) * (off / 0.15F));
      c *= 1 - closed * dark * (1 - synthetic::SmoothStep(0.8F, 1.0F, std::abs(at.across)));
    }
  }
}

}  // namespace auforge::warp::internal
