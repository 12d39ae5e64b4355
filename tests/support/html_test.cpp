// Escaping of data in pages, and base64.
#include "support/html.hpp"

#include <gtest/gtest.h>

#include "test_support.hpp"

namespace mnist {
namespace {

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

}  // namespace
}  // namespace mnist
