// The output of mnist-predict: text, JSON and ASCII art.
#include "report/prediction_report.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mnist {
namespace {

const std::vector<ClassProbability> kRanking =
    ranked(std::vector<float>{0.125F, 0.0F, 0.75F, 0.125F}, {"a", "b", "c", "d"});

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

}  // namespace
}  // namespace mnist
