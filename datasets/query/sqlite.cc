#include "datasets/query/internal/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <thread>

namespace auforge::datasets::query {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::minutes kLongestWait{10};  // another process may be building the same index
constexpr std::chrono::milliseconds kSilentWait{1500}, kBetweenTries{20};
constexpr int kStepsBetweenChecks = 20'000;

// fcntl for SQLite, which takes ENOLCK (a file system without locks, as NFS without its lock daemon) for a lock that
// somebody else has, and would wait for it for ever. Another error makes it fail at once.
int FileControl(int file, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);  // a pointer or an int; both come in a register
  va_end(arguments);
  const int result = fcntl(file, command, argument);
  if (result < 0 && errno == ENOLCK) errno = ENOTSUP;
  return result;
}

void UseOurFileControl() {
  static const bool once = [] {
    sqlite3_vfs* const files = sqlite3_vfs_find(nullptr);
    const auto function = reinterpret_cast<sqlite3_syscall_ptr>(&FileControl);
    return files != nullptr && files->iVersion >= 3 && files->xSetSystemCall(files, "fcntl", function) == SQLITE_OK;
  }();
  static_cast<void>(once);
}

int CheckStop(void* stop) { return (*static_cast<std::function<bool()>*>(stop))() ? 1 : 0; }

}  // namespace

void Database::Fail(int code) const {
  std::string text = path_ + ": " + sqlite3_errmsg(handle_);
  switch (code) {
    case SQLITE_IOERR_LOCK:
    case SQLITE_IOERR_RDLOCK:
    case SQLITE_IOERR_UNLOCK:
    case SQLITE_IOERR_CHECKRESERVEDLOCK:
      throw UnusableDatabase(path_ + ": files cannot be locked there");
    default:
      break;
  }
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
      throw DamagedDatabase(text);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      throw UnusableDatabase(text);
    case SQLITE_INTERRUPT:
      throw InterruptedDatabase("the query was stopped");
    case SQLITE_BUSY:
      if (IsToStop()) throw InterruptedDatabase("stopped while another process had " + path_);
      throw std::runtime_error(path_ + ": another process has it and does not let go; end that, or keep another index "
                                       "with --index FILE");
    case SQLITE_IOERR:
      if (const int error = sqlite3_system_errno(handle_); error != 0) text += std::string(": ") + std::strerror(error);
      throw std::runtime_error(text);
    case SQLITE_FULL:
      throw std::runtime_error(path_ + ": the disk is full");
    default:
      throw std::runtime_error(text);
  }
}

Database::Database(const std::string& path, LockWait wait) : path_(path), wait_(std::move(wait)) {
  UseOurFileControl();
  const int code = sqlite3_open_v2(path.c_str(), &handle_,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) {
    const std::string text = path + ": " + (handle_ != nullptr ? sqlite3_errmsg(handle_) : "out of memory");
    sqlite3_close(handle_);
    if (code == SQLITE_CANTOPEN || code == SQLITE_READONLY || code == SQLITE_PERM)
      throw UnusableDatabase(text);
    throw std::runtime_error(text);
  }
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_handler(handle_, OnBusy, this);
  // The index is a cache beside data that others may have written: no SQL that a crafted file carries may
  // run.
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
}

int Database::OnBusy(void* database, int attempts) {
  auto& self = *static_cast<Database*>(database);
  if (attempts == 0) {
    self.waits_since_ = Clock::now();
    self.is_told_ = false;
  }
  return self.WaitsOn() ? 1 : 0;
}

bool Database::WaitsOn() {
  const Clock::duration waited = Clock::now() - waits_since_;
  if (IsToStop() || waited > kLongestWait) return false;
  if (!is_told_ && waited > kSilentWait && wait_.notice) {
    is_told_ = true;
    wait_.notice(path_ + ": another process is writing it; waiting for its end (Ctrl-C: no longer)");
  }
  std::this_thread::sleep_for(kBetweenTries);
  return true;
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
