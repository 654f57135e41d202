#include "tools/au/model_judge.h"

#include <array>
#include <cmath>
#include <mutex>

#include "datasets/shard.h"
#include "datasets/storage/checksum.h"
#include "tools/au/au_table.h"
#include "tools/au/labelled_pictures.h"

namespace auforge::tools {
namespace {

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

std::map<std::string, double> FiguresByName(const std::vector<annotator::AuFigure>& figures, const std::vector<int>& means) {
  std::map<std::string, double> named;
  const auto add = [&named](const std::string& prefix, const annotator::AuFigure& f) {
    for (const auto& [name, value] : {std::pair{"r", f.r}, {"icc", f.icc}, {"mae", f.mae}, {"auc", f.auc}, {"f1", f.f1}, {"best_f1", f.best_f1}}) {
      if (!std::isnan(value)) named[prefix + name] = static_cast<double>(value);
    }
  };
  for (const annotator::AuFigure& f : figures) add("AU" + std::to_string(f.au) + ".", f);
  add("", annotator::MeanFigure(means.empty() ? figures : FiguresOf(figures, means)));
  return named;
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
