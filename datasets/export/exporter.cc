#include "datasets/export/exporter.h"

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <stdexcept>

#include "datasets/export/internal/exporters.h"
#include "datasets/storage/atomic_file.h"

namespace auforge::datasets {

namespace fs = std::filesystem;

void ExportOptions::Validate() const {
  if (output.empty()) throw std::invalid_argument("export.output is empty; name a file or folder");
  if (faces_per_tar < 1)
    throw std::invalid_argument("export.faces_per_tar = " + std::to_string(faces_per_tar) + "; must be >= 1");
  if (!(test_share >= 0 && test_share <= 1)) {
    throw std::invalid_argument("export.test_share = " + std::to_string(test_share) + "; must be in 0..1");
  }
}

std::vector<std::string> ExportFormats() {
  return {"csv", "jsonl", "openface", "ganimation", "webdataset", "shards"};
}

std::unique_ptr<FaceExporter> MakeExporter(const ExportOptions& options) {
  options.Validate();
  if (options.format == "csv") return MakeCsvExporter(options);
  if (options.format == "jsonl") return MakeJsonLinesExporter(options);
  if (options.format == "openface") return MakeOpenFaceExporter(options);
  if (options.format == "ganimation") return MakeGanimationExporter(options);
  if (options.format == "webdataset") return MakeWebdatasetExporter(options);
  if (options.format == "shards") return MakeShardExporter(options);
  throw std::invalid_argument("export.format = " + options.format +
                              "; must be csv, jsonl, openface, ganimation, webdataset or shards");
}

TextOutput::TextOutput(const std::string& path) : path_(path), is_stdout_(path == "-") {
  if (is_stdout_) return;
  if (fs::is_directory(path)) throw std::invalid_argument(path + ": is a folder; name a file");
  temporary_ = storage::TemporaryName(path);
  file_.open(temporary_, std::ios::binary | std::ios::trunc);
  if (!file_) throw std::runtime_error(path + ": cannot be written there");
}

TextOutput::~TextOutput() {
  if (temporary_.empty()) return;
  file_.close();
  std::error_code ignored;
  fs::remove(temporary_, ignored);
}

void TextOutput::Line(const std::string& line) {
  std::ostream& stream = is_stdout_ ? std::cout : file_;
  stream << line << '\n';
  if (!stream) throw std::runtime_error(path_ + ": cannot be written (is the disk full?)");
}

void TextOutput::Finish() {
  if (is_stdout_) {
    std::cout.flush();
    return;
  }
  file_.close();
  if (!file_) throw std::runtime_error(path_ + ": cannot be written (is the disk full?)");
  storage::CommitFile(temporary_, path_);
  temporary_.clear();
}

FolderOutput::FolderOutput(const std::string& path) : path_(path) {
  while (path_.size() > 1 && path_.ends_with('/')) path_.pop_back();
  if (fs::exists(path_) && (!fs::is_directory(path_) || !fs::is_empty(path_))) {
    throw std::invalid_argument(path_ + ": is there already; name a new or empty folder");
  }
  temporary_ = storage::TemporaryName(path_);
  std::error_code fault;
  fs::remove_all(temporary_, fault);
  fs::create_directories(temporary_, fault);
  if (fault) throw std::runtime_error(path_ + ": cannot be made: " + fault.message());
}

FolderOutput::~FolderOutput() {
  if (temporary_.empty()) return;
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);
}

std::string FolderOutput::File(const std::string& name) const {
  const fs::path file = fs::path(temporary_) / name;
  fs::create_directories(file.parent_path());
  return file.string();
}

void FolderOutput::Write(const std::string& name, std::span<const std::uint8_t> bytes) const {
  std::ofstream file(File(name), std::ios::binary);
  file.write(static_cast<const char*>(static_cast<const void*>(bytes.data())),
             static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) throw std::runtime_error(path_ + "/" + name + ": cannot be written (is the disk full?)");
}

void FolderOutput::Write(const std::string& name, const std::string& text) const {
  std::ofstream file(File(name), std::ios::binary);
  file << text;
  file.close();
  if (!file) throw std::runtime_error(path_ + "/" + name + ": cannot be written (is the disk full?)");
}

void FolderOutput::Finish() {
  std::error_code fault;
  if (fs::exists(path_)) fs::remove(path_, fault);  // empty, as the constructor saw
  fs::rename(temporary_, path_, fault);
  if (fault) throw std::runtime_error(path_ + ": cannot be put in place: " + fault.message());
  temporary_.clear();
}

std::string FaceFileName(const ShardReader& shard, std::size_t face) {
  char number[24];
  std::snprintf(number, sizeof(number), "_%06zu", face);
  return fs::path(shard.path()).stem().string() + number;
}

std::string PictureEnding(std::span<const std::uint8_t> bytes) {
  return bytes.size() > 3 && bytes[0] == 0x89 && bytes[1] == 'P' ? "png" : "jpg";
}

}  // namespace auforge::datasets
