// Handing faces over in the forms that other tools read: CSV, JSON lines, Parquet, OpenFace's CSV, GANimation's
// folder, webdataset tars, and shards of our own. docs/using-the-crawl.md describes each.
//
//   auto exporter = MakeExporter(options);  (exporter->Add(shard, faces))*;  exporter->Finish();
//
// Nothing is seen under the output's name before Finish; destruction without Finish removes what was begun.
// An exporter belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "datasets/shard.h"

namespace auforge::datasets {

struct ExportOptions {
  std::string format;         // one of ExportFormats()
  std::string output;         // a file (csv, jsonl, parquet, openface with .csv) or a folder that is new or empty
  int faces_per_tar = 10000;  // webdataset, >= 1
  double test_share = 0.1;    // ganimation: faces in test_ids.csv, 0..1, every so-manieth
  bool chosen_only = false;   // openface: no rows for images without a face
  void Validate() const;      // throws std::invalid_argument naming field, value and constraint
};

// Tries the output before the work; throws what storage::RequireOutputFile and RequireNewFolder throw.
void RequireExportOutput(const ExportOptions& options);

std::vector<std::string> ExportFormats();  // csv jsonl parquet openface ganimation webdataset shards

class FaceExporter {
 public:
  virtual ~FaceExporter() = default;
  // Rows of one shard, in order. Throws std::runtime_error naming a damaged picture, or the disk that is
  // full. Formats that number images (openface) must be given every shard, also those of which no face is chosen.
  virtual void Add(const ShardReader& shard, std::span<const std::uint32_t> faces) = 0;
  // Makes the output visible. Returns what a reader must know (columns left out), one line each.
  virtual std::vector<std::string> Finish() = 0;
};

// Throws std::invalid_argument for an unknown format or an output folder that has something in it.
std::unique_ptr<FaceExporter> MakeExporter(const ExportOptions& options);

}  // namespace auforge::datasets
