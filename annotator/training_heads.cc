// The heads of a model: what each looks at, and the learning of one.
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "annotator/internal/half_rows.h"
#include "annotator/internal/training_steps.h"
#include "features/au_partition.h"

namespace auforge::annotator {
namespace {

// The heads: which columns each looks at. The upper and the lower part of the face are the regions of the AU
// partition's groups 1..4 (brows, eyes, cheeks, nose) and 5..8 (mouth and chin).
struct View {
  std::string name;
  std::vector<std::uint8_t> is_used;
};
std::vector<View> Views(const features::FeatureSpec& spec, const TrainOptions& options) {
  const features::FeatureExtractor extractor(spec);
  std::vector<View> views{{"whole", std::vector<std::uint8_t>(extractor.Dimension(), 1)}};
  const bool has_parts = options.local_heads && options.learner != "ksda";
  for (const bool upper : {true, false}) {
    if (!has_parts) break;
    std::vector<int> rois;
    for (const features::AuGroup& group : features::AuGroups()) {
      if ((group.number <= 4) == upper) rois.insert(rois.end(), group.rois.begin(), group.rois.end());
    }
    views.push_back({upper ? "upper" : "lower", extractor.LocalColumns(rois)});
  }
  for (const features::FeatureBlock& block : extractor.Blocks()) {
    const auto& kept = options.blocks;
    if (kept.empty() || std::find(kept.begin(), kept.end(), block.name) != kept.end()) continue;
    for (View& view : views) {
      std::fill_n(view.is_used.begin() + static_cast<std::ptrdiff_t>(block.begin), block.size,
                  std::uint8_t{0});
    }
  }
  return views;
}

std::vector<float> ProjectRows(const Head& head, const std::vector<float>& features,
                               const std::vector<std::size_t>& rows, std::size_t dimension) {
  std::vector<float> all;
  InPieces(rows, [&](const std::vector<std::size_t>& piece) {
    const std::vector<float> part =
        head.Project(Take(features, piece, dimension).data(), piece.size(), dimension);
    all.insert(all.end(), part.begin(), part.end());
  });
  return all;
}

LearntHead LearnHead(const Training& t, const View& view, bool is_first) {
  LearntHead result;
  Head& head = result.head;
  head.name = view.name;
  t.Say("head " + view.name + ": principal axes");
  head.blocks = LearnFront(t.data, t.split.train, t.options, view.is_used);
  for (const BlockProjection& block : head.blocks) head.components += block.components;
  std::vector<float> rows = ProjectRows(head, t.data.features, t.split.train, t.dimension);
  RoundHalfRows(rows, head.components);  // some become centres: learners meet them as they will be stored
  head.gamma = static_cast<float>(t.options.gamma_scale) *
               MedianGamma(rows, t.split.train.size(), head.components, t.options.seed);
  LearnerInput input{rows, t.labels,  t.sample_weights, t.split.train.size(), head.components,
                     t.a,  head.gamma};
  const std::size_t unlabelled = t.data.unlabelled_group.size();
  input.unlabelled = ProjectRows(head, t.data.unlabelled, AllRows(unlabelled), t.dimension);
  input.group = t.data.unlabelled_group;
  for (const int au : t.data.schema.numbers()) {
    const auto& common = t.options.common_aus;
    input.is_common.push_back(std::find(common.begin(), common.end(), au) != common.end());
  }
  t.Say("head " + view.name + ": learner " + t.options.learner + " on " + std::to_string(head.components) +
        " components");
  if (t.options.learner == "svm") {
    LearnSvm(input, t.options, head, t.log);
  } else if (t.options.learner == "ksda") {
    result.ksda = LearnKsda(input, t.options, head, t.log);
  } else {
    LearnNystrom(input, t.options, head);
  }
  if (is_first && !t.data.seen.empty()) {
    const std::vector<float> seen = Take(t.data.seen, t.split.train, t.a);
    result.seen = RegressOnCentres(head, rows, seen, t.split.train.size(), t.a, t.options.ridge);
  }
  const std::vector<float> validation = ProjectRows(head, t.data.features, t.split.validation, t.dimension);
  const std::size_t n = t.split.validation.size();
  result.validation_scores = result.ksda.empty() ? HeadScores(head, validation, n, t.a)
                                                 : KsdaScores(head, result.ksda, validation, n);
  t.Say("head " + view.name + ": done");
  return result;
}

}  // namespace

std::vector<LearntHead> LearnHeads(const Training& t) {
  const std::vector<View> views = Views(t.data.spec, t.options);
  std::vector<LearntHead> heads(views.size());
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  const auto work = [&] {
    for (std::size_t i = next++; i < views.size(); i = next++) {
      try {
        heads[i] = LearnHead(t, views[i], i == 0);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < t.options.jobs; ++i) threads.emplace_back(work);
  }
  if (failure) std::rethrow_exception(failure);
  return heads;
}

}  // namespace auforge::annotator
