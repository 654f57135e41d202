// EmotioNet's tables: images per emotion, per Action Unit and per keyword.
#include <algorithm>
#include <map>
#include <unordered_map>

#include "datasets/query/search.h"

namespace auforge::datasets::query {
namespace {

// Counts faces and, once each, the images (texts) that they are on.
class Counter {
 public:
  explicit Counter(std::size_t texts) : seen_(texts) {}
  void Add(std::uint32_t text) {
    ++faces;
    if (seen_[text]) return;
    seen_[text] = true;
    ++images;
  }
  std::uint64_t faces = 0, images = 0;

 private:
  std::vector<bool> seen_;
};

void SortByImages(std::vector<Tally>& tallies) {
  std::stable_sort(tallies.begin(), tallies.end(),
                   [](const Tally& a, const Tally& b) { return a.images > b.images; });
}

// For each text (image) of the index the number of its selected faces, where there are any.
std::vector<std::uint32_t> FacesOfTexts(const FaceIndex& index, const Selection& selection) {
  std::int64_t last = 0;
  for (const IndexedShard& shard : index.shards()) last = std::max(last, shard.first_text + shard.texts);
  std::vector<std::uint32_t> faces(static_cast<std::size_t>(last));
  selection.VisitShards([&](std::uint32_t s, const std::vector<std::uint32_t>& found) {
    const IndexedShard& shard = index.shards()[s];
    const auto text = index.store().Column<std::uint32_t>(shard, "text");
    for (const std::uint32_t face : found)
      ++faces.at(static_cast<std::size_t>(shard.first_text) + text[face]);
  });
  return faces;
}

// Words that say nothing about a picture.
bool IsFunctionWord(const std::string& word) {
  static const std::vector<std::string> kWords{
      "a",    "an",  "and",   "are",  "as",   "at", "be",  "by", "for",  "from", "has",  "have", "he",
      "her",  "his", "i",     "in",   "is",   "it", "its", "my", "of",   "on",   "or",   "s",    "she",
      "that", "the", "their", "they", "this", "to", "was", "we", "were", "will", "with", "you",  "your"};
  return std::binary_search(kWords.begin(), kWords.end(), word);
}

}  // namespace

std::vector<Tally> TallyEmotions(const FaceIndex& index, const Selection& selection) {
  std::map<std::string, Tally> tallies;
  for (const std::string& name : index.EmotionNames()) tallies[name].name = name;
  selection.VisitShards([&](std::uint32_t s, const std::vector<std::uint32_t>& faces) {
    const IndexedShard& shard = index.shards()[s];
    const auto emotion = index.store().Column<std::uint8_t>(shard, "emotion");
    const auto text = index.store().Column<std::uint32_t>(shard, "text");
    std::vector<Counter> counters(shard.emotion_names.size(), Counter(shard.texts));
    for (const std::uint32_t face : faces) {
      if (emotion[face] < counters.size()) counters[emotion[face]].Add(text[face]);
    }
    for (std::size_t e = 0; e < counters.size(); ++e) {
      Tally& tally = tallies[shard.emotion_names[e]];
      tally.images += counters[e].images;
      tally.faces += counters[e].faces;
    }
  });
  std::vector<Tally> rows;
  for (const std::string& name : index.EmotionNames()) rows.push_back(tallies[name]);
  SortByImages(rows);
  return rows;
}

std::vector<Tally> TallyAus(const FaceIndex& index, const Selection& selection) {
  std::vector<Tally> rows;
  const features::AuSchema schema = index.Schema();
  for (const int au : schema.numbers()) {
    Tally row{"AU" + std::to_string(au), 0, 0};
    selection.VisitShards([&](std::uint32_t s, const std::vector<std::uint32_t>& faces) {
      const IndexedShard& shard = index.shards()[s];
      const auto& numbers = shard.schema.numbers();
      if (std::find(numbers.begin(), numbers.end(), au) == numbers.end()) return;
      const auto present = index.store().Column<std::uint8_t>(shard, "e" + std::to_string(au));
      const auto text = index.store().Column<std::uint32_t>(shard, "text");
      Counter counter(shard.texts);
      for (const std::uint32_t face : faces) {
        if (present[face] != 0) counter.Add(text[face]);
      }
      row.images += counter.images;
      row.faces += counter.faces;
    });
    rows.push_back(row);
  }
  return rows;
}

std::vector<Tally> TallyKeywords(const FaceIndex& index, const Selection& selection,
                                 const std::vector<std::string>& words, std::size_t limit,
                                 const StopCheck& stop) {
  const std::vector<std::uint32_t> faces = FacesOfTexts(index, selection);
  const auto add = [&faces](Tally& tally, std::int64_t row) {
    const std::uint32_t found =
        static_cast<std::size_t>(row) < faces.size() ? faces[static_cast<std::size_t>(row)] : 0;
    tally.images += found > 0 ? 1 : 0;
    tally.faces += found;
  };
  std::vector<Tally> rows;
  if (!words.empty()) {
    for (const std::string& word : words) {
      Tally tally{word, 0, 0};
      for (const std::int64_t row : index.store().MatchCaption(word, stop)) add(tally, row);
      rows.push_back(tally);
    }
  } else {
    Tally current;
    const auto finish = [&] {
      if (current.images > 0 && !IsFunctionWord(current.name)) rows.push_back(current);
    };
    index.store().VisitWords(
        [&](const std::string& word, std::int64_t row) {
          if (word != current.name) {
            finish();
            current = {word, 0, 0};
          }
          add(current, row);
        },
        stop);
    finish();
  }
  SortByImages(rows);
  if (rows.size() > limit) rows.resize(limit);
  return rows;
}

}  // namespace auforge::datasets::query
