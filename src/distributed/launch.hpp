// The processes that a launcher such as mpirun or srun started for one run.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "mnist/distributed/communicator.hpp"

namespace mnist {

/// How the environment describes a launch of several processes.
struct Launch {
  int rank = 0;
  int size = 1;
  std::string variable;  ///< where the size is from
};

/// The launch of this process by Open MPI, MPICH or Slurm (srun --mpi); none if it is alone. A
/// launch of one process counts as none.
std::optional<Launch> find_launch();

/// A run by the processes of an MPI launch.
class ProcessGroup : public Communicator {
 public:
  /// Ends the part of this process. With another `exit_code` than 0 all other processes are ended,
  /// too, and this call does not return.
  virtual void leave(int exit_code) = 0;
};

/// Connects the processes of `launch`. Throws Error when the program was built without MPI, or with
/// another one than the launcher's.
std::unique_ptr<ProcessGroup> join_processes(const Launch& launch);

}  // namespace mnist
