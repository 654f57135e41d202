// Manual pages and completions from the programs' own descriptions of their commands (tools/cli/internal/describe.h).
// Pure functions from data to texts.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace auforge::manuals {

// A command as it is typed, "auforge gan train", with what its program says of it.
struct TypedCommand {
  std::vector<std::string> words;
  nlohmann::json described;  // its "commands" are those that can follow

  std::string Line() const;        // "auforge gan train"
  std::string Page() const;        // "auforge-gan-train"
};

// Every command, the programs themselves first, with what other programs serve in its place. programs: descriptions by
// name.
std::vector<TypedCommand> AllCommands(const std::map<std::string, nlohmann::json>& programs);

// roff, section 1. all: for SEE ALSO.
std::string ManualPage(const TypedCommand& command, const std::vector<TypedCommand>& all);

std::string BashCompletion(const std::vector<TypedCommand>& all, const std::vector<std::string>& programs);
std::string ZshCompletion(const std::vector<TypedCommand>& all, const std::vector<std::string>& programs);
std::string FishCompletion(const std::vector<TypedCommand>& all);

}  // namespace auforge::manuals
