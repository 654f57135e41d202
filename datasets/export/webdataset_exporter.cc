// webdataset: tars of KEY.jpg (the crop) and KEY.json (what FaceJson says) that follow each other.
#include <cstring>
#include <archive.h>
#include <archive_entry.h>

#include <cstdio>
#include <new>

#include "datasets/export/face_text.h"
#include "datasets/export/internal/exporters.h"

namespace auforge::datasets {
namespace {

// Plain ustar without times, owners or random parts: the same faces give the same bytes.
class TarFile {
 public:
  explicit TarFile(const std::string& path) : path_(path), archive_(archive_write_new()) {
    if (archive_ == nullptr) throw std::bad_alloc();
    archive_write_set_format_ustar(archive_);
    if (archive_write_open_filename(archive_, path.c_str()) != ARCHIVE_OK) Fail();
  }
  ~TarFile() { archive_write_free(archive_); }
  TarFile(const TarFile&) = delete;
  TarFile& operator=(const TarFile&) = delete;

  void Add(const std::string& name, const void* bytes, std::size_t size) {
    archive_entry* entry = archive_entry_new();
    if (entry == nullptr) throw std::bad_alloc();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(size));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_mtime(entry, 0, 0);
    const bool is_written = archive_write_header(archive_, entry) == ARCHIVE_OK &&
                            archive_write_data(archive_, bytes, size) == static_cast<la_ssize_t>(size);
    archive_entry_free(entry);
    if (!is_written) Fail();
  }
  void Close() {
    if (archive_write_close(archive_) != ARCHIVE_OK) Fail();
  }

 private:
  [[noreturn]] void Fail() const {
    // The library's own text ("Write error") leaves out what the system said.
    const int fault = archive_errno(archive_);
    const char* reason = fault > 0 ? std::strerror(fault) : archive_error_string(archive_);
    throw std::runtime_error(path_ +
                             ": cannot be written: " + (reason != nullptr ? reason : "is the disk full?"));
  }
  std::string path_;
  archive* archive_;
};

class WebdatasetExporter : public FaceExporter {
 public:
  explicit WebdatasetExporter(const ExportOptions& options)
      : output_(options.output), faces_per_tar_(options.faces_per_tar) {}

  void Add(const ShardReader& shard, std::span<const std::uint32_t> faces) override {
    output_.Do([&] {
      for (const std::uint32_t face : faces) AddFace(shard, face);
    });
  }
  std::vector<std::string> Finish() override {
    if (tar_ != nullptr) output_.Do([&] { tar_->Close(); });
    tar_.reset();
    output_.Finish();
    return {};
  }

 private:
  void AddFace(const ShardReader& shard, std::uint32_t face) {
    if (tar_ == nullptr || in_tar_ == faces_per_tar_) NextTar();
    const std::vector<std::uint8_t> picture = shard.FaceImage(face);
    const std::string name = FaceFileName(shard, face);
    const std::string json = FaceJson(shard, face);
    tar_->Add(name + "." + PictureEnding(picture), picture.data(), picture.size());
    tar_->Add(name + ".json", json.data(), json.size());
    ++in_tar_;
  }
  void NextTar() {
    if (tar_ != nullptr) tar_->Close();
    char name[24];
    std::snprintf(name, sizeof(name), "%05d.tar", tars_++);
    tar_ = std::make_unique<TarFile>(output_.File(name));
    in_tar_ = 0;
  }

  FolderOutput output_;
  int faces_per_tar_;
  std::unique_ptr<TarFile> tar_;
  int in_tar_ = 0;
  int tars_ = 0;
};

}  // namespace

std::unique_ptr<FaceExporter> MakeWebdatasetExporter(const ExportOptions& options) {
  return std::make_unique<WebdatasetExporter>(options);
}

}  // namespace auforge::datasets
