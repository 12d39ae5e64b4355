// What the tests of engines share: real data, rows, and options.
#pragma once

#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/engine_options.hpp"
#include "mnist/engine/engine.hpp"
#include "mnist/train/trainer.hpp"
#include "mnist_subset.hpp"

namespace mnist {

inline const Dataset& training_set() {
  static const Dataset set = mnist_subset(Split::kTrain);
  return set;
}

inline std::vector<std::int64_t> first_rows(std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

/// Trains on `rows` at a constant learning rate.
inline StepsResult train(Engine& engine, const std::vector<std::int64_t>& rows, std::int64_t batch,
                         double learning_rate = 0.001) {
  const std::vector<double> rates(rows.size(), learning_rate);
  return engine.train({rows, batch, rates});
}

/// Losses step by step, within a part of their size.
inline void expect_near_losses(const StepsResult& found, const StepsResult& expected,
                               float tolerance = 1e-4F) {
  ASSERT_EQ(found.losses.size(), expected.losses.size());
  for (std::size_t i = 0; i < found.losses.size(); ++i) {
    EXPECT_NEAR(found.losses[i], expected.losses[i], tolerance * expected.losses[i])
        << "step " << i;
  }
}

/// So many shuffled rows, epoch after epoch.
inline std::vector<std::int64_t> many_rows(std::int64_t count) {
  std::vector<std::int64_t> rows;
  const auto all = first_rows(training_set().count);
  for (std::int64_t epoch = 1; std::ssize(rows) < count; ++epoch) {
    const auto order = shuffled(all, 0, epoch);
    rows.insert(rows.end(), order.begin(), order.end());
  }
  rows.resize(static_cast<std::size_t>(count));
  return rows;
}

/// Everything at once that works on more than the plain step.
inline EngineOptions everything() {
  EngineOptions options;
  options.optimizer = Optimizer::kAdamW;
  options.weight_decay = 0.01;
  options.clip_norm = 0.5;
  options.ema = 0.9;
  options.label_smoothing = 0.1;
  options.dropout = {0.1, 0.2, 0.5};
  options.augment.rotation = 10;
  options.augment.elastic = 1;
  options.seed = 4;
  return options;
}

}  // namespace mnist
