// The fused CPU engine: the same bits for any number of threads, the right gradients.
#include "engine/cpu/engine.hpp"

#include <algorithm>
#include <cmath>

#include "engine/engine_test_support.hpp"
#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

void expect_same_bits(const StateDict& a, const StateDict& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].name, b[i].name);
    EXPECT_EQ(a[i].shape, b[i].shape);
    EXPECT_TRUE(a[i].values == b[i].values) << a[i].name;
  }
}

TEST(CpuEngine, ParametersComeBackUnchanged) {
  for (const MlpShape& shape : {MlpShape{}, MlpShape{784, {}, 10, Activation::kRelu},
                                MlpShape{784, {33, 7}, 10, Activation::kRelu}}) {
    const StateDict initial = initial_parameters(shape, 0);
    for (const int threads : {1, 3}) {
      expect_same_bits(CpuEngine(shape, initial, training_set(), {}, threads).parameters(),
                       initial);
    }
  }
}

TEST(CpuEngine, SameBitsForAnyNumberOfThreads) {
  const auto rows = first_rows(2000);
  for (const MlpShape& shape : {MlpShape{}, MlpShape{784, {}, 10, Activation::kRelu},
                                MlpShape{784, {100, 50, 20}, 10, Activation::kRelu},
                                MlpShape{784, {5}, 10, Activation::kRelu}}) {
    for (const std::int64_t batch : {31, 32, 100}) {
      const StateDict initial = initial_parameters(shape, 0);
      CpuEngine alone(shape, initial, training_set(), {}, 1);
      const StepsResult expected = train(alone, rows, batch);
      for (const int threads : {2, 3, 5, 64}) {
        CpuEngine engine(shape, initial, training_set(), {}, threads);
        const StepsResult result = train(engine, rows, batch);
        EXPECT_EQ(result.losses, expected.losses) << threads << " threads";
        EXPECT_EQ(result.correct, expected.correct);
        expect_same_bits(engine.parameters(), alone.parameters());
      }
    }
  }
}

TEST(CpuEngine, SameBitsForAnyNumberOfThreadsWithEverythingOn) {
  const MlpShape shape{784, {100, 50}, 10, Activation::kRelu};
  const StateDict initial = initial_parameters(shape, 0);
  const auto rows = first_rows(500);
  CpuEngine alone(shape, initial, training_set(), everything(), 1);
  const StepsResult expected = train(alone, rows, 45);
  for (const int threads : {2, 3, 5}) {
    CpuEngine engine(shape, initial, training_set(), everything(), threads);
    EXPECT_EQ(train(engine, rows, 45).losses, expected.losses) << threads << " threads";
    expect_same_bits(engine.parameters(), alone.parameters());
  }
}

TEST(CpuEngine, CuttingARunIntoCallsChangesNothingWithEverythingOn) {
  const MlpShape shape{784, {32, 16}, 10, Activation::kRelu};
  const StateDict initial = initial_parameters(shape, 0);
  const auto rows = first_rows(960);
  CpuEngine whole(shape, initial, training_set(), everything(), 2);
  train(whole, rows, 32);
  CpuEngine parts(shape, initial, training_set(), everything(), 2);
  for (std::int64_t begin = 0; begin < 960; begin += 160) {
    train(parts, {rows.begin() + begin, rows.begin() + begin + 160}, 32);
  }
  expect_same_bits(whole.parameters(), parts.parameters());
}

TEST(CpuEngine, GoesOnFromItsStateBitByBitOnAnyNumberOfThreads) {
  const MlpShape shape{784, {100, 50}, 10, Activation::kRelu};
  const auto rows = first_rows(960);
  const std::vector<std::int64_t> first(rows.begin(), rows.begin() + 320);
  const std::vector<std::int64_t> second(rows.begin() + 320, rows.end());
  for (const EngineOptions& options : {EngineOptions{}, everything()}) {
    CpuEngine whole(shape, initial_parameters(shape, 0), training_set(), options, 1);
    train(whole, first, 32);
    CpuEngine other(shape, initial_parameters(shape, 9), training_set(), options, 3);
    other.restore(whole.state());
    EXPECT_EQ(train(other, second, 32).losses, train(whole, second, 32).losses);
    expect_same_bits(other.parameters(), whole.parameters());
    expect_same_bits(other.state().second_moments, whole.state().second_moments);
  }
}

TEST(CpuEngine, ClippedGradientsMoveLikeShorterOnes) {
  // Adam forgets the length of a gradient that is always the same, but not beside epsilon: with
  // gradients clipped to 1e-12 nothing moves.
  const MlpShape shape{784, {16}, 10, Activation::kRelu};
  const StateDict initial = initial_parameters(shape, 0);
  EngineOptions options;
  options.clip_norm = 1e-12;
  CpuEngine engine(shape, initial, training_set(), options, 1);
  train(engine, first_rows(32), 32, 0.01);
  const StateDict after = engine.parameters();
  for (std::size_t i = 0; i < after.size(); ++i) {
    for (std::size_t n = 0; n < after[i].values.size(); ++n) {
      EXPECT_NEAR(after[i].values[n], initial[i].values[n], 2e-6F);
    }
  }
  EXPECT_GT(engine.gradient_norms()[0].second, 0.01) << "reported as it was before clipping";
}

TEST(CpuEngine, CuttingARunIntoCallsChangesNothing) {
  const MlpShape shape{784, {32}, 10, Activation::kRelu};
  const StateDict initial = initial_parameters(shape, 0);
  const auto rows = first_rows(960);
  CpuEngine whole(shape, initial, training_set(), {}, 2);
  train(whole, rows, 32);
  CpuEngine parts(shape, initial, training_set(), {}, 2);
  for (std::int64_t begin = 0; begin < 960; begin += 96) {
    train(parts, {rows.begin() + begin, rows.begin() + begin + 96}, 32);
  }
  expect_same_bits(whole.parameters(), parts.parameters());
}

/// The network in double precision on one example after another.
double loss_in_double(const StateDict& state, const std::vector<std::int64_t>& rows) {
  const Dataset& set = training_set();
  double total = 0;
  for (const std::int64_t row : rows) {
    std::vector<double> values;
    for (std::int64_t p = 0; p < set.pixels(); ++p) {
      values.push_back(set.images[static_cast<std::size_t>(row * set.pixels() + p)] / 255.0);
    }
    for (std::size_t l = 0; l < state.size(); l += 2) {
      std::vector<double> next;
      for (std::size_t j = 0; j < state[l + 1].values.size(); ++j) {
        double sum = static_cast<double>(state[l + 1].values[j]);
        for (std::size_t k = 0; k < values.size(); ++k) {
          sum += values[k] * static_cast<double>(state[l].values[j * values.size() + k]);
        }
        next.push_back(l + 2 < state.size() ? std::max(sum, 0.0) : sum);
      }
      values = next;
    }
    double sum = 0;
    for (const double logit : values) sum += std::exp(logit);
    total += std::log(sum) - values[set.labels[static_cast<std::size_t>(row)]];
  }
  return total / static_cast<double>(rows.size());
}

TEST(CpuEngine, GradientsAgreeWithFiniteDifferencesInDouble) {
  const MlpShape shape{784, {12, 9}, 10, Activation::kRelu};
  StateDict state = initial_parameters(shape, 2);
  const auto rows = first_rows(40);
  CpuEngine engine(shape, state, training_set(), {}, 2);
  const StepsResult result = train(engine, rows, 40);
  EXPECT_NEAR(result.losses[0], loss_in_double(state, rows), 1e-5);

  const NamedNorms norms = engine.gradient_norms();
  for (std::size_t i = 0; i < state.size(); ++i) {
    if (i == 0) continue;  // 9,408 weights take too long; the layer is checked through its bias
    double squares = 0;
    for (float& value : state[i].values) {
      constexpr float kStep = 1e-3F;
      const float before = value;
      const float high = before + kStep;
      const float low = before - kStep;
      value = high;
      const double above = loss_in_double(state, rows);
      value = low;
      const double below = loss_in_double(state, rows);
      value = before;
      const double slope = (above - below) / static_cast<double>(high - low);
      squares += slope * slope;
    }
    EXPECT_NEAR(norms[i].second, std::sqrt(squares), 0.01 * std::sqrt(squares)) << norms[i].first;
  }
}

TEST(CpuEngine, FirstAdamStepMovesByTheLearningRateAgainstTheGradient) {
  // After one step Adam's update is lr * g / (|g| + eps): a full learning rate for each weight with
  // a gradient that matters, nothing for the others.
  const MlpShape shape{784, {16}, 10, Activation::kRelu};
  const StateDict initial = initial_parameters(shape, 0);
  CpuEngine engine(shape, initial, training_set(), {}, 1);
  train(engine, first_rows(32), 32, 0.01);
  const StateDict after = engine.parameters();
  std::size_t moved = 0;
  for (std::size_t n = 0; n < after[0].values.size(); ++n) {
    const float difference = std::abs(after[0].values[n] - initial[0].values[n]);
    EXPECT_LE(difference, 0.0100001F);
    if (difference > 0.0099F) ++moved;
    if (n % 784 == 0) {
      EXPECT_EQ(difference, 0.0F) << "the corner is always blank";
    }
  }
  EXPECT_GT(moved, after[0].values.size() / 4);
}

TEST(CpuEngine, RefusesOtherActivations) {
  const MlpShape shape{784, {8}, 10, Activation::kTanh};
  expect_throws<Error>(
      [&] { CpuEngine engine(shape, initial_parameters(shape, 0), training_set(), {}, 1); },
      "the fused engine knows only relu, found tanh");
}

}  // namespace
}  // namespace mnist
