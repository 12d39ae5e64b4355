// The output of mnist-eval: text and JSON.
#include "report/evaluation_report.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mnist {
namespace {

const EvaluationSubject kSubject{"model.pt", "data/mnist", "test"};
const Evaluation kEvaluation{{"Trouser", "Bag"}, {8, 2, 1, 5}, 0.25};

TEST(EvaluationReport, JsonHasTheDocumentedKeysInOrder) {
  const auto json = nlohmann::ordered_json::parse(evaluation_json(kSubject, kEvaluation));
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
  const std::string text = evaluation_json({"\xff.pt", "d", "test"}, kEvaluation);
  EXPECT_TRUE(nlohmann::json::accept(text));
  EXPECT_EQ(text.back(), '\n');
}

TEST(EvaluationReport, TextShowsAccuracyClassesAndConfusion) {
  const std::string text = evaluation_text(kSubject, kEvaluation);
  EXPECT_NE(text.find("accuracy 81.25 %"), std::string::npos) << text;
  EXPECT_NE(text.find("Trouser     0.8889  0.8000  0.8421        10"), std::string::npos) << text;
  EXPECT_NE(text.find("Trouser     8     2"), std::string::npos) << text;
}

}  // namespace
}  // namespace mnist
