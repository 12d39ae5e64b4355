// Random networks, data and options, on which two engines must take the same steps.
#pragma once

#include <cmath>
#include <numeric>

#include "mnist/engine/engine.hpp"
#include "mnist/train/trainer.hpp"
#include "properties.hpp"
#include "support/random.hpp"

namespace mnist {

/// Images of noise, a third of their pixels blank.
inline Dataset any_dataset() {
  Dataset set;
  set.count = 60;
  set.rows = *rc::gen::inRange<std::int64_t>(2, 9);
  set.columns = *rc::gen::inRange<std::int64_t>(2, 9);
  const std::int64_t classes = *rc::gen::inRange<std::int64_t>(2, 20);
  const RandomStream noise(*rc::gen::arbitrary<std::uint64_t>(), RandomPurpose::kShuffle, 0);
  for (std::int64_t i = 0; i < set.count * set.pixels(); ++i) {
    const std::uint32_t bits = noise.bits(static_cast<std::uint64_t>(i));
    set.images.push_back(bits % 3 == 0 ? std::uint8_t{0} : static_cast<std::uint8_t>(bits >> 24));
  }
  for (std::int64_t i = 0; i < set.count; ++i) {
    set.labels.push_back(static_cast<std::uint8_t>(i % classes));
  }
  for (std::int64_t i = 0; i < classes; ++i) set.class_names.push_back(std::to_string(i));
  return set;
}

inline TrainOptions any_options() {
  const auto maybe = [](double value) { return *rc::gen::arbitrary<bool>() ? value : 0; };
  TrainOptions options;
  options.hidden = *rc::gen::resize(
      3, rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(1, 40)));
  options.optimizer = *rc::gen::element(Optimizer::kAdam, Optimizer::kAdamW);
  options.weight_decay = maybe(0.5);
  options.clip_norm = maybe(0.5);
  options.ema = maybe(0.9);
  options.label_smoothing = maybe(0.2);
  options.input_dropout = maybe(0.2);
  if (*rc::gen::arbitrary<bool>()) options.dropout = {0.3};
  options.augment.rotation = maybe(15);
  options.augment.elastic = maybe(1);
  options.augment.erasing = maybe(0.5);
  options.seed = *rc::gen::arbitrary<std::uint64_t>();
  return options;
}

/// The root mean square of the differences, relative to that of `expected`, plus `absolute`.
inline void expect_near(const Mlp& found, const Mlp& expected, double relative, double absolute) {
  const std::vector<float> a = flatten(found);
  const std::vector<float> b = flatten(expected);
  double apart = 0;
  double size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    apart += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    size += std::pow(static_cast<double>(b[i]), 2);
  }
  const auto count = static_cast<double>(a.size());
  const double allowed = relative * std::sqrt(size / count) + absolute;
  if (!(std::sqrt(apart / count) <= allowed)) {
    RC_FAIL("apart by " + std::to_string(std::sqrt(apart / count)) + ", allowed " +
            std::to_string(allowed));
  }
}

/// Trains both engines for two epochs on `examples` of a random dataset. `make_found` and
/// `make_expected` return engines, given initial parameters, dataset and options.
template <class Found, class Expected>
void expect_same_steps(const Found& make_found, const Expected& make_expected) {
  const Dataset set = any_dataset();
  const TrainOptions options = any_options();
  const MlpShape shape{set.pixels(), options.hidden, set.classes(), Activation::kRelu};
  const Mlp initial = initial_parameters(shape, options.seed);
  const auto batch = *rc::gen::inRange<std::int64_t>(1, 70);
  const auto examples = *rc::gen::inRange<std::int64_t>(1, set.count + 1);
  std::vector<std::int64_t> all(static_cast<std::size_t>(examples));
  std::iota(all.begin(), all.end(), 0);
  auto expected_engine = make_expected(initial, set, options);
  auto found_engine = make_found(initial, set, options);
  for (std::int64_t epoch = 1; epoch <= 2; ++epoch) {
    const auto order = shuffled(all, options.seed, epoch);
    const std::vector<double> rates(order.size(), 0.01);
    const Steps steps{order, batch, rates, epoch};
    const StepsResult expected = expected_engine.train(steps);
    const StepsResult found = found_engine.train(steps);
    RC_ASSERT(found.losses.size() == expected.losses.size());
    for (std::size_t i = 0; i < found.losses.size(); ++i) {
      if (!(std::abs(found.losses[i] - expected.losses[i]) <= 1e-3F * expected.losses[i] + 1e-4F)) {
        RC_FAIL("loss " + std::to_string(found.losses[i]) + " of step " + std::to_string(i) +
                ", expected " + std::to_string(expected.losses[i]));
      }
    }
  }
  const EngineState state = found_engine.state();
  const EngineState expected = expected_engine.state();
  RC_ASSERT(state.steps == expected.steps);
  expect_near(state.weights, expected.weights, 1e-3, 1e-4);
  expect_near(state.first_moments, expected.first_moments, 1e-2, 1e-6);
  expect_near(state.second_moments, expected.second_moments, 1e-2, 1e-9);
  expect_near(found_engine.parameters(), expected_engine.parameters(), 1e-3, 1e-4);
}

}  // namespace mnist
