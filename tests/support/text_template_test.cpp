// Templates with named fields.
#include "support/text_template.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

namespace mnist {
namespace {

TEST(TextTemplate, FillsEachFieldOnce) {
  EXPECT_EQ(fill_template("a {{x}}{{y}} {{x}}.", {{"x", "1"}, {"y", "{{x}}"}}), "a 1{{x}} 1.");
  EXPECT_EQ(fill_template("{ plain }", {}), "{ plain }");
}

TEST(TextTemplate, RejectsUnknownFields) {
  EXPECT_THROW(fill_template("{{x}}", {}), std::out_of_range);
}

}  // namespace
}  // namespace mnist
