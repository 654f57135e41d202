#include "tests/datasets/query/plain_scan.h"

#include <cctype>
#include <filesystem>
#include <map>

#include "datasets/query/nearest.h"

namespace auforge::tests {
namespace {

using datasets::query::Comparison;
using datasets::query::Expression;
using datasets::query::Field;

// Letters and digits only, lower case, the accents of the test's words taken off.
std::vector<std::string> Words(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if (byte == 0xC3 && (next == 0xA9 || next == 0x89)) {
      plain += 'e';
      ++i;
    } else {
      plain += std::isalnum(byte) != 0 ? static_cast<char>(std::tolower(byte)) : ' ';
    }
  }
  std::vector<std::string> words(1);
  for (const char c : plain) {
    if (c != ' ') {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

bool HasPhrase(const std::string& caption, std::string phrase) {
  const bool is_beginning = phrase.ends_with('*');
  if (is_beginning) phrase.pop_back();
  const std::vector<std::string> text = Words(caption), wanted = Words(phrase);
  if (wanted.empty()) return false;
  for (std::size_t at = 0; at + wanted.size() <= text.size(); ++at) {
    bool fits = true;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const bool is_last = i + 1 == wanted.size();
      fits =
          fits && (is_beginning && is_last ? text[at + i].starts_with(wanted[i]) : text[at + i] == wanted[i]);
    }
    if (fits) return true;
  }
  return false;
}

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

float Value(const datasets::ShardReader& shard, std::size_t face, Field field, int au) {
  const std::size_t width = shard.header().schema.size();
  const std::size_t at = au > 0 ? face * width + shard.header().schema.Find(au).value() : 0;
  switch (field) {
    case Field::kAuLeft:
      return shard.AuLeft()[at];
    case Field::kAuRight:
      return shard.AuRight()[at];
    case Field::kEmotionScore:
      return shard.EmotionScore()[face];
    case Field::kAuIntensity:
      return shard.AuIntensity()[at];
    case Field::kAuProbability:
      return shard.AuProbability()[at];
    case Field::kAuPresent:
      return static_cast<float>(shard.AuPresent()[at]);
    case Field::kQuality:
      return shard.Quality()[face];
    case Field::kScore:
      return shard.DetectorScore()[face];
    case Field::kYaw:
      return shard.Pose(face).yaw;
    case Field::kPitch:
      return shard.Pose(face).pitch;
    case Field::kRoll:
      return shard.Pose(face).roll;
    case Field::kSize:
      return shard.FaceBox(face).width;
    case Field::kFace:
      return static_cast<float>(shard.FaceIndex()[face]);
  }
  return 0;
}

}  // namespace

bool Holds(const datasets::ShardReader& shard, std::size_t face, const Expression& expression) {
  const datasets::SampleRecord& sample = shard.Sample(static_cast<std::size_t>(shard.FaceSample()[face]));
  switch (expression.kind) {
    case Expression::Kind::kAll:
      return true;
    case Expression::Kind::kAnd:
      for (const Expression& child : expression.children) {
        if (!Holds(shard, face, child)) return false;
      }
      return true;
    case Expression::Kind::kOr:
      for (const Expression& child : expression.children) {
        if (Holds(shard, face, child)) return true;
      }
      return false;
    case Expression::Kind::kNot:
      return !Holds(shard, face, expression.children[0]);
    case Expression::Kind::kNumber: {
      const float a = Value(shard, face, expression.field, expression.au);
      const float b = expression.value +
                      (expression.against ? Value(shard, face, expression.other, expression.other_au) : 0);
      const std::map<Comparison, bool> truth{
          {Comparison::kLess, a < b},    {Comparison::kLessOrEqual, a <= b},
          {Comparison::kGreater, a > b}, {Comparison::kGreaterOrEqual, a >= b},
          {Comparison::kEqual, a == b},  {Comparison::kNotEqual, a != b}};
      return truth.at(expression.comparison);
    }
    case Expression::Kind::kEmotion:
    case Expression::Kind::kEmotionRule: {
      const bool by_rule = expression.kind == Expression::Kind::kEmotionRule;
      const std::string wanted = expression.text == "happiness" ? "happy" : expression.text;
      const std::string& name = shard.header().emotion_names[by_rule ? shard.EmotionByRule()[face] : shard.Emotion()[face]];
      return wanted.ends_with('*') ? name.starts_with(wanted.substr(0, wanted.size() - 1)) : name == wanted;
    }
    case Expression::Kind::kKeyword:
      return HasPhrase(sample.keywords, expression.text);
    case Expression::Kind::kLicence:
      return datasets::query::MatchesPattern(expression.text, sample.licence) && !sample.licence.empty();
    case Expression::Kind::kNearDuplicate:
    case Expression::Kind::kDuplicateOf:
      return false;  // the random faces have no hashes; datasets_test compares all pairs
    case Expression::Kind::kRobots:
      return !sample.robots.empty() &&
             (expression.text == "*" || sample.robots.find(expression.text) != std::string::npos);
    case Expression::Kind::kNoAi:
      return sample.robots.find("noai") != std::string::npos || sample.robots.find("noimageai") != std::string::npos;
    case Expression::Kind::kSource: {
      const std::string part = Lower(expression.text);
      return Lower(shard.header().source).find(part) != std::string::npos ||
             Lower(sample.key).find(part) != std::string::npos ||
             Lower(sample.url).find(part) != std::string::npos;
    }
  }
  return false;
}

std::vector<ScannedFace> Scan(const std::string& folder, const Expression& expression) {
  std::vector<ScannedFace> faces;
  for (const std::string& path : datasets::FindShards({folder})) {
    const datasets::ShardReader shard(path);
    for (std::uint32_t i = 0; i < shard.FaceCount(); ++i) {
      if (Holds(shard, i, expression)) faces.push_back({std::filesystem::path(path).filename().string(), i});
    }
  }
  return faces;
}

}  // namespace auforge::tests
