// What is told about the machine fits together.
#include "support/machine.hpp"

#include <sched.h>

#include <gtest/gtest.h>

namespace mnist {
namespace {

TEST(Machine, HasNoMoreCoresThanProcessors) {
  EXPECT_GE(available_cores(), 1);
  EXPECT_LE(available_cores(), available_processors());
}

TEST(Machine, CountsOnlyWhereThisProcessMayRun) {
  cpu_set_t all;
  ASSERT_EQ(::sched_getaffinity(0, sizeof(all), &all), 0);
  std::size_t first = 0;
  while (CPU_ISSET(first, &all) == 0) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(::sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(available_processors(), 1);
  EXPECT_EQ(available_cores(), 1);
  ::sched_setaffinity(0, sizeof(all), &all);
}

TEST(Machine, PeakMemoryOnlyGrows) {
  const std::int64_t before = peak_memory_bytes();
  EXPECT_GT(before, 0);
  EXPECT_GE(peak_memory_bytes(), before);
}

}  // namespace
}  // namespace mnist
