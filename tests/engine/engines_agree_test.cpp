// The fused CPU engine agrees with the LibTorch reference: from the same initial parameters, the
// same minibatches give the same losses, parameters and gradient norms.
#include <cmath>

#include <gtest/gtest.h>
#include <torch/types.h>

#include "engine/cpu/engine.hpp"
#include "engine/engine_test_support.hpp"
#include "engine/torch/device.hpp"
#include "engine/torch/engine.hpp"

namespace mnist {
namespace {

constexpr std::int64_t kSteps = 200;

/// Weights and biases agree within 1e-4, except for one unit per layer: an activation that is zero
/// up to rounding may be active in one engine only, which moves that unit by a fraction of a step.
/// Where that happens depends on the processor.
void expect_same_parameters(const Linear& found, const Linear& expected, std::size_t layer) {
  constexpr float kStep = 1e-3F;
  const auto inputs = static_cast<std::size_t>(expected.inputs);
  std::size_t units_apart = 0;
  for (std::size_t unit = 0; unit < expected.bias.size(); ++unit) {
    float furthest = std::abs(found.bias[unit] - expected.bias[unit]);
    for (std::size_t n = unit * inputs; n < (unit + 1) * inputs; ++n) {
      furthest = std::max(furthest, std::abs(found.weight[n] - expected.weight[n]));
    }
    EXPECT_LE(furthest, kStep) << "unit " << unit << " of layer " << layer;
    if (furthest > 1e-4F) ++units_apart;
  }
  EXPECT_LE(units_apart, 1U) << "layer " << layer;
}

void expect_agreement(const MlpShape& shape, std::int64_t batch, const TrainOptions& options) {
  SCOPED_TRACE(to_string(shape) + ", batch " + std::to_string(batch) + ", " +
               std::string(name_of(options.optimizer)) + " " +
               std::to_string(options.weight_decay));
  const Mlp initial = initial_parameters(shape, 1);
  const auto indices = shuffled_indices(kSteps * batch);
  TorchEngine reference(initial, training_set(), options, torch::kCPU);
  CpuEngine fused(initial, training_set(), options, 2);
  const StepsResult expected = train(reference, indices, batch);
  const StepsResult found = train(fused, indices, batch);

  expect_near_losses(found, expected, 1e-4F, 1e-6F);
  EXPECT_NEAR(static_cast<double>(found.correct), static_cast<double>(expected.correct), 2);
  const Mlp parameters = fused.parameters();
  const Mlp expected_parameters = reference.parameters();
  for (std::size_t l = 0; l < parameters.layers.size(); ++l) {
    expect_same_parameters(parameters.layers[l], expected_parameters.layers[l], l);
  }
  expect_near_norms(fused.gradient_norms(), reference.gradient_norms(), 1e-3, 1e-7);
}

class EnginesAgree : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { prepare_libtorch(2); }
};

TEST_F(EnginesAgree, ForAllShapes) {
  for (const std::vector<std::int64_t>& hidden :
       {std::vector<std::int64_t>{256, 128}, {}, {64}, {50, 33, 17}, {512, 256}}) {
    expect_agreement({784, hidden, 10, Activation::kRelu}, 32, {});
  }
}

TEST_F(EnginesAgree, ForAllBatchSizes) {
  for (const std::int64_t batch : {1, 31, 33, 100}) {
    expect_agreement({784, {64, 32}, 10, Activation::kRelu}, batch, {});
  }
}

TEST_F(EnginesAgree, ForAllOptimizers) {
  const MlpShape shape{784, {64, 32}, 10, Activation::kRelu};
  expect_agreement(shape, 32, {.weight_decay = 0.01});
  expect_agreement(shape, 32, {.optimizer = Optimizer::kAdamW, .weight_decay = 0.1});
  expect_agreement(shape, 32, {.optimizer = Optimizer::kAdamW});
}

TEST_F(EnginesAgree, WithLabelSmoothing) {
  expect_agreement({784, {64, 32}, 10, Activation::kRelu}, 32, {.label_smoothing = 0.1});
  expect_agreement({784, {}, 10, Activation::kRelu}, 31,
                   {.optimizer = Optimizer::kAdamW, .weight_decay = 0.01, .label_smoothing = 0.5});
}

TEST_F(EnginesAgree, WithDropout) {
  const MlpShape shape{784, {64, 32}, 10, Activation::kRelu};
  expect_agreement(shape, 45, {.seed = 3, .dropout = {0.5, 0.25}});
  expect_agreement(shape, 32, {.seed = 3, .dropout = {0, 0.1}, .input_dropout = 0.2});
  expect_agreement({784, {}, 10, Activation::kRelu}, 31, {.input_dropout = 0.3});
}

TEST_F(EnginesAgree, WithGradientClipping) {
  expect_agreement({784, {64, 32}, 10, Activation::kRelu}, 32, {.clip_norm = 0.3});
  expect_agreement({784, {64}, 10, Activation::kRelu}, 31, {.weight_decay = 0.01, .clip_norm = 1});
}

TEST_F(EnginesAgree, WithAveragedWeights) {
  expect_agreement({784, {64, 32}, 10, Activation::kRelu}, 32, {.ema = 0.99});
  expect_agreement({784, {}, 10, Activation::kRelu}, 31, {.ema = 0.5});
}

TEST_F(EnginesAgree, WithAugmentedImages) {
  TrainOptions options;
  options.augment = {.rotation = 10, .translation = 1, .elastic = 1, .erasing = 0.5};
  expect_agreement({784, {64, 32}, 10, Activation::kRelu}, 45, options);
}

/// Trains `first` half-way, hands its state to `second`, and compares the rest of both runs.
void expect_handover(Engine& first, Engine& second, const std::vector<std::int64_t>& indices) {
  const auto middle = indices.begin() + std::ssize(indices) / 2;
  const std::vector<std::int64_t> begin(indices.begin(), middle);
  train(first, begin, 32);
  second.restore(first.state());
  const std::vector<std::int64_t> rest(middle, indices.end());
  const StepsResult expected = train(first, rest, 32);
  const StepsResult found = train(second, rest, 32);
  expect_near_losses(found, expected);
}

TEST_F(EnginesAgree, AfterResumingFromEachOthersState) {
  const MlpShape shape{784, {64, 32}, 10, Activation::kRelu};
  const Mlp initial = initial_parameters(shape, 1);
  const Mlp elsewhere = initial_parameters(shape, 2);
  const TrainOptions options{.ema = 0.9, .dropout = {0.2, 0.1}};
  const auto indices = shuffled_indices(64 * 32);
  {
    TorchEngine first(initial, training_set(), options, torch::kCPU);
    CpuEngine second(elsewhere, training_set(), options, 2);
    expect_handover(first, second, indices);
  }
  {
    CpuEngine first(initial, training_set(), options, 2);
    TorchEngine second(elsewhere, training_set(), options, torch::kCPU);
    expect_handover(first, second, indices);
  }
  {
    TorchEngine first(initial, training_set(), options, torch::kCPU);
    TorchEngine second(elsewhere, training_set(), options, torch::kCPU);
    expect_handover(first, second, indices);
  }
}

}  // namespace
}  // namespace mnist
