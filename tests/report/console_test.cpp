// The text of console lines.
#include "report/console.hpp"

#include <gtest/gtest.h>

namespace mnist {
namespace {

TEST(Console, TableEndsWithTheTotal) {
  const std::string table = parameter_table_text(MlpShape{});
  EXPECT_NE(table.find("784-256-128-10 (relu)"), std::string::npos);
  EXPECT_NE(table.find("[256, 784]     200,704"), std::string::npos);
  EXPECT_TRUE(table.ends_with("235,146")) << table;
}

TEST(Console, ProgressShowsTheRemainingTime) {
  const ProgressReport report{3, 15'000, 60'000, 0.08123, 0.5};
  // 45,000 of this epoch and twice 60,000 at 30,000 a second.
  EXPECT_EQ(progress_text(report, 5), "epoch 3/5   25 %  loss 0.0812  30,000 images/s  0:06 left");
}

TEST(Console, ProfileIsInMicrosecondsPerStepAndThread) {
  const StepProfile profile{1000, {{"loss", {0.002, 0.003}}, {"waiting", {0.01, 0.0005}}}};
  EXPECT_EQ(profile_text(profile),
            "microseconds per step, 1,000 steps\n"
            "  phase                               thread  1  thread  2\n"
            "  loss                                      2.0        3.0\n"
            "  waiting                                  10.0        0.5\n"
            "  all                                      12.0        3.5");
}

TEST(Console, FirstLossIsComparedWithGuessing) {
  EXPECT_EQ(first_loss_text(2.30494, 10),
            "first minibatch: loss 2.3049 (ln 10 = 2.3026 when guessing)");
  EXPECT_EQ(first_loss_text(3.5, 26),
            "first minibatch: loss 3.5000 (ln 26 = 3.2581 when guessing)");
}

}  // namespace
}  // namespace mnist
