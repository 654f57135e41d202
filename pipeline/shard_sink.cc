#include "pipeline/shard_sink.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "annotator/emotions.h"
#include "datasets/creation_time.h"
#include "pipeline/face_labels.h"

namespace auforge::pipeline {
namespace {

using nlohmann::json;

}  // namespace

datasets::ShardHeader MakeShardHeader(const Labeller& labeller, const RunConfig& config) {
  datasets::ShardHeader header;
  header.schema = labeller.model().info().schema;
  header.model_digest = labeller.model().info().digest;
  header.detector = labeller.detector_name();
  header.landmarker = labeller.landmarker().Name();
  header.config_digest = config.digest;
  header.has_crops = labeller.options().store_crops;
  header.emotion_names = annotator::EmotionNames();
  return header;
}

ShardSink::ShardSink(std::string folder, datasets::ShardHeader header, RunConfig config, float min_quality,
                     datasets::Leftovers leftovers)
    : folder_(std::move(folder)),
      header_(std::move(header)),
      config_(std::move(config)),
      min_quality_(min_quality),
      leftovers_(std::move(leftovers)) {}

void ShardSink::Begin(const datasets::InputShard& shard, InputRecord input) {
  RequireOurs(folder_, shard, input, config_);
  shard_ = shard;
  input_ = std::move(input);
  failures_.clear();
  file_states_.clear();
  any_file_state_ = false;
  au_visible_.clear();
  trust_.clear();
  dense_.clear();
  scales_.clear();
  seconds_.fill(0);
  counts_before_ = counts_;
  datasets::ShardHeader header = header_;
  header.source = shard.name;
  header.created = datasets::CreationTime();
  writer_ = std::make_unique<datasets::ShardWriter>(folder_, shard.index, std::move(header));
}

void ShardSink::Write(ExaminedGroup group) {
  for (std::size_t i = 0; i < kStageCount; ++i) seconds_[i] += group.seconds[i];
  for (ExaminedImage& image : group.images) WriteImage(std::move(image));
}

void ShardSink::WriteImage(ExaminedImage image) {
  DropPoorFaces(image, header_.schema.size(), min_quality_);
  au_visible_.insert(au_visible_.end(), image.au_visible.begin(), image.au_visible.end());
  trust_.insert(trust_.end(), image.trust.begin(), image.trust.end());
  for (const features::DensePoints& points : image.dense) {
    for (const features::Point2& p : points) dense_.insert(dense_.end(), {p.x, p.y});
  }
  scales_.push_back(image.scale);
  if (image.sample.status != datasets::Outcome::kOk) LogFailure(image);
  ++counts_.images;
  ++counts_.by_status[std::string(datasets::OutcomeName(image.sample.status))];
  if (!seen_.Insert(image.sample.sha256)) ++counts_.duplicates;
  any_file_state_ = any_file_state_ || !image.file_state.empty();
  file_states_.push_back(std::move(image.file_state));
  const std::int64_t row = writer_->AddSample(std::move(image.sample));
  for (std::size_t i = 0; i < image.faces.size(); ++i) {
    image.faces[i].sample = row;
    writer_->AddFace(std::move(image.faces[i]));
    ++counts_.faces;
  }
}

void ShardSink::LogFailure(const ExaminedImage& image) {
  const json line = {{"key", image.sample.key},
                     {"url", image.sample.url},
                     {"stage", image.stage},
                     {"status", datasets::OutcomeName(image.sample.status)},
                     {"message", image.message}};
  // Keys come from a crawl and need not be UTF-8.
  failures_ += line.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

void ShardSink::Abandon() {
  writer_.reset();
  counts_ = counts_before_;
}

void ShardSink::Commit(const datasets::SideNotes& notes) {
  if (any_file_state_) writer_->AddExtra(datasets::ExtraStrings{"/samples/file_state", std::move(file_states_)});
  // Nothing is said of what cannot be seen: 0 = the AU's region is covered or turned away.
  const std::uint64_t aus = header_.schema.size();
  writer_->AddExtra(datasets::ExtraDataset{"/faces/au_visible", {au_visible_.size() / aus, aus}, std::move(au_visible_)});
  const auto is_not_one = [](float value) { return value != 1; };
  // Always of a detector whose faces may be doubted: that the column is missing says that nobody kept it.
  if (std::any_of(trust_.begin(), trust_.end(), is_not_one) || (DoubtsFaces(header_.detector) && !trust_.empty()))
    writer_->AddExtra(datasets::ExtraDataset{kTrustColumn, {trust_.size()}, std::move(trust_)});
  if (!dense_.empty()) {
    const std::uint64_t faces = dense_.size() / (2 * features::kDenseCount);
    writer_->AddExtra(datasets::ExtraDataset{kDenseColumn, {faces, features::kDenseCount, 2}, std::move(dense_)});
  }
  if (std::any_of(scales_.begin(), scales_.end(), is_not_one))
    writer_->AddExtra(datasets::ExtraDataset{kScaleColumn, {scales_.size()}, std::move(scales_)});
  json seconds;
  for (std::size_t i = 0; i < kStageCount; ++i) seconds[StageName(static_cast<Stage>(i))] = seconds_[i];
  json left_out = json::object();
  for (const auto& [kind, left] : notes.left_out) left_out[kind] = left.count;
  json stats = {{"source", input_.name},
                      {"source_path", input_.path},
                      {"source_digest", input_.keys},
                      {"source_state", input_.state},
                      {"metadata",
                       {{"read", notes.metadata}, {"damaged", notes.damaged_metadata}, {"without_image", notes.lone_metadata}}},
                      {"left_out", left_out},
                      {"config", json::parse(config_.json)},
                      {"stage_seconds", seconds}};
  // By a crawler's table, where there is one.
  for (const auto& [status, tried] : notes.crawl) stats["crawl"][status] = tried.count;
  writer_->Finish(stats.dump(-1, ' ', false, json::error_handler_t::replace), failures_,
                  [this] { MakeRoom(folder_, shard_, input_, config_); });
  writer_.reset();
  leftovers_.Remove(shard_.index);
}

}  // namespace auforge::pipeline
