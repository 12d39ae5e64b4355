// When each warning is given, and how often.
#include "report/run_warnings.hpp"

#include "test_support.hpp"

namespace mnist {
namespace {

EpochReport healthy() {
  EpochReport report;
  report.training.loss = 0.5;
  report.gradient_norm = {{"0.weight", 0.5}, {"0.bias", 1e-9}, {"2.weight", 0.02}};
  report.peak_memory_bytes = 200'000'000;
  return report;
}

/// All warnings of a run with these validation losses and falling training losses.
std::vector<std::string> after(const std::vector<double>& validation_losses) {
  RunWarnings warnings;
  std::vector<std::string> all;
  double training_loss = 1;
  for (const double loss : validation_losses) {
    EpochReport report = healthy();
    report.training.loss = training_loss *= 0.9;
    report.validation = Score{loss, 0.9};
    for (std::string& warning : warnings.new_warnings(report)) all.push_back(std::move(warning));
  }
  return all;
}

TEST(RunWarnings, OverfittingIsThreeConsecutiveWorseEpochs) {
  EXPECT_TRUE(after({0.5, 0.4, 0.41, 0.42, 0.41, 0.42, 0.43}).empty());
  const auto warnings = after({0.5, 0.4, 0.41, 0.42, 0.43, 0.44, 0.45});
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_TRUE(warnings[0].starts_with("overfitting: validation loss has risen for 3 epochs"));
}

TEST(RunWarnings, NoOverfittingWithoutValidation) {
  RunWarnings warnings;
  for (int i = 0; i < 9; ++i) EXPECT_TRUE(warnings.new_warnings(healthy()).empty());
}

TEST(RunWarnings, NamesVanishingAndExplodingGradients) {
  RunWarnings warnings;
  EpochReport report = healthy();
  report.gradient_norm[0].second = 1e-6;
  auto found = warnings.new_warnings(report);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(
      found[0].starts_with("vanishing gradient: norm 1e-06 at 0.weight, but 0.02 at 2.weight"));
  EXPECT_TRUE(warnings.new_warnings(report).empty()) << "one warning per run";
  report.gradient_norm = {{"0.weight", 5e4}, {"2.weight", 100}};
  found = warnings.new_warnings(report);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].starts_with("exploding gradient: norm 5e+04 at 0.weight"));
}

TEST(RunWarnings, ReportsMemoryThatGrowsEveryEpoch) {
  RunWarnings growing;
  RunWarnings steady;
  std::size_t warned = 0;
  for (int epoch = 0; epoch < 9; ++epoch) {
    EpochReport report = healthy();
    EXPECT_TRUE(steady.new_warnings(report).empty());
    report.peak_memory_bytes += 20'000'000 * epoch;
    warned += growing.new_warnings(report).size();
  }
  EXPECT_EQ(warned, 1U);
}

}  // namespace
}  // namespace mnist
