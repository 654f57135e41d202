// OpenFace 2.2's CSV, as scripts that were written for it expect: separator ", ", AU numbers of two digits,
// angles in radians, pixel centres at whole numbers. Columns that we do not measure (gaze, eye landmarks,
// translation, 3-D points, shape parameters) are left out; the others have its names and its order.
#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <numbers>
#include <set>

#include "datasets/storage/bad_content.h"
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

// The rows of a sequence: a frame for each image, with a row for each face in it; one of success 0 and zeros where it
// has none, so that frames are those of the source.
class Sequence {
 public:
  explicit Sequence(const features::AuSchema& schema)
      : header_("frame, face_id, timestamp, confidence, success" + MeasureHeader(schema)), nothing_(NoMeasures(schema)) {}

  const std::string& header() const { return header_; }
  std::string Face(std::int64_t frame, const ShardReader& shard, std::uint32_t face) const {
    const SampleRecord& sample = shard.Sample(static_cast<std::size_t>(shard.FaceSample()[face]));
    return std::to_string(frame) + ", " + std::to_string(shard.FaceIndex()[face]) + ", " + Fixed(sample.timestamp, 3) +
           ", " + Fixed(shard.Quality()[face], 2) + ", 1" + Measures(shard, face);
  }
  std::string NoFace(std::int64_t frame, const SampleRecord& sample) const {
    return std::to_string(frame) + ", 0, " + Fixed(sample.timestamp, 3) + ", 0.00, 0" + nothing_;
  }

 private:
  static std::string NoMeasures(const features::AuSchema& schema) {
    std::string row = ", 0.000, 0.000, 0.000";
    for (std::size_t i = 0; i < 2 * features::kLandmarkCount; ++i) row += ", 0.0";
    for (const int au : kIntensities) row += schema.Find(au) ? ", 0.00" : "";
    for (const int au : kPresences) row += schema.Find(au) ? ", 0" : "";
    return row;
  }

  std::string header_, nothing_;
};

// Number of a sample in its sequence, from 1.
std::int64_t FrameOf(const SampleRecord& sample, std::size_t row) {
  return sample.frame > 0 ? sample.frame : static_cast<std::int64_t>(row) + 1;
}

// visit(row of the sample, its chosen faces): samples that have any and, where all faces of the shard are chosen, those
// without a face as well, unless `chosen_only`.
void VisitSamples(const ShardReader& shard, std::span<const std::uint32_t> faces, bool chosen_only,
                  const std::function<void(std::size_t, std::span<const std::uint32_t>)>& visit) {
  const bool is_whole = !chosen_only && faces.size() == shard.FaceCount();
  std::size_t next = 0;
  for (std::size_t row = 0; row < shard.SampleCount(); ++row) {
    const std::size_t first = next;
    while (next < faces.size() && shard.FaceSample()[faces[next]] == static_cast<std::int64_t>(row)) ++next;
    if (next > first || is_whole) visit(row, faces.subspan(first, next - first));
  }
}

// One table in the layout of a sequence. Shards follow each other: the frames of the second begin behind the last of
// the first.
class OpenFaceTable : public FaceExporter {
 public:
  explicit OpenFaceTable(const ExportOptions& options)
      : chosen_only_(options.chosen_only), output_(options.output), frames_(FramesName(options.output)) {
    frames_.Line("frame,key,url");
  }

  void Add(const ShardReader& shard, std::span<const std::uint32_t> faces) override {
    const Sequence sequence(shard.header().schema);
    if (header_.empty()) output_.Line(header_ = sequence.header());
    if (sequence.header() != header_)
      throw storage::BadContent(shard.path() +
                               ": measures other AUs than the shards before it; export them apart");
    note_ = MissingNote(shard.header().schema);
    VisitSamples(shard, faces, chosen_only_, [&](std::size_t row, std::span<const std::uint32_t> found) {
      const SampleRecord& sample = shard.Sample(row);
      const std::int64_t frame = before_ + FrameOf(sample, row);
      frames_.Line(std::to_string(frame) + "," + CsvText(sample.key) + "," + CsvText(sample.url));
      for (const std::uint32_t face : found) output_.Line(sequence.Face(frame, shard, face));
      if (found.empty()) output_.Line(sequence.NoFace(frame, sample));
    });
    std::int64_t last = 0;
    for (std::size_t row = 0; row < shard.SampleCount(); ++row)
      last = std::max(last, FrameOf(shard.Sample(row), row));
    before_ += last;
  }
  std::vector<std::string> Finish() override {
    frames_.Finish();
    output_.Finish();
    if (note_.empty()) return {};
    return {note_};
  }

 private:
  static std::string FramesName(const std::filesystem::path& table) {
    return (table.parent_path() / table.stem()).string() + "_frames.csv";
  }

  bool chosen_only_;
  TextOutput output_, frames_;
  std::string header_, note_;
  std::int64_t before_ = 0;  // frames of the shards before
};

// A key without the ending of a picture's name.
std::string WithoutEnding(const std::string& key) {
  static constexpr std::array<std::string_view, 12> kEndings{".jpg", ".jpeg", ".jpe", ".jfif", ".png",  ".bmp",
                                                             ".gif", ".webp", ".tif", ".tiff", ".avif", ".heic"};
  const std::size_t dot = key.rfind('.');
  if (dot == std::string::npos || dot == 0 || key[dot - 1] == '/') return key;
  std::string ending = key.substr(dot);
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(kEndings.begin(), kEndings.end(), ending) == kEndings.end() ? key : key.substr(0, dot);
}

// "clip" of "clip/00012".
std::string VideoOf(const SampleRecord& sample) { return sample.key.substr(0, sample.key.rfind('/')); }

// A file for each image, as FaceLandmarkImg writes them, and one for each video, as FeatureExtraction does. NAME.csv
// for NAME.jpg; where two pictures share NAME, NAME.jpg.csv and NAME.png.csv.
class OpenFaceFolder : public FaceExporter {
 public:
  explicit OpenFaceFolder(const ExportOptions& options)
      : chosen_only_(options.chosen_only), output_(options.output) {}

  void Add(const ShardReader& shard, std::span<const std::uint32_t> faces) override {
    note_ = MissingNote(shard.header().schema);
    std::map<std::string, int> pictures;  // that share a name but for the ending
    for (std::size_t row = 0; row < shard.SampleCount(); ++row) ++pictures[WithoutEnding(shard.Sample(row).key)];
    const Sequence sequence(shard.header().schema);
    std::map<std::string, std::string> videos;  // of this shard: name and table
    VisitSamples(shard, faces, chosen_only_, [&](std::size_t row, std::span<const std::uint32_t> found) {
      const SampleRecord& sample = shard.Sample(row);
      if (sample.frame > 0) {
        std::string& table = videos.try_emplace(VideoOf(sample), sequence.header() + "\n").first->second;
        for (const std::uint32_t face : found) table += sequence.Face(sample.frame, shard, face) + "\n";
        if (found.empty()) table += sequence.NoFace(sample.frame, sample) + "\n";
      } else if (!found.empty()) {
        const std::string name = WithoutEnding(sample.key);
        WritePicture(pictures.at(name) > 1 ? sample.key : name, shard, found);
      }
    });
    for (const auto& [name, table] : videos) output_.Write(FileName(name), table);
  }
  std::vector<std::string> Finish() override {
    output_.Finish();
    if (note_.empty()) return {};
    return {note_};
  }

 private:
  void WritePicture(const std::string& name, const ShardReader& shard, std::span<const std::uint32_t> faces) {
    std::string table = "face, confidence" + MeasureHeader(shard.header().schema) + "\n";
    for (const std::uint32_t face : faces) {
      table += std::to_string(shard.FaceIndex()[face]) + ", " + Fixed(shard.Quality()[face], 2) + Measures(shard, face) +
               "\n";
    }
    output_.Write(FileName(name), table);
  }

  // A key comes from the crawl: nothing of it but letters (of any script), digits and "-_." reaches a file name.
  std::string FileName(const std::string& key) {
    std::string name;
    for (const char c : key.substr(0, 150)) {
      const auto byte = static_cast<unsigned char>(c);
      const bool is_plain =
          byte >= 0x80 || std::isalnum(byte) != 0 || c == '-' || c == '_' || (c == '.' && !name.empty());
      name += is_plain ? c : '_';
    }
    // A letter that was cut in two.
    if (key.size() > 150 && (static_cast<unsigned char>(key[150]) & 0xC0) == 0x80) {
      while (!name.empty() && (static_cast<unsigned char>(name.back()) & 0xC0) == 0x80) name.pop_back();
      if (!name.empty()) name.pop_back();
    }
    if (name.empty()) name = "image";
    std::string unique = name;
    for (int i = 2; !used_.insert(unique).second; ++i) unique = name + "_" + std::to_string(i);
    return unique + ".csv";
  }

  bool chosen_only_;
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
  if (options.output.ends_with(".csv")) return std::make_unique<OpenFaceTable>(options);
  return std::make_unique<OpenFaceFolder>(options);
}

}  // namespace auforge::datasets
