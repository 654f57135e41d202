// Shards of the chosen faces: one for each shard that has any, with the images they are on and every further
// column.
#include <algorithm>
#include <map>
#include <stdexcept>

#include "datasets/storage/bad_content.h"
#include "datasets/export/internal/exporters.h"
#include "datasets/storage/hdf5_file.h"

namespace auforge::datasets {
namespace {

using Rows = std::span<const std::uint32_t>;

// The chosen rows of a further dataset that has one row for each face; others do not speak of faces and are
// left out.
void CopyExtra(const ShardReader& shard, const std::string& path, const std::vector<std::uint64_t>& shape,
               Rows faces, ShardWriter& writer) {
  if (shape.empty() || shape[0] != shard.FaceCount()) return;
  std::optional<ExtraStrings> strings;
  try {
    strings = shard.ExtraText(path);
  } catch (const std::runtime_error&) {
    // It holds numbers.
  }
  if (strings) {
    ExtraStrings chosen{path, {}};
    for (const std::uint32_t face : faces) chosen.values.push_back(strings->values[face]);
    writer.AddExtra(std::move(chosen));
    return;
  }
  const std::optional<ExtraDataset> numbers = shard.Extra(path);
  if (!numbers) return;
  const std::size_t width = numbers->values.size() / shard.FaceCount();
  ExtraDataset chosen{path, shape, {}};
  chosen.shape[0] = faces.size();
  for (const std::uint32_t face : faces) {
    const auto begin = numbers->values.begin() + static_cast<std::ptrdiff_t>(face * width);
    chosen.values.insert(chosen.values.end(), begin, begin + static_cast<std::ptrdiff_t>(width));
  }
  writer.AddExtra(std::move(chosen));
}

void CopyExtras(const ShardReader& shard, Rows faces, ShardWriter& writer) {
  const storage::Hdf5Reader file(shard.path());
  for (const std::string& group : file.List("/")) {
    if (group == "faces" || group == "samples") continue;
    for (const std::string& name : file.List("/" + group)) {
      const std::string path = "/" + group + "/" + name;
      std::vector<std::uint64_t> shape;
      try {
        shape = file.Shape(path);
      } catch (const std::runtime_error&) {
        continue;  // a group in a group
      }
      CopyExtra(shard, path, shape, faces, writer);
    }
  }
}

class ShardExporter : public FaceExporter {
 public:
  explicit ShardExporter(const std::string& path) : output_(path) {}

  void Add(const ShardReader& shard, Rows faces) override {
    if (faces.empty()) return;
    ShardWriter writer(output_.File("."), count_++, shard.header());
    std::map<std::int64_t, std::int64_t> new_row;
    for (const std::uint32_t face : faces) {
      FaceRecord record = shard.Face(face);
      const auto found = new_row.find(record.sample);
      record.sample = found != new_row.end()
                          ? found->second
                          : new_row[record.sample] =
                                writer.AddSample(shard.Sample(static_cast<std::size_t>(record.sample)));
      record.image = shard.FaceImage(face);
      writer.AddFace(std::move(record));
    }
    CopyExtras(shard, faces, writer);
    writer.Finish();
  }
  std::vector<std::string> Finish() override {
    if (count_ == 0) throw storage::BadContent("no face was chosen; no shard is written");
    output_.Finish();
    return {};
  }

 private:
  FolderOutput output_;
  int count_ = 0;
};

}  // namespace

std::unique_ptr<FaceExporter> MakeShardExporter(const ExportOptions& options) {
  return std::make_unique<ShardExporter>(options.output);
}

}  // namespace auforge::datasets
