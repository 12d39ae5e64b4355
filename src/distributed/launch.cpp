// Reads the environment variables that launchers set.
#include "distributed/launch.hpp"

#include <cstdlib>
#include <utility>

namespace mnist {
namespace {

/// For each launcher, the variables with the rank and the number of processes.
constexpr std::pair<const char*, const char*> kLaunchers[] = {
    {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},  // mpirun of Open MPI
    {"PMI_RANK", "PMI_SIZE"},                          // mpiexec of MPICH, srun --mpi=pmi2
    // srun --mpi=pmix. Without PMIX_RANK, srun has started independent programs.
    {"PMIX_RANK", "SLURM_STEP_NUM_TASKS"}};

}  // namespace

std::optional<Launch> find_launch() {
  for (const auto& [rank_variable, size_variable] : kLaunchers) {
    const char* const rank = std::getenv(rank_variable);
    const char* const size = std::getenv(size_variable);
    if (rank == nullptr || size == nullptr) continue;
    if (std::atoi(size) > 1) return Launch{std::atoi(rank), std::atoi(size), size_variable};
  }
  return std::nullopt;
}

}  // namespace mnist
