// Which launcher has started how many processes.
#include "distributed/launch.hpp"

#include <cstdlib>
#include <utility>

#include "test_support.hpp"

namespace mnist {
namespace {

/// Without the variables of a launcher that started the tests, and of the test after it.
class Launcher : public ::testing::Test {
 protected:
  Launcher() { clear(); }
  ~Launcher() override { clear(); }

  static std::optional<Launch> launch_of(
      std::initializer_list<std::pair<const char*, const char*>> variables) {
    clear();
    for (const auto& [name, value] : variables) ::setenv(name, value, 1);
    return find_launch();
  }

 private:
  static void clear() {
    for (const char* name : {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMI_SIZE",
                             "PMIX_RANK", "SLURM_STEP_NUM_TASKS"}) {
      ::unsetenv(name);
    }
  }
};

TEST_F(Launcher, IsFoundByItsVariables) {
  const auto open_mpi = launch_of({{"OMPI_COMM_WORLD_RANK", "2"}, {"OMPI_COMM_WORLD_SIZE", "4"}});
  ASSERT_TRUE(open_mpi);
  EXPECT_EQ(open_mpi->rank, 2);
  EXPECT_EQ(open_mpi->size, 4);
  EXPECT_EQ(open_mpi->variable, "OMPI_COMM_WORLD_SIZE");
  EXPECT_EQ(launch_of({{"PMI_RANK", "1"}, {"PMI_SIZE", "3"}})->rank, 1);
  EXPECT_EQ(launch_of({{"PMIX_RANK", "0"}, {"SLURM_STEP_NUM_TASKS", "8"}})->size, 8);
}

TEST_F(Launcher, IsNoneForOneProcess) {
  EXPECT_FALSE(launch_of({}));
  EXPECT_FALSE(launch_of({{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "1"}}));
  // srun without --mpi=pmix starts independent programs.
  EXPECT_FALSE(launch_of({{"SLURM_STEP_NUM_TASKS", "8"}}));
}

}  // namespace
}  // namespace mnist
