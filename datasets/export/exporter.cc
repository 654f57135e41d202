#include "datasets/export/exporter.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include "datasets/export/internal/exporters.h"
#include "datasets/storage/bad_content.h"

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
  return {"csv", "jsonl", "parquet", "openface", "ganimation", "webdataset", "shards"};
}

void RequireExportOutput(const ExportOptions& options) {
  options.Validate();
  const std::string& output = options.output;
  const bool is_lines = options.format == "csv" || options.format == "jsonl";
  if (output == "-") {
    if (!is_lines) throw std::invalid_argument(options.format + " does not go to the standard output; name a file or folder");
  } else if (is_lines || options.format == "parquet" || (options.format == "openface" && output.ends_with(".csv"))) {
    storage::RequireOutputFile(output);
  } else {
    storage::RequireNewFolder(output);
  }
}

std::unique_ptr<FaceExporter> MakeExporter(const ExportOptions& options) {
  options.Validate();
  if (options.format == "csv") return MakeCsvExporter(options);
  if (options.format == "jsonl") return MakeJsonLinesExporter(options);
  if (options.format == "parquet") return MakeParquetExporter(options);
  if (options.format == "openface") return MakeOpenFaceExporter(options);
  if (options.format == "ganimation") return MakeGanimationExporter(options);
  if (options.format == "webdataset") return MakeWebdatasetExporter(options);
  if (options.format == "shards") return MakeShardExporter(options);
  throw std::invalid_argument("export.format = " + options.format +
                              "; must be csv, jsonl, parquet, openface, ganimation, webdataset or shards");
}

TextOutput::TextOutput(const std::string& path) {
  if (path != "-") file_.emplace(path);
}

TextOutput::~TextOutput() = default;

void TextOutput::Line(const std::string& line) {
  constexpr std::size_t kAtOnce = 1 << 16;
  pending_ += line;
  pending_ += '\n';
  if (pending_.size() >= kAtOnce) Flush();
}

void TextOutput::Flush() {
  if (file_) {
    file_->Write(pending_);
  } else if (!std::cout.write(pending_.data(), static_cast<std::streamsize>(pending_.size()))) {
    throw std::runtime_error("the standard output cannot be written");
  }
  pending_.clear();
}

void TextOutput::Finish() {
  Flush();
  if (file_) file_->Commit();
}

FolderOutput::FolderOutput(const std::string& path) : path_(path) {
  while (path_.size() > 1 && path_.ends_with('/')) path_.pop_back();
  storage::RequireNewFolder(path_);
  place_ = storage::FollowOutput(path_).path;
  std::error_code fault;
  is_inside_ = fs::is_directory(place_, fault);
  temporary_ = storage::TemporaryName(is_inside_ ? place_ + "/" + std::string(storage::kOwnPrefix) : place_);
  fs::remove_all(temporary_, fault);
  fs::create_directories(temporary_, fault);
  if (fault) throw std::runtime_error(path_ + ": cannot be made: " + fault.message());
}

FolderOutput::~FolderOutput() {
  if (temporary_.empty()) return;
  std::error_code ignored;
  fs::remove_all(temporary_, ignored);
}

void FolderOutput::Fail(const std::string& name) const {
  throw std::runtime_error(path_ + "/" + name + ": cannot be written: " + std::strerror(errno));
}

std::string FolderOutput::File(const std::string& name) const {
  const fs::path file = fs::path(temporary_) / name;
  std::error_code fault;
  fs::create_directories(file.parent_path(), fault);
  if (fault) throw std::runtime_error(path_ + "/" + name + ": cannot be written: " + fault.message());
  return file.string();
}

// With the user's name of the folder in place of the temporary one.
std::string FolderOutput::Named(std::string text) const {
  for (std::size_t at = 0; (at = text.find(temporary_, at)) != std::string::npos; at += path_.size())
    text.replace(at, temporary_.size(), path_);
  return text;
}

void FolderOutput::Do(const std::function<void()>& work) const {
  try {
    work();
  } catch (const std::exception& error) {
    const std::string text = Named(error.what());
    if (text == error.what()) throw;
    if (dynamic_cast<const storage::BadContent*>(&error) != nullptr) throw storage::BadContent(text);
    if (dynamic_cast<const std::invalid_argument*>(&error) != nullptr) throw std::invalid_argument(text);
    throw std::runtime_error(text);
  }
}

void FolderOutput::Write(const std::string& name, std::span<const std::uint8_t> bytes) const {
  std::ofstream file(File(name), std::ios::binary);
  file.write(static_cast<const char*>(static_cast<const void*>(bytes.data())),
             static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) Fail(name);
}

void FolderOutput::Write(const std::string& name, const std::string& text) const {
  std::ofstream file(File(name), std::ios::binary);
  file << text;
  file.close();
  if (!file) Fail(name);
}

void FolderOutput::Finish() {
  std::error_code fault;
  if (is_inside_) {
    for (auto entry = fs::directory_iterator(temporary_, fault); !fault && entry != fs::directory_iterator();) {
      const fs::path from = entry->path();
      entry.increment(fault);
      if (!fault) fs::rename(from, fs::path(place_) / from.filename(), fault);
    }
    if (fault) throw std::runtime_error(path_ + ": cannot be put in place: " + fault.message());
    fs::remove(temporary_, fault);
  } else {
    fs::rename(temporary_, place_, fault);
    if (fault) throw std::runtime_error(path_ + ": cannot be put in place: " + fault.message());
  }
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
