#include "datasets/query/internal/sqlite.h"

#include <sqlite3.h>

namespace auforge::datasets::query {
namespace {

constexpr int kBusyMilliseconds = 600'000;  // another process may be building the same index
constexpr int kStepsBetweenChecks = 20'000;

int CheckStop(void* stop) { return (*static_cast<std::function<bool()>*>(stop))() ? 1 : 0; }

}  // namespace

void Database::Fail(int code) const {
  const std::string text = path_ + ": " + sqlite3_errmsg(handle_);
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      throw DamagedDatabase(text);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      throw ReadOnlyDatabase(text);
    case SQLITE_INTERRUPT:
      throw InterruptedDatabase("the query was stopped");
    case SQLITE_FULL:
      throw std::runtime_error(path_ + ": the disk is full");
    default:
      throw std::runtime_error(text);
  }
}

Database::Database(const std::string& path) : path_(path) {
  const int code = sqlite3_open_v2(path.c_str(), &handle_,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) {
    const std::string text = path + ": " + (handle_ != nullptr ? sqlite3_errmsg(handle_) : "out of memory");
    sqlite3_close(handle_);
    if (code == SQLITE_CANTOPEN || code == SQLITE_READONLY || code == SQLITE_PERM)
      throw ReadOnlyDatabase(text);
    throw std::runtime_error(text);
  }
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_timeout(handle_, kBusyMilliseconds);
  // The index is a cache beside data that others may have written: no SQL that a crafted file carries may
  // run.
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
}

Database::~Database() { sqlite3_close(handle_); }

void Database::Execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) Fail(code);
}

void Database::SetInterrupt(std::function<bool()> stop) {
  stop_ = std::move(stop);
  if (stop_) {
    sqlite3_progress_handler(handle_, kStepsBetweenChecks, CheckStop, &stop_);
  } else {
    sqlite3_progress_handler(handle_, 0, nullptr, nullptr);
  }
}

std::vector<std::uint8_t> Database::ReadBlob(const char* table, const char* column, std::int64_t row,
                                             std::size_t offset, std::size_t size) {
  sqlite3_blob* blob = nullptr;
  int code = sqlite3_blob_open(handle_, "main", table, column, row, 0, &blob);
  if (code != SQLITE_OK) Fail(code);
  std::vector<std::uint8_t> bytes(size);
  const auto length = static_cast<std::size_t>(sqlite3_blob_bytes(blob));
  if (offset > length || size > length - offset) {
    sqlite3_blob_close(blob);
    throw DamagedDatabase(path_ + ": a column is shorter than it should be");
  }
  code = sqlite3_blob_read(blob, bytes.data(), static_cast<int>(size), static_cast<int>(offset));
  sqlite3_blob_close(blob);
  if (code != SQLITE_OK) Fail(code);
  return bytes;
}

Statement::Statement(Database& database, std::string_view sql) : database_(database) {
  const int code =
      sqlite3_prepare_v2(database.handle(), sql.data(), static_cast<int>(sql.size()), &statement_, nullptr);
  if (code == SQLITE_ERROR) throw DamagedDatabase(database.path() + ": " + sqlite3_errmsg(database.handle()));
  if (code != SQLITE_OK) database.Fail(code);
}
Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::Bind(int index, std::int64_t value) {
  sqlite3_bind_int64(statement_, index, value);
  return *this;
}
Statement& Statement::Bind(int index, std::string_view text) {
  const char* data = text.data() != nullptr ? text.data() : "";
  sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}
Statement& Statement::Bind(int index, std::span<const std::uint8_t> blob) {
  static const std::uint8_t kNothing = 0;
  sqlite3_bind_blob64(statement_, index, blob.empty() ? &kNothing : blob.data(), blob.size(), SQLITE_STATIC);
  return *this;
}

bool Statement::Step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  database_.Fail(code);
}
void Statement::Run() {
  while (Step()) {
  }
  Reset();
}
void Statement::Reset() { sqlite3_reset(statement_); }

std::int64_t Statement::Integer(int column) const { return sqlite3_column_int64(statement_, column); }
std::string_view Statement::TextView(int column) const {
  const auto* text = sqlite3_column_text(statement_, column);
  if (text == nullptr) return {};
  return {static_cast<const char*>(static_cast<const void*>(text)),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}
std::string Statement::Text(int column) const { return std::string(TextView(column)); }
std::span<const std::uint8_t> Statement::Blob(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  if (data == nullptr) return {};
  return {static_cast<const std::uint8_t*>(data),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Transaction::Transaction(Database& database) : database_(database) { database_.Execute("BEGIN IMMEDIATE"); }
Transaction::~Transaction() {
  if (open_) sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}
void Transaction::Commit() {
  database_.Execute("COMMIT");
  open_ = false;
}

}  // namespace auforge::datasets::query
