// What query, export and serve have in common: the folder, its index, and which faces are asked for.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "datasets/query/face_index.h"
#include "datasets/query/search.h"
#include "tools/cli/cli.h"

namespace auforge::tools {

struct IndexArguments {
  std::string folder;
  std::string index;  // file of the index; empty: beside the shards
  bool rebuild = false;
  bool skip_damaged = false;
  bool quiet = false;
};
void AddIndexOptions(Command& command, IndexArguments& arguments);
// Opens the index and brings it up to date, with progress on stderr.
datasets::query::FaceIndex OpenIndex(const IndexArguments& arguments);
// Names shards that were left out on stderr; the exit code that they ask for: kBadInput for damaged ones unless those
// may be left out, kFailed for others that could not be read.
int ReportDamage(const datasets::query::FaceIndex& index, const IndexArguments& arguments);

struct FaceArguments {
  std::string where;
  std::string emotion, keyword, source;  // "a|b": one of them must fit
  std::string quality, size;                             // "0.5" (at least) or "0.5..0.9"
  float pose = 0;                                        // most degrees of yaw and pitch; 0: any
  std::string sort;
  std::uint64_t offset = 0, limit = 0;  // limit 0: the command's own
  std::vector<std::string> except;      // shards and folders of them
};
void AddFaceOptions(Command& command, FaceArguments& arguments);
// Throws UsageError that shows the column.
datasets::query::Expression ExpressionOf(const FaceArguments& arguments);
datasets::query::Selection FindFaces(const datasets::query::FaceIndex& index, const FaceArguments& arguments);

// Runs the work; when a signal ended it, says so and returns as if done (the exit status then names the
// signal).
int EndCleanly(const std::function<int()>& work);

}  // namespace auforge::tools
