#include "datasets/query/internal/index_file.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace auforge::datasets::query {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kApplicationId = 0x41754678;  // "AuFx" in the file's header
constexpr std::int64_t kVersion = 4;
constexpr const char* kDefaultName = "auforge-index.sqlite";

// Blobs want large pages. A rollback journal, because write-ahead logs do not work over network file systems.
constexpr const char* kPragmas =
    "PRAGMA page_size=16384; PRAGMA journal_mode=DELETE; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32768;"
    "PRAGMA temp_store=MEMORY;";
// letters: captions of scripts without spaces between words, letter by letter (internal/letters.h).
constexpr const char* kSchema = R"sql(
CREATE TABLE shards(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, bytes INTEGER, modified INTEGER,
                    changed INTEGER, faces INTEGER, images INTEGER, first_text INTEGER, texts INTEGER, header TEXT);
CREATE TABLE columns(id INTEGER PRIMARY KEY, shard INTEGER NOT NULL, name TEXT NOT NULL, bytes BLOB);
CREATE UNIQUE INDEX column_of_shard ON columns(shard, name);
CREATE TABLE texts(id INTEGER PRIMARY KEY, key TEXT, url TEXT, caption TEXT, licence TEXT, robots TEXT);
CREATE INDEX known_licences ON texts(licence) WHERE licence<>'';
CREATE INDEX known_robots ON texts(robots) WHERE robots<>'';
CREATE VIRTUAL TABLE captions USING fts5(caption, content='texts', content_rowid='id',
                                         tokenize="unicode61 remove_diacritics 2");
CREATE VIRTUAL TABLE letters USING fts5(caption, content='', tokenize="unicode61 remove_diacritics 2");
)sql";

// The file's first bytes say whether it is ours to replace when it is of no use.
bool IsOurs(const std::string& path) {
  if (fs::path(path).filename() == kDefaultName) return true;
  std::ifstream file(path, std::ios::binary);
  char header[72] = {};
  file.read(header, sizeof(header));
  const auto byte = [&header](int i) {
    return static_cast<std::int64_t>(static_cast<unsigned char>(header[i]));
  };
  return file && (byte(68) << 24 | byte(69) << 16 | byte(70) << 8 | byte(71)) == kApplicationId;
}

[[noreturn]] void RefuseForeign(const std::string& path) {
  throw std::runtime_error(path + ": is not an index of auforge and is left as it is; name another file");
}

// False when the file is an index of another version.
bool PrepareSchema(Database& database) {
  const auto pragma = [&database](const char* sql) {
    Statement statement(database, sql);
    return statement.Step() ? statement.Integer(0) : 0;
  };
  if (pragma("SELECT count(*) FROM sqlite_schema") == 0) {
    Transaction transaction(database);
    if (pragma("SELECT count(*) FROM sqlite_schema") == 0) {
      database.Execute(kSchema);
      database.Execute(("PRAGMA application_id=" + std::to_string(kApplicationId)).c_str());
      database.Execute(("PRAGMA user_version=" + std::to_string(kVersion)).c_str());
    }
    transaction.Commit();
  }
  if (pragma("PRAGMA application_id") != kApplicationId) RefuseForeign(database.path());
  return pragma("PRAGMA user_version") == kVersion;
}

void Discard(const std::string& path) {
  if (!IsOurs(path)) RefuseForeign(path);
  std::error_code ignored;
  fs::remove(path, ignored);
  fs::remove(path + "-journal", ignored);
}

}  // namespace

std::unique_ptr<Database> OpenIndexFile(const std::string& path, const LockWait& wait) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    try {
      auto database = std::make_unique<Database>(path, wait);
      database->Execute(kPragmas);
      if (PrepareSchema(*database)) return database;
    } catch (const DamagedDatabase&) {
      if (attempt > 0) throw;
    }
    Discard(path);
  }
  throw std::runtime_error(path + ": cannot be replaced by a new index; remove it");
}

}  // namespace auforge::datasets::query
