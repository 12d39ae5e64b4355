// Numbers as users read them.
#include "support/number_text.hpp"

#include <gtest/gtest.h>

namespace mnist {
namespace {

TEST(NumberText, SeparatesThousandsWithCommas) {
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(with_thousands(1000), "1,000");
  EXPECT_EQ(with_thousands(235146), "235,146");
  EXPECT_EQ(with_thousands(-123456), "-123,456");
  EXPECT_EQ(with_thousands(1234567890), "1,234,567,890");
}

}  // namespace
}  // namespace mnist
