#include "tools/loop/plan.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>

#include "datasets/image_source.h"
#include "datasets/query/expression.h"
#include "datasets/query/nearest.h"
#include "datasets/shard.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/installed.h"
#include "datasets/storage/paths.h"
#include "tools/cli/cli.h"
#include "tools/loop/internal/plan_options.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;
namespace storage = datasets::storage;
using nlohmann::json;

// One object of the plan. Every key is asked for by name; what is left at the end is unknown.
class Section {
 public:
  Section(const json& object, std::string name, std::string file)
      : object_(object), name_(std::move(name)), file_(std::move(file)) {
    if (!object_.is_object()) Fail("", "must be an object, { … }");
  }

  [[noreturn]] void Fail(const std::string& key, const std::string& what) const {
    const std::string dot = name_.empty() || key.empty() ? "" : ".";
    throw UsageError(file_ + ": \"" + name_ + dot + key + "\" " + what);
  }

  bool Has(const std::string& key) {
    known_.insert(key);
    return object_.contains(key);
  }
  const json& At(const std::string& key) const { return object_.at(key); }

  void Text(const std::string& key, std::string& value) {
    if (!Has(key)) return;
    if (!At(key).is_string()) Fail(key, "must be a text, \"…\"");
    value = At(key).get<std::string>();
  }
  std::string OneOf(const std::string& key, const std::vector<std::string>& choices, const std::string& otherwise) {
    std::string value = otherwise;
    Text(key, value);
    if (std::find(choices.begin(), choices.end(), value) != choices.end()) return value;
    std::string all;
    for (const std::string& choice : choices) all += (all.empty() ? "" : ", ") + choice;
    const std::string nearest = datasets::query::Nearest(value, choices);
    Fail(key, "= \"" + value + "\": must be one of " + all + (nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?"));
  }
  void Texts(const std::string& key, std::vector<std::string>& values) {
    if (!Has(key)) return;
    const json one = At(key).is_array() ? At(key) : json::array({At(key)});
    values.clear();
    for (const json& value : one) {
      if (!value.is_string()) Fail(key, "must be a text or a list of texts, [\"…\", \"…\"]");
      values.push_back(value.get<std::string>());
    }
  }
  void Number(const std::string& key, double& value, double low, double high) {
    if (!Has(key)) return;
    if (!At(key).is_number()) Fail(key, "must be a number");
    value = At(key).get<double>();
    if (!(value >= low && value <= high))
      Fail(key, "= " + NumberText(value) + ": must be within " + NumberText(low) + ".." + NumberText(high));
  }
  void Whole(const std::string& key, int& value, int low, int high) {
    double number = value;
    Number(key, number, low, high);
    if (number != std::floor(number)) Fail(key, "= " + NumberText(number) + ": must be a whole number");
    value = static_cast<int>(number);
  }
  void Bound(const std::string& key, std::optional<double>& value, double high) {
    if (Has(key) && At(key).is_null()) {
      value.reset();
      return;
    }
    double number = value.value_or(0);
    Number(key, number, 0, high);
    if (value || Has(key)) value = number;
  }

  // Throws for the first key that nobody has asked for.
  void Finish() const {
    for (const auto& [key, value] : object_.items()) {
      if (known_.contains(key)) continue;
      const std::vector<std::string> names(known_.begin(), known_.end());
      const std::string nearest = datasets::query::Nearest(key, names);
      std::string all;
      for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
      Fail(key, "is no key of a plan" + (nearest.empty() ? "" : "; did you mean \"" + nearest + "\"?") + " There are " + all);
    }
  }

 private:
  const json& object_;
  std::string name_, file_;
  std::set<std::string> known_;
};

class PlanParser {
 public:
  PlanParser(const std::string& text, const std::string& path) : path_(path), json_(Parse(text)) {
    folder_ = fs::absolute(path).lexically_normal().parent_path();
    plan_.path = path;
    plan_.folder = folder_.string();
    plan_.digest = storage::Sha256Hex(text);
  }

  LoopPlan Plan() {
    Section top(json_, "", path_);
    top.Text("work", plan_.work);
    if (plan_.work.empty()) top.Fail("work", "is missing: the folder where everything goes");
    plan_.work = Absolute(plan_.work);
    top.Texts("inputs", plan_.inputs);
    if (plan_.inputs.empty()) top.Fail("inputs", "is missing: where the images are");
    for (std::string& input : plan_.inputs) input = Absolute(input);
    top.Number("settle_seconds", plan_.settle_seconds, 0, 1e9);
    ReadFilter(top);
    top.Text("held_out", plan_.held_out);
    if (plan_.held_out.empty()) top.Fail("held_out", "is missing: shards of faces to judge generators on, which nothing is learnt from");
    plan_.held_out = Absolute(plan_.held_out);
    plan_.drop_overlap = top.OneOf("on_overlap", {"refuse", "drop"}, "refuse") == "drop";
    top.Text("generator", plan_.generator);
    if (plan_.generator != "default" && plan_.generator != "none") plan_.generator = Absolute(plan_.generator);
    top.Whole("fresh_weight", plan_.fresh_weight, 1, 100);
    top.Whole("earlier_rounds", plan_.earlier_rounds, 0, 1'000'000);
    plan_.annotate = Options(top, "annotate", "annotate");
    plan_.train = Options(top, "train", "train");
    plan_.judge = Options(top, "judge", "judge");
    ReadAnnotator(top);
    ReadDrift(top);
    ReadBetter(top);
    ReadEngine(top);
    top.Finish();
    return plan_;
  }

 private:
  // Of a key that stands twice, JSON's reader would take one and say nothing.
  json Parse(const std::string& text) const {
    std::vector<std::set<std::string>> open;
    std::string twice;
    const auto watch = [&](int, json::parse_event_t event, json& value) {
      if (event == json::parse_event_t::object_start) open.emplace_back();
      if (event == json::parse_event_t::object_end) open.pop_back();
      if (event == json::parse_event_t::key && !open.back().insert(value.get<std::string>()).second && twice.empty())
        twice = value.get<std::string>();
      return true;
    };
    json parsed;
    try {
      parsed = json::parse(text, watch, true, true);
    } catch (const json::exception& error) {
      std::string what = error.what();
      what = what.substr(what.find("] ") == std::string::npos ? 0 : what.find("] ") + 2);
      throw storage::BadContent(path_ + ": is no plan, JSON with // comments: " + what + "; auforge loop --new writes an example");
    }
    if (!twice.empty()) throw UsageError(path_ + ": \"" + twice + "\" stands twice in one object; leave one of them out");
    return parsed;
  }

  std::string Absolute(const std::string& path) const {
    if (path.starts_with('@')) return "@" + Absolute(path.substr(1));
    fs::path whole = (folder_ / path).lexically_normal();
    return whole.string();
  }

  void ReadFilter(Section& top) {
    top.Text("filter", plan_.filter);
    try {
      datasets::query::ParseExpression(plan_.filter);
    } catch (const datasets::query::ExpressionError& error) {
      top.Fail("filter", "is not understood\n" + datasets::query::Explain(plan_.filter, error));
    }
  }

  // options: "annotator.train", which is what "train" is called in there.
  std::vector<std::string> Options(Section& parent, const std::string& name, const std::string& options) {
    std::vector<std::string> line;
    if (!parent.Has(name)) return line;
    Section section(parent.At(name), options, path_);
    for (const PlanOption& option : OptionsOfSection(options)) {
      if (section.Has(option.name)) Append(section, option, line);
    }
    section.Finish();
    return line;
  }

  void Append(Section& section, const PlanOption& option, std::vector<std::string>& line) const {
    const std::string flag = std::string("--") + option.name;
    switch (option.kind) {
      case PlanOption::Kind::kNumber: {
        double value = 0;
        section.Number(option.name, value, -1e300, 1e300);
        line.insert(line.end(), {flag, NumberText(value)});
        break;
      }
      case PlanOption::Kind::kText:
      case PlanOption::Kind::kPath: {
        std::string value;
        section.Text(option.name, value);
        if (option.kind == PlanOption::Kind::kPath) value = Absolute(value);
        line.insert(line.end(), {flag, value});
        break;
      }
      case PlanOption::Kind::kTexts:
      case PlanOption::Kind::kPaths: {
        std::vector<std::string> values;
        section.Texts(option.name, values);
        const bool is_path = option.kind == PlanOption::Kind::kPaths;
        for (const std::string& value : values) line.insert(line.end(), {flag, is_path ? Absolute(value) : value});
        break;
      }
      case PlanOption::Kind::kFlag:
        if (!section.At(option.name).is_boolean()) section.Fail(option.name, "must be true or false");
        if (section.At(option.name).get<bool>()) line.push_back(flag);
        break;
    }
  }

  void ReadAnnotator(Section& top) {
    if (!top.Has("annotator")) return;
    Section section(top.At("annotator"), "annotator", path_);
    AnnotatorPlan& a = plan_.annotator;
    section.Texts("data", a.data);
    section.Text("held_out", a.held_out);
    section.Texts("better", a.better);
    a.train = Options(section, "train", "annotator.train");
    section.Finish();
    if (!a.data.empty() && a.held_out.empty()) section.Fail("held_out", "is missing: labelled faces to judge AU models on, which they do not learn from");
  }

  void ReadDrift(Section& top) {
    if (!top.Has("drift")) return;
    Section section(top.At("drift"), "drift", path_);
    DriftBounds& d = plan_.drift;
    section.Number("tell_psi", d.tell_psi, 0, 100);
    section.Bound("max_broken", d.max_broken, 1);
    section.Bound("max_lost", d.max_lost, 1);
    section.Bound("max_contradictions", d.max_contradictions, 1);
    section.Bound("max_quality_psi", d.max_quality_psi, 100);
    section.Bound("max_au_psi", d.max_au_psi, 100);
    section.Finish();
  }

  void ReadBetter(Section& top) {
    std::vector<std::string> all{"correlation >= old - 0.01", "cycle_error_grey <= old + 1", "frechet <= old * 1.1"},
        any{"correlation > old + 0.005", "frechet < old * 0.98"};
    if (top.Has("better")) {
      all.clear();
      any.clear();
      Section section(top.At("better"), "better", path_);
      section.Texts("all", all);
      section.Texts("any", any);
      section.Finish();
      if (all.empty() && any.empty()) top.Fail("better", "holds no condition; without one no generator is better");
    }
    for (const auto& [texts, conditions] : {std::pair{&all, &plan_.better.all}, std::pair{&any, &plan_.better.any}}) {
      for (const std::string& text : *texts) {
        try {
          conditions->push_back(ParseCondition(text));
        } catch (const std::invalid_argument& error) {
          top.Fail("better", error.what());
        }
      }
    }
  }

  void ReadEngine(Section& top) {
    if (!top.Has("engine")) return;
    Section section(top.At("engine"), "engine", path_);
    EngineOptions& e = plan_.engine;
    e.kind = section.OneOf("kind", {"local", "slurm", "kubernetes"}, "local");
    section.Whole("tasks", e.tasks, 1, 10'000);
    section.Texts("options", e.submit_options);
    section.Text("program", e.program);
    section.Text("image", e.image);
    section.Text("volume", e.volume);
    section.Text("mount", e.mount);
    section.Number("poll_seconds", e.poll_seconds, 0.01, 3600);
    if (e.kind == "local" && e.tasks > 1) section.Fail("tasks", "is of clusters; one process fills this machine");
    for (const auto& [key, value] : {std::pair{"image", &e.image}, {"volume", &e.volume}, {"mount", &e.mount}}) {
      if (e.kind == "kubernetes" && value->empty()) section.Fail(key, "is missing: kubernetes needs it");
    }
    section.Finish();
  }

  std::string path_;
  fs::path folder_;
  json json_;
  LoopPlan plan_;
};

[[noreturn]] void Missing(const LoopPlan& plan, const std::string& key, const std::string& path, const std::string& what) {
  throw std::runtime_error(plan.path + ": \"" + key + "\": " + path + ": " + what);
}

void RequirePath(const LoopPlan& plan, const std::string& key, const std::string& path) {
  if (!path.empty() && !storage::IsThere(path)) Missing(plan, key, path, "no such file or folder");
}

}  // namespace

LoopPlan ParsePlan(const std::string& text, const std::string& path) { return PlanParser(text, path).Plan(); }

LoopPlan ReadPlan(const std::string& path) { return ParsePlan(storage::ReadFile(path), path); }

void CheckPlan(const LoopPlan& plan) {
  for (const char* option : {"--model", "--detector-model"})
    RequirePath(plan, std::string("annotate.") + (option + 2), OptionOf(plan.annotate, option));
  for (const std::string& data : plan.annotator.data) {
    const std::string path = data.substr(data.find(':') + 1);
    RequirePath(plan, "annotator.data", (fs::path(plan.folder) / path.substr(0, path.find(','))).lexically_normal().string());
  }
  RequirePath(plan, "train.pairs", OptionOf(plan.train, "--pairs"));
  if (plan.generator != "default" && plan.generator != "none") RequirePath(plan, "generator", plan.generator);
  RequirePath(plan, "held_out", plan.held_out);
  datasets::FindShards({plan.held_out});
  if (storage::ProgramBeside("auforge-gan").empty())
    throw std::runtime_error("auforge-gan is not beside this program; install the package auforge-gan, or build with -DAUFORGE_WITH_TORCH=ON");
  for (const std::string& input : plan.inputs) {
    const std::string inside = fs::path(plan.work).lexically_relative(input).string();
    if (storage::IsFolder(input) && !inside.empty() && !inside.starts_with(".."))
      throw UsageError(plan.path + ": \"work\" = " + plan.work + " lies in the input " + input +
                       ", whose pictures would be those of the loop; name another folder");
  }
  storage::RequireOutputFolder(plan.work);
}

}  // namespace auforge::tools
