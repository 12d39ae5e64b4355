// The Communicator on MPI, whose default error handler ends all processes if a connection fails.
#include <algorithm>
#include <limits>
#include <mpi.h>
#include <sched.h>

#include "distributed/launch.hpp"
#include "mnist/support/error.hpp"
#include "support/machine.hpp"

namespace mnist {
namespace {

/// MPI's counts and displacements are of type int.
int to_count(std::size_t count) {
  static_assert(kMaxExchange <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
  if (count <= kMaxExchange) return static_cast<int>(count);
  throw Error("processes cannot exchange " + std::to_string(count) +
              " items at once (at most 2,147,483,647); use a smaller --batch, --validation or "
              "--hidden, or one process");
}

/// The arguments of MPI that describe Pieces.
struct MpiPieces {
  explicit MpiPieces(const Pieces& pieces) {
    for (std::size_t p = 0; p + 1 < pieces.offsets.size(); ++p) {
      displacements.push_back(to_count(pieces.offsets[p]));
      counts.push_back(to_count(pieces.offsets[p + 1] - pieces.offsets[p]));
    }
  }
  std::vector<int> displacements;
  std::vector<int> counts;
};

class MpiCommunicator : public ProcessGroup {
 public:
  MpiCommunicator() {
    int level = MPI_THREAD_SINGLE;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
    count_neighbors();
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int processes_on_these_cores() const override { return neighbors_; }

  std::int64_t max(std::int64_t value) override {
    MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT64_T, MPI_MAX, MPI_COMM_WORLD);
    return value;
  }

  void sum(std::span<double> values) override {
    // Not MPI_Allreduce, which may round differently in each process.
    const int count = to_count(values.size());
    MPI_Reduce(rank_ == 0 ? MPI_IN_PLACE : values.data(), values.data(), count, MPI_DOUBLE, MPI_SUM,
               0, MPI_COMM_WORLD);
    MPI_Bcast(values.data(), count, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  }

  void broadcast(std::vector<std::uint8_t>& bytes) override {
    std::uint64_t size = bytes.size();
    MPI_Bcast(&size, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
    bytes.resize(size);
    constexpr std::size_t kMost = std::size_t{1} << 30;
    for (std::size_t begin = 0; begin < size; begin += kMost) {
      const std::size_t count = std::min<std::size_t>(kMost, size - begin);
      MPI_Bcast(bytes.data() + begin, to_count(count), MPI_BYTE, 0, MPI_COMM_WORLD);
    }
  }

  void all_to_all(const Pieces& sent, const Pieces& received) override {
    const MpiPieces from(sent);
    const MpiPieces to(received);
    MPI_Alltoallv(sent.data, from.counts.data(), from.displacements.data(), MPI_BYTE, received.data,
                  to.counts.data(), to.displacements.data(), MPI_BYTE, MPI_COMM_WORLD);
  }

  void all_gather(const Pieces& pieces) override {
    const MpiPieces all(pieces);
    MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, pieces.data, all.counts.data(),
                   all.displacements.data(), MPI_BYTE, MPI_COMM_WORLD);
  }

  void leave(int exit_code) override {
    if (exit_code != kExitSuccess) MPI_Abort(MPI_COMM_WORLD, exit_code);
    MPI_Finalize();
  }

 private:
  /// Counts the processes on this machine that may run on this one's first core: launchers bind
  /// each process to its own cores, to those of a socket, or not at all.
  void count_neighbors() {
    const std::vector<std::size_t> own = allowed_processors();
    std::vector<int> users(CPU_SETSIZE);
    for (const std::size_t processor : own) users[processor] = 1;
    MPI_Comm machine = MPI_COMM_NULL;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &machine);
    MPI_Allreduce(MPI_IN_PLACE, users.data(), CPU_SETSIZE, MPI_INT, MPI_SUM, machine);
    MPI_Comm_free(&machine);
    neighbors_ = users[own.front()];
  }

  int rank_ = 0;
  int size_ = 1;
  int neighbors_ = 1;
};

}  // namespace

std::unique_ptr<ProcessGroup> join_processes(const Launch& launch) {
  auto group = std::make_unique<MpiCommunicator>();
  if (group->size() == launch.size) return group;
  const int found = group->size();
  group->leave(kExitSuccess);
  throw Error("started as " + std::to_string(launch.size) + " processes (" + launch.variable +
              "), but MPI connected " + std::to_string(found) +
              ": the launcher belongs to a different MPI; use the mpirun of the MPI that this "
              "program was built with, or under Slurm, srun --mpi=pmix");
}

}  // namespace mnist
