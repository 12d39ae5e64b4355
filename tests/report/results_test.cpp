// The output of mnist-eval and mnist-predict; tests/interop/pages.py opens the report in a browser.
#include "report/results.hpp"

#include <nlohmann/json.hpp>

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

const EvalOptions kOptions{};
const Evaluation kEvaluation{{"Trouser", "Bag"}, {8, 2, 1, 5}, 0.25};
const std::vector<ClassProbability> kRanking =
    ranked(std::vector<float>{0.125F, 0.0F, 0.75F, 0.125F}, {"a", "b", "c", "d"});

TEST(EvaluationReport, JsonHasTheDocumentedKeysInOrder) {
  const auto json = nlohmann::ordered_json::parse(evaluation_json(kOptions, kEvaluation));
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  EXPECT_EQ(keys, (std::vector<std::string>{"model", "data", "split", "examples", "correct",
                                            "accuracy", "loss", "classes", "confusion"}));
  EXPECT_EQ(json["accuracy"], 13.0 / 16);
  EXPECT_EQ(json["classes"][1]["label"], "Bag");
  EXPECT_EQ(json["classes"][1]["support"], 6);
  EXPECT_EQ(json["confusion"], (nlohmann::ordered_json{{8, 2}, {1, 5}}));
}

TEST(EvaluationReport, JsonIsValidForNamesThatAreNotUtf8) {
  EvalOptions options;
  options.model = "\xff.pt";
  const std::string text = evaluation_json(options, kEvaluation);
  EXPECT_TRUE(nlohmann::json::accept(text));
  EXPECT_EQ(text.back(), '\n');
}

TEST(EvaluationReport, TextShowsAccuracyClassesAndConfusion) {
  const std::string text = evaluation_text(kOptions, kEvaluation);
  EXPECT_NE(text.find("accuracy 81.25 %"), std::string::npos) << text;
  EXPECT_NE(text.find("Trouser     0.8889  0.8000  0.8421        10"), std::string::npos) << text;
  EXPECT_NE(text.find("Trouser     8     2"), std::string::npos) << text;
}

TEST(PredictionReport, SortsByProbabilityAndKeepsTheOrderOfTies) {
  std::string order;
  for (const ClassProbability& entry : kRanking) order += entry.label;
  EXPECT_EQ(order, "cadb");
}

TEST(PredictionReport, TextHasTheTopThree) {
  EXPECT_EQ(prediction_text("x.png", kRanking), "x.png: c (75.0 %), then a (12.5 %), d (12.5 %)\n");
  EXPECT_EQ(prediction_text("x.png", {{"only", 1}}), "x.png: only (100.0 %)\n");
}

TEST(PredictionReport, JsonHasAllClassesAndEscapesFileNames) {
  const auto json = nlohmann::json::parse(prediction_json("\xff\"x\n.png", kRanking));
  EXPECT_EQ(json["class"], "c");
  EXPECT_EQ(json["probability"], 0.75);
  EXPECT_EQ(json["classes"].size(), 4U);
  EXPECT_EQ(json["classes"][3]["label"], "b");
}

TEST(PredictionReport, DrawsTwoCharactersPerPixel) {
  EXPECT_EQ(drawing(std::vector<std::uint8_t>{0, 255, 0, 0, 128, 0}, 2), "  @@\n\n++\n");
}

/// Two images of 1 x 2 pixels; the second is misclassified as "a".
nlohmann::json data_of_report(const std::string& run_directory) {
  const Dataset dataset{2, 1, 2, {1, 2, 3, 4}, {0, 1}, {"a", "</b>"}};
  const Evaluation evaluation{dataset.class_names, {1, 0, 1, 0}, 0.5, {{0, 0, 0.9F}, {1, 0, 0.8F}}};
  Model model{{{{2, 2, {1, 0, -0.5F, 0.25F}, {0, 0}}}}, dataset.class_names, {}};
  EvalOptions options;
  options.run_dir = run_directory;
  const std::string page = html_report(options, evaluation, model, dataset);
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

TEST(HtmlReport, ShowsTheImageOfEachMistake) {
  const Dataset dataset{3, 1, 2, {1, 2, 3, 4, 5, 6}, {0, 1, 0}, {"a", "b"}};
  const Evaluation evaluation{
      dataset.class_names, {1, 1, 0, 1}, 0.5, {{0, 0, 0.9F}, {1, 1, 0.8F}, {0, 1, 0.7F}}};
  const Model model{{{{2, 2, {1, 0, 0, 1}, {0, 0}}}}, dataset.class_names, {}};
  const std::string page = html_report(kOptions, evaluation, model, dataset);
  EXPECT_NE(page.find("\"index\":2,\"truth\":0,\"predicted\":1"), std::string::npos);
  EXPECT_NE(page.find("\"image\":\"BQY=\""), std::string::npos);
}

TEST(HtmlReport, IgnoresATruncatedLineOfMetrics) {
  const TemporaryDirectory run;
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
