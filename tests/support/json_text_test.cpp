// JSON that any reader takes.
#include "support/json_text.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mnist {
namespace {

TEST(JsonText, ReplacesWhatIsNotUtf8) {
  EXPECT_EQ(json_text({{"file", "a\xff"}}), "{\"file\":\"a\xEF\xBF\xBD\"}");
}

TEST(JsonText, IndentsWhenAskedTo) {
  EXPECT_EQ(json_text({{"a", 1}}, 2), "{\n  \"a\": 1\n}");
}

}  // namespace
}  // namespace mnist
