// Accuracy, per-class metrics, calibration and confidence intervals.
#include "mnist/evaluate/evaluation.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace mnist {
namespace {

// Rows are true classes: 8 of 10 a are right, 5 of 6 b, and c neither occurs nor is predicted.
const Evaluation kEvaluation{{"a", "b", "c"}, {8, 2, 0, 1, 5, 0, 0, 0, 0}, 0.5};

TEST(Evaluation, ComputesAccuracy) {
  EXPECT_EQ(kEvaluation.examples(), 16);
  EXPECT_EQ(kEvaluation.correct(), 13);
  EXPECT_DOUBLE_EQ(kEvaluation.accuracy(), 13.0 / 16);
}

TEST(Evaluation, ComputesPrecisionRecallAndF1PerClass) {
  const auto classes = kEvaluation.classes();
  ASSERT_EQ(classes.size(), 3U);
  EXPECT_EQ(classes[0].label, "a");
  EXPECT_DOUBLE_EQ(classes[0].precision, 8.0 / 9);
  EXPECT_DOUBLE_EQ(classes[0].recall, 8.0 / 10);
  EXPECT_DOUBLE_EQ(classes[0].f1, 2 * (8.0 / 9) * 0.8 / (8.0 / 9 + 0.8));
  EXPECT_EQ(classes[1].support, 6);
  EXPECT_EQ(classes[2].precision, 0);
  EXPECT_EQ(classes[2].recall, 0);
  EXPECT_EQ(classes[2].f1, 0);
}

/// Five examples of classes a and b.
Evaluation five_predictions() {
  return {{"a", "b"},
          {1, 1, 2, 1},
          0.3,
          {{0, 0, 0.95F}, {0, 1, 0.55F}, {1, 1, 0.91F}, {1, 0, 0.97F}, {1, 0, 1.0F}}};
}

TEST(MakeEvaluation, CountsPredictionsAndAveragesTheLoss) {
  const std::vector<std::uint8_t> labels{0, 1, 1};
  const std::vector<float> logits{2, 0, 1, 0, 0, 3};
  const Evaluation evaluation = make_evaluation({"a", "b"}, labels, logits);
  EXPECT_EQ(evaluation.confusion, (std::vector<std::int64_t>{1, 0, 1, 1}));
  const auto loss = [](double margin) { return std::log(1 + std::exp(-margin)); };
  EXPECT_NEAR(evaluation.loss, (loss(2) + loss(-1) + loss(3)) / 3, 1e-12);
  EXPECT_NEAR(evaluation.predictions[1].confidence, std::exp(-loss(1)), 1e-6);
}

TEST(Calibration, ComparesConfidenceWithAccuracyInTenBins) {
  const auto bins = five_predictions().calibration();
  ASSERT_EQ(bins.size(), 10U);
  EXPECT_EQ(bins[9].examples, 4);
  EXPECT_DOUBLE_EQ(bins[9].accuracy, 0.5);
  EXPECT_NEAR(bins[9].confidence, (0.95 + 0.91 + 0.97 + 1) / 4, 1e-6);
  EXPECT_EQ(bins[5].examples, 1);
  EXPECT_EQ(bins[0].examples, 0);
  EXPECT_NEAR(five_predictions().calibration_error(), (4 * (0.9575 - 0.5) + 0.55) / 5, 1e-6);
}

TEST(MostConfidentMistakes, AreSortedByConfidence) {
  EXPECT_EQ(five_predictions().most_confident_mistakes(9), (std::vector<std::size_t>{4, 3, 1}));
  EXPECT_EQ(five_predictions().most_confident_mistakes(1), (std::vector<std::size_t>{4}));
}

TEST(WilsonInterval, AgreesWithPublishedValues) {
  // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20 and 1 of 29, Wilson score at 95 %.
  const auto expect_interval = [](std::int64_t correct, std::int64_t n, double low, double high) {
    const Interval interval = wilson_interval(correct, n);
    EXPECT_NEAR(interval.low, low, 5e-5);
    EXPECT_NEAR(interval.high, high, 5e-5);
  };
  expect_interval(81, 263, 0.2553, 0.3662);
  expect_interval(15, 148, 0.0624, 0.1605);
  expect_interval(0, 20, 0.0000, 0.1611);
  expect_interval(1, 29, 0.0061, 0.1718);
  expect_interval(0, 0, 0, 1);
}

TEST(AccuracyText, HasAConfidenceInterval) {
  const Evaluation evaluation{{"a", "b"}, {6000, 100, 98, 3802}, 0.1};
  EXPECT_EQ(accuracy_text(evaluation), "98.02 % (95 % interval 97.73 to 98.28; 9,802 of 10,000)");
}

}  // namespace
}  // namespace mnist
