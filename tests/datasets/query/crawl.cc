#include "tests/datasets/query/crawl.h"

#include <array>
#include <cmath>
#include <random>

#include "datasets/image_codec.h"
#include "tests/support/faces.h"

namespace auforge::tests {
namespace {

const char* kWords[] = {"joy",    "anxiety", "anxious", "grief", "Café",    "cafe",   "smile",
                        "street", "dog",     "fear",    "of",    "heights", "émotion"};
const char* kOddCaptions[] = {"<script>alert(1)</script> joy",
                              "\"quoted\" fear of heights",
                              "=1+1",
                              "",
                              "joy'); DROP TABLE texts; --",
                              "fear-of-heights"};

std::string Caption(std::mt19937_64& random) {
  if (random() % 4 == 0) return kOddCaptions[random() % std::size(kOddCaptions)];
  std::string caption;
  for (std::uint64_t i = random() % 6; i > 0; --i)
    caption += (caption.empty() ? "" : " ") + std::string(kWords[random() % std::size(kWords)]);
  return caption;
}

datasets::FaceRecord Face(std::mt19937_64& random, const CrawlOptions& options, std::size_t emotions) {
  const auto uniform = [&random](double low, double high) {
    return static_cast<float>(low + (high - low) * static_cast<double>(random() >> 11) * 0x1p-53);
  };
  datasets::FaceRecord face;
  const std::uint64_t seed = random();
  face.image = options.pictures
                   ? datasets::EncodeJpeg(Texture(64, 64, 3, seed), 85)
                   : std::vector<std::uint8_t>{0xFF, 0xD8, static_cast<std::uint8_t>(seed), 0xFF, 0xD9};
  if (!options.crops) face.image.clear();
  for (std::size_t j = 0; j < options.aus.size(); ++j) {
    // Many exact zeros and whole numbers, so that comparisons meet their bounds.
    float intensity = random() % 3 == 0 ? uniform(0, 5) : static_cast<float>(random() % 6);
    if (random() % 3 == 0) intensity = 0;
    face.aus.intensity.push_back(intensity);
    face.aus.probability.push_back(uniform(0, 1));
    face.aus.present.push_back(intensity >= 1 ? 1 : 0);
    if (!options.halves) continue;
    const bool has_sides = features::AuHasSides(options.aus[j]);
    const float weaker = random() % 2 == 0 ? intensity : intensity / 2;
    face.aus.left.push_back(has_sides ? weaker : NAN);
    face.aus.right.push_back(has_sides ? intensity : NAN);
  }
  face.aus.quality = uniform(0, 1);
  face.landmarks = ShakenFace(seed, 2);
  face.box = {uniform(-5, 50), uniform(0, 50), uniform(20, 300), uniform(20, 300)};
  face.pose = {uniform(-60, 60), uniform(-40, 40), uniform(-30, 30)};
  face.crop_from_image = {0.25F, 0, 0, 7};
  face.detector_score = uniform(-1, 3);
  face.emotion = static_cast<std::uint8_t>(random() % emotions);
  face.emotion_rule = static_cast<std::uint8_t>(random() % emotions);
  face.emotion_score = uniform(0, 1);
  return face;
}

}  // namespace

datasets::ShardHeader CrawlHeader(const CrawlOptions& options) {
  datasets::ShardHeader header;
  header.schema = features::AuSchema(options.aus);
  header.has_crops = options.crops;
  header.model_digest = "model";
  header.detector = "dlib-hog";
  header.config_digest = "config";
  header.created = "2026-01-01T00:00:00Z";
  header.emotion_names = {"neutral", "other", "happy", "happily surprised", "fearful"};
  return header;
}

void WriteCrawl(const std::string& folder, const CrawlOptions& options) {
  for (int s = 0; s < options.shards; ++s) {
    const int index = options.first + s;
    std::mt19937_64 random(options.seed * 1000 + static_cast<std::uint64_t>(index));
    datasets::ShardHeader header = CrawlHeader(options);
    header.source = "crawl/" + std::to_string(index) + ".tar";
    datasets::ShardWriter writer(folder, index, header);
    for (int i = 0; i < options.images; ++i) {
      datasets::SampleRecord sample;
      sample.key = std::to_string(index) + "-" + std::to_string(i);
      sample.url = "https://" + std::string(random() % 2 == 0 ? "photos.example.org" : "media.example.com") +
                   "/" + sample.key + ".jpg";
      sample.keywords = Caption(random);
      sample.licence = std::array{"", "CC0-1.0", "CC BY 4.0", "cc0"}[static_cast<std::size_t>(i) % 4];
      sample.robots = std::array{"", "all", "noindex, noai", "", "noimageai"}[static_cast<std::size_t>(i) % 5];
      sample.width = 640;
      sample.height = 480;
      const std::uint64_t faces = random() % 4;
      if (faces == 0) sample.status = datasets::Outcome::kNoFace;
      const std::int64_t row = writer.AddSample(sample);
      for (std::uint64_t f = 0; f < faces; ++f) {
        datasets::FaceRecord face = Face(random, options, header.emotion_names.size());
        face.sample = row;
        face.face_index = static_cast<std::int32_t>(f);
        writer.AddFace(std::move(face));
      }
    }
    writer.Finish();
  }
}

}  // namespace auforge::tests
