// Numbers as option values: in every locale, and with a unit.
#include <cstdlib>

#include "comma_locale.hpp"
#include "mnist/support/error.hpp"
#include "options/option_text.hpp"
#include "options/parsed.hpp"

namespace mnist {
namespace {

TEST(NumberOption, IsTheSameInALocaleWithDecimalCommas) {
  const CommaLocale locale;
  if (!locale.works()) GTEST_SKIP() << "needs localedef and the character map UTF-8";
  ASSERT_EQ(std::strtod("0,5", nullptr), 0.5) << "the locale has no effect";
  EXPECT_EQ(parsed<double>("0.001"), 0.001);
  EXPECT_EQ(option_text(0.001), "0.001");
  EXPECT_EQ(option_text(std::int64_t{60'000}), "60000");
  expect_throws<UsageError>([] { parsed<double>("0,001"); }, "expected a number, found '0,001'");
}

TEST(NumberOption, CheckpointIntervalsAreInMinibatchesOrSeconds) {
  EXPECT_EQ(parsed<CheckpointInterval>("500").steps, 500);
  EXPECT_EQ(parsed<CheckpointInterval>("500").seconds, 0);
  EXPECT_EQ(parsed<CheckpointInterval>("2.5s").steps, 0);
  EXPECT_EQ(parsed<CheckpointInterval>("2.5s").seconds, 2.5);
  for (const char* text : {"500", "2.5s", "0"}) {
    EXPECT_EQ(option_text(parsed<CheckpointInterval>(text)), text);
  }
  expect_throws<UsageError>([] { parsed<CheckpointInterval>("30m"); }, "or seconds as in 30s");
}

}  // namespace
}  // namespace mnist
