// auforge inspect: what is in shards, AU models and generators.
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "annotator/au_model.h"
#include "datasets/generator_network.h"
#include "datasets/shard_outline.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/hdf5_file.h"
#include "datasets/storage/lineage.h"
#include "datasets/storage/paths.h"
#include "tools/commands.h"
#include "tools/crawl/report_data.h"

namespace auforge::tools {
namespace {

using datasets::storage::Hdf5Reader;
using nlohmann::json;

struct InspectArguments {
  std::vector<std::string> paths;
  bool json = false;
};

// "auforge-shard", "auforge-au-model", "auforge-ganimation"; "" of what is no HDF5 file by its name, or does not say it.
std::string FormatOf(const std::string& path) {
  if (!path.ends_with(".h5") || datasets::storage::IsFolder(path)) return "";
  const Hdf5Reader file(path);
  return file.HasAttribute("/", "format") ? file.ReadString("/", "format") : "";
}

// Of a file that is inspected alone: what others name it by.
void AddFile(const std::string& path, const char* kind, json& to) {
  to["kind"] = kind;
  to["bytes"] = datasets::storage::FileSize(path);
  to["sha256"] = datasets::storage::Sha256Hex(datasets::storage::ReadFile(path));
}
void PrintFile(const json& file) {
  std::cout << "  file     " << file.at("bytes") << " bytes, sha256 " << file.at("sha256").get<std::string>() << "\n";
}

std::string LineageOf(const std::string& path) { return datasets::storage::StoredLineage(Hdf5Reader(path)); }
// As an object; as it is where it is none.
json LineageJson(const std::string& text) {
  json lineage = json::parse(text, nullptr, false);
  return lineage.is_discarded() ? json(text) : lineage;
}
void PrintLineage(const std::string& text) {
  if (text.empty()) return;
  json lineage = LineageJson(text);
  // A crawl's shards by the thousand are for programs.
  if (lineage.is_object() && lineage.contains("data") && lineage["data"].is_array() && lineage["data"].size() > 4)
    lineage["data"] = std::to_string(lineage["data"].size()) + " files";
  std::cout << "  lineage  " << lineage.dump() << "\n";
}

json NetJson(const features::LearntNet& net) {
  return {{"digest", net.digest()},
          {"crop_size", net.crop_size()},
          {"embedding_size", net.embedding_size()},
          {"weights", net.weight_count()},
          {"multiply_adds", net.multiply_adds()}};
}

json ModelJson(const std::string& path, const annotator::AuModelInfo& info) {
  json held_out;
  const std::vector<std::string> names = info.schema.Names();
  for (std::size_t j = 0; j < info.held_out.size(); ++j) {
    const annotator::HeldOutFigures& f = info.held_out[j];
    held_out[names[j]] = {{"r", f.r}, {"icc", f.icc}, {"mae", f.mae}, {"auc", f.auc}, {"f1", f.f1}};
  }
  json all{{"au_names", names},
           {"confidence", info.confidence},
           {"looks_at", info.looks_at},
           {"held_out", held_out},
           {"features", json::parse(info.features.ToJson())},
           {"learner", info.learner},
           {"landmarker", info.landmarker},
           {"provisional", info.provisional},
           {"provenance", info.provenance},
           {"digest", info.digest}};
  if (info.features.net != nullptr) all["net"] = NetJson(*info.features.net);
  if (const std::string lineage = LineageOf(path); !lineage.empty()) all["lineage"] = LineageJson(lineage);
  AddFile(path, "AU model", all);
  return all;
}

void PrintModel(const std::string& path, const annotator::AuModelInfo& info) {
  std::cout << path << ": AU model, " << info.learner << (info.provisional ? ", PROVISIONAL" : "") << "\n";
  json file;
  AddFile(path, "AU model", file);
  PrintFile(file);
  PrintLineage(LineageOf(path));
  std::cout << "  made by  " << info.provenance << "\n  digest   " << info.digest << "\n  points   " << info.landmarker
            << "\n  features " << info.features.ToJson() << "\n";
  if (const features::LearntNet* net = info.features.net.get(); net != nullptr) {
    std::printf("  net      %s: %.2f M weights, %d px, %zu numbers, %.1f M multiply-adds\n", net->digest().c_str(),
                static_cast<double>(net->weight_count()) / 1e6, net->crop_size(), net->embedding_size(),
                static_cast<double>(net->multiply_adds()) / 1e6);
  }
  std::printf("  %-5s %-24s %-10s %-18s %6s %6s %6s %6s %6s\n", "AU", "name", "confidence", "looks at", "r", "ICC", "MAE", "AUC", "F1");
  const std::vector<std::string> names = info.schema.Names();
  for (std::size_t j = 0; j < names.size(); ++j) {
    std::printf("  %-5s %-24s %-10s %-18s", names[j].c_str(), std::string(features::AuName(info.schema.numbers()[j])).c_str(),
                info.confidence[j].c_str(), info.looks_at[j].c_str());
    if (j < info.held_out.size()) {
      const annotator::HeldOutFigures& f = info.held_out[j];
      for (const float v : {f.r, f.icc, f.mae, f.auc, f.f1}) std::printf(" %6.3f", static_cast<double>(v));
    }
    std::printf("\n");
  }
}

// What a generator's file says without its tensors, whose checksums only LibTorch's reader looks at.
json GeneratorJson(const std::string& path) {
  const Hdf5Reader file(path);
  const std::optional<datasets::GeneratorNetwork> network = datasets::NetworkFromNumbers(file.ReadIntegerList("/", "network"));
  if (!network) throw datasets::storage::BadContent(path + ": describes its network in an unknown way");
  json all{{"au_names", file.ReadStringList("/", "au_names")},
           {"image_size", network->image_size},
           {"conv_dim", network->conv_dim},
           {"blocks", network->generator_blocks},
           {"critic_layers", network->critic_layers},
           {"flow", network->flow},
           {"step", file.ReadInteger("/", "step")},
           {"settings", LineageJson(file.ReadString("/", "settings"))},
           {"type", file.HasAttribute("/", "generator_type") ? file.ReadString("/", "generator_type") : "float32"},
           {"average", file.Exists("/generator_average")},
           {"critic", file.Exists("/discriminator")},
           {"resumable", file.Exists("/discriminator_adam")}};
  if (file.HasAttribute("/", "best_score")) all["best_score"] = file.ReadDouble("/", "best_score");
  if (const std::string lineage = datasets::storage::StoredLineage(file); !lineage.empty())
    all["lineage"] = LineageJson(lineage);
  AddFile(path, "generator", all);
  return all;
}

void PrintGenerator(const std::string& path, const json& g) {
  std::string aus;
  for (const json& name : g.at("au_names")) aus += (aus.empty() ? "" : " ") + name.get<std::string>();
  std::cout << path << ": GANimation " << (g.at("resumable") ? "checkpoint, training can go on" : "generator") << "\n";
  PrintFile(g);
  if (g.contains("lineage")) PrintLineage(g.at("lineage").is_string() ? g.at("lineage").get<std::string>() : g.at("lineage").dump());
  std::cout << "  network  " << g.at("image_size") << " px, " << g.at("conv_dim") << " channels, " << g.at("blocks")
            << " blocks, " << g.at("type").get<std::string>() << (g.at("flow") ? ", a flow" : "") << (g.at("average") ? ", averaged" : "")
            << (g.at("critic") ? ", critic of " + g.at("critic_layers").dump() + " layers" : ", no critic") << "\n"
            << "  steps    " << g.at("step");
  if (g.contains("best_score")) std::cout << ", least loss " << g.at("best_score");
  std::cout << "\n  told     " << aus << "\n  settings " << g.at("settings").dump() << "\n";
}

// What shards' files say beside their columns.
struct ShardFiles {
  std::uint64_t bytes = 0;
  std::set<std::string> landmarkers, lineages;
};
ShardFiles LookAtFiles(const std::vector<std::string>& shards) {
  ShardFiles files;
  for (const std::string& shard : shards) {
    files.bytes += datasets::storage::FileSize(shard);
    files.landmarkers.insert(datasets::ReadOutline(shard).header.landmarker);
    if (std::string lineage = LineageOf(shard); !lineage.empty()) files.lineages.insert(std::move(lineage));
  }
  return files;
}

std::string Joined(const std::set<std::string>& texts, std::size_t most = std::string::npos) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : " and ") + text.substr(0, most);
  return all;
}

json ShardJson(const ReportData& data, const ShardFiles& files) {
  json aus;
  for (const AuFigures& au : data.aus) {
    aus[au.name] = {{"present", au.present},
                    {"mean", data.faces > 0 ? au.intensity_sum / static_cast<double>(data.faces) : 0},
                    {"histogram", au.histogram}};
  }
  json all{{"kind", "shards"},            {"bytes", files.bytes},        {"shards", data.shards},
           {"images", data.images},       {"faces", data.faces},         {"status", data.by_status},
           {"emotions", data.emotions},   {"aus", aus},                  {"detector", data.detector},
           {"landmarkers", files.landmarkers}, {"shards_without_crops", data.without_crops},
           {"model_digest", data.model_digest}, {"tool_version", data.tool_version},
           // Of all shards, where those above are of the first.
           {"detectors", data.detectors}, {"models", data.models}, {"tool_versions", data.versions}};
  for (const std::string& lineage : files.lineages) all["lineage"].push_back(LineageJson(lineage));
  return all;
}

void PrintShards(const ReportData& data, const ShardFiles& files) {
  std::cout << data.shards.size() << " shards, " << data.images << " images, " << data.faces << " faces, " << files.bytes
            << " bytes\n"
            << "made by auforge " << Joined(data.versions) << ", detector " << Joined(data.detectors) << ", landmarks "
            << Joined(files.landmarkers, 16) << ", AU model " << Joined(data.models, 16) << "\n";
  if (data.without_crops > 0) std::cout << data.without_crops << " shards have no face pictures (annotate --no-crops)\n";
  for (const std::string& lineage : files.lineages) PrintLineage(lineage);
  std::cout << "images by status:\n";
  for (const auto& [status, count] : data.by_status) std::cout << "  " << status << ": " << count << "\n";
  std::printf("%-6s %-24s %9s %8s %6s  %s\n", "AU", "name", "present", "share", "mean", "");
  const double faces = static_cast<double>(std::max<std::uint64_t>(1, data.faces));
  for (const AuFigures& au : data.aus) {
    const double share = static_cast<double>(au.present) / faces;
    std::printf("%-6s %-24s %9llu %7.1f%% %6.2f  %s\n", au.name.c_str(),
                std::string(features::AuName(features::ParseAu(au.name).value_or(0))).c_str(),
                static_cast<unsigned long long>(au.present), 100 * share, au.intensity_sum / faces,
                std::string(static_cast<std::size_t>(40 * share + 0.5), '#').c_str());
  }
  std::cout << "faces by emotion:\n";
  for (const auto& [emotion, count] : data.emotions) std::cout << "  " << emotion << ": " << count << "\n";
}

int RunInspect(const InspectArguments& arguments) {
  const std::string& path = arguments.paths[0];
  const std::string format = arguments.paths.size() == 1 ? FormatOf(path) : "";
  if (format == "auforge-au-model") {
    const annotator::AuModel model = annotator::AuModel::Load(path);
    if (arguments.json) {
      std::cout << ModelJson(path, model.info()).dump() << "\n";
    } else {
      PrintModel(path, model.info());
    }
    return kDone;
  }
  if (format == "auforge-ganimation") {
    const json generator = GeneratorJson(path);
    if (arguments.json) {
      std::cout << generator.dump() << "\n";
    } else {
      PrintGenerator(path, generator);
    }
    return kDone;
  }
  const ReportData data = GatherReport(arguments.paths, 0);
  const ShardFiles files = LookAtFiles(data.shards);
  if (arguments.json) {
    std::cout << ShardJson(data, files).dump() << "\n";
  } else {
    PrintShards(data, files);
  }
  return kDone;
}

}  // namespace

void AddInspect(Cli& cli) {
  auto arguments = std::make_shared<InspectArguments>();
  Command command = cli.Add("inspect", "Say what is in shards, an AU model or a generator",
                            "auforge inspect shards/\n  auforge inspect model.h5\n  auforge inspect run/best.h5 --json");
  command.Positional("FILE", arguments->paths, "shard files or folders, or one AU model, generator or checkpoint").Required();
  command.Flag("--json", arguments->json, "print as JSON");
  command.Run([arguments] { return RunInspect(*arguments); });
}

}  // namespace auforge::tools
