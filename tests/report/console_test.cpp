// The text of console lines.
#include "report/console.hpp"

#include <gtest/gtest.h>

namespace mnist {
namespace {

TEST(Console, SeparatesThousandsWithCommas) {
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(with_thousands(1000), "1,000");
  EXPECT_EQ(with_thousands(235146), "235,146");
  EXPECT_EQ(with_thousands(-123456), "-123,456");
  EXPECT_EQ(with_thousands(1234567890), "1,234,567,890");
}

TEST(Console, AccuracyHasAConfidenceInterval) {
  const Evaluation evaluation{{"a", "b"}, {6000, 100, 98, 3802}, 0.1};
  EXPECT_EQ(accuracy_text(evaluation), "98.02 % (95 % interval 97.73 to 98.28; 9,802 of 10,000)");
}

TEST(Console, TableEndsWithTheTotal) {
  const std::string table = parameter_table_text(MlpShape{});
  EXPECT_NE(table.find("784-256-128-10 (relu)"), std::string::npos);
  EXPECT_NE(table.find("[256, 784]     200,704"), std::string::npos);
  EXPECT_TRUE(table.ends_with("235,146")) << table;
}

TEST(Console, RequirementIsInPercentAndInclusive) {
  const Evaluation evaluation{{"a", "b"}, {3, 1, 0, 0}, 0};
  EXPECT_FALSE(below_requirement(evaluation, 0));
  EXPECT_FALSE(below_requirement(evaluation, 75));
  EXPECT_TRUE(below_requirement(evaluation, 75.01));
}

TEST(Console, ProgressShowsTheRemainingTime) {
  const ProgressReport report{3, 15'000, 60'000, 0.08123, 0.5};
  // 45,000 of this epoch and twice 60,000 at 30,000 a second.
  EXPECT_EQ(progress_text(report, 5), "epoch 3/5   25 %  loss 0.0812  30,000 images/s  0:06 left");
}

}  // namespace
}  // namespace mnist
