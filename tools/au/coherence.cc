#include "tools/au/coherence.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <mutex>
#include <numeric>
#include <opencv2/imgproc.hpp>
#include <optional>

#include "annotator/metrics.h"
#include "datasets/image_codec.h"
#include "tools/au/best_face.h"
#include "tools/cli/parallel.h"

namespace auforge::tools {
namespace {

constexpr std::array<const char*, 3> kChanges{"mirrored", "JPEG 50", "half size"};
constexpr float kRare = 0.03F;

using PhotoVariants = std::array<std::optional<PhotoAus>, 1 + kChanges.size()>;

// Every face of the photo.
std::vector<PhotoVariants> Examine(const cv::Mat& photo, const annotator::AuModel& model,
                                   const features::FeatureExtractor& extractor, const FaceSeeker& seeker) {
  std::vector<PhotoVariants> faces;
  std::vector<float> row(extractor.Dimension());
  for (const FaceSeeker::FaceVariants& found : seeker.FindInVariants(photo)) {
    PhotoVariants& variants = faces.emplace_back();
    for (std::size_t v = 0; v < variants.size(); ++v) {
      if (!found[v]) continue;
      const BestFace& face = *found[v];
      extractor.Extract(face.crop, face.landmarks, row);
      variants[v] = PhotoAus{face.crop, model.Predict(row, 1, nullptr, std::span(&face.evidence, 1)).front()};
    }
  }
  return faces;
}

CoherenceFigure Compare(const std::string& name, const std::vector<PhotoVariants>& all, std::size_t variant,
                        std::size_t aus, const std::vector<double>& present) {
  CoherenceFigure figure;
  figure.name = name;
  std::vector<std::vector<float>> before(aus), after(aus);
  double changed = 0;
  for (const PhotoVariants& v : all) {
    if (!v[0] || !v[variant]) continue;
    ++figure.faces;
    for (std::size_t j = 0; j < aus; ++j) {
      changed += v[0]->aus.present[j] != v[variant]->aus.present[j];
      before[j].push_back(v[0]->aus.intensity[j]);
      after[j].push_back(v[variant]->aus.intensity[j]);
    }
  }
  double sum = 0, counted = 0;
  for (std::size_t j = 0; j < aus; ++j) {
    if (present[j] < kRare) continue;
    sum += annotator::PearsonR(before[j], after[j]);
    ++counted;
  }
  figure.presence_changes = figure.faces > 0 ? changed / static_cast<double>(figure.faces * aus) : 0;
  figure.mean_correlation = counted > 0 ? sum / counted : 0;
  return figure;
}

// Does the quality tell which faces' intensities change?
void JudgeQuality(const std::vector<PhotoVariants>& all, CoherenceReport& report) {
  std::vector<float> quality, change, shown;
  for (const PhotoVariants& v : all) {
    if (!v[0]) continue;
    const std::vector<float>& own = v[0]->aus.intensity;
    float moved = 0, compared = 0, sum = 0;
    for (const float intensity : own) sum += intensity;
    for (std::size_t other = 1; other < v.size(); ++other) {
      if (!v[other]) continue;
      for (std::size_t j = 0; j < own.size(); ++j) moved += std::abs(v[other]->aus.intensity[j] - own[j]);
      compared += static_cast<float>(own.size());
    }
    if (compared == 0) continue;
    quality.push_back(v[0]->aus.quality);
    change.push_back(moved / compared);
    shown.push_back(sum);
  }
  using annotator::SpearmanR;
  report.quality_tells = SpearmanR(quality, change);
  const double qs = SpearmanR(quality, shown), cs = SpearmanR(change, shown);
  report.quality_partial =
      (report.quality_tells - qs * cs) / std::sqrt(std::max(1e-9, (1 - qs * qs) * (1 - cs * cs)));
}

}  // namespace

CoherenceReport MeasureCoherence(const annotator::AuModel& model, const std::vector<std::string>& inputs,
                                 const FaceSearch& search, int jobs,
                                 const std::function<void(std::uint64_t)>& progress) {
  const features::FeatureExtractor extractor(model.info().features);
  const FaceSeeker seeker(search);
  annotator::RequireSameLandmarker(seeker.landmarker().Name(), model.info().landmarker, "the AU model");
  const std::vector<std::vector<std::uint8_t>> images = ReadImages(inputs);
  std::mutex mutex;
  std::uint64_t done = 0;
  std::vector<std::vector<PhotoVariants>> photos(images.size());
  ParallelFor(images.size(), jobs, [&](std::size_t i) {
    const datasets::DecodedImage photo = datasets::DecodeImage(images[i], {});
    if (photo.status == datasets::Outcome::kOk) photos[i] = Examine(photo.bgr, model, extractor, seeker);
    const std::lock_guard lock(mutex);
    if (progress) progress(++done);
  });

  CoherenceReport report;
  report.images = images.size();
  std::vector<PhotoVariants> all;
  for (std::size_t i = 0; i < photos.size(); ++i) {
    report.photos_with_faces += photos[i].empty() ? 0 : 1;
    for (std::size_t face = 0; face < photos[i].size(); ++face) {
      report.details.push_back({i, face, photos[i][face][0]->aus.quality, {}});
      for (const auto& variant : photos[i][face])
        report.details.back().intensity.push_back(variant ? variant->aus.intensity : std::vector<float>{});
    }
    std::move(photos[i].begin(), photos[i].end(), std::back_inserter(all));
  }
  const std::size_t aus = model.info().schema.size();
  report.present.assign(aus, 0);
  double contradictions = 0;
  for (const PhotoVariants& v : all) {
    if (!v[0]) continue;
    report.faces.push_back(*v[0]);
    for (std::size_t j = 0; j < aus; ++j) {
      report.present[j] += v[0]->aus.present[j];
      contradictions += (v[0]->aus.present[j] != 0) != (v[0]->aus.intensity[j] >= 1);
    }
  }
  const double n = std::max<double>(1, static_cast<double>(report.faces.size()));
  for (double& share : report.present) share /= n;
  report.contradictions = contradictions / (n * static_cast<double>(aus));
  JudgeQuality(all, report);
  for (std::size_t v = 0; v < kChanges.size(); ++v)
    report.changes.push_back(Compare(kChanges[v], all, v + 1, aus, report.present));
  return report;
}

std::string DetailsCsv(const CoherenceReport& report, const features::AuSchema& schema) {
  std::string text = "photo,face,quality,AU,itself";
  for (const char* change : kChanges) text += std::string(",") + change;
  text += "\n";
  for (const FaceIntensities& face : report.details) {
    for (std::size_t j = 0; j < schema.size(); ++j) {
      char number[16];
      std::snprintf(number, sizeof(number), "%.3f", face.quality);
      text += std::to_string(face.photo) + "," + std::to_string(face.face) + "," + number + "," +
              std::to_string(schema.numbers()[j]);
      for (const std::vector<float>& intensity : face.intensity) {
        number[0] = '\0';
        if (!intensity.empty()) std::snprintf(number, sizeof(number), "%.3f", intensity[j]);
        text += std::string(",") + number;
      }
      text += "\n";
    }
  }
  return text;
}

cv::Mat DrawExtremes(const CoherenceReport& report, const features::AuSchema& schema) {
  constexpr int kTile = 72, kLabel = 70, kGap = 16;
  constexpr std::size_t kEach = 10;
  const int rows = static_cast<int>(schema.size());
  cv::Mat sheet(rows * kTile, kLabel + 2 * static_cast<int>(kEach) * kTile + kGap, CV_8UC3,
                cv::Scalar::all(255));
  std::vector<std::size_t> order(report.faces.size());
  for (int j = 0; j < rows; ++j) {
    const auto au = static_cast<std::size_t>(j);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return report.faces[a].aus.probability[au] > report.faces[b].aus.probability[au];
    });
    cv::putText(sheet, "AU" + std::to_string(schema.numbers()[au]), {4, j * kTile + kTile / 2},
                cv::FONT_HERSHEY_SIMPLEX, 0.5, cv::Scalar::all(0), 1, cv::LINE_AA);
    char share[32];
    std::snprintf(share, sizeof(share), "%.0f%%", 100 * report.present[au]);
    cv::putText(sheet, share, {4, j * kTile + kTile / 2 + 18}, cv::FONT_HERSHEY_SIMPLEX, 0.4,
                cv::Scalar::all(90), 1, cv::LINE_AA);
    const std::size_t each = std::min(kEach, order.size() / 2);
    for (std::size_t k = 0; k < 2 * each; ++k) {
      const PhotoAus& face = report.faces[k < each ? order[k] : order[order.size() - 1 - (k - each)]];
      cv::Mat tile;
      cv::resize(face.crop, tile, {kTile, kTile}, 0, 0, cv::INTER_AREA);
      const int x = kLabel + static_cast<int>(k) * kTile + (k < each ? 0 : kGap);
      tile.copyTo(sheet(cv::Rect(x, j * kTile, kTile, kTile)));
    }
  }
  return sheet;
}

}  // namespace auforge::tools
