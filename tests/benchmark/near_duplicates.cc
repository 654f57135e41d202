// What the perceptual hash of faces finds: copies of photographs (scaled, compressed, cut, and all of it) against all pairs of
// different ones, and what it costs.
//   near_duplicates [--every N] [--medians] [INPUT...]      (default: portraits and clean faces of AUFORGE_DATA)
// --every: of which images copies are made, 7: one of seven. --medians prints features/internal/typical_waves.h's numbers.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <random>
#include <string>

#include "annotator/face_detector.h"
#include "annotator/landmarker.h"
#include "datasets/image_codec.h"
#include "datasets/image_source.h"
#include "datasets/near_duplicates.h"
#include "features/align.h"
#include "features/picture_hash.h"
#include "tests/support/test_data.h"

namespace {

using namespace auforge;
using Clock = std::chrono::steady_clock;
using features::ImageHash;

double Seconds(Clock::time_point since) { return std::chrono::duration<double>(Clock::now() - since).count(); }

struct Face {
  ImageHash face, image;
  std::array<float, features::kHashBits> waves{};
};

class Finder {
 public:
  Finder() : detector_(annotator::MakeHogDetector({.upsample = 0})) {}

  // The surest face of an image, as annotate cuts it out.
  std::optional<Face> Find(const cv::Mat& bgr) {
    const auto found = annotator::DetectFaces(*detector_, bgr, 60);
    if (found.empty()) return std::nullopt;
    const auto landmarks = landmarker_.FindSteady(bgr, found.front().box);
    const auto aligned = features::AlignFace(bgr, landmarks, {});
    const auto in_crop = features::Transform(aligned.crop_from_image, landmarks);
    const Clock::time_point start = Clock::now();
    Face result{features::FaceHashOf(aligned.crop, in_crop), features::HashOf(bgr), {}};
    hash_seconds_ += Seconds(start);
    ++hashed_;
    result.waves = features::FaceWaves(aligned.crop, in_crop);
    return result;
  }
  double MillisecondsAFace() const { return 1000 * hash_seconds_ / static_cast<double>(hashed_); }

 private:
  std::unique_ptr<annotator::FaceDetector> detector_;
  annotator::Landmarker landmarker_;
  double hash_seconds_ = 0;
  std::size_t hashed_ = 0;
};

cv::Mat Compressed(const cv::Mat& image, int quality) {
  std::vector<std::uint8_t> bytes;
  cv::imencode(".jpg", image, bytes, {cv::IMWRITE_JPEG_QUALITY, quality});
  return cv::imdecode(bytes, cv::IMREAD_COLOR);
}

class Copier {
 public:
  std::map<std::string, cv::Mat> Copies(const cv::Mat& image) {
    const auto scaled = [](const cv::Mat& from, double by) {
      cv::Mat to;
      cv::resize(from, to, {}, by, by, by < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
      return to;
    };
    return {{"scaled to 0.6", Compressed(scaled(image, 0.6), 85)},
            {"scaled up by 1.3 to 2", Compressed(scaled(image, Between(1.3, 2)), 90)},
            {"JPEG quality 40", Compressed(image, 40)},
            {"cut by up to 10 % a side", Compressed(Cut(image, 0.10), 90)},
            {"cut by 8 %, scaled, quality 75", Compressed(scaled(Cut(image, 0.08), Between(0.65, 1.5)), 75)},
            {"cut by 5 %, scaled, quality 50", Compressed(scaled(Cut(image, 0.05), Between(0.7, 1.3)), 50)}};
  }

 private:
  double Between(double low, double high) { return low + (high - low) * static_cast<double>(random_() >> 11) * 0x1p-53; }
  cv::Mat Cut(const cv::Mat& image, double most) {
    const auto part = [&](int side) { return static_cast<int>(Between(0, most) * side); };
    const int left = part(image.cols), right = part(image.cols), top = part(image.rows), bottom = part(image.rows);
    return image(cv::Rect(left, top, image.cols - left - right, image.rows - top - bottom)).clone();
  }
  std::mt19937_64 random_{5};
};

void PrintMedians(const std::vector<Face>& faces) {
  for (std::size_t i = 0; i < features::kHashBits; ++i) {
    std::vector<float> values;
    for (const Face& face : faces) values.push_back(face.waves[i]);
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    std::printf("%ld,%s", std::lround(1000 * values[values.size() / 2]), i % 20 == 19 ? "\n" : " ");
  }
  std::puts("");
}

// Hashes that share their bands with those of real faces far more often than those of a million people would.
std::vector<ImageHash> Crowd(const std::vector<Face>& faces, std::size_t count) {
  std::mt19937_64 random(3);
  std::vector<ImageHash> crowd(count);
  for (ImageHash& hash : crowd) {
    for (std::size_t bit = 0; bit < features::kHashBits;) {
      const ImageHash& from = faces[random() % faces.size()].face;
      for (const std::size_t end = std::min(bit + features::kBandBits, features::kHashBits); bit < end; ++bit)
        hash.words[bit / 64] |= from.words[bit / 64] & (std::uint64_t{1} << (bit % 64));
    }
  }
  return crowd;
}

void TimeSearch(const std::vector<Face>& faces, std::size_t count) {
  const std::vector<ImageHash> crowd = Crowd(faces, count);
  datasets::NearDuplicateSet set;
  const Clock::time_point start = Clock::now();
  std::size_t found = 0;
  for (const ImageHash& hash : crowd) {
    found += set.Find(hash) ? 1 : 0;
    set.Insert(hash);
  }
  const double seconds = Seconds(start);
  std::printf("%zu faces looked up and taken in, one after the other: %.1f s, %.1f us a face (%zu copies by chance)\n", count,
              seconds, 1e6 * seconds / static_cast<double>(count), found);
}

void PrintFalsePairs(const std::vector<Face>& faces) {
  std::vector<std::uint64_t> face_pairs(features::kHashBits + 1), image_pairs(features::kHashBits + 1);
  std::uint64_t near = 0;
  for (std::size_t i = 0; i < faces.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      ++face_pairs[static_cast<std::size_t>(features::HashDistance(faces[i].face, faces[j].face))];
      ++image_pairs[static_cast<std::size_t>(features::HashDistance(faces[i].image, faces[j].image))];
      near += features::AreNearDuplicates(faces[i].face, faces[j].face) ? 1 : 0;
    }
  }
  const double pairs = static_cast<double>(faces.size()) * static_cast<double>(faces.size() - 1) / 2;
  std::printf("pairs of different files: %.0f; near-duplicates among them: %llu (%.1e)\n", pairs,
              static_cast<unsigned long long>(near), static_cast<double>(near) / pairs);
  std::puts("bits  faces within  images within (share of the pairs)");
  std::uint64_t face_sum = 0, image_sum = 0;
  for (std::size_t bits = 0; bits <= 80; ++bits) {
    face_sum += face_pairs[bits];
    image_sum += image_pairs[bits];
    if (bits % 4 == 0)
      std::printf("%4zu  %.2e  %.2e\n", bits, static_cast<double>(face_sum) / pairs, static_cast<double>(image_sum) / pairs);
  }
}

struct Recall {
  std::vector<int> face_bits, image_bits;
  std::size_t near = 0;
};

void PrintRecall(const std::map<std::string, Recall>& recalls) {
  const int thresholds[] = {16, 24, 32, 36, 40, 44, 48, 60};
  std::printf("%-32s %6s %7s |", "copy", "copies", "found");
  for (const int t : thresholds) std::printf("  <=%2d ", t);
  std::puts("| image <=24");
  for (const auto& [name, recall] : recalls) {
    const auto share = [](const std::vector<int>& bits, int most) {
      return static_cast<double>(std::count_if(bits.begin(), bits.end(), [most](int b) { return b <= most; })) /
             static_cast<double>(bits.size());
    };
    std::printf("%-32s %6zu %7.4f |", name.c_str(), recall.face_bits.size(),
                static_cast<double>(recall.near) / static_cast<double>(recall.face_bits.size()));
    for (const int t : thresholds) std::printf(" %.4f", share(recall.face_bits, t));
    std::printf("| %.4f\n", share(recall.image_bits, features::kNearImageBits));
  }
}

std::vector<std::string> DefaultInputs() {
  std::vector<std::string> inputs;
  for (const char* folder : {"portraits", "faces"}) {
    if (const auto path = tests::DataPath(folder)) inputs.push_back(*path);
  }
  return inputs;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t every = 7;
  bool medians = false;
  std::vector<std::string> inputs;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--every" && i + 1 < argc) {
      every = static_cast<std::size_t>(std::max(1, std::atoi(argv[++i])));
    } else if (argument == "--medians") {
      medians = true;
    } else {
      inputs.push_back(argument);
    }
  }
  if (inputs.empty()) inputs = DefaultInputs();
  cv::setNumThreads(1);
  Finder finder;
  Copier copier;
  std::vector<Face> faces;
  std::map<std::string, Recall> recalls;
  const auto source = datasets::ImageSource::Plan(inputs, {});
  std::size_t images = 0;
  for (const auto& shard : source.Shards()) {
    const auto reader = source.Open(shard);
    for (datasets::ImageItem item; reader->Next(item); item = {}) {
      const auto decoded = datasets::DecodeImage(item.bytes, {});
      if (decoded.status != datasets::Outcome::kOk) continue;
      ++images;
      const auto original = finder.Find(decoded.bgr);
      if (!original) continue;
      faces.push_back(*original);
      if (medians || faces.size() % every != 0) continue;
      for (const auto& [name, copy] : copier.Copies(decoded.bgr)) {
        const auto found = finder.Find(copy);
        if (!found) continue;
        Recall& recall = recalls[name];
        recall.face_bits.push_back(features::HashDistance(original->face, found->face));
        recall.image_bits.push_back(features::HashDistance(original->image, found->image));
        recall.near += features::AreNearDuplicates(original->face, found->face) ? 1 : 0;
      }
    }
  }
  if (medians) {
    PrintMedians(faces);
    return 0;
  }
  std::printf("%zu images, %zu faces; both hashes of one: %.3f ms\n", images, faces.size(), finder.MillisecondsAFace());
  PrintRecall(recalls);
  PrintFalsePairs(faces);
  TimeSearch(faces, 1'000'000);
  return 0;
}
