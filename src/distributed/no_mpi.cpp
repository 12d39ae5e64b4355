// A build without MPI.
#include "distributed/launch.hpp"
#include "mnist/support/error.hpp"

namespace mnist {

std::unique_ptr<ProcessGroup> join_processes(const Launch& launch) {
  throw Error("started as " + std::to_string(launch.size) + " processes (" + launch.variable +
              "), but this program was built without MPI; start one process, or install Open MPI "
              "(libopenmpi-dev on Debian) and rebuild");
}

}  // namespace mnist
