#include "datasets/query/face_index.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "datasets/query/internal/sqlite.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/paths.h"

namespace auforge::datasets::query {
namespace {

namespace fs = std::filesystem;

struct FileState {
  std::int64_t bytes = 0;
  std::int64_t modified = 0, changed = 0;  // nanoseconds
};

std::optional<FileState> StateOf(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  const auto nanoseconds = [](const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + std::int64_t{time.tv_nsec};
  };
  return FileState{status.st_size, nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

bool IsSame(const IndexedShard& shard, const FileState& state) {
  return shard.bytes == state.bytes && shard.modified == state.modified && shard.changed == state.changed;
}

std::string IndexFile(const std::string& folder, const IndexOptions& options) {
  return options.file.empty() ? (fs::path(folder) / "auforge-index.sqlite").string() : options.file;
}

void RequireFolder(const std::string& folder) {
  storage::RequireThere(folder, "no such folder");
  if (!storage::IsFolder(folder))
    throw std::runtime_error(folder + ": is not a folder; name the folder of the shards");
}

std::string InMemory(const UnusableDatabase& error) {
  return std::string(error.what()) +
         "; the index is made in memory, each time anew: --index FILE keeps it elsewhere";
}

// An index that cannot be kept beside the shards is made in memory, each time anew.
IndexStore OpenStore(const std::string& folder, const IndexOptions& options, std::string& note) {
  const std::string file = IndexFile(folder, options);
  if (options.rebuild && file != ":memory:" && options.file.empty()) {
    std::error_code ignored;
    fs::remove(file, ignored);
  }
  const IndexWait wait{options.stop, options.notice};
  try {
    return IndexStore(file, wait);
  } catch (const UnusableDatabase& error) {
    note = InMemory(error);
    return IndexStore(":memory:");
  }
}

ShardRows ReadRows(const std::string& path, const FileState& state) {
  ShardRows rows = RowsOfShard(ShardReader(path));
  rows.shard.bytes = state.bytes;
  rows.shard.modified = state.modified;
  rows.shard.changed = state.changed;
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
  shard.has_hashes = !reader.CropHashes().empty();
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
  if (shard.has_hashes) {
    columns.crop_hash.assign(reader.CropHashes().begin(), reader.CropHashes().end());
    for (const std::int64_t row : reader.FaceSample())
      columns.image_hash.push_back(reader.Sample(static_cast<std::size_t>(row)).hash);
  }
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
      rows.texts.push_back({sample.key, sample.url, sample.keywords, sample.licence, sample.robots});
    }
    columns.text.push_back(at->second);
  }
  shard.texts = static_cast<std::uint32_t>(rows.texts.size());
  return rows;
}

struct FaceIndex::Near {
  std::mutex mutex;
  std::optional<std::vector<FaceMask>> masks;
};

const std::vector<FaceMask>& FaceIndex::NearDuplicates(const StopCheck& stop) const {
  const std::lock_guard lock(near_->mutex);
  if (!near_->masks) near_->masks = FindNearDuplicates(*this, stop);
  return *near_->masks;
}

FaceIndex::FaceIndex(const std::string& folder, const IndexOptions& options)
    : folder_(folder), store_((RequireFolder(folder), IndexStore(":memory:"))), near_(std::make_unique<Near>()) {
  try {
    Open(options);
  } catch (const InterruptedDatabase&) {
    throw QueryStopped("stopped; the index goes on from here the next time");
  }
  shards_ = store_.Shards();
}

void FaceIndex::Open(const IndexOptions& options) {
  // First of all: where there is none, no index of nothing is left behind.
  const std::vector<std::string> shards = FindShards({folder_});
  store_ = OpenStore(folder_, options, note_);
  try {
    Refresh(options, shards);
  } catch (const UnusableDatabase& error) {
    note_ = InMemory(error);
    store_ = IndexStore(":memory:");
    Refresh(options, shards);
  } catch (const DamagedDatabase&) {
    // Found while reading: the pages are bad although the header is not.
    if (!options.file.empty()) throw;
    IndexOptions anew = options;
    anew.rebuild = true;
    store_ = IndexStore(":memory:");
    store_ = OpenStore(folder_, anew, note_);
    Refresh(anew, shards);
  }
}

FaceIndex::FaceIndex(IndexStore store)
    : store_(std::move(store)), shards_(store_.Shards()), near_(std::make_unique<Near>()) {}
FaceIndex::FaceIndex(FaceIndex&&) noexcept = default;
FaceIndex::~FaceIndex() = default;

void FaceIndex::Refresh(const IndexOptions& options, const std::vector<std::string>& shards) {
  left_out_.clear();
  std::map<std::string, IndexedShard> known;
  for (IndexedShard& shard : store_.Shards()) known[shard.name] = std::move(shard);
  struct Work {
    std::string path;
    FileState state;
  };
  std::vector<Work> work;
  for (const std::string& path : shards) {
    const std::optional<FileState> state = StateOf(path);
    const auto found = known.find(fs::path(path).filename().string());
    const bool is_same = !options.rebuild && found != known.end() && state && IsSame(found->second, *state);
    if (!is_same) work.push_back({path, state.value_or(FileState{})});
    if (found != known.end()) known.erase(found);
  }
  for (const auto& [name, shard] : known) store_.Remove(name);
  std::uint64_t faces = 0;
  for (std::size_t i = 0; i < work.size(); ++i) {
    if (options.stop && options.stop())
      throw QueryStopped("stopped; the index goes on from here the next time");
    const std::string& path = work[i].path;
    std::optional<ShardRows> rows;
    try {
      rows = ReadRows(path, work[i].state);
    } catch (const storage::BadContent& error) {
      left_out_.push_back({fs::path(path).filename().string(), error.what(), true});
    } catch (const std::runtime_error& error) {
      left_out_.push_back({fs::path(path).filename().string(), error.what(), false});
    }
    if (rows) {
      faces += rows->shard.faces;
      store_.Put(std::move(rows->shard), rows->columns, rows->texts);
    } else {
      store_.Remove(left_out_.back().name);
    }
    if (options.progress) options.progress(i + 1, work.size(), faces);
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
