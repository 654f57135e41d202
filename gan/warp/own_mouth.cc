#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "gan/warp/internal/inside_mouth.h"
#include "gan/warp/internal/sample.h"

namespace auforge::warp::internal {
namespace {

using features::Point2;

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

}  // namespace

LipEdges FindLipEdges(const Opening& opening, float pixels_per_cm, const cv::Mat& source) {
  constexpr float kUsual = 0.11F, kMost = 0.42F, kStep = 0.02F, kSurelyLip = 0.45F, kBeyond = 0.10F;  // cm
  constexpr float kBrighter = 1.2F;                                                                    // than lips: teeth are
  const Inner inner = FindInner(opening, pixels_per_cm, source);
  const Point2 down = OpeningFrame(opening, pixels_per_cm).Down();
  const auto edge = [&](Point2 rim, float out, float inside) {
    const auto luma = [&](float cm) {
      return Luma(At(source, {rim.x + down.x * out * cm * pixels_per_cm, rim.y + down.y * out * cm * pixels_per_cm}));
    };
    const float teeth = luma(-inside), lip = luma(kSurelyLip);
    if (teeth < kBrighter * lip) return kUsual;
    float last = 0;
    for (float cm = 0; cm <= kMost - kBeyond; cm += kStep) {
      if (luma(cm) > lip + 0.15F * (teeth - lip)) last = cm;
    }
    return std::max(kUsual, last + kBeyond);
  };
  LipEdges raw, smooth;
  for (std::size_t k = 0; k < kRimPoints; ++k) {
    raw.upper[k] = edge(opening.upper[k], -1, inner.upper[k]);
    raw.lower[k] = edge(opening.lower[k], 1, inner.lower[k]);
  }
  // The widest of the neighbours: rows of teeth are dark between them.
  for (std::size_t k = 0; k < kRimPoints; ++k) {
    const auto widest = [k](const std::array<float, kRimPoints>& edges) {
      const std::size_t from = k < 2 ? 0 : k - 2, to = std::min<std::size_t>(k + 3, kRimPoints);
      return *std::max_element(edges.begin() + static_cast<std::ptrdiff_t>(from), edges.begin() + static_cast<std::ptrdiff_t>(to));
    };
    smooth.upper[k] = widest(raw.upper);
    smooth.lower[k] = widest(raw.lower);
  }
  return smooth;
}

void PutOwnMouth(const PhotoLight& light, const Opening& before, const Opening& after, Point2 jaw_moves, float pixels_per_cm, const cv::Mat& source, const cv::Rect& box,
                 cv::Mat& inside) {
  constexpr float kBared = 0.40F, kLeastBared = 0.08F;  // cm that lips may bare of teeth beyond what the photo shows
  constexpr float kCrown = 1.0F;                        // cm, height of an upper incisor
  const Inner inner = FindInner(before, pixels_per_cm, source);
  const float rim = 0.05F * pixels_per_cm, split = JawBegins(before, source);
  cv::Mat own = OpeningMask(before, source.size(), 0);
  const int size = 2 * std::max(1, cvRound(rim)) + 1;
  cv::erode(own, own, cv::getStructuringElement(cv::MORPH_ELLIPSE, {size, size}));
  cv::GaussianBlur(own, own, {}, std::max(0.6F, rim));
  const OpeningFrame frame(before, pixels_per_cm), frame_after(after, pixels_per_cm);
  const cv::Vec3f lips(std::sqrt(light.lips.x), std::sqrt(light.lips.y), std::sqrt(light.lips.z));
  const auto share_at = [&](Point2 p) {
    const int x = static_cast<int>(p.x), y = static_cast<int>(p.y);
    if (x < 0 || y < 0 || x >= own.cols || y >= own.rows) return 0.0F;
    return std::min(1.0F, 1.6F * own.at<float>(y, x));
  };
  for (int y = 0; y < box.height; ++y) {
    for (int x = 0; x < box.width; ++x) {
      const Point2 p{static_cast<float>(box.x + x) + 0.5F, static_cast<float>(box.y + y) + 0.5F};
      const InOpening at = frame.At(p);
      const std::size_t k = at.Place();
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
      const float above = std::max(0.0F, inner.upper[k] - at.below_upper);  // the row of the upper teeth that the photo surely shows
      const float shown = split * features::Distance(before.upper[k], before.lower[k]) / pixels_per_cm;
      const float crown = std::clamp(kCrown - shown, kLeastBared, kBared);  // what is left of it behind the lip
      float bared = std::min(above, crown);
      if (split == 1) {
        // Upper teeth that reach the lower lip do so when it gives way a little; when the mouth opens they end.
        const float drop = features::Distance(before.lower[k], after.lower[k]) / pixels_per_cm;
        bared -= std::clamp(inner.lower[k] - at.above_lower, 0.0F, kBared) * (1 - synthetic::SmoothStep(0.15F, 0.4F, drop));
      }
      const Point2 still = moved_down(p, bared);
      const float s = share_at(still) * (split < 1 ? 1 - synthetic::SmoothStep(split - 0.08F, split + 0.08F, height(frame.At(still))) : 1.0F);
      // The lip that has risen casts its shadow on what it bares.
      const InOpening now = frame_after.At(p);
      const float roof = 1 - 0.35F * synthetic::SmoothStep(0, 0.15F, above) * (1 - synthetic::SmoothStep(0, 0.3F, now.below_upper));
      c = c * (1 - s) + At(source, still) * (roof * s);
      if (above <= crown) continue;
      const cv::Vec3f row = At(source, moved_down(p, above));
      const float teeth = synthetic::SmoothStep(0.9F, 1.3F, Luma(row) / std::max(1e-3F, Luma(lips))) * share_at(moved_down(p, above));
      const float gums = teeth * synthetic::SmoothStep(0, 0.08F, above - crown);
      c = c * (1 - gums) + lips * (1.05F * roof * (1 - 0.6F * synthetic::SmoothStep(0.5F, 0.95F, std::abs(now.across))) * gums);
    }
  }
}

}  // namespace auforge::warp::internal
