#include "tools/au/model_judge.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <mutex>
#include <stdexcept>

#include "datasets/shard.h"
#include "datasets/storage/checksum.h"
#include "tools/au/au_table.h"
#include "tools/au/labelled_pictures.h"

namespace auforge::tools {
namespace {

constexpr std::array kNames{"auc", "f1", "best_f1", "r", "icc", "mae"};

using Digest = std::array<std::uint8_t, 32>;
using Pictures = std::map<Digest, std::string>;  // and what each is called

// The encoded images that a source of labels speaks of.
void AddPictures(const std::string& text, int jobs, Pictures& pictures) {
  const DataSpec spec = ParseDataSpec(text);
  if (spec.name == "landmarks") return;
  if (spec.name == "shards" || spec.name == "synth") {
    for (const std::string& path : datasets::FindShards({spec.path})) {
      const datasets::ShardReader shard(path);
      for (std::size_t i = 0; i < shard.SampleCount(); ++i) {
        // Images that were not read, and faces that were drawn, have none.
        if (const Digest& digest = shard.Sample(i).sha256; digest != Digest{})
          pictures.emplace(digest, path + ": " + shard.Sample(i).key);
      }
    }
    return;
  }
  const datasets::LabelSet set = LoadLabelSet(spec, {});
  std::mutex mutex;
  VisitPictures(set, jobs, {}, [&](std::size_t i, std::span<const std::uint8_t> encoded) {
    const Digest digest = datasets::storage::Sha256(encoded);
    const std::lock_guard lock(mutex);
    pictures.emplace(digest, datasets::NameOf(set.images[i]));
  });
}

}  // namespace

Figures FiguresByName(const std::vector<annotator::AuFigure>& figures, const std::vector<int>& means) {
  Figures named;
  const auto add = [&named](const std::string& prefix, const annotator::AuFigure& f) {
    const std::array values{f.auc, f.f1, f.best_f1, f.r, f.icc, f.mae};
    static_assert(values.size() == kNames.size());
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      if (!std::isnan(values[i])) named[prefix + kNames[i]] = values[i];
    }
  };
  for (const annotator::AuFigure& f : figures) add("AU" + std::to_string(f.au) + ".", f);
  add("", annotator::MeanFigure(means.empty() ? figures : FiguresOf(figures, means)));
  return named;
}

Condition ParseAuCondition(const std::string& text) {
  const std::string example = "\"auc >= old + 0.002\" or \"AU12.f1 > 0.7\"";
  try {
    Condition condition = SplitCondition(text, example);
    const std::size_t dot = condition.figure.find('.');
    const bool is_of_one = dot != std::string::npos && features::ParseAu(condition.figure.substr(0, dot));
    const std::string name = is_of_one ? condition.figure.substr(dot + 1) : condition.figure;
    if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) {
      std::string known;
      for (const char* figure : kNames) known += (known.empty() ? "" : ", ") + std::string(figure);
      RefuseCondition(text, "there is no figure \"" + condition.figure + "\"; there are " + known + ", of one AU, too (AU12.f1)", example);
    }
    return condition;
  } catch (const std::invalid_argument& error) {
    throw UsageError(std::string("--better ") + error.what());
  }
}

void RequireApart(const std::vector<std::string>& judged, const std::vector<std::string>& learnt, int jobs) {
  Pictures held_out, taught;
  for (const std::string& spec : judged) AddPictures(spec, jobs, held_out);
  for (const std::string& spec : learnt) AddPictures(spec, jobs, taught);
  std::size_t both = 0;
  std::string first;
  for (const auto& [digest, name] : held_out) {
    const auto same = taught.find(digest);
    if (same == taught.end()) continue;
    if (both++ == 0) first = name + " is " + same->second;
  }
  if (both > 0)
    throw BadInputError(std::to_string(both) + " pictures to judge by are learnt from, too (" + first +
                        ", byte for byte); leave them out of one, as part=learn and part=judge do");
}

}  // namespace auforge::tools
