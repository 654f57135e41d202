// auforge-manuals FOLDER DESCRIPTION.json…: writes manual pages and completions of the programs that are described.
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include "tools/manuals/internal/manuals.h"

namespace auforge::manuals {

std::string TypedCommand::Line() const {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  return line;
}
std::string TypedCommand::Page() const {
  std::string page;
  for (const std::string& word : words) page += (page.empty() ? "" : "-") + word;
  return page;
}

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

class Collector {
 public:
  explicit Collector(const std::map<std::string, json>& programs) : programs_(programs) {}

  void Add(std::vector<std::string> words, const json& described, const std::string& version) {
    TypedCommand command{std::move(words), described};
    command.described["version"] = version;
    all_.push_back(command);
    for (const json& below : described["commands"]) {
      std::vector<std::string> longer = command.words;
      longer.push_back(below["name"]);
      Add(std::move(longer), Resolved(below), version);
    }
  }
  std::vector<TypedCommand> Take() { return std::move(all_); }

 private:
  // What another program serves, as that program describes it.
  json Resolved(const json& command) const {
    const auto program = command.contains("program") ? programs_.find(command["program"]) : programs_.end();
    if (program == programs_.end()) return command;
    json found = program->second;
    if (command["keeps_name"]) {
      for (const json& own : program->second["commands"]) {
        if (own["name"] == command["name"]) found = own;
      }
    }
    found["name"] = command["name"];
    found["help"] = command["help"];
    return found;
  }

  const std::map<std::string, json>& programs_;
  std::vector<TypedCommand> all_;
};

void Write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) throw std::runtime_error(path.string() + ": cannot be written");
}

void Make(const fs::path& folder, const std::vector<std::string>& descriptions) {
  std::map<std::string, json> programs;
  std::vector<std::string> names;
  for (const std::string& path : descriptions) {
    std::ifstream file(path);
    json described = json::parse(file);
    names.push_back(described["name"]);
    programs[names.back()] = std::move(described);
  }
  const std::vector<TypedCommand> all = AllCommands(programs);
  // auforge-gan's commands have their pages under the names that users type: auforge gan ….
  for (const TypedCommand& command : all) {
    if (command.words.front() != "auforge-gan")
      Write(folder / "man1" / (command.Page() + ".1"), ManualPage(command, all));
  }
  Write(folder / "bash/auforge", BashCompletion(all, names));
  if (programs.contains("auforge-gan")) Write(folder / "bash/auforge-gan", "# see auforge\n_completion_loader auforge\n");
  Write(folder / "zsh/_auforge", ZshCompletion(all, names));
  Write(folder / "fish/auforge.fish", FishCompletion(all));
}

}  // namespace

std::vector<TypedCommand> AllCommands(const std::map<std::string, json>& programs) {
  Collector collector(programs);
  for (const auto& [name, described] : programs) collector.Add({name}, described, described["version"]);
  return collector.Take();
}

}  // namespace auforge::manuals

int main(int argc, char** argv) {
  try {
    if (argc < 3) throw std::runtime_error("auforge-manuals FOLDER DESCRIPTION.json...");
    auforge::manuals::Make(argv[1], std::vector<std::string>(argv + 2, argv + argc));
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
