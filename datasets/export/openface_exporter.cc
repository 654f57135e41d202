// OpenFace 2.2's CSV, as scripts that were written for it expect: separator ", ", AU numbers of two digits,
// angles in radians, pixel centres at whole numbers. Columns that we do not measure (gaze, eye landmarks,
// translation, 3-D points, shape parameters) are left out; the others have its names and its order.
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <numbers>
#include <set>

#include "datasets/export/face_text.h"
#include "datasets/export/internal/exporters.h"

namespace auforge::datasets {
namespace {

constexpr std::array<int, 17> kIntensities{1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45};
constexpr std::array<int, 18> kPresences{1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 28, 45};

std::string Fixed(double value, int digits) {
  char text[48];
  std::snprintf(text, sizeof(text), "%.*f", digits, value);
  return text;
}

std::string TwoDigits(int au) {
  char text[16];
  std::snprintf(text, sizeof(text), "AU%02d", au);
  return text;
}

std::string MeasureHeader(const features::AuSchema& schema) {
  std::string header = ", pose_Rx, pose_Ry, pose_Rz";
  for (const char* axis : {", x_", ", y_"}) {
    for (std::size_t i = 0; i < features::kLandmarkCount; ++i) header += axis + std::to_string(i);
  }
  return header + OpenFaceAuHeader(schema);
}

std::string Measures(const ShardReader& shard, std::size_t face) {
  // OpenFace turns by R = Rx Ry Rz in axes of x right, y down, z away: a face that looks up has Rx < 0, one
  // turned to the image's right has Ry < 0; leaning to the right is Rz > 0, as ours.
  const features::HeadPose pose = shard.Pose(face);
  const double radians = std::numbers::pi / 180;
  std::string row = ", " + Fixed(-pose.pitch * radians, 3) + ", " + Fixed(-pose.yaw * radians, 3) + ", " +
                    Fixed(pose.roll * radians, 3);
  const features::Landmarks68 landmarks = shard.Landmarks(face);
  for (const features::Point2& point : landmarks) row += ", " + Fixed(point.x - 0.5, 1);
  for (const features::Point2& point : landmarks) row += ", " + Fixed(point.y - 0.5, 1);
  return row + OpenFaceAus(shard, face);
}

std::string MissingNote(const features::AuSchema& schema) {
  const std::string missing = MissingOpenFaceAus(schema);
  return missing.empty() ? "" : "the shards do not measure " + missing + "; these columns are left out";
}

// One table in the layout of a sequence: a frame for each image, a face_id for each face in it.
class OpenFaceTable : public FaceExporter {
 public:
  explicit OpenFaceTable(const std::string& path)
      : output_(path),
        frames_((std::filesystem::path(path).parent_path() / std::filesystem::path(path).stem()).string() +
                "_frames.csv") {
    frames_.Line("frame,key,url");
  }

  void Add(const ShardReader& shard, std::span<const std::uint32_t> faces) override {
    const std::string header =
        "frame, face_id, timestamp, confidence, success" + MeasureHeader(shard.header().schema);
    if (header_.empty()) output_.Line(header_ = header);
    if (header != header_)
      throw std::runtime_error(shard.path() +
                               ": measures other AUs than the shards before it; export them apart");
    note_ = MissingNote(shard.header().schema);
    std::int64_t last = -1;
    for (const std::uint32_t face : faces) {
      const std::int64_t sample = shard.FaceSample()[face];
      if (sample != last) {
        const SampleRecord& record = shard.Sample(static_cast<std::size_t>(sample));
        frames_.Line(std::to_string(++frame_) + "," + CsvText(record.key) + "," + CsvText(record.url));
        last = sample;
      }
      output_.Line(std::to_string(frame_) + ", " + std::to_string(shard.FaceIndex()[face]) + ", 0.000, " +
                   Fixed(shard.Quality()[face], 2) + ", 1" + Measures(shard, face));
    }
  }
  std::vector<std::string> Finish() override {
    frames_.Finish();
    output_.Finish();
    if (note_.empty()) return {};
    return {note_};
  }

 private:
  TextOutput output_, frames_;
  std::string header_, note_;
  std::int64_t frame_ = 0;
};

// A file for each image, as FaceLandmarkImg writes them.
class OpenFaceFolder : public FaceExporter {
 public:
  explicit OpenFaceFolder(const std::string& path) : output_(path) {}

  void Add(const ShardReader& shard, std::span<const std::uint32_t> faces) override {
    note_ = MissingNote(shard.header().schema);
    for (std::size_t i = 0; i < faces.size();) {
      const std::int64_t sample = shard.FaceSample()[faces[i]];
      std::string table = "face, confidence" + MeasureHeader(shard.header().schema) + "\n";
      for (; i < faces.size() && shard.FaceSample()[faces[i]] == sample; ++i) {
        table += std::to_string(shard.FaceIndex()[faces[i]]) + ", " + Fixed(shard.Quality()[faces[i]], 2) +
                 Measures(shard, faces[i]) + "\n";
      }
      output_.Write(FileName(shard.Sample(static_cast<std::size_t>(sample)).key), table);
    }
  }
  std::vector<std::string> Finish() override {
    output_.Finish();
    if (note_.empty()) return {};
    return {note_};
  }

 private:
  // A key comes from the crawl: nothing of it but plain characters reaches a file name.
  std::string FileName(const std::string& key) {
    std::string name;
    for (const char c : key.substr(0, 150)) {
      const bool is_plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ||
                            (c == '.' && !name.empty());
      name += is_plain ? c : '_';
    }
    if (name.empty()) name = "image";
    std::string unique = name;
    for (int i = 2; !used_.insert(unique).second; ++i) unique = name + "_" + std::to_string(i);
    return unique + ".csv";
  }

  FolderOutput output_;
  std::set<std::string> used_;
  std::string note_;
};

}  // namespace

std::string OpenFaceAuHeader(const features::AuSchema& schema) {
  std::string header;
  for (const int au : kIntensities) header += schema.Find(au) ? ", " + TwoDigits(au) + "_r" : "";
  for (const int au : kPresences) header += schema.Find(au) ? ", " + TwoDigits(au) + "_c" : "";
  return header;
}

std::string OpenFaceAus(const ShardReader& shard, std::size_t face) {
  const features::AuSchema& schema = shard.header().schema;
  std::string row;
  for (const int au : kIntensities) {
    if (const auto j = schema.Find(au))
      row += ", " + Fixed(shard.AuIntensity()[face * schema.size() + *j], 2);
  }
  for (const int au : kPresences) {
    if (const auto j = schema.Find(au))
      row += shard.AuPresent()[face * schema.size() + *j] != 0 ? ", 1" : ", 0";
  }
  return row;
}

std::string MissingOpenFaceAus(const features::AuSchema& schema) {
  std::string missing;
  for (const int au : kPresences) {
    if (!schema.Find(au)) missing += (missing.empty() ? "" : " ") + TwoDigits(au);
  }
  return missing;
}

std::unique_ptr<FaceExporter> MakeOpenFaceExporter(const ExportOptions& options) {
  if (options.output.ends_with(".csv")) return std::make_unique<OpenFaceTable>(options.output);
  return std::make_unique<OpenFaceFolder>(options.output);
}

}  // namespace auforge::datasets
