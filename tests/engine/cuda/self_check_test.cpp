// The self-check of the CUDA engine, with engines that report given losses.
#include "engine/cuda/self_check.hpp"

#include <limits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

constexpr std::int64_t kBatch = 4;

/// Reports the first of the given losses, as many as it is asked to take steps.
class FakeEngine : public Engine {
 public:
  explicit FakeEngine(std::vector<float> losses) : losses_(std::move(losses)) {}

  StepsResult train(const Steps& steps) override {
    trained_examples += std::ssize(steps.indices);
    EXPECT_GE(std::ssize(steps.learning_rates), steps.count());
    return {{losses_.begin(), losses_.begin() + steps.count()}, 0};
  }
  Mlp parameters() const override { return {}; }
  EngineState state() const override { return {}; }
  void restore(const EngineState& /*state*/) override {}
  NamedNorms gradient_norms() const override { return {}; }
  std::string description() const override { return "fake"; }
  int threads() const override { return 1; }

  std::int64_t trained_examples = 0;

 private:
  std::vector<float> losses_;
};

const std::vector<float> kReference{2.5F, 2.0F, 1.5F, 0.01F, 400.0F, 1.0F, 0.5F, 0.25F};

void check(FakeEngine& engine, FakeEngine& reference, std::int64_t examples) {
  check_against_reference(engine, reference, {.batch = kBatch}, examples);
}

void check(std::vector<float> losses, std::vector<float> expected) {
  FakeEngine engine(std::move(losses));
  FakeEngine reference(std::move(expected));
  check(engine, reference, 8 * kBatch);
}

TEST(SelfCheck, AcceptsLossesThatAgree) {
  check(kReference, kReference);
  std::vector<float> near = kReference;
  near[3] += 0.9e-4F;  // small losses: absolute
  near[4] += 0.03F;    // large ones: relative
  check(near, kReference);
}

TEST(SelfCheck, NamesTheStepAndBothLossesThatDisagree) {
  std::vector<float> wrong = kReference;
  wrong[2] = 1.5003F;
  wrong[3] = 9;
  expect_throws<Error>([&] { check(wrong, kReference); },
                       "the self-check of the engine \"fake\" failed: loss 1.50030005 at step 3, "
                       "but the reference has 1.5; use --engine torch");
}

TEST(SelfCheck, RejectsNan) {
  std::vector<float> wrong = kReference;
  wrong[2] = std::numeric_limits<float>::quiet_NaN();
  expect_throws<Error>([&] { check(wrong, kReference); }, "loss nan at step 3");
}

TEST(SelfCheck, LeavesADivergingRunToTheTrainer) {
  std::vector<float> diverging = kReference;
  diverging[2] = std::numeric_limits<float>::infinity();
  diverging[3] = std::numeric_limits<float>::quiet_NaN();
  check(kReference, diverging);
}

TEST(SelfCheck, TrainsOnAtMostEightMinibatches) {
  FakeEngine engine(kReference);
  FakeEngine reference(kReference);
  check(engine, reference, 100 * kBatch);
  EXPECT_EQ(engine.trained_examples, 8 * kBatch);
  EXPECT_EQ(reference.trained_examples, 8 * kBatch);
  check(engine, reference, kBatch + 1);  // a small dataset, whose last minibatch is short
  EXPECT_EQ(engine.trained_examples, 8 * kBatch + kBatch + 1);
}

}  // namespace
}  // namespace mnist
