#include "gan/internal/torch_api.h"

#include <ATen/Context.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
// PyTorch's Python package comes without the headers of Gloo, and those of the system are of another version.
#if defined(USE_C10D_GLOO) && __has_include(<gloo/algorithm.h>)
#define AUFORGE_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif
#ifdef USE_C10D_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif
#if defined(AUFORGE_GLOO) || defined(USE_C10D_NCCL)
#define AUFORGE_C10D
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#endif

namespace auforge::gan {

#ifdef AUFORGE_C10D
namespace {

std::chrono::milliseconds Timeout(const Rendezvous& r) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(60'000 * r.timeout_minutes));
}

// 2.x asks for libuv by default, which not every build has (Debian's has not), and 1.13 does not know of it.
template <typename Options>
void WithoutLibuv(Options& options) {
  if constexpr (requires { options.useLibUV; }) options.useLibUV = false;
}

c10::intrusive_ptr<c10d::Store> Meet(const Rendezvous& r, const std::string& folder) {
  c10::intrusive_ptr<c10d::Store> store;
  if (r.address.empty()) {
    const std::string file = (std::filesystem::path(folder) / (".meeting-" + r.name)).string();
    store = c10::make_intrusive<c10d::FileStore>(file, r.size);
  } else {
    c10d::TCPStoreOptions options;
    options.port = static_cast<std::uint16_t>(r.port);
    options.isServer = r.rank == 0;
    options.numWorkers = static_cast<std::size_t>(r.size);
    options.timeout = Timeout(r);
    WithoutLibuv(options);
    store = c10::make_intrusive<c10d::TCPStore>(r.address, options);
  }
  store->setTimeout(Timeout(r));
  return store;
}

// How a group is made, and where it wants its values.
#ifdef AUFORGE_GLOO
struct Gloo {
  using Group = c10d::ProcessGroupGloo;
  static c10::intrusive_ptr<Group> Connect(const c10::intrusive_ptr<c10d::Store>& store,
                                           const Rendezvous& r) {
    auto options = Group::Options::create(Timeout(r));
    options->devices.push_back(Group::createDefaultDevice());
    options->threads = 1;
    return c10::make_intrusive<Group>(store, r.rank, r.size, options);
  }
  static torch::Device PlaceOfValues(torch::Device) { return torch::kCPU; }
};
#endif

#ifdef USE_C10D_NCCL
struct Nccl {
  using Group = c10d::ProcessGroupNCCL;
  static c10::intrusive_ptr<Group> Connect(const c10::intrusive_ptr<c10d::Store>& store,
                                           const Rendezvous& r) {
    // Waiting then ends with an exception after the timeout, instead of never. The second is 1.13's name.
    setenv("TORCH_NCCL_BLOCKING_WAIT", "1", 0);
    setenv("NCCL_BLOCKING_WAIT", "1", 0);
    auto options = Group::Options::create();
    options->timeout = Timeout(r);
    return c10::make_intrusive<Group>(store, r.rank, r.size, options);
  }
  static torch::Device PlaceOfValues(torch::Device device) { return device; }
};
#endif

// A template because 2.x moved the groups under another base class.
template <typename Way>
class Processes final : public Communicator {
 public:
  Processes(const Rendezvous& r, const std::string& folder, torch::Device device)
      : rendezvous_(r), place_(Way::PlaceOfValues(device)) {
    Guarded([&] { group_ = Way::Connect(Meet(r, folder), r); });
  }
  int rank() const override { return rendezvous_.rank; }
  int size() const override { return rendezvous_.size; }
  void Sum(torch::Tensor& values) override {
    const torch::Tensor there = values.to(place_);
    Guarded([&] {
      std::vector<torch::Tensor> message{there};
      group_->allreduce(message)->wait();
    });
    if (!there.is_same(values)) values.copy_(there);
  }

 private:
  template <typename Call>
  void Guarded(const Call& call) {
    try {
      call();
    } catch (const std::exception& error) {
      std::string text = error.what();
      text = text.substr(0, text.find('\n'));
      throw PeerLost("process " + std::to_string(rendezvous_.rank) + " of " +
                     std::to_string(rendezvous_.size) + " lost another one (" + text +
                     "); the last checkpoint is whole: start all processes again");
    }
  }

  Rendezvous rendezvous_;
  torch::Device place_;
  c10::intrusive_ptr<typename Way::Group> group_;
};

}  // namespace
#endif

torch::Device FindDevice(const std::string& name, int local_rank) {
  if (name == "cpu") return torch::kCPU;
  if (name != "cuda") throw std::invalid_argument("--device " + name + ": must be cpu or cuda");
  const auto count = static_cast<int>(torch::cuda::device_count());
  if (count == 0) {
    throw std::invalid_argument(
        "--device cuda: this LibTorch finds no CUDA device; Debian's libtorch-dev is built without CUDA, "
        "build against libtorch-cuda-dev or, with -DTorch_DIR, upstream's");
  }
  const torch::Device device(torch::kCUDA, static_cast<c10::DeviceIndex>(local_rank % count));
  c10::impl::getDeviceGuardImpl(device.type())->setDevice(device);
  return device;
}

void UsePrecision(Precision precision, torch::Device device) {
  if (!device.is_cuda()) return;
  const bool rounded = precision == Precision::kTf32;
  at::globalContext().setAllowTF32CuDNN(rounded);
  at::globalContext().setAllowTF32CuBLAS(rounded);
  at::globalContext().setBenchmarkCuDNN(true);
}

bool WantsChannelsLast(Precision precision, torch::Device device) {
  return precision == Precision::kBfloat16 || (precision == Precision::kTf32 && device.is_cuda());
}

void WaitFor(torch::Device device) {
  if (device.is_cuda()) torch::cuda::synchronize(device.index());
}

std::optional<std::size_t> FreeMemory(torch::Device device) {
  if (!device.is_cuda()) return std::nullopt;
  // By name, because a LibTorch for CUDA does not always come with CUDA's headers; its runtime is loaded by now.
  using Ask = int (*)(std::size_t*, std::size_t*);
  const auto ask = reinterpret_cast<Ask>(dlsym(RTLD_DEFAULT, "cudaMemGetInfo"));
  std::size_t free = 0, all = 0;
  if (ask == nullptr || ask(&free, &all) != 0) return std::nullopt;
  return free;
}

torch::Tensor ToDevice(const torch::Tensor& host, torch::Device device) {
  return device.is_cuda() ? host.pin_memory().to(device, /*non_blocking=*/true) : host.to(device);
}

std::unique_ptr<Communicator> ConnectProcesses(const Rendezvous& rendezvous,
                                               [[maybe_unused]] const std::string& folder, torch::Device device) {
#ifdef USE_C10D_NCCL
  if (device.is_cuda()) return std::make_unique<Processes<Nccl>>(rendezvous, folder, device);
#endif
#ifdef AUFORGE_GLOO
  return std::make_unique<Processes<Gloo>>(rendezvous, folder, device);
#else
  throw std::invalid_argument("gan train: " + std::to_string(rendezvous.size) + " processes on " + device.str() +
                              ": this program was built without Gloo's headers and trains in one process; "
                              "unset WORLD_SIZE, or build against a LibTorch that has them, see docs/gan.md");
#endif
}

}  // namespace auforge::gan
