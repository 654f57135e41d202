#include "tests/datasets/query/million_rows.h"

#include <cmath>
#include <cstdio>
#include <random>

namespace auforge::tests {

datasets::query::ShardRows MillionRowsShard(int index, std::uint32_t faces) {
  std::mt19937_64 random(static_cast<std::uint64_t>(index) + 1);
  const auto uniform = [&random] {
    return static_cast<float>(static_cast<double>(random() >> 11) * 0x1p-53);
  };
  datasets::query::ShardRows rows;
  char name[32];
  std::snprintf(name, sizeof(name), "%05d.h5", index);
  rows.shard.name = name;
  rows.shard.source = "crawl.tar";
  rows.shard.faces = faces;
  rows.shard.images = faces;
  rows.shard.schema = features::CatalogueSchema();
  rows.shard.emotion_names = {"neutral", "other", "happy", "fearful", "awed"};
  auto& columns = rows.columns;
  for (std::size_t j = 0; j < rows.shard.schema.size(); ++j) {
    std::vector<float> intensity(faces), probability(faces);
    std::vector<std::uint8_t> present(faces);
    for (std::uint32_t i = 0; i < faces; ++i) {
      intensity[i] = 5 * std::pow(uniform(), 6.0F);
      probability[i] = intensity[i] / 5;
      present[i] = intensity[i] >= 1 ? 1 : 0;
    }
    columns.intensity.push_back(std::move(intensity));
    columns.probability.push_back(std::move(probability));
    columns.present.push_back(std::move(present));
  }
  for (std::uint32_t i = 0; i < faces; ++i) {
    columns.quality.push_back(uniform());
    columns.score.push_back(uniform());
    columns.yaw.push_back(60 * uniform() - 30);
    columns.pitch.push_back(40 * uniform() - 20);
    columns.roll.push_back(20 * uniform() - 10);
    columns.size.push_back(40 + 300 * uniform());
    columns.emotion.push_back(static_cast<std::uint8_t>(random() % 28 == 0 ? 2 : random() % 5));
    columns.rule.push_back(columns.emotion.back());
    columns.face_index.push_back(0);
    columns.text.push_back(i);
    std::string caption = random() % 1400 == 0 ? "anxiety" : "photo";
    if (random() % 2 == 0) caption += " person";
    for (int w = 0; w < 6; ++w)
      caption += " word" + std::to_string(static_cast<int>(std::pow(30000.0, uniform())));
    const std::string key = std::to_string(index) + "_" + std::to_string(i);
    rows.texts.push_back({key, "https://images.example.org/" + key + ".jpg", caption, {}, {}});
  }
  rows.shard.texts = faces;
  return rows;
}

}  // namespace auforge::tests
