// Which process of a data-parallel training this is, and where the others are found.
#pragma once

#include <string>

namespace auforge::gan {

struct Rendezvous {
  int rank = 0;  // 0 .. size - 1; process 0 writes checkpoints and reports
  int size = 1;
  int local_rank = 0;  // among those of this host: with --device cuda, which of its GPUs
  std::string address;  // of process 0 (MASTER_ADDR); empty: the processes meet in a file of the run's folder
  int port = 29500;     // MASTER_PORT
  std::string name;     // of the launch, so that a later one does not meet the leavings of an earlier one
  double timeout_minutes = 10;  // a peer that says nothing for so long is taken for dead; > 0
  void Validate() const;        // throws std::invalid_argument
};

// RANK and WORLD_SIZE (torchrun and by hand), else SLURM_PROCID and SLURM_NTASKS (srun), else
// OMPI_COMM_WORLD_RANK and _SIZE (mpirun); one process when none is set. The launcher also tells the rank on
// the host (LOCAL_RANK, SLURM_LOCALID, OMPI_COMM_WORLD_LOCAL_RANK).
Rendezvous RendezvousFromEnvironment();

}  // namespace auforge::gan
