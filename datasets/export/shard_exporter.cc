// Shards of the chosen faces: one for each shard that has any, with the images they are on and everything further that
// the shard has.
#include <map>
#include <optional>

#include "datasets/export/internal/exporters.h"
#include "datasets/storage/bad_content.h"

namespace auforge::datasets {
namespace {

using Rows = std::span<const std::uint32_t>;

// Which rows of that dataset are copied: those of the chosen faces or of their images where it has one for each of
// them, else all. Where a shard has as many faces as images, only the group tells of which it speaks.
std::optional<Rows> RowsOf(const storage::StoredObject& object, const ShardReader& shard, Rows faces, Rows samples) {
  const std::vector<std::uint64_t>& shape = object.data->shape;
  if (shape.empty()) return std::nullopt;
  if (shape[0] == shard.SampleCount() && object.path.starts_with("/samples/")) return samples;
  if (shape[0] == shard.FaceCount()) return faces;
  if (shape[0] == shard.SampleCount() && !object.path.starts_with("/faces/")) return samples;
  return std::nullopt;
}

void KeepRows(storage::StoredValue& value, Rows rows) {
  const std::size_t width = value.bytes.size() / value.shape[0];
  std::vector<std::uint8_t> kept;
  kept.reserve(rows.size() * width);
  for (const std::uint32_t row : rows) {
    const auto begin = value.bytes.begin() + static_cast<std::ptrdiff_t>(row * width);
    kept.insert(kept.end(), begin, begin + static_cast<std::ptrdiff_t>(width));
  }
  value.bytes = std::move(kept);
  value.shape[0] = rows.size();
}

class ShardExporter : public FaceExporter {
 public:
  explicit ShardExporter(const std::string& path) : output_(path) {}

  void Add(const ShardReader& shard, Rows faces) override {
    if (faces.empty()) return;
    output_.Do([&] { Copy(shard, faces); });
  }
  std::vector<std::string> Finish() override {
    if (count_ == 0) throw storage::BadContent("no face was chosen; no shard is written");
    output_.Finish();
    return {};
  }

 private:
  void Copy(const ShardReader& shard, Rows faces) {
    ShardWriter writer(output_.File(""), count_++, shard.header());
    std::map<std::int64_t, std::int64_t> new_row;
    std::vector<std::uint32_t> samples;
    for (const std::uint32_t face : faces) {
      FaceRecord record = shard.Face(face);
      const auto [row, is_new] = new_row.try_emplace(record.sample, static_cast<std::int64_t>(samples.size()));
      if (is_new) {
        writer.AddSample(shard.Sample(static_cast<std::size_t>(record.sample)));
        samples.push_back(static_cast<std::uint32_t>(record.sample));
      }
      record.sample = row->second;
      if (shard.header().has_crops) record.image = shard.FaceImage(face);
      writer.AddFace(std::move(record));
    }
    for (storage::StoredObject& object : shard.Further()) {
      if (object.data) {
        if (const std::optional<Rows> rows = RowsOf(object, shard, faces, samples)) KeepRows(*object.data, *rows);
      }
      writer.AddFurther(std::move(object));
    }
    writer.Finish();
  }

  FolderOutput output_;
  int count_ = 0;
};

}  // namespace

std::unique_ptr<FaceExporter> MakeShardExporter(const ExportOptions& options) {
  return std::make_unique<ShardExporter>(options.output);
}

}  // namespace auforge::datasets
