#include <algorithm>

#include "tools/manuals/internal/manuals.h"

namespace auforge::manuals {
namespace {

using nlohmann::json;

// The text within single quotes of a POSIX shell.
std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}
// The same for fish, where backslashes escape within single quotes.
std::string FishQuoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += (c == '\'' || c == '\\' ? "\\" : "") + std::string(1, c);
  return quoted + "'";
}

std::string Names(const json& described, const char* kind) {
  std::string names;
  for (const json& one : described[kind]) {
    if (one.contains("name")) {
      names += (names.empty() ? "" : " ") + one["name"].get<std::string>();
      continue;
    }
    for (const std::string name : one["names"]) names += (names.empty() ? "" : " ") + name;
  }
  return names;
}

std::string Choices(const json& option) {
  std::string text;
  for (const std::string choice : option["choices"]) text += (text.empty() ? "" : " ") + choice;
  return text;
}

// Calls use(command, option, name) for every name of every option that takes a value.
template <typename Use>
void ForValues(const std::vector<TypedCommand>& all, const Use& use) {
  for (const TypedCommand& command : all) {
    for (const json& option : command.described["options"]) {
      if (!option.contains("value")) continue;
      for (const std::string name : option["names"]) use(command, option, name);
    }
  }
}

// case branches of bash and zsh: the commands that a word leads to.
std::string Ways(const std::vector<TypedCommand>& all) {
  std::string pattern;
  for (const TypedCommand& command : all) {
    if (command.words.size() > 1) pattern += (pattern.empty() ? "" : "|") + Quoted(command.Line());
  }
  return pattern;
}

}  // namespace

std::string BashCompletion(const std::vector<TypedCommand>& all, const std::vector<std::string>& programs) {
  std::string text =
      "# bash completion of auforge, generated from the command definitions\n"
      "_auforge() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at=${COMP_WORDS[0]##*/} words= i\n"
      "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
      "    case \"$at ${COMP_WORDS[i]}\" in\n"
      "      " + Ways(all) + ") at+=\" ${COMP_WORDS[i]}\" ;;\n"
      "    esac\n"
      "  done\n"
      "  COMPREPLY=()\n"
      "  case \"$at $prev\" in\n";
  std::string files;
  ForValues(all, [&](const TypedCommand& command, const json& option, const std::string& name) {
    const std::string line = Quoted(command.Line() + " " + name);
    if (option.contains("choices")) {
      text += "    " + line + ") COMPREPLY=($(compgen -W " + Quoted(Choices(option)) + " -- \"$cur\")); return ;;\n";
    } else {
      files += (files.empty() ? "" : "|") + line;
    }
  });
  text += "    " + files + ") return ;;  # a file, or what only the user knows\n  esac\n  case \"$at\" in\n";
  for (const TypedCommand& command : all) {
    text += "    " + Quoted(command.Line()) + ") words=" + Quoted(Names(command.described, "commands")) + "; [[ $cur == -* ]] && words=" +
            Quoted(Names(command.described, "options")) + " ;;\n";
  }
  text += "  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -o default -F _auforge";
  for (const std::string& program : programs) text += " " + program;
  return text + "\n";
}

std::string ZshCompletion(const std::vector<TypedCommand>& all, const std::vector<std::string>& programs) {
  std::string text = "#compdef";
  for (const std::string& program : programs) text += " " + program;
  text +=
      "\n# generated from the command definitions\n"
      "_auforge() {\n"
      "  local at=${words[1]:t} word\n"
      "  local -a described\n"
      "  for word in ${words[2,CURRENT-1]}; do\n"
      "    case \"$at $word\" in\n"
      "      (" + Ways(all) + ") at+=\" $word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$at ${words[CURRENT-1]}\" in\n";
  std::string files;
  ForValues(all, [&](const TypedCommand& command, const json& option, const std::string& name) {
    const std::string line = Quoted(command.Line() + " " + name);
    if (option.contains("choices")) {
      text += "    (" + line + ") compadd -- " + Choices(option) + "; return ;;\n";
    } else {
      files += (files.empty() ? "" : "|") + line;
    }
  });
  text += "    (" + files + ") _files; return ;;\n  esac\n  case \"$at\" in\n";
  const auto item = [](const std::string& name, const std::string& help) {
    std::string escaped;
    for (const char c : name + "\n" + help) {
      if (c == ':') escaped += '\\';
      escaped += c == '\n' ? ':' : c;
    }
    return " " + Quoted(escaped);
  };
  for (const TypedCommand& command : all) {
    text += "    (" + Quoted(command.Line()) + ")\n      if [[ ${words[CURRENT]} == -* ]]; then described=(";
    for (const json& option : command.described["options"]) {
      for (const std::string name : option["names"]) text += item(name, option["help"]);
    }
    text += ")\n      else described=(";
    for (const json& below : command.described["commands"]) text += item(below["name"], below["help"]);
    text += ")\n      fi ;;\n";
  }
  return text + "  esac\n  if (( ! $#described )); then _files\n  elif [[ ${words[CURRENT]} == -* ]]; then _describe -o option described\n"
                "  else _describe command described\n  fi\n}\n_auforge \"$@\"\n";
}

std::string FishCompletion(const std::vector<TypedCommand>& all) {
  std::string text =
      "# fish completion of auforge, generated from the command definitions\n"
      "function __auforge_at\n"
      "  set -l words (commandline -opc)\n"
      "  set -l at (basename $words[1])\n"
      "  for word in $words[2..-1]\n"
      "    switch \"$at $word\"\n"
      "      case";
  for (const TypedCommand& command : all) {
    if (command.words.size() > 1) text += " " + FishQuoted(command.Line());
  }
  text += "\n        set at \"$at $word\"\n    end\n  end\n  test \"$at\" = \"$argv[1]\"\nend\n";
  for (const TypedCommand& command : all) {
    const std::string begin = "complete -c " + command.words.front() + " -n " +
                              FishQuoted("__auforge_at " + FishQuoted(command.Line()));
    for (const json& below : command.described["commands"]) {
      text += begin + " -f -a " + FishQuoted(below["name"]) + " -d " + FishQuoted(below["help"]) + "\n";
    }
    for (const json& option : command.described["options"]) {
      std::string line = begin;
      for (const std::string name : option["names"]) {
        line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      if (option.contains("choices")) {
        line += " -x -a " + FishQuoted(Choices(option));
      } else if (option.contains("value")) {
        line += " -r";
      }
      text += line + " -d " + FishQuoted(option["help"]) + "\n";
    }
  }
  return text;
}

}  // namespace auforge::manuals
