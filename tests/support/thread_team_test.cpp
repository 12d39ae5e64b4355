// Parallel regions and barriers, with fewer and more threads than CPUs.
#include "support/thread_team.hpp"

#include <gtest/gtest.h>

namespace mnist {
namespace {

TEST(ThreadTeam, CallsEveryIndexOnce) {
  for (const int size : {1, 2, 5, 64}) {
    ThreadTeam team(size);
    for (int call = 0; call < 3; ++call) {
      std::vector<int> calls(static_cast<std::size_t>(size), 0);
      team.run([&](int index) { ++calls[static_cast<std::size_t>(index)]; });
      EXPECT_EQ(calls, std::vector<int>(static_cast<std::size_t>(size), 1));
    }
  }
}

TEST(ThreadTeam, BarrierPublishesEarlierWrites) {
  constexpr int kRounds = 2000;
  for (const int size : {2, 3, 7}) {
    ThreadTeam team(size);
    std::vector<int> slots(static_cast<std::size_t>(size), 0);  // not atomic: barriers order them
    std::vector<int> wrong(static_cast<std::size_t>(size), 0);
    team.run([&](int index) {
      const auto own = static_cast<std::size_t>(index);
      for (int round = 1; round <= kRounds; ++round) {
        slots[own] = round;
        team.barrier();
        for (const int slot : slots) wrong[own] += slot == round ? 0 : 1;
        team.barrier();
      }
    });
    EXPECT_EQ(wrong, std::vector<int>(static_cast<std::size_t>(size), 0));
  }
}

}  // namespace
}  // namespace mnist
