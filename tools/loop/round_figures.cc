#include "tools/loop/round_figures.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "datasets/shard.h"
#include "datasets/storage/bad_content.h"

namespace auforge::tools {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// Intensities from which a contradiction counts: clearly shown, not a trace.
constexpr float kStrong = 2;

// Pairs that one face cannot show at once, or only as grimaces do: corners up and down, lids wide and shut, lips pressed
// and parted, puckered and stretched.
constexpr std::array<std::array<int, 2>, 5> kExclusive{{{12, 15}, {5, 45}, {24, 25}, {24, 26}, {18, 20}}};

// Words that name an expression, and AUs of which it shows at least one.
struct NamedExpression {
  std::vector<std::string_view> words;
  std::vector<int> aus;
};
const std::vector<NamedExpression>& NamedExpressions() {
  static const std::vector<NamedExpression> all{
      {{"smile", "smiles", "smiling", "happy", "happiness", "joy", "joyful", "laugh", "laughing", "laughter", "grin", "grinning"}, {12}},
      {{"sad", "sadness", "crying", "sorrow", "grief"}, {1, 4, 15, 17}},
      {{"angry", "anger", "furious", "rage"}, {4, 5, 7, 23, 24}},
      {{"surprised", "surprise", "astonished", "amazed", "shocked"}, {1, 2, 5, 25, 26}},
      {{"afraid", "fear", "fearful", "scared", "terrified"}, {1, 2, 4, 5, 20, 25, 26}},
      {{"disgust", "disgusted"}, {9, 10}}};
  return all;
}
constexpr int kSmile = 12;

// The expression that a caption names; nullptr where it names none, or several.
const NamedExpression* NamedBy(const std::string& caption) {
  const NamedExpression* named = nullptr;
  std::string word;
  for (std::size_t i = 0; i <= caption.size(); ++i) {
    const auto c = i < caption.size() ? static_cast<unsigned char>(caption[i]) : static_cast<unsigned char>(' ');
    if (std::isalpha(c) != 0) {
      word += static_cast<char>(std::tolower(c));
      continue;
    }
    for (const NamedExpression& one : NamedExpressions()) {
      if (std::find(one.words.begin(), one.words.end(), word) == one.words.end()) continue;
      if (named != nullptr && named != &one) return nullptr;
      named = &one;
    }
    word.clear();
  }
  return named;
}

std::string HostOf(const std::string& url) {
  const std::size_t begin = url.find("://");
  if (begin == std::string::npos) return "";
  return url.substr(begin + 3, url.find_first_of("/:?#", begin + 3) - begin - 3);
}

std::string SourceOf(const datasets::SampleRecord& sample, const std::string& shard_source) {
  if (std::string host = HostOf(sample.url); !host.empty()) return host;
  namespace fs = std::filesystem;
  const bool has_folder = sample.key.find('/') != std::string::npos;
  const std::string folder = fs::path(has_folder ? sample.key : shard_source).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::size_t Bin(float value, std::initializer_list<float> ends) {
  return static_cast<std::size_t>(std::count_if(ends.begin(), ends.end(), [value](float end) { return value >= end; }));
}

class Gatherer {
 public:
  explicit Gatherer(RoundFigures& figures) : figures_(figures) {}

  void Add(const datasets::ShardReader& shard) {
    figures_.images += shard.SampleCount();
    figures_.faces += shard.FaceCount();
    for (std::size_t i = 0; i < shard.SampleCount(); ++i) {
      const datasets::SampleRecord& sample = shard.Sample(i);
      ++figures_.status[std::string(datasets::OutcomeName(sample.status))];
      ++figures_.sources[SourceOf(sample, shard.header().source)];
    }
    for (std::size_t face = 0; face < shard.FaceCount(); ++face) AddFace(shard, face);
  }

 private:
  void AddFace(const datasets::ShardReader& shard, std::size_t face) {
    const features::AuSchema& schema = shard.header().schema;
    const auto aus = shard.AuIntensity().subspan(face * schema.size(), schema.size());
    for (std::size_t j = 0; j < schema.size(); ++j) {
      const std::string name = "AU" + std::to_string(schema.numbers()[j]);
      Histogram& histogram = figures_.aus[name];
      histogram.resize(6);
      ++histogram[Bin(aus[j], {0.25F, 1, 2, 3, 4})];
      figures_.present[name] += aus[j] >= 1 ? 1 : 0;
    }
    ++figures_.quality[std::min<std::size_t>(9, static_cast<std::size_t>(std::max(0.0F, 10 * shard.Quality()[face])))];
    ++figures_.sizes[Bin(shard.FaceBox(face).width, {40, 80, 160, 320, 640})];
    ++figures_.yaw[Bin(shard.Pose(face).yaw, {-30, -15, 0, 15, 30})];
    const auto at_least = [&](int au, float intensity) {
      const auto column = schema.Find(au);
      return column && aus[*column] >= intensity;
    };
    figures_.against_themselves += std::any_of(kExclusive.begin(), kExclusive.end(), [&](const auto& pair) {
      return at_least(pair[0], kStrong) && at_least(pair[1], kStrong);
    });
    const NamedExpression* named = NamedBy(shard.Sample(static_cast<std::size_t>(shard.FaceSample()[face])).keywords);
    if (named == nullptr) return;
    ++figures_.captioned;
    const bool shows = std::any_of(named->aus.begin(), named->aus.end(), [&](int au) { return at_least(au, 1); });
    const bool is_smile = named->aus.front() == kSmile;
    figures_.against_captions += !shows || (!is_smile && at_least(kSmile, kStrong));
  }

  RoundFigures& figures_;
};

std::uint64_t Sum(const std::map<std::string, std::uint64_t>& counts, std::initializer_list<const char*> names) {
  std::uint64_t sum = 0;
  for (const char* name : names) {
    if (const auto found = counts.find(name); found != counts.end()) sum += found->second;
  }
  return sum;
}

}  // namespace

std::uint64_t RoundFigures::Broken() const { return Sum(status, {"undecodable", "unreadable"}); }
std::uint64_t RoundFigures::WithoutFace() const { return images - Sum(status, {"ok"}); }
std::uint64_t RoundFigures::Copies() const { return Sum(status, {"duplicate"}); }

RoundFigures GatherFigures(const std::vector<std::string>& shards) {
  RoundFigures figures;
  Gatherer gatherer(figures);
  for (const std::string& path : shards) gatherer.Add(datasets::ShardReader(path));
  return figures;
}

std::string ToJson(const RoundFigures& f) {
  const ordered_json j{{"images", f.images},     {"faces", f.faces},     {"training_faces", f.training_faces},
                       {"status", f.status},     {"aus", f.aus},         {"present", f.present},
                       {"quality", f.quality},   {"sizes", f.sizes},     {"yaw", f.yaw},
                       {"sources", f.sources},   {"against_themselves", f.against_themselves},
                       {"captioned", f.captioned}, {"against_captions", f.against_captions}};
  return j.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

RoundFigures FiguresFromJson(const std::string& text, const std::string& path) {
  try {
    const json j = json::parse(text);
    RoundFigures f;
    for (const auto& [name, value] : {std::pair{"images", &f.images}, {"faces", &f.faces}, {"training_faces", &f.training_faces},
                                      {"against_themselves", &f.against_themselves}, {"captioned", &f.captioned},
                                      {"against_captions", &f.against_captions}})
      *value = j.at(name).get<std::uint64_t>();
    for (const auto& [name, value] : {std::pair{"status", &f.status}, {"present", &f.present}, {"sources", &f.sources}})
      *value = j.at(name).get<std::map<std::string, std::uint64_t>>();
    for (const auto& [name, value] : {std::pair{"quality", &f.quality}, {"sizes", &f.sizes}, {"yaw", &f.yaw}})
      *value = j.at(name).get<Histogram>();
    f.aus = j.at("aus").get<std::map<std::string, Histogram>>();
    return f;
  } catch (const json::exception& error) {
    throw datasets::storage::BadContent(path + ": holds no figures of a round (" + error.what() + "); remove it and run again");
  }
}

}  // namespace auforge::tools
