// The fused CPU engine is bitwise reproducible on any number of threads and computes the right
// gradients.
#include "engine/cpu/engine.hpp"

#include <algorithm>
#include <cmath>

#include "engine/engine_test_support.hpp"
#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

TEST(CpuEngine, ReturnsItsInitialParametersUnchanged) {
  for (const MlpShape& shape : {MlpShape{}, MlpShape{784, {}, 10, Activation::kRelu},
                                MlpShape{784, {33, 7}, 10, Activation::kRelu}}) {
    const Mlp initial = initial_parameters(shape, 0);
    for (const int threads : {1, 3}) {
      expect_same_bits(CpuEngine(initial, training_set(), {}, threads).parameters(), initial);
    }
  }
}

/// Trains on 1, 2, 3, 5 and 64 threads and expects the same losses and parameters.
void expect_thread_invariance(const MlpShape& shape, const TrainOptions& options,
                              std::int64_t examples, std::int64_t batch) {
  const Mlp initial = initial_parameters(shape, 0);
  const auto indices = first_indices(examples);
  CpuEngine single(initial, training_set(), options, 1);
  const StepsResult expected = train(single, indices, batch);
  for (const int threads : {2, 3, 5, 8, 16, 64}) {
    CpuEngine engine(initial, training_set(), options, threads);
    const StepsResult result = train(engine, indices, batch);
    EXPECT_EQ(result.losses, expected.losses) << threads << " threads";
    EXPECT_EQ(result.correct, expected.correct);
    expect_same_bits(engine.parameters(), single.parameters());
  }
}

TEST(CpuEngine, DoesNotDependOnTheNumberOfThreads) {
  for (const MlpShape& shape : {MlpShape{}, MlpShape{784, {}, 10, Activation::kRelu},
                                MlpShape{784, {100, 50, 20}, 10, Activation::kRelu},
                                MlpShape{784, {5}, 10, Activation::kRelu}}) {
    for (const std::int64_t batch : {31, 32, 100, 700}) {
      expect_thread_invariance(shape, {}, 2000, batch);
    }
  }
  for (const std::int64_t batch : {45, 700}) {
    expect_thread_invariance({784, {100, 50}, 10, Activation::kRelu}, everything(), 1500, batch);
  }
}

/// Trains on 960 examples in one call and in calls of `chunk` examples: the parameters agree.
void expect_chunk_invariance(const MlpShape& shape, const TrainOptions& options,
                             std::int64_t chunk) {
  const Mlp initial = initial_parameters(shape, 0);
  const auto indices = first_indices(960);
  CpuEngine whole(initial, training_set(), options, 2);
  train(whole, indices, 32);
  CpuEngine chunked(initial, training_set(), options, 2);
  for (auto begin = indices.begin(); begin != indices.end(); begin += chunk) {
    train(chunked, {begin, begin + chunk}, 32);
  }
  expect_same_bits(chunked.parameters(), whole.parameters());
}

TEST(CpuEngine, DoesNotDependOnTheNumberOfCalls) {
  expect_chunk_invariance({784, {32}, 10, Activation::kRelu}, {}, 96);
  expect_chunk_invariance({784, {32, 16}, 10, Activation::kRelu}, everything(), 160);
}

TEST(CpuEngine, ResumesBitwiseOnAnyNumberOfThreads) {
  const MlpShape shape{784, {100, 50}, 10, Activation::kRelu};
  const auto indices = first_indices(960);
  const std::vector<std::int64_t> first(indices.begin(), indices.begin() + 320);
  const std::vector<std::int64_t> second(indices.begin() + 320, indices.end());
  for (const TrainOptions& options : {TrainOptions{}, everything()}) {
    CpuEngine whole(initial_parameters(shape, 0), training_set(), options, 1);
    train(whole, first, 32);
    CpuEngine other(initial_parameters(shape, 9), training_set(), options, 3);
    other.restore(whole.state());
    EXPECT_EQ(train(other, second, 32).losses, train(whole, second, 32).losses);
    expect_same_bits(other.parameters(), whole.parameters());
    expect_same_bits(other.state().second_moments, whole.state().second_moments);
  }
}

TEST(CpuEngine, ClipsGradientsBeforeTheUpdate) {
  // Adam is invariant to the scale of its gradients except for epsilon: gradients clipped to 1e-12
  // move nothing.
  const MlpShape shape{784, {16}, 10, Activation::kRelu};
  const Mlp initial = initial_parameters(shape, 0);
  TrainOptions options;
  options.clip_norm = 1e-12;
  CpuEngine engine(initial, training_set(), options, 1);
  train(engine, first_indices(32), 32, 0.01);
  const std::vector<float> before = flatten(initial);
  const std::vector<float> after = flatten(engine.parameters());
  for (std::size_t i = 0; i < after.size(); ++i) EXPECT_NEAR(after[i], before[i], 2e-6F);
  EXPECT_GT(engine.gradient_norms()[0].second, 0.01) << "norms are reported before clipping";
}

/// Mean cross-entropy of `indices`, computed naively in double precision.
double loss_in_double(const Mlp& mlp, const std::vector<std::int64_t>& indices) {
  const Dataset& set = training_set();
  double total = 0;
  for (const std::int64_t index : indices) {
    std::vector<double> values;
    for (std::int64_t p = 0; p < set.pixels(); ++p) {
      values.push_back(set.images[static_cast<std::size_t>(index * set.pixels() + p)] / 255.0);
    }
    for (const Linear& layer : mlp.layers) {
      std::vector<double> next;
      for (std::size_t j = 0; j < layer.bias.size(); ++j) {
        double sum = static_cast<double>(layer.bias[j]);
        for (std::size_t k = 0; k < values.size(); ++k) {
          sum += values[k] * static_cast<double>(layer.weight[j * values.size() + k]);
        }
        next.push_back(&layer != &mlp.layers.back() ? std::max(sum, 0.0) : sum);
      }
      values = next;
    }
    double sum = 0;
    for (const double logit : values) sum += std::exp(logit);
    total += std::log(sum) - values[set.labels[static_cast<std::size_t>(index)]];
  }
  return total / static_cast<double>(indices.size());
}

TEST(CpuEngine, GradientsAgreeWithFiniteDifferences) {
  const MlpShape shape{784, {12, 9}, 10, Activation::kRelu};
  Mlp mlp = initial_parameters(shape, 2);
  const auto indices = first_indices(40);
  CpuEngine engine(mlp, training_set(), {}, 2);
  const StepsResult result = train(engine, indices, 40);
  EXPECT_NEAR(result.losses[0], loss_in_double(mlp, indices), 1e-5);

  const NamedNorms norms = engine.gradient_norms();
  // Not the 9,408 weights of the first layer, which take too long; its bias checks that layer.
  std::vector<std::vector<float>*> parameters;
  for (Linear& layer : mlp.layers) {
    parameters.push_back(&layer.weight);
    parameters.push_back(&layer.bias);
  }
  for (std::size_t i = 1; i < parameters.size(); ++i) {
    double squares = 0;
    for (float& value : *parameters[i]) {
      constexpr float kStep = 1e-3F;
      const float before = value;
      const float high = before + kStep;
      const float low = before - kStep;
      value = high;
      const double above = loss_in_double(mlp, indices);
      value = low;
      const double below = loss_in_double(mlp, indices);
      value = before;
      const double slope = (above - below) / static_cast<double>(high - low);
      squares += slope * slope;
    }
    EXPECT_NEAR(norms[i].second, std::sqrt(squares), 0.01 * std::sqrt(squares)) << norms[i].first;
  }
}

TEST(CpuEngine, FirstAdamStepHasTheSizeOfTheLearningRate) {
  // Adam's first update is lr * g / (|g| + eps): lr where the gradient is not negligible, otherwise
  // 0.
  const MlpShape shape{784, {16}, 10, Activation::kRelu};
  const Mlp initial = initial_parameters(shape, 0);
  CpuEngine engine(initial, training_set(), {}, 1);
  train(engine, first_indices(32), 32, 0.01);
  const std::vector<float> after = engine.parameters().layers[0].weight;
  std::size_t moved = 0;
  for (std::size_t n = 0; n < after.size(); ++n) {
    const float difference = std::abs(after[n] - initial.layers[0].weight[n]);
    EXPECT_LE(difference, 0.0100001F);
    if (difference > 0.0099F) ++moved;
    if (n % 784 == 0) {
      EXPECT_EQ(difference, 0.0F) << "the corner pixel is always 0";
    }
  }
  EXPECT_GT(moved, after.size() / 4);
}

TEST(CpuEngine, FirstSecondMomentIsTheSquaredGradientToSixDigits) {
  // 1 - 0.999 in f32 is off by 5e-5.
  const MlpShape shape{784, {16}, 10, Activation::kRelu};
  CpuEngine engine(initial_parameters(shape, 0), training_set(), {}, 1);
  train(engine, first_indices(32), 32);
  const EngineState state = engine.state();
  const std::vector<float> first = flatten(state.first_moments);
  const std::vector<float> second = flatten(state.second_moments);
  for (std::size_t i = 0; i < first.size(); ++i) {
    const double gradient = static_cast<double>(first[i]) / 0.1;
    EXPECT_NEAR(second[i], 0.001 * gradient * gradient, 1e-6 * second[i]);
  }
}

TEST(CpuEngine, DecaysWeightsOfPixelsThatAreAlwaysBlank) {
  const MlpShape shape{784, {16}, 10, Activation::kRelu};
  const Mlp initial = initial_parameters(shape, 0);
  const TrainOptions options{.optimizer = Optimizer::kAdamW, .weight_decay = 0.5};
  CpuEngine engine(initial, training_set(), options, 1);
  train(engine, first_indices(64), 32, 0.01);
  const double decay = 1 - 0.01 * 0.5;
  for (std::size_t unit = 0; unit < 16; ++unit) {
    const double before = static_cast<double>(initial.layers[0].weight[unit * 784]);
    const float after = engine.parameters().layers[0].weight[unit * 784];
    EXPECT_NEAR(after, decay * decay * before, 1e-6 * std::abs(before)) << "the corner pixel";
  }
}

TEST(CpuEngine, LargeMinibatchesHaveTheGradientOfAllTheirExamples) {
  // 600 examples are five microbatches; the gradient of their mean loss is the mean of the halves'.
  const MlpShape shape{784, {24}, 10, Activation::kRelu};
  const Mlp initial = initial_parameters(shape, 3);
  const auto first_moments = [&](std::vector<std::int64_t> indices) {
    CpuEngine engine(initial, training_set(), {}, 2);
    train(engine, indices, std::ssize(indices));
    return flatten(engine.state().first_moments);
  };
  const auto indices = first_indices(600);
  const auto whole = first_moments(indices);
  std::vector<float> mean(whole.size());
  for (int part = 0; part < 6; ++part) {
    const auto begin = indices.begin() + 100 * part;
    const auto moments = first_moments({begin, begin + 100});
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += moments[i] / 6;
  }
  for (std::size_t i = 0; i < mean.size(); ++i) EXPECT_NEAR(whole[i], mean[i], 1e-7F);
}

TEST(CpuEngine, MeasuresPhasesOnRequest) {
  const MlpShape shape{784, {16}, 10, Activation::kRelu};
  CpuEngine silent(initial_parameters(shape, 0), training_set(), {}, 1);
  train(silent, first_indices(320), 32);
  EXPECT_TRUE(silent.profile().phases.empty());
  CpuEngine engine(initial_parameters(shape, 0), training_set(), {.profile = true}, 2);
  train(engine, first_indices(320), 32);
  const StepProfile profile = engine.profile();
  EXPECT_EQ(profile.steps, 10);
  ASSERT_EQ(profile.phases.size(), 8U);
  for (const auto& phase : profile.phases) {
    ASSERT_EQ(phase.seconds.size(), 2U);
    EXPECT_GT(phase.seconds[0], 0) << phase.name;
  }
}

TEST(CpuEngine, RejectsActivationsOtherThanRelu) {
  const MlpShape shape{784, {8}, 10, Activation::kTanh};
  expect_throws<Error>(
      [&] { CpuEngine engine(initial_parameters(shape, 0), training_set(), {}, 1); },
      "the fused engine supports only relu, found tanh");
}

}  // namespace
}  // namespace mnist
