#include "tools/crawl/face_export.h"

#include <algorithm>
#include <iostream>
#include <memory>

#include "datasets/query/describe.h"
#include "tools/cli/signals.h"

namespace auforge::tools {
namespace {

using datasets::query::FaceReference;

void StopWhenAsked() {
  if (StopSignal() != 0) throw datasets::query::QueryStopped("stopped; nothing was written");
}

// with_empty: shards of which no face is chosen, too.
void ByShard(const datasets::query::FaceIndex& index, std::vector<FaceReference>& faces, bool with_empty,
             datasets::FaceExporter& exporter) {
  std::sort(faces.begin(), faces.end(), [](const FaceReference& a, const FaceReference& b) {
    return a.shard != b.shard ? a.shard < b.shard : a.face < b.face;
  });
  std::vector<std::uint32_t> rows;
  std::size_t next = 0;
  for (std::uint32_t shard = 0; shard < index.shards().size(); ++shard) {
    StopWhenAsked();
    rows.clear();
    for (; next < faces.size() && faces[next].shard == shard; ++next) rows.push_back(faces[next].face);
    if (!rows.empty() || with_empty) exporter.Add(datasets::ShardReader(index.ShardPath(shard)), rows);
  }
}

}  // namespace

void ExportFaces(const datasets::query::FaceIndex& index, std::vector<FaceReference> faces,
                 const datasets::ExportOptions& options, bool in_order) {
  const std::unique_ptr<datasets::FaceExporter> exporter = datasets::MakeExporter(options);
  const bool is_sorted =
      std::is_sorted(faces.begin(), faces.end(),
                     [](const FaceReference& a, const FaceReference& b) { return a.shard < b.shard; });
  if (in_order && !is_sorted) {
    // Jumping between shards: the last ones stay open.
    datasets::query::ShardCache cache(index, 32);
    for (const FaceReference& face : faces) {
      StopWhenAsked();
      exporter->Add(*cache.Open(face.shard), {&face.face, 1});
    }
  } else {
    ByShard(index, faces, options.format == "openface", *exporter);
  }
  for (const std::string& note : exporter->Finish()) std::cerr << note << "\n";
}

}  // namespace auforge::tools
