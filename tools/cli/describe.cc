#include "tools/cli/internal/describe.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tools/cli/version.h"

namespace auforge::tools {
namespace {

using nlohmann::json;

json Names(const CLI::Option& option) {
  json names = json::array();
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

// Of a type like "TEXT:{bf16,fp32}".
json Choices(const std::string& type) {
  const std::size_t open = type.find('{'), close = type.find('}');
  json choices = json::array();
  if (open == std::string::npos || close == std::string::npos) return choices;
  std::istringstream list(type.substr(open + 1, close - open - 1));
  for (std::string choice; std::getline(list, choice, ',');) choices.push_back(choice);
  return choices;
}

json OptionJson(const CLI::Option& option) {
  const bool is_flag = option.get_items_expected_max() == 0;
  json described = {{"names", Names(option)},
                    {"help", option.get_description()},
                    {"required", option.get_required()},
                    {"repeats", option.get_items_expected_max() > 1}};
  if (option.get_positional()) described["names"] = {option.get_name(true, false)};
  if (!is_flag) described["value"] = option.get_type_name();
  if (!is_flag && !option.get_default_str().empty()) described["default"] = option.get_default_str();
  if (const json choices = Choices(option.get_type_name()); !choices.empty()) described["choices"] = choices;
  return described;
}

json AppJson(const CLI::App& app) {
  json described = {{"name", app.get_name()},
                    {"help", app.get_description()},
                    {"footer", app.get_footer()},
                    {"options", json::array()},
                    {"positionals", json::array()},
                    {"commands", json::array()}};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    described[option->get_positional() ? "positionals" : "options"].push_back(OptionJson(*option));
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_group().empty()) described["commands"].push_back(AppJson(*command));
  }
  return described;
}

}  // namespace

std::string Describe(const CLI::App& app, const std::map<std::string, std::string>& programs,
                     const std::set<std::string>& program_commands) {
  json described = AppJson(app);
  described["version"] = Version();
  for (json& command : described["commands"]) {
    const std::string name = command["name"];
    const auto found = programs.find(name);
    if (found == programs.end()) continue;
    command["program"] = found->second;
    command["keeps_name"] = program_commands.contains(name);
  }
  return described.dump();
}

}  // namespace auforge::tools
