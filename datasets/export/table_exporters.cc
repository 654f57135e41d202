// CSV and JSON lines.
#include <stdexcept>

#include "datasets/export/face_text.h"
#include "datasets/export/internal/exporters.h"

namespace auforge::datasets {
namespace {

class CsvExporter : public FaceExporter {
 public:
  explicit CsvExporter(const std::string& path) : output_(path) {}

  void Add(const ShardReader& shard, std::span<const std::uint32_t> faces) override {
    const std::string header = FaceCsvHeader(shard.header().schema);
    if (header_.empty()) output_.Line(header_ = header);
    if (header != header_)
      throw std::runtime_error(shard.path() +
                               ": measures other AUs than the shards before it; export them apart");
    for (const std::uint32_t face : faces) output_.Line(FaceCsvRow(shard, face));
  }
  std::vector<std::string> Finish() override {
    // A table without rows still has its columns; which AUs it would have had is not known.
    if (header_.empty()) output_.Line(FaceCsvHeader({}));
    output_.Finish();
    return {};
  }

 private:
  TextOutput output_;
  std::string header_;
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
