#include <nlohmann/json.hpp>
#include <stdexcept>

#include "datasets/storage/atomic_file.h"
#include "tools/loop/child_process.h"
#include "tools/loop/cluster.h"

namespace auforge::tools {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

class Kubernetes : public Cluster {
 public:
  explicit Kubernetes(const EngineOptions& options) : options_(options) {}

  void Check() const override {
    const Answer answer = Kubectl({"get", "jobs", "-o", "name"});
    if (answer.code != 0) throw std::runtime_error("engine kubernetes: kubectl does not reach a cluster: " + answer.err.substr(0, answer.err.find('\n')));
  }

  bool KnowsOrder() const override { return false; }

  std::string Submit(const Submission& job) const override {
    const std::string manifest = job.script.substr(0, job.script.rfind('.')) + ".json";
    datasets::storage::WriteFileAtomically(manifest, Manifest(job).dump(1) + "\n");
    // Applied again, a job that is there already stays as it is.
    const Answer answer = Kubectl({"apply", "-f", manifest});
    if (answer.code != 0) throw std::runtime_error("kubectl refuses " + manifest + ": " + answer.err.substr(0, answer.err.find('\n')));
    return job.name;
  }

  Sight Look(const std::string& id) const override {
    const Answer answer = Kubectl({"get", "job", id, "-o", "json"});
    if (answer.code != 0) return answer.err.find("NotFound") != std::string::npos ? Sight::kGone : Sight::kUnknown;
    const json job = json::parse(answer.out, nullptr, false);
    if (!job.is_object()) return Sight::kUnknown;
    const json conditions = job.value("/status/conditions"_json_pointer, json::array());
    for (const json& condition : conditions) {
      const std::string type = condition.value("type", "");
      if ((type == "Complete" || type == "Failed") && condition.value("status", "") == "True") return Sight::kGone;
    }
    return Sight::kThere;
  }

  void Cancel(const std::string& id) const override { Kubectl({"delete", "job", id, "--wait=false"}); }

  // The Job begins pods again that failed, up to backoffLimitPerIndex times.
  std::string RetryShell() const override { return "    exit \"$status\"\n"; }

 private:
  Answer Kubectl(const std::vector<std::string>& words) const {
    std::vector<std::string> command{"kubectl"};
    command.insert(command.end(), options_.submit_options.begin(), options_.submit_options.end());
    command.insert(command.end(), words.begin(), words.end());
    return Ask(command);
  }

  // As tools/cluster/kubernetes-job.yaml, with what a round runs.
  ordered_json Manifest(const Submission& job) const {
    const auto list = [](std::initializer_list<ordered_json> items) { return ordered_json(ordered_json::array_t(items)); };
    ordered_json container{{"name", "auforge"}, {"image", options_.image}};
    container["command"] = {"/bin/bash", "-c", "exec /bin/bash \"$0\" >> \"$1\" 2>&1", job.script, job.log};
    container["env"] = list({{{"name", "AUFORGE_COUNT"}, {"value", std::to_string(job.tasks)}}});
    container["volumeMounts"] = list({{{"name", "data"}, {"mountPath", options_.mount}}});
    ordered_json pod{{"restartPolicy", "Never"}, {"terminationGracePeriodSeconds", 30}};
    pod["containers"] = list({container});
    pod["volumes"] = list({{{"name", "data"}, {"persistentVolumeClaim", {{"claimName", options_.volume}}}}});
    const ordered_json no_retry{{"action", "FailJob"},
                                {"onExitCodes", {{"containerName", "auforge"}, {"operator", "In"}, {"values", {2, 3}}}}};
    ordered_json no_fault{{"action", "Ignore"}};
    no_fault["onPodConditions"] = list({{{"type", "DisruptionTarget"}}});
    const ordered_json rules = list({no_retry, no_fault});
    return {{"apiVersion", "batch/v1"},
            {"kind", "Job"},
            {"metadata", {{"name", job.name}}},
            {"spec",
             {{"completionMode", "Indexed"},
              {"completions", job.tasks},
              {"parallelism", job.tasks},
              {"backoffLimitPerIndex", 5},
              {"podFailurePolicy", {{"rules", rules}}},
              {"template", {{"spec", pod}}}}}};
  }

  EngineOptions options_;
};

}  // namespace

std::unique_ptr<Cluster> MakeKubernetes(const EngineOptions& options) { return std::make_unique<Kubernetes>(options); }

}  // namespace auforge::tools
