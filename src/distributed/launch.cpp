// Environment variables of launchers.
#include "distributed/launch.hpp"

#include <cstdlib>

namespace mnist {
namespace {

struct Variables {
  const char* rank;
  const char* size;
};

constexpr Variables kLaunchers[] = {
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},  // mpirun of Open MPI
    {"PMI_RANK", "PMI_SIZE"},                          // mpiexec of MPICH, srun --mpi=pmi2
    // srun --mpi=pmix. Without PMIX_RANK, srun starts programs that know nothing of one another.
    {"PMIX_RANK", "SLURM_STEP_NUM_TASKS"}};

}  // namespace

std::optional<Launch> find_launch() {
  for (const Variables& launcher : kLaunchers) {
    const char* const rank = std::getenv(launcher.rank);
    const char* const size = std::getenv(launcher.size);
    if (rank == nullptr || size == nullptr) continue;
    if (std::atoi(size) > 1) return Launch{std::atoi(rank), std::atoi(size), launcher.size};
  }
  return std::nullopt;
}

}  // namespace mnist
