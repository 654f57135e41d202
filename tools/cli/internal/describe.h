// The command definitions as data, for what is generated from them: manual pages and completions (tools/manuals).
#pragma once

#include <map>
#include <set>
#include <string>

namespace CLI {
class App;
}

namespace auforge::tools {

// One JSON object: {"name","version","help","footer","options":[{"names","help","value","default","choices","required",
// "repeats"}],"positionals":[…],"commands":[…]}; a flag has no value; "program" and "keeps_name" of commands that another
// program serves. Hidden options are left out.
std::string Describe(const CLI::App& app, const std::map<std::string, std::string>& programs,
                     const std::set<std::string>& program_commands);

}  // namespace auforge::tools
