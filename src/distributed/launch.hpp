// The processes that a launcher such as mpirun or srun started for one run.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "mnist/distributed/communicator.hpp"

namespace mnist {

/// A launch of several processes, as the environment describes it.
struct Launch {
  int rank = 0;
  int size = 1;
  std::string variable;  ///< the environment variable that holds the size
};

/// The launch of this process by Open MPI, MPICH or Slurm (srun --mpi); nullopt if there is none,
/// or only one process.
std::optional<Launch> find_launch();

/// The processes of an MPI launch.
class ProcessGroup : public Communicator {
 public:
  /// Ends this process's communication. With an `exit_code` other than 0, ends all processes and
  /// does not return.
  virtual void leave(int exit_code) = 0;
};

/// Connects the processes of `launch`. Throws Error if the program was built without MPI, or with a
/// different MPI than the launcher's.
std::unique_ptr<ProcessGroup> join_processes(const Launch& launch);

}  // namespace mnist
