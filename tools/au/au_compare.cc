#include "tools/au/au_compare.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>

#include "datasets/storage/paths.h"

namespace auforge::tools {
namespace {

using annotator::TrainingData;
using annotator::TrainOptions;
using Log = std::function<void(const std::string&)>;

std::vector<std::uint8_t> PresentInUnlabelled(const annotator::AuModel& model, const TrainingData& data) {
  std::vector<std::uint8_t> present;
  const std::size_t n = data.unlabelled_group.size(), dimension = n > 0 ? data.unlabelled.size() / n : 0;
  constexpr std::size_t kPiece = 256;
  for (std::size_t begin = 0; begin < n; begin += kPiece) {
    const std::size_t count = std::min(kPiece, n - begin);
    for (const auto& e :
         model.Predict(std::span(data.unlabelled).subspan(begin * dimension, count * dimension), count)) {
      present.insert(present.end(), e.present.begin(), e.present.end());
    }
  }
  return present;
}

void JudgeOnUnlabelled(const annotator::AuModel& model, const TrainingData& data, Way& way) {
  const std::vector<std::uint8_t> present = PresentInUnlabelled(model, data);
  if (present.empty()) return;
  const std::size_t a = model.info().schema.size(), n = data.unlabelled_group.size();
  way.present_unlabelled.assign(a, 0);
  std::map<std::int64_t, std::size_t> first;  // the photo itself comes before its variants
  double differs = 0, compared = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const auto [at, is_first] = first.try_emplace(data.unlabelled_group[i], i);
    for (std::size_t j = 0; j < a; ++j) {
      if (is_first) {
        way.present_unlabelled[j] += present[i * a + j];
      } else {
        differs += present[i * a + j] != present[at->second * a + j] ? 1 : 0;
        ++compared;
      }
    }
  }
  for (double& share : way.present_unlabelled) share /= static_cast<double>(first.size());
  way.disagreement = compared > 0 ? differs / compared : 0;
}

Way Try(const std::string& name, const TrainingData& data, const TrainingData& photos,
        const TrainOptions& options, const std::string& path, const Log& log) {
  if (log) log("=== " + name);
  const annotator::TrainedModel trained = annotator::TrainAuModel(data, options, log);
  Way way;
  way.name = name;
  way.figures = trained.report.test;
  way.training_seconds = trained.report.seconds;
  way.quality = trained.report.quality;
  way.seconds_a_face = trained.report.seconds_a_face;
  if (!path.empty()) {
    trained.model.Save(path);
    way.bytes = datasets::storage::FileSize(path);
  }
  JudgeOnUnlabelled(trained.model, photos, way);
  if (log) log("=== " + name + ": mean r " + std::to_string(annotator::MeanFigure(way.figures).r));
  return way;
}

// Without the copies of each face.
TrainingData WithoutCopies(const TrainingData& data) {
  TrainingData result = data;
  if (data.copy.empty()) return result;
  const std::size_t a = data.schema.size(), dimension = data.features.size() / data.rows;
  std::size_t kept = 0;
  const auto keep = [&kept](auto& values, std::size_t width, std::size_t row) {
    if (values.empty()) return;
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(row * width), width,
                values.begin() + static_cast<std::ptrdiff_t>(kept * width));
  };
  for (std::size_t row = 0; row < data.rows; ++row) {
    if (data.copy[row] != 0) continue;
    keep(result.features, dimension, row);
    keep(result.labels, a, row);
    keep(result.weights, a, row);
    keep(result.seen, a, row);
    keep(result.left, a, row);
    keep(result.right, a, row);
    keep(result.identity, 1, row);
    keep(result.evidence, 1, row);
    ++kept;
  }
  result.rows = kept;
  result.features.resize(kept * dimension);
  result.labels.resize(kept * a);
  if (!result.weights.empty()) result.weights.resize(kept * a);
  if (!result.seen.empty()) result.seen.resize(kept * a);
  if (!result.left.empty()) result.left.resize(kept * a);
  if (!result.right.empty()) result.right.resize(kept * a);
  result.identity.resize(kept);
  if (!result.evidence.empty()) result.evidence.resize(kept);
  result.copy.clear();
  return result;
}

TrainingData EqualWeights(const TrainingData& data) {
  TrainingData result = data;
  result.weights.clear();
  return result;
}

}  // namespace

std::vector<Way> CompareLearners(const TrainingData& data, const TrainOptions& options,
                                 const std::string& folder, const Log& log) {
  std::vector<Way> ways;
  const auto attempt = [&](const std::string& learner, const std::string& remark, const auto& change) {
    TrainOptions changed = options;
    changed.learner = learner;
    change(changed);
    const std::string file = learner + (remark.empty() ? "" : "-equal") + ".h5";
    ways.push_back(
        Try(learner + remark, data, data, changed, (std::filesystem::path(folder) / file).string(), log));
  };
  for (const char* learner : {"nystrom", "svm", "ksda"}) attempt(learner, "", [](TrainOptions&) {});
  const int equal = std::min(options.svm_rows, options.ksda_rows);
  const std::string remark = ", " + std::to_string(equal) + " rows, one head";
  for (const char* learner : {"nystrom", "svm", "ksda"}) {
    attempt(learner, remark, [equal](TrainOptions& o) {
      o.train_rows = static_cast<std::uint64_t>(equal);
      o.svm_rows = o.ksda_rows = o.centres = equal;
      o.local_heads = false;
      o.consistency = o.prevalence = 0;
    });
  }
  attempt("ksda", ", nearest mean", [](TrainOptions& o) { o.ksda_nearest = true; });
  return ways;
}

std::vector<Way> Ablate(const TrainingData& data, const TrainOptions& options, const Log& log) {
  std::vector<Way> ways;
  const auto attempt = [&](const std::string& name, const auto& change) {
    TrainOptions changed = options;
    change(changed);
    ways.push_back(Try(name, data, data, changed, "", log));
  };
  attempt("everything", [](TrainOptions&) {});
  // Only what the faces have features of, and each set once.
  std::set<std::string> kinds;
  const features::FeatureExtractor extractor(data.spec);
  for (const features::FeatureBlock& block : extractor.Blocks()) kinds.insert(block.name);
  kinds.erase(features::kLearntHalves);  // goes with "learnt", and only to the halves of the face
  std::set<std::set<std::string>> tried{kinds};
  const auto with_blocks = [&](const std::string& name, const std::set<std::string>& blocks) {
    if (!std::includes(kinds.begin(), kinds.end(), blocks.begin(), blocks.end())) return;
    if (!blocks.empty() && tried.insert(blocks).second)
      attempt(name, [&](TrainOptions& o) { o.blocks.assign(blocks.begin(), blocks.end()); });
  };
  with_blocks("shape only", {"shape"});
  with_blocks("Gabor only", {"gabor"});
  with_blocks("HOG only", {"hog"});
  with_blocks("shape and Gabor", {"shape", "gabor"});
  with_blocks("learnt only", {"learnt"});
  std::set<std::string> handmade = kinds;
  handmade.erase("learnt");
  with_blocks("without learnt", handmade);
  attempt("whole face only", [](TrainOptions& o) { o.local_heads = false; });
  if (!data.weights.empty())
    ways.push_back(Try("hidden parts weigh like seen ones", EqualWeights(data), data, options, "", log));
  attempt("not averaged with the mirror", [](TrainOptions& o) { o.mirror_average = false; });
  if (!data.unlabelled_group.empty()) {
    if (options.photo_share < 1) attempt("photo share 1", [](TrainOptions& o) { o.photo_share = 1; });
    attempt("no consistency", [](TrainOptions& o) { o.consistency = 0; });
    attempt("no prevalence", [](TrainOptions& o) { o.prevalence = 0; });
    attempt("neither", [](TrainOptions& o) { o.consistency = o.prevalence = 0; });
  }
  if (!data.copy.empty()) ways.push_back(Try("no copies", WithoutCopies(data), data, options, "", log));
  return ways;
}

std::string WaysTable(const std::vector<Way>& ways) {
  std::string table =
      "| way | mean r | ICC | MAE | AUC | F1 | quality | training s | ms a face | MB | photos: presence "
      "changes |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|\n";
  char text[256];
  for (const Way& way : ways) {
    const annotator::AuFigure m = annotator::MeanFigure(way.figures);
    std::snprintf(text, sizeof(text),
                  "| %s | %.3f | %.3f | %.3f | %.3f | %.3f | %.2f | %.0f | %.2f | %.1f | %.1f %% |\n",
                  way.name.c_str(), m.r, m.icc, m.mae, m.auc, m.f1, way.quality.relative,
                  way.training_seconds, 1000 * way.seconds_a_face, static_cast<double>(way.bytes) / 1e6,
                  100 * way.disagreement);
    table += text;
  }
  const auto per_au = [&](const char* title, const auto& value) {
    table += std::string("\n| ") + title + " |";
    for (const Way& way : ways) table += " " + way.name + " |";
    table += "\n|---|";
    for (std::size_t i = 0; i < ways.size(); ++i) table += "---|";
    table += "\n";
    for (std::size_t j = 0; j < ways[0].figures.size(); ++j) {
      table += "| AU" + std::to_string(ways[0].figures[j].au) + " |";
      for (const Way& way : ways) {
        std::snprintf(text, sizeof(text), " %s |", value(way, j).c_str());
        table += text;
      }
      table += "\n";
    }
  };
  per_au("r", [](const Way& way, std::size_t j) {
    char number[32];
    std::snprintf(number, sizeof(number), "%.2f", way.figures[j].r);
    return std::string(number);
  });
  if (!ways[0].present_unlabelled.empty()) {
    per_au("in photos, %", [](const Way& way, std::size_t j) {
      char number[32];
      std::snprintf(number, sizeof(number), "%.0f", 100 * way.present_unlabelled[j]);
      return std::string(number);
    });
  }
  return table;
}

}  // namespace auforge::tools
