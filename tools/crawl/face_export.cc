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

void ByShard(const datasets::query::FaceIndex& index, std::vector<FaceReference>& faces,
             datasets::FaceExporter& exporter) {
  std::sort(faces.begin(), faces.end(), [](const FaceReference& a, const FaceReference& b) {
    return a.shard != b.shard ? a.shard < b.shard : a.face < b.face;
  });
  std::vector<std::uint32_t> rows;
  for (std::size_t i = 0; i < faces.size();) {
    StopWhenAsked();
    const std::uint32_t shard = faces[i].shard;
    rows.clear();
    for (; i < faces.size() && faces[i].shard == shard; ++i) rows.push_back(faces[i].face);
    exporter.Add(datasets::ShardReader(index.ShardPath(shard)), rows);
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
    ByShard(index, faces, *exporter);
  }
  for (const std::string& note : exporter->Finish()) std::cerr << note << "\n";
}

}  // namespace auforge::tools
