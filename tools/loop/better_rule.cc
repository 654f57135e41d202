#include "tools/loop/better_rule.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "datasets/query/nearest.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "features/au_schema.h"

namespace auforge::tools {
namespace {

using nlohmann::json;

constexpr const char* kExample = "\"correlation >= old - 0.01\" or \"frechet < 12\"";

bool IsOneOf(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::optional<double> Number(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

[[noreturn]] void Refuse(const std::string& text, const std::string& why) {
  RefuseCondition(text, why, kExample);
}

void RequireFigure(const std::string& text, const std::string& figure) {
  const std::size_t dot = figure.find('.');
  if (dot != std::string::npos && features::ParseAu(figure.substr(0, dot)) && IsOneOf(AuFigureNames(), figure.substr(dot + 1))) return;
  std::vector<std::string> names = AuFigureNames();
  names.insert(names.end(), WholeFigureNames().begin(), WholeFigureNames().end());
  if (IsOneOf(names, figure)) return;
  const std::string nearest = datasets::query::Nearest(dot == std::string::npos ? figure : figure.substr(dot + 1), names);
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  Refuse(text, "there is no figure \"" + figure + "\"" + (nearest.empty() ? "" : ", did you mean \"" + nearest + "\"?") +
                   " There are " + known + ", the first ones of a single AU, too (AU12." + AuFigureNames().front() + ")");
}

}  // namespace

const std::vector<std::string>& AuFigureNames() {
  static const std::vector<std::string> names{"correlation", "mae", "rise", "correlation_whole_expression", "change_inside_region",
                                              "landmarks_moved_outside", "grey_changed_outside"};
  return names;
}

const std::vector<std::string>& WholeFigureNames() {
  static const std::vector<std::string> names{"cycle_error_grey", "frechet"};
  return names;
}

Figures ReadFigures(const std::string& path) {
  const json report = json::parse(datasets::storage::ReadFile(path), nullptr, false);
  if (!report.is_object()) throw datasets::storage::BadContent(path + ": is no report of auforge gan eval; remove it and run again");
  Figures figures;
  const json aus = report.value("aus", json::object());
  for (const std::string& name : AuFigureNames()) {
    double sum = 0;
    int count = 0;
    for (const auto& [au, of_au] : aus.items()) {
      const auto value = Number(of_au, name.c_str());
      if (!value) continue;
      figures[au + "." + name] = *value;
      sum += *value;
      ++count;
    }
    if (count > 0) figures[name] = sum / count;
  }
  if (const auto cycle = Number(report, "cycle_error_grey")) figures["cycle_error_grey"] = *cycle;
  if (report.contains("frechet")) {
    if (const auto frechet = Number(report["frechet"], "edited_to_real")) figures["frechet"] = *frechet;
  }
  return figures;
}

Condition ParseCondition(const std::string& text) {
  Condition condition = SplitCondition(text, kExample);
  RequireFigure(text, condition.figure);
  return condition;
}

}  // namespace auforge::tools
