#include "datasets/query/index_store.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <nlohmann/json.hpp>

#include "datasets/query/internal/index_file.h"
#include "datasets/query/internal/letters.h"
#include "datasets/query/internal/sqlite.h"
#include "datasets/query/nearest.h"

namespace auforge::datasets::query {
namespace {

using nlohmann::json;

json HeaderJson(const IndexedShard& shard) {
  return {{"aus", shard.schema.numbers()},
          {"emotions", shard.emotion_names},
          {"has_halves", shard.has_halves},
          {"has_emotion_score", shard.has_emotion_score},
          {"has_hashes", shard.has_hashes},
          {"source", shard.source},
          {"model_digest", shard.model_digest},
          {"detector", shard.detector},
          {"config_digest", shard.config_digest},
          {"tool_version", shard.tool_version},
          {"created", shard.created}};
}

void FromHeader(const std::string& path, const std::string& text, IndexedShard& shard) {
  try {
    const json header = json::parse(text);
    shard.schema = features::AuSchema(header.at("aus").get<std::vector<int>>());
    shard.emotion_names = header.at("emotions").get<std::vector<std::string>>();
    shard.has_halves = header.at("has_halves");
    shard.has_emotion_score = header.at("has_emotion_score");
    shard.has_hashes = header.at("has_hashes");
    shard.source = header.at("source");
    shard.model_digest = header.at("model_digest");
    shard.detector = header.at("detector");
    shard.config_digest = header.at("config_digest");
    shard.tool_version = header.at("tool_version");
    shard.created = header.at("created");
  } catch (const std::exception& error) {
    throw DamagedDatabase(path + ": " + error.what());
  }
}

template <typename T>
std::span<const std::uint8_t> Bytes(const std::vector<T>& values) {
  return {static_cast<const std::uint8_t*>(static_cast<const void*>(values.data())),
          values.size() * sizeof(T)};
}

// Words as one phrase of FTS5's language, in which nothing that a user types has a meaning.
std::string Phrase(std::string words, bool by_letters) {
  const bool is_beginning = words.ends_with('*');
  if (is_beginning) words.pop_back();
  if (by_letters) words = SpreadLetters(words);
  std::string phrase = "\"";
  for (const char c : words) {
    if (c == '\0') continue;
    phrase += c;
    if (c == '"') phrase += '"';
  }
  return phrase + (is_beginning ? "\" *" : "\"");
}

std::string LowerAscii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower;
}

}  // namespace

struct IndexStore::Impl {
  Impl(const std::string& file, IndexWait options)
      : path(file),
        wait{std::move(options.stop), std::move(options.notice)},
        database(OpenIndexFile(file, wait)),
        find_column(
            std::make_unique<Statement>(*database, "SELECT id FROM columns WHERE shard=? AND name=?")) {}

  std::string path;
  LockWait wait;
  mutable std::mutex mutex;
  std::unique_ptr<Database> database;
  std::unique_ptr<Statement> find_column;
  // Scans of all captions or sources take seconds on a large crawl: they have a connection of their own, so
  // that pages of faces do not wait for them. An index in memory has only the one.
  mutable std::mutex scan_mutex;
  mutable std::unique_ptr<Database> scanner;

  std::int64_t ColumnRow(const IndexedShard& shard, const std::string& column) const {
    find_column->Reset();
    find_column->Bind(1, shard.id).Bind(2, std::string_view(column));
    if (!find_column->Step()) {
      find_column->Reset();
      throw DamagedDatabase(path + ": has no column " + column + " of " + shard.name + "; rebuild the index");
    }
    const std::int64_t row = find_column->Integer(0);
    find_column->Reset();
    return row;
  }

  void RemoveLocked(std::string_view name) {
    Statement find(*database, "SELECT id, first_text, texts FROM shards WHERE name=?");
    find.Bind(1, name);
    if (!find.Step()) return;
    const std::int64_t id = find.Integer(0), first = find.Integer(1), last = first + find.Integer(2);
    find.Reset();
    // FTS5 with external content is told what it forgets.
    Statement forget(*database,
                     "INSERT INTO captions(captions, rowid, caption) SELECT 'delete', id, caption FROM texts "
                     "WHERE id>=? AND id<? AND caption<>''");
    forget.Bind(1, first).Bind(2, last).Run();
    ForgetLetters(first, last);
    Statement(*database, "DELETE FROM texts WHERE id>=? AND id<?").Bind(1, first).Bind(2, last).Run();
    Statement(*database, "DELETE FROM columns WHERE shard=?").Bind(1, id).Run();
    Statement(*database, "DELETE FROM shards WHERE id=?").Bind(1, id).Run();
  }

  void ForgetLetters(std::int64_t first, std::int64_t last) {
    Statement captions(*database, "SELECT id, caption FROM texts WHERE id>=? AND id<?");
    Statement forget(*database, "INSERT INTO letters(letters, rowid, caption) VALUES('delete',?,?)");
    captions.Bind(1, first).Bind(2, last);
    while (captions.Step()) {
      if (!HasUnspacedScript(captions.TextView(1))) continue;
      const std::string spread = SpreadLetters(captions.TextView(1));
      forget.Bind(1, captions.Integer(0)).Bind(2, std::string_view(spread)).Run();
    }
  }

  void PutTexts(IndexedShard& shard, const std::vector<ImageText>& texts) {
    Statement last(*database, "SELECT max(first_text + texts) FROM shards");
    shard.first_text = last.Step() ? last.Integer(0) : 0;
    last.Reset();
    Statement text(*database, "INSERT INTO texts(id, key, url, caption, licence, robots) VALUES(?,?,?,?,?,?)");
    Statement caption(*database, "INSERT INTO captions(rowid, caption) VALUES(?,?)");
    Statement letters(*database, "INSERT INTO letters(rowid, caption) VALUES(?,?)");
    std::int64_t row = shard.first_text;
    for (const ImageText& image : texts) {
      text.Bind(1, row).Bind(2, std::string_view(image.key)).Bind(3, std::string_view(image.url));
      text.Bind(4, std::string_view(image.caption)).Bind(5, std::string_view(image.licence));
      text.Bind(6, std::string_view(image.robots)).Run();
      if (!image.caption.empty()) caption.Bind(1, row).Bind(2, std::string_view(image.caption)).Run();
      if (HasUnspacedScript(image.caption)) {
        const std::string spread = SpreadLetters(image.caption);
        letters.Bind(1, row).Bind(2, std::string_view(spread)).Run();
      }
      ++row;
    }
  }

  void PutColumns(const IndexedShard& shard, const FaceColumns& columns) {
    Statement insert(*database, "INSERT INTO columns(shard, name, bytes) VALUES(?,?,?)");
    const auto put = [&](const std::string& name, const auto& values) {
      if (values.size() != shard.faces)
        throw std::invalid_argument("index column " + name + " is not as long as " + shard.name);
      insert.Bind(1, shard.id).Bind(2, std::string_view(name)).Bind(3, Bytes(values)).Run();
    };
    for (std::size_t j = 0; j < shard.schema.size(); ++j) {
      const std::string au = std::to_string(shard.schema.numbers()[j]);
      put("i" + au, columns.intensity.at(j));
      put("p" + au, columns.probability.at(j));
      put("e" + au, columns.present.at(j));
      if (shard.has_halves && features::AuHasSides(shard.schema.numbers()[j])) {
        put("l" + au, columns.left.at(j));
        put("r" + au, columns.right.at(j));
      }
    }
    if (shard.has_emotion_score) put("emotion_score", columns.emotion_score);
    if (shard.has_hashes) {
      put("crop_hash", columns.crop_hash);
      put("image_hash", columns.image_hash);
    }
    put("quality", columns.quality);
    put("score", columns.score);
    put("yaw", columns.yaw);
    put("pitch", columns.pitch);
    put("roll", columns.roll);
    put("size", columns.size);
    put("emotion", columns.emotion);
    put("rule", columns.rule);
    put("face", columns.face_index);
    put("text", columns.text);
  }

  // Runs work(database) with the stop check installed; what it interrupts is QueryStopped.
  template <typename Work>
  static auto Guarded(std::mutex& turns, Database& connection, const StopCheck& stop, const Work& work) {
    const std::lock_guard lock(turns);
    struct Restore {
      Database& restored;
      ~Restore() { restored.SetInterrupt({}); }
    } restore{connection};
    connection.SetInterrupt(stop);
    try {
      return work(connection);
    } catch (const InterruptedDatabase&) {
      throw QueryStopped("the query took too long and was stopped");
    }
  }
  template <typename Work>
  auto Ask(const StopCheck& stop, const Work& work) const {
    return Guarded(mutex, *database, stop, work);
  }
  template <typename Work>
  auto Scan(const StopCheck& stop, const Work& work) const {
    if (path == ":memory:") return Ask(stop, work);
    {
      const std::lock_guard lock(scan_mutex);
      if (scanner == nullptr) scanner = std::make_unique<Database>(path, wait);
    }
    return Guarded(scan_mutex, *scanner, stop, work);
  }
};

IndexStore::IndexStore(const std::string& path, IndexWait wait)
    : impl_(std::make_unique<Impl>(path, std::move(wait))) {}
IndexStore::~IndexStore() = default;
IndexStore::IndexStore(IndexStore&&) noexcept = default;
IndexStore& IndexStore::operator=(IndexStore&&) noexcept = default;

const std::string& IndexStore::path() const { return impl_->path; }

std::vector<IndexedShard> IndexStore::Shards() const {
  const std::lock_guard lock(impl_->mutex);
  Statement rows(
      *impl_->database,
      "SELECT id, name, bytes, modified, changed, faces, images, first_text, texts, header FROM shards "
      "ORDER BY name");
  std::vector<IndexedShard> shards;
  while (rows.Step()) {
    IndexedShard shard;
    shard.id = rows.Integer(0);
    shard.name = rows.Text(1);
    shard.bytes = rows.Integer(2);
    shard.modified = rows.Integer(3);
    shard.changed = rows.Integer(4);
    shard.faces = static_cast<std::uint32_t>(rows.Integer(5));
    shard.images = static_cast<std::uint32_t>(rows.Integer(6));
    shard.first_text = rows.Integer(7);
    shard.texts = static_cast<std::uint32_t>(rows.Integer(8));
    FromHeader(impl_->path, rows.Text(9), shard);
    shards.push_back(std::move(shard));
  }
  return shards;
}

void IndexStore::Put(IndexedShard shard, const FaceColumns& columns, const std::vector<ImageText>& texts) {
  const std::lock_guard lock(impl_->mutex);
  Transaction transaction(*impl_->database);
  impl_->RemoveLocked(shard.name);
  shard.texts = static_cast<std::uint32_t>(texts.size());
  impl_->PutTexts(shard, texts);
  // Hostile bytes in an attribute must not make the header unreadable.
  const std::string header = HeaderJson(shard).dump(-1, ' ', false, json::error_handler_t::replace);
  Statement insert(*impl_->database,
                   "INSERT INTO shards(name, bytes, modified, changed, faces, images, first_text, texts, header) "
                   "VALUES(?,?,?,?,?,?,?,?,?)"
                   " RETURNING id");
  insert.Bind(1, std::string_view(shard.name)).Bind(2, shard.bytes).Bind(3, shard.modified).Bind(4, shard.changed);
  insert.Bind(5, std::int64_t{shard.faces}).Bind(6, std::int64_t{shard.images}).Bind(7, shard.first_text);
  insert.Bind(8, std::int64_t{shard.texts}).Bind(9, std::string_view(header));
  insert.Step();
  shard.id = insert.Integer(0);
  insert.Run();
  impl_->PutColumns(shard, columns);
  transaction.Commit();
}

void IndexStore::Remove(const std::string& name) {
  const std::lock_guard lock(impl_->mutex);
  Transaction transaction(*impl_->database);
  impl_->RemoveLocked(name);
  transaction.Commit();
}

template <typename T>
std::vector<T> IndexStore::Column(const IndexedShard& shard, const std::string& column) const {
  const std::lock_guard lock(impl_->mutex);
  Statement find(*impl_->database, "SELECT bytes FROM columns WHERE shard=? AND name=?");
  find.Bind(1, shard.id).Bind(2, std::string_view(column));
  if (!find.Step() || find.Blob(0).size() != shard.faces * sizeof(T)) {
    throw DamagedDatabase(impl_->path + ": column " + column + " of " + shard.name +
                          " is damaged; rebuild the index");
  }
  std::vector<T> values(shard.faces);
  std::memcpy(values.data(), find.Blob(0).data(), values.size() * sizeof(T));
  return values;
}

template <typename T>
T IndexStore::Entry(const IndexedShard& shard, const std::string& column, std::size_t face) const {
  const std::lock_guard lock(impl_->mutex);
  const std::vector<std::uint8_t> bytes = impl_->database->ReadBlob(
      "columns", "bytes", impl_->ColumnRow(shard, column), face * sizeof(T), sizeof(T));
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

template std::vector<features::ImageHash> IndexStore::Column(const IndexedShard&, const std::string&) const;
template std::vector<float> IndexStore::Column(const IndexedShard&, const std::string&) const;
template std::vector<std::uint8_t> IndexStore::Column(const IndexedShard&, const std::string&) const;
template std::vector<std::int32_t> IndexStore::Column(const IndexedShard&, const std::string&) const;
template std::vector<std::uint32_t> IndexStore::Column(const IndexedShard&, const std::string&) const;
template features::ImageHash IndexStore::Entry(const IndexedShard&, const std::string&, std::size_t) const;
template float IndexStore::Entry(const IndexedShard&, const std::string&, std::size_t) const;
template std::uint8_t IndexStore::Entry(const IndexedShard&, const std::string&, std::size_t) const;
template std::int32_t IndexStore::Entry(const IndexedShard&, const std::string&, std::size_t) const;
template std::uint32_t IndexStore::Entry(const IndexedShard&, const std::string&, std::size_t) const;

ImageText IndexStore::Text(const IndexedShard& shard, std::uint32_t row) const {
  const std::lock_guard lock(impl_->mutex);
  Statement find(*impl_->database, "SELECT key, url, caption, licence, robots FROM texts WHERE id=?");
  find.Bind(1, shard.first_text + row);
  if (!find.Step())
    throw DamagedDatabase(impl_->path + ": a text of " + shard.name + " is missing; rebuild the index");
  return {find.Text(0), find.Text(1), find.Text(2), find.Text(3), find.Text(4)};
}

std::vector<std::int64_t> IndexStore::MatchCaption(const std::string& words, const StopCheck& stop) const {
  // A word of another script may stand in a sentence without spaces: what has no such letters is looked for in both.
  const bool by_letters = HasUnspacedScript(words);
  const std::string phrase = Phrase(words, by_letters);
  return impl_->Ask(stop, [&](Database& database) {
    Statement match(database, by_letters ? "SELECT rowid FROM letters WHERE letters MATCH ?1 ORDER BY rowid"
                                         : "SELECT rowid FROM captions WHERE captions MATCH ?1 UNION "
                                           "SELECT rowid FROM letters WHERE letters MATCH ?1 ORDER BY rowid");
    match.Bind(1, std::string_view(phrase));
    std::vector<std::int64_t> rows;
    while (match.Step()) rows.push_back(match.Integer(0));
    return rows;
  });
}

std::vector<std::int64_t> IndexStore::MatchSource(const std::string& pattern, const StopCheck& stop) const {
  const bool is_pattern = IsPattern(pattern);
  const std::string wanted = LowerAscii(pattern);
  const auto fits = [&](std::string_view text) {
    return is_pattern ? MatchesPattern(wanted, text) : LowerAscii(text).find(wanted) != std::string::npos;
  };
  return impl_->Scan(stop, [&](Database& database) {
    Statement all(database, "SELECT id, key, url FROM texts ORDER BY id");
    std::vector<std::int64_t> rows;
    while (all.Step()) {
      if (fits(all.TextView(1)) || fits(all.TextView(2))) rows.push_back(all.Integer(0));
    }
    return rows;
  });
}

std::vector<std::int64_t> IndexStore::MatchKey(const std::string& key) const {
  const std::lock_guard lock(impl_->mutex);
  Statement match(*impl_->database, "SELECT id FROM texts WHERE key=? ORDER BY id");
  match.Bind(1, std::string_view(key));
  std::vector<std::int64_t> rows;
  while (match.Step()) rows.push_back(match.Integer(0));
  return rows;
}

// sql: text and id of all rows that have one, equal texts next to each other.
std::vector<std::int64_t> IndexStore::MatchKnown(const char* sql, const std::function<bool(std::string_view)>& fits,
                                                 const StopCheck& stop) const {
  return impl_->Scan(stop, [&](Database& database) {
    Statement all(database, sql);
    std::vector<std::int64_t> rows;
    std::string text;
    bool is_fit = false;
    while (all.Step()) {
      if (all.TextView(0) != text || text.empty()) {
        text = all.TextView(0);
        is_fit = fits(text);
      }
      if (is_fit) rows.push_back(all.Integer(1));
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  });
}

std::vector<std::int64_t> IndexStore::MatchLicence(const std::function<bool(std::string_view)>& fits,
                                                   const StopCheck& stop) const {
  return MatchKnown("SELECT licence, id FROM texts WHERE licence<>'' ORDER BY licence", fits, stop);
}

std::vector<std::int64_t> IndexStore::MatchRobots(const std::function<bool(std::string_view)>& fits,
                                                  const StopCheck& stop) const {
  return MatchKnown("SELECT robots, id FROM texts WHERE robots<>'' ORDER BY robots", fits, stop);
}

std::vector<std::pair<std::string, std::uint64_t>> IndexStore::Words(std::size_t limit) const {
  const std::lock_guard lock(impl_->mutex);
  impl_->database->Execute(
      "CREATE VIRTUAL TABLE IF NOT EXISTS temp.words USING fts5vocab('main', 'captions', 'row')");
  Statement rows(*impl_->database, "SELECT term, doc FROM temp.words ORDER BY doc DESC, term LIMIT ?");
  rows.Bind(1, static_cast<std::int64_t>(limit));
  std::vector<std::pair<std::string, std::uint64_t>> words;
  while (rows.Step()) words.emplace_back(rows.Text(0), static_cast<std::uint64_t>(rows.Integer(1)));
  return words;
}

void IndexStore::VisitWords(const std::function<void(const std::string&, std::int64_t)>& visit,
                            const StopCheck& stop) const {
  impl_->Scan(stop, [&](Database& database) {
    database.Execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.places USING fts5vocab('main', 'captions', 'instance')");
    Statement rows(database, "SELECT term, doc FROM temp.places");
    std::string word;
    std::int64_t last = -1;
    while (rows.Step()) {
      const std::string_view term = rows.TextView(0);
      const std::int64_t row = rows.Integer(1);
      if (term != word) {
        word = term;
      } else if (row == last) {
        continue;
      }
      last = row;
      visit(word, row);
    }
  });
}

}  // namespace auforge::datasets::query
