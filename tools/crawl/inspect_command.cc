// auforge inspect: what is in shards and AU models.
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "annotator/au_model.h"
#include "datasets/storage/hdf5_file.h"
#include "tools/commands.h"
#include "tools/crawl/report_data.h"

namespace auforge::tools {
namespace {

struct InspectArguments {
  std::vector<std::string> paths;
  bool json = false;
};

bool IsAuModel(const std::string& path) {
  if (!path.ends_with(".h5")) return false;
  const datasets::storage::Hdf5Reader file(path);
  return file.HasAttribute("/", "format") && file.ReadString("/", "format") == "auforge-au-model";
}

nlohmann::json NetJson(const features::LearntNet& net) {
  return {{"digest", net.digest()},
          {"crop_size", net.crop_size()},
          {"embedding_size", net.embedding_size()},
          {"weights", net.weight_count()},
          {"multiply_adds", net.multiply_adds()}};
}

nlohmann::json ModelJson(const annotator::AuModelInfo& info) {
  nlohmann::json held_out;
  const std::vector<std::string> names = info.schema.Names();
  for (std::size_t j = 0; j < info.held_out.size(); ++j) {
    const annotator::HeldOutFigures& f = info.held_out[j];
    held_out[names[j]] = {{"r", f.r}, {"icc", f.icc}, {"mae", f.mae}, {"auc", f.auc}, {"f1", f.f1}};
  }
  nlohmann::json json{{"au_names", names},
          {"confidence", info.confidence},
          {"looks_at", info.looks_at},
          {"held_out", held_out},
          {"features", nlohmann::json::parse(info.features.ToJson())},
          {"learner", info.learner},
          {"provisional", info.provisional},
          {"provenance", info.provenance},
          {"digest", info.digest}};
  if (info.features.net != nullptr) json["net"] = NetJson(*info.features.net);
  return json;
}

void PrintModel(const std::string& path, const annotator::AuModelInfo& info) {
  std::cout << path << ": AU model, " << info.learner << (info.provisional ? ", PROVISIONAL" : "") << "\n"
            << "  made by  " << info.provenance << "\n  digest   " << info.digest << "\n  features " << info.features.ToJson()
            << "\n";
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

nlohmann::json ShardJson(const ReportData& data) {
  nlohmann::json aus;
  for (const AuFigures& au : data.aus) {
    aus[au.name] = {{"present", au.present},
                    {"mean", data.faces > 0 ? au.intensity_sum / static_cast<double>(data.faces) : 0},
                    {"histogram", au.histogram}};
  }
  return {{"shards", data.shards},       {"images", data.images},       {"faces", data.faces},
          {"status", data.by_status},    {"emotions", data.emotions},   {"aus", aus},
          {"detector", data.detector},   {"model_digest", data.model_digest},
          {"shards_without_crops", data.without_crops}, {"tool_version", data.tool_version}};
}

void PrintShards(const ReportData& data) {
  std::cout << data.shards.size() << " shards, " << data.images << " images, " << data.faces << " faces\n"
            << "made by auforge " << data.tool_version << ", detector " << data.detector << ", AU model "
            << data.model_digest.substr(0, 16) << "\n";
  if (data.without_crops > 0) std::cout << data.without_crops << " shards have no face pictures (annotate --no-crops)\n";
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
  if (arguments.paths.size() == 1 && IsAuModel(arguments.paths[0])) {
    const annotator::AuModel model = annotator::AuModel::Load(arguments.paths[0]);
    if (arguments.json) {
      std::cout << ModelJson(model.info()).dump() << "\n";
    } else {
      PrintModel(arguments.paths[0], model.info());
    }
    return kDone;
  }
  const ReportData data = GatherReport(arguments.paths, 0);
  if (arguments.json) {
    std::cout << ShardJson(data).dump() << "\n";
  } else {
    PrintShards(data);
  }
  return kDone;
}

}  // namespace

void AddInspect(Cli& cli) {
  auto arguments = std::make_shared<InspectArguments>();
  Command command = cli.Add("inspect", "Say what is in shards, or in an AU model",
                            "auforge inspect shards/\n  auforge inspect model.h5");
  command.Positional("FILE", arguments->paths, "shard files or folders, or one AU model").Required();
  command.Flag("--json", arguments->json, "print as JSON");
  command.Run([arguments] { return RunInspect(*arguments); });
}

}  // namespace auforge::tools
