// Learning rates at steps where they are known; tests/interop compares them with PyTorch's.
#include "mnist/train/schedule.hpp"

#include <gtest/gtest.h>

#include "mnist/options/train_options.hpp"

namespace mnist {
namespace {

constexpr std::int64_t kStepsPerEpoch = 10;

TrainOptions scheduled(Schedule schedule, std::int64_t epochs = 10, double warmup = 0) {
  TrainOptions options;
  options.lr = 0.5;
  options.schedule = schedule;
  options.epochs = epochs;
  options.warmup = warmup;
  return options;
}

double rate(const TrainOptions& options, std::int64_t step) {
  return learning_rate(options, step, kStepsPerEpoch);
}

TEST(Schedule, ConstantNeverChanges) {
  const TrainOptions options = scheduled(Schedule::kConstant);
  EXPECT_EQ(rate(options, 0), 0.5);
  EXPECT_EQ(rate(options, 99), 0.5);
}

TEST(Schedule, StepDecaysEveryStepEpochs) {
  TrainOptions options = scheduled(Schedule::kStep);
  options.step_epochs = 3;
  options.step_factor = 0.5;
  EXPECT_EQ(rate(options, 29), 0.5);
  EXPECT_EQ(rate(options, 30), 0.25);
  EXPECT_EQ(rate(options, 60), 0.125);
}

TEST(Schedule, CosineEndsAtZero) {
  const TrainOptions options = scheduled(Schedule::kCosine);
  EXPECT_EQ(rate(options, 0), 0.5);
  EXPECT_NEAR(rate(options, 50), 0.25, 1e-15);
  EXPECT_GT(rate(options, 99), 0);
  EXPECT_LT(rate(options, 99), 0.5 * 0.001);
}

TEST(Schedule, OneCycleRisesAndFalls) {
  const TrainOptions options = scheduled(Schedule::kOneCycle);
  EXPECT_NEAR(rate(options, 0), 0.02, 1e-15);
  EXPECT_NEAR(rate(options, 29), 0.5, 1e-15);
  EXPECT_NEAR(rate(options, 99), 0.5 / 250'000, 1e-15);
  const TrainOptions one_epoch = scheduled(Schedule::kOneCycle, 1);
  for (std::int64_t step = 0; step < 2; ++step) {
    EXPECT_GT(learning_rate(one_epoch, step, 2), 0) << "even in a run of two steps";
  }
}

TEST(Schedule, WarmupIsInEpochsOrAFractionOfTheRun) {
  for (const double warmup : {2.0, 0.2}) {
    const TrainOptions options = scheduled(Schedule::kConstant, 10, warmup);
    EXPECT_NEAR(rate(options, 0), 0.5 / 20, 1e-15);
    EXPECT_NEAR(rate(options, 9), 0.25, 1e-15);
    EXPECT_EQ(rate(options, 19), 0.5);
  }
  const TrainOptions cosine = scheduled(Schedule::kCosine, 10, 2);
  EXPECT_EQ(rate(cosine, 20), 0.5);
  EXPECT_NEAR(rate(cosine, 60), 0.25, 1e-15);
}

TEST(Schedule, DistortionFadesOutOverTheLastEpochs) {
  TrainOptions options;
  options.epochs = 20;
  EXPECT_EQ(augment_strength(options, 20), 1) << "unless it is told to";
  options.augment.fade_augment = 0.25;
  EXPECT_EQ(augment_strength(options, 1), 1);
  EXPECT_EQ(augment_strength(options, 15), 1);
  EXPECT_DOUBLE_EQ(augment_strength(options, 16), 0.9);
  EXPECT_DOUBLE_EQ(augment_strength(options, 20), 0.1);
}

}  // namespace
}  // namespace mnist
