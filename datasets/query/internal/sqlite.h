// SQLite without its C API: statements that clean up after themselves, failures as exceptions naming the
// file. A Database and its Statements belong to one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace auforge::datasets::query {

// The file is no database, or a damaged one: an index is then built anew.
struct DamagedDatabase : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// The database cannot be used where it lies: nothing can be written there, or files cannot be locked.
struct UnusableDatabase : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// A check said stop.
struct InterruptedDatabase : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Database;

class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Parameters are numbered from 1. Texts and blobs must outlive the next Step.
  Statement& Bind(int index, std::int64_t value);
  Statement& Bind(int index, std::string_view text);
  Statement& Bind(int index, std::span<const std::uint8_t> blob);
  bool Step();  // true while there is a row
  void Run();   // Step to the end, then Reset
  void Reset();
  std::int64_t Integer(int column) const;
  std::string Text(int column) const;
  std::string_view TextView(int column) const;  // valid until the next Step
  std::span<const std::uint8_t> Blob(int column) const;

 private:
  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

// What is done while another process has the database: it may be building the same index.
struct LockWait {
  std::function<bool()> stop;                       // asked many times a second; true: InterruptedDatabase
  std::function<void(const std::string&)> notice;  // told once, after a second or two, what is waited for
};

class Database {
 public:
  // ":memory:" keeps it in memory. Throws DamagedDatabase, UnusableDatabase or std::runtime_error.
  Database(const std::string& path, LockWait wait);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void Execute(const char* sql);
  // Asked every few thousand steps of a statement; true ends it with InterruptedDatabase. Empty: never.
  void SetInterrupt(std::function<bool()> stop);
  // Bytes [offset, offset + size) of a blob.
  std::vector<std::uint8_t> ReadBlob(const char* table, const char* column, std::int64_t row,
                                     std::size_t offset, std::size_t size);
  const std::string& path() const { return path_; }
  sqlite3* handle() const { return handle_; }
  [[noreturn]] void Fail(int code) const;

 private:
  // SQLite's, with its names: asked whether to try a lock once more.
  static int OnBusy(void* database, int attempts);
  bool WaitsOn();
  bool IsToStop() const { return (stop_ && stop_()) || (wait_.stop && wait_.stop()); }

  std::string path_;
  LockWait wait_;
  sqlite3* handle_ = nullptr;
  std::function<bool()> stop_;
  std::chrono::steady_clock::time_point waits_since_;
  bool is_told_ = false;
};

// BEGIN IMMEDIATE … COMMIT; rolled back unless Commit was called.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void Commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace auforge::datasets::query
