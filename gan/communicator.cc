#include <cstdlib>
#include <limits>
#include <optional>

#include "features/number.h"
#include "gan/internal/communicator.h"
#include "gan/internal/torch_api.h"

namespace auforge::gan {
namespace {

std::optional<std::string> Variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? std::optional<std::string>(value) : std::nullopt;
}

int Number(const char* name, const std::string& text) {
  const auto value = features::ParseWhole(text, 0, std::numeric_limits<int>::max());
  if (!value) throw std::invalid_argument(std::string(name) + " = " + text + "; must be a whole number from 0");
  return static_cast<int>(*value);
}

class Alone final : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void Sum(torch::Tensor&) override {}
};

}  // namespace

void Rendezvous::Validate() const {
  if (size < 1 || rank < 0 || rank >= size || local_rank < 0) {
    throw std::invalid_argument("rank " + std::to_string(rank) + " of " + std::to_string(size) +
                                " processes; look at RANK and WORLD_SIZE");
  }
  if (!(timeout_minutes > 0)) throw std::invalid_argument("timeout_minutes must be > 0");
}

Rendezvous RendezvousFromEnvironment() {
  struct Launcher {
    const char *rank, *size, *local_rank;
    std::vector<const char*>
        name;  // what is the same in all processes of a launch and differs between launches
  };
  const Launcher launchers[] = {{"RANK", "WORLD_SIZE", "LOCAL_RANK", {"TORCHELASTIC_RUN_ID", "MASTER_PORT"}},
                                {"SLURM_PROCID",
                                 "SLURM_NTASKS",
                                 "SLURM_LOCALID",
                                 {"SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_RESTART_COUNT"}},
                                {"OMPI_COMM_WORLD_RANK",
                                 "OMPI_COMM_WORLD_SIZE",
                                 "OMPI_COMM_WORLD_LOCAL_RANK",
                                 {"PMIX_NAMESPACE", "OMPI_MCA_ess_base_jobid"}}};
  Rendezvous r;
  for (const Launcher& launcher : launchers) {
    const auto rank = Variable(launcher.rank), size = Variable(launcher.size);
    if (!rank || !size) continue;
    r.rank = Number(launcher.rank, *rank);
    r.size = Number(launcher.size, *size);
    if (const auto local = Variable(launcher.local_rank)) r.local_rank = Number(launcher.local_rank, *local);
    for (const char* part : launcher.name) {
      if (const auto value = Variable(part)) r.name += (r.name.empty() ? "" : "-") + *value;
    }
    for (char& c : r.name) {
      if (c == '/') c = '_';
    }
    break;
  }
  if (r.size > 1) {
    if (r.name.empty() && !Variable("MASTER_ADDR")) {
      throw std::invalid_argument(
          "WORLD_SIZE is set but MASTER_ADDR is not; set it to the host of rank 0, and MASTER_PORT");
    }
    r.address = Variable("MASTER_ADDR").value_or("");
    if (const auto port = Variable("MASTER_PORT")) r.port = Number("MASTER_PORT", *port);
  }
  r.Validate();
  return r;
}

void Communicator::Barrier() {
  torch::Tensor one = torch::ones({1});
  Sum(one);
}

void Communicator::MeanGradients(std::vector<torch::Tensor>& gradients, std::vector<double>& flags) {
  if (size() == 1) return;
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> parts;
  for (const torch::Tensor& g : gradients) parts.push_back(g.to(torch::kFloat).reshape({-1}));
  const torch::Device device = parts.front().device();
  const std::vector<float> numbers(flags.begin(), flags.end());
  parts.push_back(torch::tensor(numbers).to(device));
  torch::Tensor bucket = torch::cat(parts);
  Sum(bucket);
  std::int64_t at = 0;
  for (torch::Tensor& g : gradients) {
    g = bucket.narrow(0, at, g.numel()).view(g.sizes()) / size();
    at += g.numel();
  }
  const torch::Tensor tail = bucket.narrow(0, at, static_cast<std::int64_t>(flags.size())).to(torch::kCPU);
  for (std::size_t i = 0; i < flags.size(); ++i)
    flags[i] = static_cast<double>(tail[static_cast<std::int64_t>(i)].item<float>());
}

std::unique_ptr<Communicator> MakeCommunicator(const Rendezvous& rendezvous, const std::string& folder,
                                               torch::Device device) {
  rendezvous.Validate();
  if (rendezvous.size == 1) return std::make_unique<Alone>();
  return ConnectProcesses(rendezvous, folder, device);
}

}  // namespace auforge::gan
