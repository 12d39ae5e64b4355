// The data of the drawing page; tests/interop/pages.py draws on it in a browser.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "export/exporters.hpp"
#include "mnist/serialize/model_file.hpp"

namespace mnist {
namespace {

TEST(DrawingPage, HoldsTheWholeNetwork) {
  const Model model{{{{4, 1, {1, 0, 0, 0}, {2}}, {1, 2, {0, 1}, {0, 0}}}}, {"a", "</b>"}, {}};
  const std::string page = drawing_page(model);
  const std::string open = "type=\"application/json\">";
  const std::size_t begin = page.find(open) + open.size();
  const auto data =
      nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  EXPECT_EQ(data["inputs"], 4);
  EXPECT_EQ(data["activation"], "relu");
  EXPECT_EQ(data["class_names"][1], "</b>");
  ASSERT_EQ(data["layers"].size(), 2U);
  EXPECT_EQ(data["layers"][0]["weights"], "AACAPwAAAAAAAAAAAAAAAA==");  // 1, 0, 0, 0
  EXPECT_EQ(data["layers"][0]["biases"], "AAAAQA==");                   // 2
  EXPECT_EQ(data["layers"][1]["weights"], "AAAAAAAAgD8=");
}

}  // namespace
}  // namespace mnist
