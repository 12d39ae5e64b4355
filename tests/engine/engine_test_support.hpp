// Helpers of the engine tests: real data, example indices, options, and comparisons.
#pragma once

#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mnist/engine/engine.hpp"
#include "mnist/train/trainer.hpp"
#include "mnist_subset.hpp"

namespace mnist {

inline const Dataset& training_set() {
  static const Dataset set = mnist_subset(Split::kTrain);
  return set;
}

inline std::vector<std::int64_t> first_indices(std::int64_t count) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

/// Trains on `indices` at a constant learning rate; distortion, if any, is not at full strength.
inline StepsResult train(Engine& engine, const std::vector<std::int64_t>& indices,
                         std::int64_t batch, double learning_rate = 0.001) {
  const std::vector<double> rates(indices.size(), learning_rate);
  return engine.train({indices, batch, rates, 1, 0.75});
}

/// Compares losses step by step, within `tolerance` times the loss plus `absolute`.
inline void expect_near_losses(const StepsResult& found, const StepsResult& expected,
                               float tolerance = 1e-4F, float absolute = 0) {
  ASSERT_EQ(found.losses.size(), expected.losses.size());
  for (std::size_t i = 0; i < found.losses.size(); ++i) {
    EXPECT_NEAR(found.losses[i], expected.losses[i], tolerance * expected.losses[i] + absolute)
        << "step " << i;
  }
}

inline void expect_near_norms(const NamedNorms& found, const NamedNorms& expected,
                              double tolerance = 1e-3, double absolute = 0) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].first, expected[i].first);
    EXPECT_NEAR(found[i].second, expected[i].second, tolerance * expected[i].second + absolute)
        << found[i].first;
  }
}

inline void expect_same_bits(const Mlp& found, const Mlp& expected) {
  ASSERT_EQ(found.shape(), expected.shape());
  EXPECT_TRUE(flatten(found) == flatten(expected));
}

/// Returns `count` example indices in the shuffled order of successive epochs.
inline std::vector<std::int64_t> shuffled_indices(std::int64_t count) {
  std::vector<std::int64_t> indices;
  const auto all = first_indices(training_set().count);
  for (std::int64_t epoch = 1; std::ssize(indices) < count; ++epoch) {
    const auto order = shuffled(all, 0, epoch);
    indices.insert(indices.end(), order.begin(), order.end());
  }
  indices.resize(static_cast<std::size_t>(count));
  return indices;
}

/// Options that enable everything beyond the plain step.
inline TrainOptions everything() {
  TrainOptions options;
  options.optimizer = Optimizer::kAdamW;
  options.weight_decay = 0.01;
  options.clip_norm = 0.5;
  options.ema = 0.9;
  options.label_smoothing = 0.1;
  options.input_dropout = 0.1;
  options.dropout = {0.2, 0.5};
  options.augment.rotation = 10;
  options.augment.elastic = 1;
  options.seed = 4;
  return options;
}

}  // namespace mnist
