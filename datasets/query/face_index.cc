#include "datasets/query/face_index.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "datasets/query/internal/sqlite.h"

namespace auforge::datasets::query {
namespace {

namespace fs = std::filesystem;

struct FileState {
  std::int64_t bytes = 0;
  std::int64_t modified = 0;
};

FileState StateOf(const std::string& path) {
  return {static_cast<std::int64_t>(fs::file_size(path)),
          std::chrono::duration_cast<std::chrono::nanoseconds>(fs::last_write_time(path).time_since_epoch())
              .count()};
}

std::string IndexFile(const std::string& folder, const IndexOptions& options) {
  return options.file.empty() ? (fs::path(folder) / "auforge-index.sqlite").string() : options.file;
}

void RequireFolder(const std::string& folder) {
  if (!fs::exists(folder)) throw std::runtime_error(folder + ": no such folder");
  if (!fs::is_directory(folder))
    throw std::runtime_error(folder + ": is not a folder; name the folder of the shards");
}

// An index that cannot be written beside the shards is made in memory, each time anew.
IndexStore OpenStore(const std::string& folder, const IndexOptions& options, std::string& note) {
  const std::string file = IndexFile(folder, options);
  if (options.rebuild && file != ":memory:" && options.file.empty()) {
    std::error_code ignored;
    fs::remove(file, ignored);
  }
  try {
    return IndexStore(file);
  } catch (const ReadOnlyDatabase& error) {
    note = std::string(error.what()) +
           "; the index is made in memory, each time anew: --index FILE keeps it elsewhere";
    return IndexStore(":memory:");
  }
}

ShardRows ReadRows(const std::string& path, const FileState& state) {
  ShardRows rows;
  try {
    rows = RowsOfShard(ShardReader(path));
  } catch (const std::runtime_error& error) {
    rows = {};
    rows.shard.fault = error.what();
  }
  rows.shard.name = fs::path(path).filename().string();
  rows.shard.bytes = state.bytes;
  rows.shard.modified = state.modified;
  return rows;
}

}  // namespace

ShardRows RowsOfShard(const ShardReader& reader) {
  ShardRows rows;
  IndexedShard& shard = rows.shard;
  const ShardHeader& header = reader.header();
  const std::size_t faces = reader.FaceCount();
  const std::size_t width = header.schema.size();
  shard.name = fs::path(reader.path()).filename().string();
  shard.faces = static_cast<std::uint32_t>(faces);
  shard.images = static_cast<std::uint32_t>(reader.SampleCount());
  shard.schema = header.schema;
  shard.emotion_names = header.emotion_names;
  shard.has_halves = !reader.AuLeft().empty();
  shard.has_emotion_score = !reader.EmotionScore().empty();
  shard.source = header.source;
  shard.model_digest = header.model_digest;
  shard.detector = header.detector;
  shard.config_digest = header.config_digest;
  shard.tool_version = header.tool_version;
  shard.created = header.created;
  FaceColumns& columns = rows.columns;
  const auto pick = [faces, width](const auto& matrix, std::size_t j) {
    std::vector<std::remove_cvref_t<decltype(matrix[0])>> column(faces);
    for (std::size_t i = 0; i < faces; ++i) column[i] = matrix[i * width + j];
    return column;
  };
  for (std::size_t j = 0; j < width; ++j) {
    columns.intensity.push_back(pick(reader.AuIntensity(), j));
    columns.probability.push_back(pick(reader.AuProbability(), j));
    columns.present.push_back(pick(reader.AuPresent(), j));
    if (!shard.has_halves) continue;
    columns.left.push_back(pick(reader.AuLeft(), j));
    columns.right.push_back(pick(reader.AuRight(), j));
  }
  columns.quality.assign(reader.Quality().begin(), reader.Quality().end());
  columns.score.assign(reader.DetectorScore().begin(), reader.DetectorScore().end());
  columns.emotion.assign(reader.Emotion().begin(), reader.Emotion().end());
  columns.rule.assign(reader.EmotionByRule().begin(), reader.EmotionByRule().end());
  columns.emotion_score.assign(reader.EmotionScore().begin(), reader.EmotionScore().end());
  columns.face_index.assign(reader.FaceIndex().begin(), reader.FaceIndex().end());
  std::map<std::int64_t, std::uint32_t> text_of_sample;
  for (std::size_t i = 0; i < faces; ++i) {
    const features::HeadPose pose = reader.Pose(i);
    columns.yaw.push_back(pose.yaw);
    columns.pitch.push_back(pose.pitch);
    columns.roll.push_back(pose.roll);
    columns.size.push_back(reader.FaceBox(i).width);
    const std::int64_t row = reader.FaceSample()[i];
    const auto [at, is_new] = text_of_sample.try_emplace(row, static_cast<std::uint32_t>(rows.texts.size()));
    if (is_new) {
      const SampleRecord& sample = reader.Sample(static_cast<std::size_t>(row));
      rows.texts.push_back({sample.key, sample.url, sample.keywords});
    }
    columns.text.push_back(at->second);
  }
  shard.texts = static_cast<std::uint32_t>(rows.texts.size());
  return rows;
}

FaceIndex::FaceIndex(const std::string& folder, const IndexOptions& options)
    : folder_(folder), store_((RequireFolder(folder), OpenStore(folder, options, note_))) {
  try {
    Refresh(options);
  } catch (const ReadOnlyDatabase& error) {
    note_ = std::string(error.what()) +
            "; the index is made in memory, each time anew: --index FILE keeps it elsewhere";
    store_ = IndexStore(":memory:");
    Refresh(options);
  } catch (const DamagedDatabase&) {
    // Found while reading: the pages are bad although the header is not.
    if (options.file.empty()) {
      IndexOptions anew = options;
      anew.rebuild = true;
      store_ = IndexStore(":memory:");
      store_ = OpenStore(folder, anew, note_);
      Refresh(anew);
    } else {
      throw;
    }
  }
  Load();
}

FaceIndex::FaceIndex(IndexStore store) : store_(std::move(store)) { Load(); }
FaceIndex::FaceIndex(FaceIndex&&) noexcept = default;
FaceIndex::~FaceIndex() = default;

void FaceIndex::Refresh(const IndexOptions& options) {
  std::map<std::string, IndexedShard> known;
  for (IndexedShard& shard : store_.Shards()) known[shard.name] = std::move(shard);
  struct Work {
    std::string path;
    FileState state;
  };
  std::vector<Work> work;
  for (const std::string& path : FindShards({folder_})) {
    const FileState state = StateOf(path);
    const auto found = known.find(fs::path(path).filename().string());
    const bool is_same = !options.rebuild && found != known.end() && found->second.bytes == state.bytes &&
                         found->second.modified == state.modified;
    if (!is_same) work.push_back({path, state});
    if (found != known.end()) known.erase(found);
  }
  for (const auto& [name, shard] : known) store_.Remove(name);
  std::uint64_t faces = 0;
  for (std::size_t i = 0; i < work.size(); ++i) {
    if (options.stop && options.stop())
      throw QueryStopped("stopped; the index goes on from here the next time");
    ShardRows rows = ReadRows(work[i].path, work[i].state);
    faces += rows.shard.faces;
    store_.Put(std::move(rows.shard), rows.columns, rows.texts);
    if (options.progress) options.progress(i + 1, work.size(), faces);
  }
}

void FaceIndex::Load() {
  for (IndexedShard& shard : store_.Shards()) {
    (shard.fault.empty() ? shards_ : damaged_).push_back(std::move(shard));
  }
}

std::string FaceIndex::ShardPath(std::size_t shard) const {
  return (fs::path(folder_) / shards_.at(shard).name).string();
}

std::uint64_t FaceIndex::FaceCount() const {
  std::uint64_t faces = 0;
  for (const IndexedShard& shard : shards_) faces += shard.faces;
  return faces;
}
std::uint64_t FaceIndex::ImageCount() const {
  std::uint64_t images = 0;
  for (const IndexedShard& shard : shards_) images += shard.images;
  return images;
}

std::vector<std::string> FaceIndex::EmotionNames() const {
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const IndexedShard& shard : shards_) {
    for (const std::string& name : shard.emotion_names) {
      if (seen.insert(name).second) names.push_back(name);
    }
  }
  return names;
}

features::AuSchema FaceIndex::Schema() const {
  std::set<int> numbers;
  for (const IndexedShard& shard : shards_)
    numbers.insert(shard.schema.numbers().begin(), shard.schema.numbers().end());
  return features::AuSchema(std::vector<int>(numbers.begin(), numbers.end()));
}

}  // namespace auforge::datasets::query
