// What depends on how and when LibTorch was built: devices and c10d. Everything here compiles against 1.13
// and 2.x, with and without CUDA, NCCL and Gloo's headers; nothing outside of torch_api.cc tells them apart.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "gan/internal/communicator.h"
#include "gan/options.h"

namespace auforge::gan {

// c10::optional in old versions, std::optional in new ones.
using OptionalTensor = decltype(std::declval<const c10::IValue&>().toOptional<at::Tensor>());

// "cpu" or "cuda": the one place that names devices. Of several GPUs, processes of a host take one each by
// local_rank, which becomes the calling thread's current device. Throws std::invalid_argument when there is no such
// device.
torch::Device FindDevice(const std::string& name, int local_rank);

// How products of fp32 numbers are computed on a GPU from here on, in the whole process: rounded to TF32 for kTf32, else
// exactly; and the library tries its ways to compute a convolution out, for each size once. On the processor nothing.
void UsePrecision(Precision precision, torch::Device device);

// Where convolutions of that precision want their channels last: on a GPU's tensor cores, and in bfloat16 everywhere.
bool WantsChannelsLast(Precision precision, torch::Device device);

// Returns when the device has done what it was given.
void WaitFor(torch::Device device);

// Bytes of a GPU's memory that nobody has; nothing where that is not known.
std::optional<std::size_t> FreeMemory(torch::Device device);

// From the host's memory. On the way to a GPU it is page-locked first, so that the copy runs beside the
// computation.
torch::Tensor ToDevice(const torch::Tensor& host, torch::Device device);

// c10d. Processes meet at rendezvous.address, or else through a file of `folder`. Throws PeerLost when the
// others do not come, std::invalid_argument where the program was built without any way for them to talk.
std::unique_ptr<Communicator> ConnectProcesses(const Rendezvous& rendezvous, const std::string& folder,
                                               torch::Device device);

}  // namespace auforge::gan
