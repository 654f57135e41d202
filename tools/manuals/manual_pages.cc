#include <algorithm>
#include <sstream>

#include "tools/manuals/internal/manuals.h"

namespace auforge::manuals {
namespace {

using nlohmann::json;

// A text within a line: backslashes and hyphens are roff's own.
std::string Escaped(const std::string& text) {
  std::string roff;
  for (const char c : text) {
    if (c == '\\') {
      roff += "\\e";
    } else if (c == '-') {
      roff += "\\-";
    } else {
      roff += c;
    }
  }
  return roff;
}

// The same where lines begin: a dot or an apostrophe there would be a request.
std::string Lines(const std::string& text) {
  std::istringstream lines(text);
  std::string roff;
  for (std::string line; std::getline(lines, line);) {
    const std::string escaped = Escaped(line);
    roff += (escaped.starts_with('.') || escaped.starts_with('\'') ? "\\&" : "") + escaped + "\n";
  }
  return roff;
}

std::string Joined(const json& names) {
  std::string text;
  for (const std::string name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// What stands for an option's value: METAVAR.
std::string ValueName(const json& option) {
  if (option.contains("choices")) {
    std::string text;
    for (const std::string choice : option["choices"]) text += (text.empty() ? "" : "|") + choice;
    return text;
  }
  const std::string type = option.value("value", "TEXT");
  const std::string range = type.find(':') == std::string::npos ? "" : type.substr(type.find(':') + 1);
  std::string name = type.substr(0, type.find(':'));
  std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return range.find("..") == std::string::npos ? name : range;
}

std::string Option(const json& option) {
  std::string roff = ".TP\n\\fB" + Escaped(Joined(option["names"])) + "\\fR";
  if (option.contains("value")) roff += " \\fI" + Escaped(ValueName(option)) + "\\fR" + (option["repeats"] ? " ..." : "");
  roff += "\n" + Lines(option["help"].get<std::string>().empty() ? "(no description)" : option["help"].get<std::string>());
  if (option["required"]) roff += "Required.\n";
  if (option.contains("default")) roff += "Default: " + Escaped(option["default"]) + "\n";
  return roff;
}

std::string Synopsis(const TypedCommand& command) {
  std::string roff = ".B " + Escaped(command.Line()) + "\n";
  if (!command.described["commands"].empty()) return roff + ".I COMMAND\n.RI [ OPTIONS ]\n";
  for (const json& positional : command.described["positionals"]) {
    const std::string name = Escaped(positional["names"][0]);
    const std::string dots = positional["repeats"] ? " ..." : "";
    roff += positional["required"] ? ".I " + name + dots + "\n" : ".RI [ " + name + dots + " ]\n";
  }
  return roff + ".RI [ OPTIONS ]\n";
}

}  // namespace

std::string ManualPage(const TypedCommand& command, const std::vector<TypedCommand>& all) {
  std::string title = command.Page();
  std::ranges::transform(title, title.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  std::string roff = ".\\\" Generated from the command definitions; do not edit.\n.TH " + Escaped(title) + " 1 \"\" \"auforge " +
                     command.described.value("version", "") + "\" \"User Commands\"\n";
  roff += ".SH NAME\n" + Escaped(command.Page()) + " \\- " + Escaped(command.described["help"]) + "\n";
  roff += ".SH SYNOPSIS\n" + Synopsis(command);
  if (!command.described["commands"].empty()) {
    roff += ".SH COMMANDS\n";
    for (const json& below : command.described["commands"])
      roff += ".TP\n\\fB" + Escaped(below["name"]) + "\\fR\n" + Lines(below["help"]);
  }
  if (!command.described["positionals"].empty()) {
    roff += ".SH ARGUMENTS\n";
    for (const json& positional : command.described["positionals"])
      roff += ".TP\n\\fI" + Escaped(positional["names"][0]) + "\\fR\n" + Lines(positional["help"]);
  }
  roff += ".SH OPTIONS\n";
  for (const json& option : command.described["options"]) roff += Option(option);
  const std::string footer = command.described["footer"];
  const std::size_t example = footer.find("Example:\n");
  if (example != std::string::npos) {
    roff += ".SH EXAMPLES\n.nf\n" + Lines(footer.substr(example + 9)) + ".fi\n";
  }
  roff += ".SH EXIT STATUS\n0 done; 1 failed, a retry may help; 2 wrong usage; 3 bad input that a retry will not mend; 129, 130, 143 "
          "ended cleanly by SIGHUP, SIGINT, SIGTERM.\n.SH SEE ALSO\n";
  std::string others;
  for (const TypedCommand& other : all) {
    const bool is_near = other.words.size() + 1 == command.words.size() || other.words.size() == command.words.size() + 1;
    const std::size_t shared = std::min(other.words.size(), command.words.size());
    if (!is_near || !std::equal(other.words.begin(), other.words.begin() + static_cast<std::ptrdiff_t>(shared), command.words.begin()))
      continue;
    others += (others.empty() ? "" : ",\n") + (".BR " + Escaped(other.Page()) + " (1)");
  }
  // The comma belongs to the macro's arguments.
  std::string see;
  std::istringstream lines(others);
  for (std::string line; std::getline(lines, line);) {
    see += (line.ends_with(',') ? line.substr(0, line.size() - 1) + " ," : line) + "\n";
  }
  return roff + see;
}

}  // namespace auforge::manuals
