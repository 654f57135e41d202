#include "gan/warp/internal/bared_eye.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "gan/warp/internal/sample.h"

namespace auforge::warp::internal {
namespace {

using features::Point2;
using synthetic::SmoothStep;

// Below an upper rim lies its lashes' shadow; above a lower one its wet edge. cm.
constexpr float kShadow = 0.12F, kEdge = 0.03F;
// The iris of adults is 1.1 to 1.25 cm wide, whoever they are; the centimetres of the fitted face are less sure.
constexpr float kRadius = 0.58F;
constexpr int kProfile = 12;

struct Place {
  float along = 0, down = 0;  // cm, as Iris
};

class EyeFrame {
 public:
  EyeFrame(const Opening& opening, float px) : origin_(opening.upper.front()), px_(px) {
    const Point2 b = opening.upper.back();
    const float length = std::max(1e-3F, features::Distance(origin_, b));
    along_ = {(b.x - origin_.x) / length, (b.y - origin_.y) / length};
    width_ = length / px;
  }
  Place At(Point2 p) const {
    const float x = (p.x - origin_.x) / px_, y = (p.y - origin_.y) / px_;
    return {x * along_.x + y * along_.y, y * along_.x - x * along_.y};
  }
  Point2 InPicture(Place p) const {
    return {origin_.x + px_ * (p.along * along_.x - p.down * along_.y), origin_.y + px_ * (p.along * along_.y + p.down * along_.x)};
  }
  float Width() const { return width_; }

 private:
  Point2 origin_, along_{1, 0};
  float px_, width_ = 0;
};

float Off(const Iris& iris, Place p) { return std::hypot((p.along - iris.along) / iris.flat, p.down - iris.down) / iris.radius; }

struct Seen {
  Place at;
  cv::Vec3f colour;
  float luma = 0;
};

// Pixels of the eye itself; of large pictures a part.
std::vector<Seen> VisibleBall(const Opening& opening, const EyeFrame& eye, float px, const cv::Mat& source) {
  constexpr int kMost = 500;
  const cv::Rect box = BoxOf(opening, 1, source.size());
  const OpeningFrame frame(opening, px);
  const int step = std::max(1, static_cast<int>(std::sqrt(static_cast<float>(box.area()) / kMost)));
  std::vector<Seen> seen;
  for (int y = box.y; y < box.y + box.height; y += step) {
    for (int x = box.x; x < box.x + box.width; x += step) {
      const Point2 p{static_cast<float>(x) + 0.5F, static_cast<float>(y) + 0.5F};
      const InOpening in = frame.At(p);
      if (std::abs(in.across) > 0.9F || in.below_upper < kShadow || in.above_lower < kEdge) continue;
      const cv::Vec3f c = source.at<cv::Vec3f>(y, x);
      seen.push_back({eye.At(p), c, Luma(c)});
    }
  }
  return seen;
}

// How much darker the disc is than what lies beside it, less what speaks against such an iris.
float Contrast(const Iris& iris, const std::vector<Seen>& seen) {
  float inner = 0, outer = 0;
  int inside = 0, outside = 0;
  for (const Seen& s : seen) {
    const float off = Off(iris, s.at);
    if (off < 0.94F) inner += s.luma, ++inside;
    else if (off > 1.06F && off < 1.7F) outer += s.luma, ++outside;
  }
  constexpr int kFew = 4;
  if (inside < kFew || outside < kFew) return -1;
  return outer / static_cast<float>(outside) - inner / static_cast<float>(inside);
}

cv::Vec3f MiddleByLuma(std::vector<Seen>& pixels, float share) {
  const auto at = pixels.begin() + static_cast<std::ptrdiff_t>(share * static_cast<float>(pixels.size() - 1));
  std::nth_element(pixels.begin(), at, pixels.end(), [](const Seen& a, const Seen& b) { return a.luma < b.luma; });
  return at->colour;
}

// Colours of the iris from its middle to its rim, and of the white on both sides of it.
struct EyeColours {
  std::array<cv::Vec3f, kProfile> iris;
  cv::Vec3f left, right;
};

EyeColours ReadColours(const Iris& iris, std::vector<Seen> seen) {
  std::array<std::vector<Seen>, kProfile> rings;
  std::vector<Seen> left, right, all = seen;
  for (const Seen& s : seen) {
    const float off = Off(iris, s.at);
    if (off < 1) rings[static_cast<std::size_t>(off * kProfile)].push_back(s);
    else if (off > 1.12F) (s.at.along < iris.along ? left : right).push_back(s);
  }
  EyeColours colours;
  constexpr std::size_t kFew = 3;
  constexpr float kWhite = 0.88F;  // of the whites by luma: neither lashes nor glints
  int known = -1;
  for (int i = 0; i < kProfile; ++i) {
    auto& ring = rings[static_cast<std::size_t>(i)];
    if (ring.size() < kFew) continue;
    colours.iris[static_cast<std::size_t>(i)] = MiddleByLuma(ring, 0.5F);
    for (int k = known + 1; k < i; ++k) colours.iris[static_cast<std::size_t>(k)] = colours.iris[static_cast<std::size_t>(i)];
    known = i;
  }
  if (known < 0) colours.iris[0] = MiddleByLuma(all, 0.1F), known = 0;
  for (int k = known + 1; k < kProfile; ++k) colours.iris[static_cast<std::size_t>(k)] = colours.iris[static_cast<std::size_t>(known)];
  const bool has_left = left.size() >= kFew, has_right = right.size() >= kFew;
  if (!has_left && !has_right) {
    colours.left = colours.right = MiddleByLuma(all, 0.9F);
  } else {
    colours.left = MiddleByLuma(has_left ? left : right, kWhite);
    colours.right = MiddleByLuma(has_right ? right : left, kWhite);
  }
  return colours;
}

cv::Vec3f OfProfile(const EyeColours& colours, float off) {
  const float at = std::clamp(off * kProfile - 0.5F, 0.0F, kProfile - 1.001F);
  const auto i = static_cast<std::size_t>(at);
  const float t = at - static_cast<float>(i);
  return colours.iris[i] * (1 - t) + colours.iris[i + 1] * t;
}

}  // namespace

std::optional<Iris> FindIris(const Opening& opening, float pixels_per_cm, const cv::Mat& source) {
  const EyeFrame eye(opening, pixels_per_cm);
  const std::vector<Seen> seen = VisibleBall(opening, eye, pixels_per_cm, source);
  constexpr std::size_t kLeast = 12;
  if (seen.size() < kLeast) return std::nullopt;
  std::optional<Iris> best;
  constexpr float kLeastContrast = 0.04F;
  float most = kLeastContrast;
  for (float along = 0.22F; along <= 0.78F; along += 0.02F) {
    const float u = along * eye.Width();
    const float lower = eye.At(opening.lower[RimPlace(along)]).down;
    for (const float flat : {1.0F, 0.88F}) {
      for (const float radius : {0.52F, 0.56F, 0.60F, 0.64F}) {
        // An iris stands on the lower lid or a little behind it.
        for (const float sunk : {-0.12F, -0.06F, 0.0F, 0.06F, 0.12F, 0.18F}) {
          const Iris iris{u, lower - radius + sunk, radius, flat};
          const float unlikely = std::pow((radius - kRadius) / 0.06F, 2.0F) + std::pow((sunk - 0.04F) / 0.09F, 2.0F) + (flat < 1 ? 1.0F : 0.0F);
          const float score = Contrast(iris, seen) - 0.012F * unlikely;
          if (score > most) most = score, best = iris;
        }
      }
    }
  }
  return best;
}

void PaintBared(const Iris& iris, const Opening& before, const Opening& after, float pixels_per_cm, const cv::Mat& source,
                cv::Point corner, cv::Mat& eye) {
  const float px = pixels_per_cm;
  const EyeFrame places(before, px);
  const EyeColours colours = ReadColours(iris, VisibleBall(before, places, px, source));
  const OpeningFrame was(before, px), is(after, px);
  for (int y = 0; y < eye.rows; ++y) {
    for (int x = 0; x < eye.cols; ++x) {
      const Point2 p{static_cast<float>(corner.x + x) + 0.5F, static_cast<float>(corner.y + y) + 0.5F};
      const InOpening then = was.At(p), now = is.At(p);
      const float rises = now.below_upper - then.below_upper;
      const float share = SmoothStep(0.01F, 0.06F, rises) * (1 - SmoothStep(kShadow, 2.0F * kShadow, then.below_upper));
      if (share <= 0) continue;
      const Place at = places.At(p);
      const float off = Off(iris, at);
      // The iris is its own mirror image, as far as that can be seen.
      const Point2 mirrored = places.InPicture({at.along, 2 * iris.down - at.down});
      const InOpening there = was.At(mirrored);
      const float seen = at.down < iris.down ? SmoothStep(kEdge, 2 * kEdge, there.above_lower) * SmoothStep(kShadow, 1.4F * kShadow, there.below_upper) : 0.0F;
      const cv::Vec3f disc = OfProfile(colours, off) * (1 - 0.7F * seen) + At(source, mirrored) * (0.7F * seen);
      const float across = SmoothStep(-0.7F, 0.7F, then.across);
      const float sides = 1 - 0.25F * SmoothStep(0.7F, 1.0F, std::abs(then.across));
      const cv::Vec3f white = (colours.left * (1 - across) + colours.right * across) * sides;
      const float limbus = SmoothStep(0.94F, 1.06F, off), lid = 1 - 0.25F * std::exp(-std::max(0.0F, now.below_upper) / 0.07F);
      // The lashes' line goes up with the lid, where it lies on the rim: above a rim that shows the white the skin carries it.
      const float on_rim = SmoothStep(0.25F, 0.55F, 1 - Luma(At(source, before.upper[then.Place()])) / std::max(1e-3F, Luma(white)));
      const float ends = on_rim * (1 - SmoothStep(0.8F, 1.0F, std::abs(then.across))), width = std::max(0.045F, 0.7F / px);
      const float line = 1 - 0.55F * ends * std::exp(-std::pow(now.below_upper / width, 2.0F)) * std::min(1.0F, 0.06F / width);
      cv::Vec3f& c = eye.at<cv::Vec3f>(y, x);
      c = c * (1 - share) + (disc * (1 - limbus) + white * limbus) * (lid * line * share);
    }
  }
}

}  // namespace auforge::warp::internal
