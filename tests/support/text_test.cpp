// Valid UTF-8, templates, escaping of data in pages, and base64.
#include "support/text.hpp"

#include <stdexcept>

#include <nlohmann/json.hpp>

#include "test_support.hpp"

namespace mnist {
namespace {

TEST(JsonText, ReplacesInvalidUtf8) {
  EXPECT_EQ(json_text({{"file", "a\xff"}}), "{\"file\":\"a\xEF\xBF\xBD\"}");
}

TEST(JsonText, IndentsOnRequest) {
  EXPECT_EQ(json_text({{"a", 1}}, 2), "{\n  \"a\": 1\n}");
}

TEST(TextTemplate, FillsEachFieldOnce) {
  EXPECT_EQ(fill_template("a {{x}}{{y}} {{x}}.", {{"x", "1"}, {"y", "{{x}}"}}), "a 1{{x}} 1.");
  EXPECT_EQ(fill_template("{ plain }", {}), "{ plain }");
}

TEST(TextTemplate, RejectsUnknownFields) {
  EXPECT_THROW(fill_template("{{x}}", {}), std::out_of_range);
}

TEST(Html, DataCannotEndItsElement) {
  const std::string page = page_with_data("<script>{{data}}</script>", R"({"a":"</script><!--"})");
  EXPECT_EQ(page, R"(<script>{"a":"\u003c/script>\u003c!--"}</script>)");
}

TEST(Html, Base64MatchesTheTestVectorsOfRfc4648) {
  EXPECT_EQ(base64(to_bytes("")), "");
  EXPECT_EQ(base64(to_bytes("f")), "Zg==");
  EXPECT_EQ(base64(to_bytes("fo")), "Zm8=");
  EXPECT_EQ(base64(to_bytes("foo")), "Zm9v");
  EXPECT_EQ(base64(to_bytes("foobar")), "Zm9vYmFy");
  const std::vector<std::uint8_t> high{0xFB, 0xFF, 0xFE};
  EXPECT_EQ(base64(high), "+//+");
}

TEST(NumberText, SeparatesThousandsWithCommas) {
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(with_thousands(1000), "1,000");
  EXPECT_EQ(with_thousands(235146), "235,146");
  EXPECT_EQ(with_thousands(-123456), "-123,456");
  EXPECT_EQ(with_thousands(1234567890), "1,234,567,890");
}

TEST(NumberText, UsesThePluralExceptForOne) {
  EXPECT_EQ(counted(0, "thread"), "0 threads");
  EXPECT_EQ(counted(1, "thread"), "1 thread");
  EXPECT_EQ(counted(2, "thread"), "2 threads");
}

}  // namespace
}  // namespace mnist
