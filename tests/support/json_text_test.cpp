// JSON as valid UTF-8.
#include "support/json_text.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mnist {
namespace {

TEST(JsonText, ReplacesInvalidUtf8) {
  EXPECT_EQ(json_text({{"file", "a\xff"}}), "{\"file\":\"a\xEF\xBF\xBD\"}");
}

TEST(JsonText, IndentsOnRequest) {
  EXPECT_EQ(json_text({{"a", 1}}, 2), "{\n  \"a\": 1\n}");
}

}  // namespace
}  // namespace mnist
