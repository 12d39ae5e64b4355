// The data of the report; tests/interop/pages.py opens the page in a browser.
#include "report/html_report.hpp"

#include <nlohmann/json.hpp>

#include "mnist/support/error.hpp"
#include "report/weight_levels.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

/// Two images of 1 x 2 pixels; the second is misclassified as "a".
nlohmann::json data_of_report(const std::string& run_directory) {
  const Dataset dataset{2, 1, 2, {1, 2, 3, 4}, {0, 1}, {"a", "</b>"}};
  const Evaluation evaluation =
      make_evaluation(dataset.class_names, {{0, 0, 0.9F}, {1, 0, 0.8F}}, 0.5);
  Model model{{{{2, 2, {1, 0, -0.5F, 0.25F}, {0, 0}}}}, dataset.class_names, {}};
  const std::string page =
      html_report({"m.pt", "folder", "test"}, evaluation, model, dataset, run_directory);
  const std::string open = "type=\"application/json\">";
  const std::size_t begin = page.find(open) + open.size();
  return nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

TEST(HtmlReport, HasFiguresAndMistakes) {
  const nlohmann::json data = data_of_report("");
  EXPECT_EQ(data["accuracy"], 0.5);
  EXPECT_EQ(data["class_names"][1], "</b>");
  ASSERT_EQ(data["mistakes"].size(), 1U);
  EXPECT_EQ(data["mistakes"][0]["index"], 1);
  EXPECT_EQ(data["mistakes"][0]["image"], "AwQ=");
  EXPECT_EQ(data["calibration"].size(), 10U);
  EXPECT_TRUE(data["epochs"].empty());
}

TEST(HtmlReport, IgnoresATruncatedLineOfMetrics) {
  const TemporaryFolder run;
  write_bytes(run / "metrics.jsonl", to_bytes("{\"epoch\":1}\n{\"epoch\":2}\n{\"epo"));
  const nlohmann::json data = data_of_report(run.path());
  EXPECT_EQ(data["epochs"].size(), 2U);
}

TEST(HtmlReport, NamesMissingMetrics) {
  expect_throws<Error>([] { data_of_report("/no/such/run"); },
                       "/no/such/run/metrics.jsonl: cannot be opened");
}

TEST(WeightLevels, TheLargestWeightIsAtFullScale) {
  EXPECT_EQ(weight_levels(std::vector<float>{0, -2, 1}), (std::vector<std::int8_t>{0, -127, 64}));
  EXPECT_EQ(weight_levels(std::vector<float>{0}), (std::vector<std::int8_t>{0}));
}

}  // namespace
}  // namespace mnist
