// The default number of threads.
#include "engine/threads.hpp"

#include <cstdlib>

#include <gtest/gtest.h>

namespace mnist {
namespace {

TEST(ThreadCount, IsWhatTheUserAsksFor) {
  EXPECT_EQ(thread_count(3, 2), 3);
}

TEST(ThreadCount, DefaultsToOmpNumThreadsAndThenToTheCores) {
  ::unsetenv("OMP_NUM_THREADS");
  EXPECT_EQ(thread_count(0, 1), 1);
  EXPECT_EQ(thread_count(0, kMaxThreads), available_cores());
  for (const auto& [text, expected] : {std::pair{"5", 5},
                                       {"6,3", 6},
                                       {"9999999", kMaxThreads},
                                       {"many", 1},
                                       {"0", 1},
                                       {"-4", 1}}) {
    ::setenv("OMP_NUM_THREADS", text, 1);
    EXPECT_EQ(thread_count(0, 1), expected) << text;
  }
  EXPECT_EQ(thread_count(2, 1), 2);
  ::unsetenv("OMP_NUM_THREADS");
}

}  // namespace
}  // namespace mnist
