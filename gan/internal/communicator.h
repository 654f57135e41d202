// Sums over the processes of a training. One object, one thread a process.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "gan/communicator.h"

namespace auforge::gan {

// A peer has gone or does not answer. The message says what to do.
struct PeerLost : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  // values: contiguous floats of any device; in place, the same bits in every process. Throws PeerLost.
  virtual void Sum(torch::Tensor& values) = 0;

  // Returns when every process has come here.
  void Barrier();
  // The mean over processes of all tensors, in one message; `flags` travel along and are summed.
  void MeanGradients(std::vector<torch::Tensor>& gradients, std::vector<double>& flags);
};

// Nothing to do in a single process. Otherwise c10d (ConnectProcesses): NCCL on a GPU where LibTorch was built
// with it, else Gloo. device: where this process computes.
std::unique_ptr<Communicator> MakeCommunicator(const Rendezvous& rendezvous, const std::string& folder,
                                               torch::Device device);

}  // namespace auforge::gan
