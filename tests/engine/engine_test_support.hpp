// What the tests of engines share: real data and rows.
#pragma once

#include <numeric>
#include <string>
#include <vector>

#include "mnist/engine/engine.hpp"
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

}  // namespace mnist
