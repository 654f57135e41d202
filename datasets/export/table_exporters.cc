// CSV and JSON lines.
#include <stdexcept>

#include "datasets/storage/bad_content.h"
#include "datasets/export/face_text.h"
#include "datasets/export/internal/exporters.h"

namespace auforge::datasets {
namespace {

class CsvExporter : public FaceExporter {
 public:
  explicit CsvExporter(const std::string& path) : output_(path) {}

  void Add(const ShardReader& shard, std::span<const std::uint32_t> faces) override {
    // The first shard decides; halves that others lack stay empty.
    if (header_.empty()) {
      with_halves_ = HasHalves(shard);
      output_.Line(header_ = FaceCsvHeader(shard.header().schema, with_halves_));
    }
    const std::string header = FaceCsvHeader(shard.header().schema, with_halves_);
    if (header != header_)
      throw storage::BadContent(shard.path() +
                               ": measures other AUs than the shards before it; export them apart");
    for (const std::uint32_t face : faces) output_.Line(FaceCsvRow(shard, face, with_halves_));
    lost_halves_ = lost_halves_ || (!with_halves_ && HasHalves(shard));
  }
  std::vector<std::string> Finish() override {
    // A table without rows still has its columns; which AUs it would have had is not known.
    if (header_.empty()) output_.Line(FaceCsvHeader({}, false));
    output_.Finish();
    if (!lost_halves_) return {};
    return {"the halves of faces are left out: the first shard does not tell them, only later ones do"};
  }

 private:
  TextOutput output_;
  std::string header_;
  bool with_halves_ = false, lost_halves_ = false;
};

class JsonLinesExporter : public FaceExporter {
 public:
  explicit JsonLinesExporter(const std::string& path) : output_(path) {}
  void Add(const ShardReader& shard, std::span<const std::uint32_t> faces) override {
    for (const std::uint32_t face : faces) output_.Line(FaceJson(shard, face));
  }
  std::vector<std::string> Finish() override {
    output_.Finish();
    return {};
  }

 private:
  TextOutput output_;
};

}  // namespace

std::unique_ptr<FaceExporter> MakeCsvExporter(const ExportOptions& options) {
  return std::make_unique<CsvExporter>(options.output);
}
std::unique_ptr<FaceExporter> MakeJsonLinesExporter(const ExportOptions& options) {
  return std::make_unique<JsonLinesExporter>(options.output);
}

}  // namespace auforge::datasets
