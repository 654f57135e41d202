// The index's SQLite file: its schema, and what becomes of a file that is damaged, of another version or not
// ours.
#pragma once

#include <memory>
#include <string>

#include "datasets/query/internal/sqlite.h"

namespace auforge::datasets::query {

// Opens the index, or creates it (":memory:" in memory). A damaged index and one of another version are
// replaced by an empty one. Throws std::runtime_error naming the file when it is another program's, which is
// left as it is.
std::unique_ptr<Database> OpenIndexFile(const std::string& path, const LockWait& wait);

}  // namespace auforge::datasets::query
