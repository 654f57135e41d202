#include "tools/loop/round.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>

#include "annotator/au_model.h"
#include "datasets/creation_time.h"
#include "datasets/folder_walk.h"
#include "datasets/generator_network.h"
#include "datasets/input_identity.h"
#include "datasets/query/index_store.h"
#include "datasets/seen_faces.h"
#include "datasets/shard.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/hdf5_file.h"
#include "datasets/storage/paths.h"
#include "tools/cli/cli.h"
#include "tools/cli/signals.h"
#include "tools/crawl/face_export.h"
#include "tools/crawl/face_query.h"
#include "tools/loop/loop_page.h"
#include "tools/loop/round_figures.h"

namespace auforge::tools {
namespace {

namespace fs = std::filesystem;
namespace storage = datasets::storage;
using nlohmann::json;
using nlohmann::ordered_json;

// Images of an overlap that a message names.
constexpr std::size_t kNamed = 5;

// What a command said when it failed: the last line that one of ours begins, or the last one.
std::string LastMessage(const std::string& path) {
  std::istringstream lines(storage::ReadFile(path));
  std::string last, said;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) last = line;
    if (line.starts_with("auforge")) said = line;
  }
  return said.empty() ? last : said;
}

void Append(std::vector<std::string>& line, const std::vector<std::string>& more) { line.insert(line.end(), more.begin(), more.end()); }

[[noreturn]] void FailAs(int code, const std::string& text) {
  if (code == kUsage) throw UsageError(text);
  if (code == kBadInput) throw BadInputError(text);
  throw std::runtime_error(text);
}

// The AU model that a round begins with.
std::string PresentModel(const LoopPlan& plan, const WorkFolder& work) {
  if (storage::IsThere(work.File("au-model.h5"))) return work.File("au-model.h5");
  const std::string named = OptionOf(plan.annotate, "--model");
  return named.empty() ? annotator::DefaultAuModelPath() : named;
}

// Files and folders that are named in what train-au calls its data, "csv:labels.csv,images=photos/".
std::vector<std::string> FilesOfData(const LoopPlan& plan, const std::string& data) {
  std::vector<std::string> files;
  std::string word;
  for (const char c : data + ",") {
    if (c != ',' && c != '=' && (c != ':' || !files.empty())) {
      word += c;
      continue;
    }
    const std::string path = word.empty() ? "" : (fs::path(plan.folder) / word).lexically_normal().string();
    if (!path.empty() && storage::Exists(path)) files.push_back(path);
    word.clear();
  }
  return files;
}

// Changes when a file of the labels does.
std::string StateOfLabels(const LoopPlan& plan) {
  std::string text;
  for (const std::string& data : plan.annotator.data) {
    text += data + "\n";
    for (const std::string& path : FilesOfData(plan, data)) {
      std::vector<std::string> files{path};
      if (storage::IsFolder(path)) {
        files.clear();
        for (const datasets::WalkedFile& file : datasets::WalkFolder(path).files) files.push_back(file.path);
      }
      text += datasets::FileStateDigest(files) + "\n";
    }
  }
  return storage::Sha256Hex(text);
}

json FiguresJson(const Figures& figures) { return json(figures); }

// JSON knows no NaN.
json NumberOrNull(double value) { return std::isnan(value) ? json() : json(value); }
double NumberOf(const json& value) { return value.is_number() ? value.get<double>() : std::nan(""); }

}  // namespace

std::string ToJson(const Decision& d) {
  ordered_json conditions = ordered_json::array();
  for (const CheckedCondition& c : d.verdict.conditions)
    conditions.push_back({{"text", c.text}, {"value", NumberOrNull(c.value)}, {"bound", NumberOrNull(c.bound)}, {"holds", c.holds}, {"any", c.is_of_any}});
  const ordered_json j{{"promoted", d.is_promoted}, {"reasons", d.reasons},          {"conditions", conditions},
                       {"generator", d.generator},  {"fresh", FiguresJson(d.fresh)}, {"old", FiguresJson(d.old)}};
  return j.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Decision DecisionFromJson(const std::string& text, const std::string& path) {
  try {
    const json j = json::parse(text);
    Decision d;
    d.is_promoted = j.at("promoted").get<bool>();
    d.reasons = j.at("reasons").get<std::vector<std::string>>();
    d.generator = j.at("generator").get<std::string>();
    d.fresh = j.at("fresh").get<Figures>();
    d.old = j.at("old").get<Figures>();
    d.verdict.is_better = d.is_promoted;
    d.verdict.reasons = d.reasons;
    for (const json& c : j.at("conditions"))
      d.verdict.conditions.push_back({c.at("text").get<std::string>(), NumberOf(c.at("value")), NumberOf(c.at("bound")), c.at("holds").get<bool>(), c.at("any").get<bool>()});
    return d;
  } catch (const json::exception& error) {
    throw storage::BadContent(path + ": is no decision of a round (" + error.what() + "); remove it and run again");
  }
}

RoundRecord Round::Begin(const LoopPlan& plan, const WorkFolder& work, const std::vector<InputFile>& inputs, bool quiet) {
  RoundRecord record;
  record.number = work.NextNumber();
  record.plan = plan.digest;
  record.began = datasets::CreationTime();
  record.inputs = inputs.size();
  const std::string folder = work.RoundFolder(record.number), fresh = Fresh(folder + ".tmp");
  storage::MakeFolder(fresh + "/logs");
  WriteInputs(fresh + "/inputs.json", inputs);
  // A zero ends each path, whatever characters are in it.
  std::string list;
  for (const InputFile& file : inputs) list += file.path + '\0';
  storage::WriteFileAtomically(fresh + "/inputs.list", list);
  const std::string parent = fresh + "/parent.h5", present = work.File("generator.h5");
  if (storage::IsThere(present)) {
    PlaceFile(present, parent);
  } else if (plan.generator != "none" && plan.generator != "default" && storage::IsFile(plan.generator)) {
    PlaceFile(plan.generator, parent, false);
  } else if (plan.generator != "none") {
    std::vector<std::string> arguments{"gan", "export-weights"};
    if (plan.generator != "default") arguments.push_back(plan.generator);
    Append(arguments, {"-o", parent});
    const std::string log = fresh + "/logs/parent.log";
    std::map<std::string, std::string> none;
    const JobEnd end = MakeLocalEngine(quiet, plan.folder)->Run({{"parent", arguments, log}}, none, {});
    if (StopSignal() != 0) throw LoopStopped("stopped before the round began");
    if (end.code != kDone) FailAs(end.code, "generator " + plan.generator + ": " + LastMessage(log));
  }
  if (storage::IsThere(parent)) record.parent = FileDigest(parent);
  if (!plan.annotator.data.empty()) PlaceFile(PresentModel(plan, work), fresh + "/au-parent.h5", PresentModel(plan, work) == work.File("au-model.h5"));
  WorkFolder::WriteRecord(fresh + "/round.json", record);
  RenameFolder(fresh, folder);
  return record;
}

void Round::Say(const std::string& text) const {
  if (!quiet_) std::cerr << Name() << ": " << text << "\n";
}

void Round::RunUntil(Step last) {
  while (record_.next <= last && record_.next != Step::kEnd) {
    if (StopSignal() != 0) throw LoopStopped("stopped before " + StepName(record_.next));
    RunStep();
    work_.Save(record_);
  }
}

void Round::RunStep() {
  const Step step = record_.next;
  record_.next = static_cast<Step>(static_cast<int>(step) + 1);  // a step may lead elsewhere
  try {
    switch (step) {
      case Step::kAnnotator:
        return RefitAnnotator();
      case Step::kAnnotate:
        return Annotate();
      case Step::kFilter:
        return Filter();
      case Step::kDrift:
        return Drift();
      case Step::kTrain:
        return Train();
      case Step::kJudge:
        return Judge();
      case Step::kDecide:
        return Decide();
      case Step::kPage:
        return DrawPage();
      case Step::kEnd:
        return;
    }
  } catch (const datasets::query::QueryStopped&) {
    throw LoopStopped("stopped in " + StepName(step));
  }
}

Job Round::JobOf(const std::string& name, std::vector<std::string> arguments, int tasks) const {
  return {name, std::move(arguments), File("logs/" + name + ".log"), tasks};
}

void Round::Run(const std::vector<Job>& jobs) {
  const auto keep = [&] {
    RoundRecord saved = record_;
    saved.next = static_cast<Step>(static_cast<int>(record_.next) - 1);  // of the step that runs
    work_.Save(saved);
  };
  const JobEnd end = engine_.Run(jobs, record_.tickets, keep);
  if (StopSignal() != 0) throw LoopStopped("stopped in " + jobs.front().name);
  record_.tickets.clear();
  if (end.code == kDone) return;
  keep();  // what failed is handed over anew the next time
  FailAs(end.code, Name() + ": " + end.job.name + " ended with " + std::to_string(end.code) + ": " + LastMessage(end.job.log) + " (" + end.job.log + ")");
}

void Round::WriteLineage(const std::string& name, const std::string& parent, const std::vector<std::string>& files) const {
  ordered_json lineage{{"parent", parent.empty() ? json() : json(parent)}, {"data", json::array()}, {"plan", record_.plan}, {"round", record_.number}};
  std::set<std::string> unique(files.begin(), files.end());
  for (const std::string& file : unique) lineage["data"].push_back(FileDigest(file));
  storage::WriteFileAtomically(File(name), lineage.dump() + "\n");
}

// A model is fitted only where labels have come since the last one was.
void Round::RefitAnnotator() {
  if (plan_.annotator.data.empty() || !storage::IsThere(File("au-parent.h5"))) return;
  const std::string state_file = File("labels.sha256");
  if (!storage::IsThere(state_file)) storage::WriteFileAtomically(state_file, StateOfLabels(plan_) + "\n");
  std::string last;
  for (const RoundRecord& round : work_.Rounds()) {
    const std::string file = work_.RoundFile(round.number, "labels.sha256");
    if (round.number < record_.number && storage::IsThere(file)) last = storage::ReadFile(file);
  }
  if (last == storage::ReadFile(state_file)) return Say("annotator: no new labels");
  record_.is_model_promoted = JudgeAnnotator();
  if (!record_.is_model_promoted) return Say("annotator: the new AU model is not better; kept aside");
  PlaceFile(File("au-candidate.h5"), work_.File("au-model.h5"));
  Say("annotator: the new AU model is promoted");
  RelabelEarlier();
}

bool Round::JudgeAnnotator() {
  const AnnotatorPlan& a = plan_.annotator;
  const std::string verdict = File("au-verdict.json");
  if (!storage::IsThere(verdict)) {
    Say("annotator: a new AU model from " + std::to_string(a.data.size()) + " sets of labels");
    std::vector<std::string> train{"train-au"}, judge{"eval-au", "--data", a.held_out, "--model", File("au-candidate.h5"), "--than", File("au-parent.h5"), "--json"};
    std::vector<std::string> files;
    for (const std::string& data : a.data) {
      Append(train, {"--data", data});
      Append(judge, {"--apart-from", data});
      for (std::string& file : FilesOfData(plan_, data)) {
        if (storage::IsFile(file)) files.push_back(std::move(file));
      }
    }
    for (const std::string& condition : a.better) Append(judge, {"--better", condition});
    WriteLineage("au-lineage.json", FileDigest(File("au-parent.h5")), files);
    Append(train, a.train);
    Append(train, {"-o", File("au-candidate.h5"), "--lineage", File("au-lineage.json")});
    Job judging = JobOf("judge-au", judge);
    judging.output = File("au-verdict.tmp.json");
    Run({JobOf("train-au", train), judging});
    RenameFolder(judging.output, verdict);
  }
  const json report = json::parse(storage::ReadFile(verdict), nullptr, false);
  if (!report.is_object() || !report.contains("better")) throw storage::BadContent(verdict + ": is no comparison of auforge eval-au; remove it and run again");
  return report["better"].get<bool>();
}

// What the old model has labelled gets the new one's labels, and its figures are counted anew, so that the next drift is one of
// the faces and not of the model.
void Round::RelabelEarlier() {
  std::vector<std::string> folders;
  std::vector<RoundRecord> earlier;
  for (RoundRecord& round : work_.Rounds()) {
    if (round.number >= record_.number) continue;
    for (const char* name : {"shards", "training"}) {
      const std::string folder = work_.RoundFile(round.number, name);
      if (storage::IsThere(folder)) folders.push_back(folder);
    }
    earlier.push_back(std::move(round));
  }
  if (folders.empty()) return;
  Say("annotator: relabels " + std::to_string(earlier.size()) + " earlier rounds");
  std::vector<std::string> arguments{"relabel"};
  Append(arguments, folders);
  Append(arguments, {"--model", work_.File("au-model.h5")});
  Run({JobOf("relabel", arguments)});
  for (const RoundRecord& round : earlier) {
    const std::string path = work_.RoundFile(round.number, "figures.json");
    if (!storage::IsThere(path)) continue;
    RoundFigures figures = GatherFigures(datasets::FindShards({work_.RoundFile(round.number, "shards")}));
    figures.training_faces = FiguresFromJson(storage::ReadFile(path), path).training_faces;
    storage::WriteFileAtomically(path, ToJson(figures));
  }
}

void Round::Annotate() {
  Say("annotate: " + std::to_string(record_.inputs) + " new files");
  std::vector<std::string> arguments{"annotate", "@" + File("inputs.list"), "-o", File("shards")};
  std::vector<std::string> options = plan_.annotate;
  if (storage::IsThere(work_.File("au-model.h5"))) {
    if (const auto named = std::find(options.begin(), options.end(), "--model"); named != options.end()) options.erase(named, named + 2);
    Append(options, {"--model", work_.File("au-model.h5")});
  }
  Append(arguments, options);
  Run({JobOf("annotate", arguments, plan_.engine.tasks), JobOf("verify", {"verify", File("shards")})});
}

std::vector<RoundRecord> Round::EarlierLearnt() const {
  std::vector<RoundRecord> earlier;
  for (RoundRecord& round : work_.Rounds()) {
    if (round.number < record_.number && round.is_learnt_from && round.next == Step::kEnd) earlier.push_back(std::move(round));
  }
  return earlier;
}

void Round::Filter() {
  Say("filter: " + (plan_.filter.empty() ? "all faces" : plan_.filter));
  FaceArguments faces;
  faces.where = plan_.filter;
  for (const RoundRecord& round : EarlierLearnt()) faces.except.push_back(work_.RoundFile(round.number, "training"));
  if (plan_.drop_overlap) faces.except.push_back(plan_.held_out);
  const datasets::query::FaceIndex index = OpenIndex({.folder = File("shards"), .index = File("index.sqlite"), .quiet = true});
  const auto chosen = FindFaces(index, faces);
  if (chosen.Count() == 0) {
    Say("no face passes the filter");
    return;
  }
  const std::string fresh = Fresh(File("training.tmp"));
  ExportFaces(index, chosen.Page(0, chosen.Count()), {"shards", fresh}, false);
  std::vector<std::string> learnt{fresh};
  for (const RoundRecord& round : EarlierLearnt()) learnt.push_back(work_.RoundFile(round.number, "training"));
  RequireNoOverlap(learnt);
  Fresh(File("training"));
  RenameFolder(fresh, File("training"));
}

void Round::RequireNoOverlap(const std::vector<std::string>& folders) const {
  datasets::SeenFaces held;
  for (const std::string& path : datasets::FindShards({plan_.held_out})) held.Add(datasets::ShardReader(path));
  std::size_t count = 0;
  std::set<std::string> images;
  for (const std::string& path : datasets::FindShards(folders)) {
    if (StopSignal() != 0) throw LoopStopped("stopped in filter");
    const datasets::ShardReader shard(path);
    for (std::size_t face = 0; face < shard.FaceCount(); ++face) {
      if (!held.Has(shard, face)) continue;
      ++count;
      images.insert(shard.Sample(static_cast<std::size_t>(shard.FaceSample()[face])).key);
    }
  }
  if (count == 0) return;
  std::string named;
  std::size_t told = 0;
  for (const std::string& key : images) {
    if (told++ < kNamed) named += (named.empty() ? "" : ", ") + key;
  }
  throw BadInputError(Name() + ": " + plan_.held_out + ": " + std::to_string(count) + " of the faces that would be learnt from are held out, too (" +
                      named + (told > kNamed ? ", …" : "") + "); a generator that has seen them cannot be judged on them. Take them out of the " +
                      "inputs or of \"held_out\", or let \"on_overlap\": \"drop\" leave them out of the training");
}

void Round::Drift() {
  RoundFigures now = GatherFigures(datasets::FindShards({File("shards")}));
  if (storage::IsThere(File("training"))) {
    for (const std::string& path : datasets::FindShards({File("training")})) now.training_faces += datasets::ShardReader(path).FaceCount();
  }
  storage::WriteFileAtomically(File("figures.json"), ToJson(now));
  std::optional<RoundFigures> before;
  if (const auto earlier = EarlierLearnt(); !earlier.empty()) {
    const std::string path = work_.RoundFile(earlier.back().number, "figures.json");
    before = FiguresFromJson(storage::ReadFile(path), path);
  }
  DriftReport report = FindDrift(now, before ? &*before : nullptr, plan_.drift);
  if (now.training_faces == 0) report.beyond.push_back("no face passes the filter");
  storage::WriteFileAtomically(File("drift.json"), ToJson(report));
  for (const std::string& sentence : report.sentences) Say("drift: " + sentence);
  for (const std::string& sentence : report.beyond) Say("drift: beyond the bounds: " + sentence);
  record_.is_learnt_from = report.beyond.empty();
  if (!record_.is_learnt_from) record_.next = Step::kDecide;
}

// Earlier rounds first, each once, then this one as often as it counts.
std::vector<std::string> Round::TrainingFolders() const {
  std::vector<RoundRecord> earlier = EarlierLearnt();
  const auto most = static_cast<std::size_t>(plan_.earlier_rounds);
  if (most > 0 && earlier.size() > most) earlier.erase(earlier.begin(), earlier.end() - static_cast<std::ptrdiff_t>(most));
  std::vector<std::string> folders;
  for (const RoundRecord& round : earlier) folders.push_back(work_.RoundFile(round.number, "training"));
  const int weight = earlier.empty() ? 1 : plan_.fresh_weight;
  for (int i = 0; i < weight; ++i) folders.push_back(File("training"));
  return folders;
}

// What the plan does not say of the networks is as the parent has it: a warm start needs the same.
std::vector<std::string> Round::NetworkOptions() const {
  std::vector<std::string> options = plan_.train;
  if (record_.parent.empty()) return options;
  const storage::Hdf5Reader parent(File("parent.h5"));
  if (!parent.HasAttribute("/", "network") || !parent.HasAttribute("/", "au_names")) return options;
  const std::optional<datasets::GeneratorNetwork> network = datasets::NetworkFromNumbers(parent.ReadIntegerList("/", "network"));
  if (!network) return options;
  const auto add = [&](const char* name, const std::string& value) {
    if (OptionOf(plan_.train, name).empty()) Append(options, {name, value});
  };
  add("--image-size", std::to_string(network->image_size));
  add("--conv-dim", std::to_string(network->conv_dim));
  add("--blocks", std::to_string(network->generator_blocks));
  const auto is_flow = [](const std::string& word) { return word == "--flow"; };
  if (network->flow && std::ranges::none_of(plan_.train, is_flow)) options.emplace_back("--flow");
  if (parent.Exists("/discriminator")) add("--critic-layers", std::to_string(network->critic_layers));
  std::string aus;
  for (const std::string& name : parent.ReadStringList("/", "au_names")) aus += (aus.empty() ? "" : ",") + name;
  add("--aus", aus);
  return options;
}

void Round::Train() {
  Say("train");
  std::vector<std::string> settings = TrainingFolders();
  Append(settings, NetworkOptions());
  if (!record_.parent.empty()) Append(settings, {"--start-from", File("parent.h5")});
  // Trainings of other settings, after a change of the plan, do not go on where these stopped.
  std::string text;
  for (const std::string& word : settings) text += word + '\n';
  const std::string run = File("run-" + storage::Sha256Hex(text.substr(text.find("/rounds/"))).substr(0, 8));
  std::vector<std::string> arguments{"gan", "train"};
  Append(arguments, settings);
  WriteLineage("lineage.json", record_.parent, datasets::FindShards(TrainingFolders()));
  Append(arguments, {"-o", run, "--lineage", File("lineage.json")});
  Run({JobOf("train", arguments), JobOf("candidate", {"gan", "export-weights", run, "-o", File("candidate.h5")})});
}

void Round::Judge() {
  Say("judge: on " + plan_.held_out);
  std::vector<Job> jobs;
  const auto add = [&](const std::string& which, const std::string& generator) {
    std::vector<std::string> arguments{"gan", "eval", plan_.held_out, "--checkpoint", File(generator), "--json-file",
                                       File("judged-" + which + ".json"), "-o", File("sheet-" + which + ".jpg")};
    Append(arguments, plan_.judge);
    jobs.push_back(JobOf("judge-" + which, std::move(arguments)));
  };
  if (!record_.parent.empty()) add("old", "parent.h5");
  add("new", "candidate.h5");
  Run(jobs);
}

void Round::Decide() {
  const std::string path = File("decision.json");
  Decision decision;
  if (storage::IsThere(path)) {
    decision = DecisionFromJson(storage::ReadFile(path), path);
  } else {
    if (!record_.is_learnt_from) {
      decision.reasons = DriftFromJson(storage::ReadFile(File("drift.json")), File("drift.json")).beyond;
    } else {
      decision.fresh = ReadFigures(File("judged-new.json"));
      if (!record_.parent.empty()) decision.old = ReadFigures(File("judged-old.json"));
      decision.verdict = auforge::tools::Judge(plan_.better, decision.fresh, decision.old);
      decision.is_promoted = decision.verdict.is_better;
      decision.reasons = decision.verdict.reasons;
      decision.generator = FileDigest(File("candidate.h5"));
    }
    storage::WriteFileAtomically(path, ToJson(decision));
  }
  record_.is_promoted = decision.is_promoted;
  if (decision.is_promoted) PlaceFile(File("candidate.h5"), work_.File("generator.h5"));
  Say(decision.is_promoted ? "promoted" : record_.is_learnt_from ? "not better; kept aside" : "set aside");
}

void Round::DrawPage() {
  const std::string page = LoopPage(plan_, work_, record_);
  storage::WriteFileAtomically(File("loop.html"), page);
  storage::WriteFileAtomically(work_.File("loop.html"), page);
}

}  // namespace auforge::tools
