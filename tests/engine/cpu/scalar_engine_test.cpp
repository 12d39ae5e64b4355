// The fused CPU engine agrees with the same step in plain loops.
#include "engine/cpu/scalar_engine.hpp"

#include "engine/cpu/engine.hpp"
#include "engine/engine_test_support.hpp"

namespace mnist {
namespace {

void expect_agreement(const std::vector<std::int64_t>& hidden, std::int64_t batch,
                      const TrainOptions& options) {
  const MlpShape shape{784, hidden, 10, Activation::kRelu};
  SCOPED_TRACE(to_string(shape) + ", batch " + std::to_string(batch));
  const Mlp initial = initial_parameters(shape, 1);
  ScalarEngine scalar(initial, training_set(), options);
  CpuEngine fused(initial, training_set(), options, 2);
  const auto indices = shuffled_indices(12 * batch + 1);
  const StepsResult expected = train(scalar, indices, batch);
  const StepsResult found = train(fused, indices, batch);
  expect_near_losses(found, expected, 1e-4F, 1e-6F);
  EXPECT_EQ(found.correct, expected.correct);
  expect_near_norms(fused.gradient_norms(), scalar.gradient_norms(), 1e-3, 1e-6);
}

TEST(ScalarEngine, AgreesWithTheFusedEngineOnShapesAndBatches) {
  expect_agreement({20, 12}, 32, {});
  expect_agreement({}, 31, {});
  expect_agreement({33}, 1, {});
  expect_agreement({9, 7, 5}, 45, {});
}

// Minibatches of several microbatches, the last one short.
TEST(ScalarEngine, AgreesWithTheFusedEngineOnLargeMinibatches) {
  expect_agreement({20, 12}, 300, everything());
  expect_agreement({33}, 2100, {});
}

TEST(ScalarEngine, AgreesWithTheFusedEngineOnEachOption) {
  const std::vector<std::int64_t> hidden{20, 12};
  expect_agreement(hidden, 32, {.weight_decay = 0.01});
  expect_agreement(hidden, 32, {.optimizer = Optimizer::kAdamW, .weight_decay = 0.1});
  expect_agreement(hidden, 32, {.clip_norm = 0.3});
  expect_agreement(hidden, 32, {.ema = 0.9});
  expect_agreement(hidden, 32, {.label_smoothing = 0.2});
  expect_agreement(hidden, 45, {.dropout = {0.5, 0.25}, .input_dropout = 0.2});
  expect_agreement(hidden, 45, everything());
}

TEST(ScalarEngine, StatesAreExchangeable) {
  const MlpShape shape{784, {20, 12}, 10, Activation::kRelu};
  const TrainOptions options{.ema = 0.9, .dropout = {0.2, 0.1}};
  const Mlp initial = initial_parameters(shape, 1);
  const auto indices = first_indices(320);
  CpuEngine fused(initial, training_set(), options, 2);
  train(fused, indices, 32);
  ScalarEngine scalar(initial, training_set(), options);
  scalar.restore(fused.state());
  expect_near_losses(train(scalar, indices, 32), train(fused, indices, 32), 1e-4F, 1e-6F);
}

}  // namespace
}  // namespace mnist
