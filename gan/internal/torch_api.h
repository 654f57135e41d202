// What depends on how and when LibTorch was built: devices and c10d. Everything here compiles against 1.13
// and 2.x, with and without CUDA and NCCL; nothing outside of torch_api.cc tells them apart.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <string>

#include "gan/internal/communicator.h"

namespace auforge::gan {

// "cpu" or "cuda": the one place that names devices. Of several GPUs, processes of a host take one each by
// local_rank, which becomes the calling thread's current device. fp32 is left exact there (no TF32). Throws
// std::invalid_argument when there is no such device.
torch::Device FindDevice(const std::string& name, int local_rank);

// From the host's memory. On the way to a GPU it is page-locked first, so that the copy runs beside the
// computation.
torch::Tensor ToDevice(const torch::Tensor& host, torch::Device device);

// c10d. Processes meet at rendezvous.address, or else through a file of `folder`. Throws PeerLost when the
// others do not come.
std::unique_ptr<Communicator> ConnectProcesses(const Rendezvous& rendezvous, const std::string& folder,
                                               torch::Device device);

}  // namespace auforge::gan
