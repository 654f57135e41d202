// --lineage, of every command that makes a file which remembers where it comes from (datasets/storage/lineage.h).
#pragma once

#include <string>

#include "tools/cli/cli.h"

namespace auforge::tools {

inline Option AddLineage(Command& command, std::string& path) {
  return command.Add("--lineage", path,
                     "JSON file that says what it is made from: parent, data, plan, round; kept in what is written, and "
                     "auforge inspect prints it");
}

}  // namespace auforge::tools
