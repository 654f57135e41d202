// The exporters' makers and what they share.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "datasets/export/exporter.h"
#include "datasets/storage/atomic_file.h"

namespace auforge::datasets {

std::unique_ptr<FaceExporter> MakeCsvExporter(const ExportOptions& options);
std::unique_ptr<FaceExporter> MakeJsonLinesExporter(const ExportOptions& options);
std::unique_ptr<FaceExporter> MakeParquetExporter(const ExportOptions& options);
std::unique_ptr<FaceExporter> MakeOpenFaceExporter(const ExportOptions& options);
std::unique_ptr<FaceExporter> MakeGanimationExporter(const ExportOptions& options);
std::unique_ptr<FaceExporter> MakeWebdatasetExporter(const ExportOptions& options);
std::unique_ptr<FaceExporter> MakeShardExporter(const ExportOptions& options);

// A text file that appears when it is whole. "-" is stdout; devices and FIFOs get the lines as they come.
class TextOutput {
 public:
  explicit TextOutput(const std::string& path);
  ~TextOutput();
  TextOutput(const TextOutput&) = delete;
  TextOutput& operator=(const TextOutput&) = delete;
  void Line(const std::string& line);
  void Finish();

 private:
  void Flush();

  std::optional<storage::OutputFile> file_;  // none: stdout
  std::string pending_;
};

// A folder that appears, by one rename, when it is whole. One that is there and empty stays the same folder (it may
// be a disk of its own): what it gets is put together inside it, and shown when it is whole.
class FolderOutput {
 public:
  explicit FolderOutput(const std::string& path);
  ~FolderOutput();
  FolderOutput(const FolderOutput&) = delete;
  FolderOutput& operator=(const FolderOutput&) = delete;
  // Where to write "name", "" for the folder; its parent folders are made. It lies in a temporary folder that no user
  // has named: what writes there belongs into Do.
  std::string File(const std::string& name) const;
  // Does it; the texts of its exceptions name the folder as the user did.
  void Do(const std::function<void()>& work) const;
  void Write(const std::string& name, std::span<const std::uint8_t> bytes) const;
  void Write(const std::string& name, const std::string& text) const;
  void Finish();

 private:
  [[noreturn]] void Fail(const std::string& name) const;
  std::string Named(std::string text) const;

  std::string path_, place_, temporary_;  // as given; without symbolic links; what is being written
  bool is_inside_ = false;                // temporary_ lies in the folder itself
};

// "00012_000345": unique in a folder of shards and safe as a file name.
std::string FaceFileName(const ShardReader& shard, std::size_t face);
// "jpg" or "png", by content.
std::string PictureEnding(std::span<const std::uint8_t> bytes);
// OpenFace's AU columns of one face, " AU01_r" …: header names and values. Only AUs that the schema has.
std::string OpenFaceAuHeader(const features::AuSchema& schema);
std::string OpenFaceAus(const ShardReader& shard, std::size_t face);
// AUs of OpenFace that the schema lacks, "AU07 AU45"; empty when it has them all.
std::string MissingOpenFaceAus(const features::AuSchema& schema);

}  // namespace auforge::datasets
