// The number of threads follows the speed of the calls.
#include "engine/cpu/adaptive_engine.hpp"

#include <functional>

#include "engine/engine_test_support.hpp"

namespace mnist {
namespace {

constexpr double kExamplesPerCall = 1000;

/// Records `calls` calls that take seconds(threads) each.
void make_calls(ThreadChooser& chooser, int calls, const std::function<double(int)>& seconds) {
  for (int i = 0; i < calls; ++i) chooser.add_call(seconds(chooser.threads()), kExamplesPerCall);
}

double scaling(int threads) {
  return 0.1 / threads;
}

double best_with_two(int threads) {
  return threads == 1 ? 0.1 : 0.03 * threads;
}

double best_with_one(int threads) {
  return 0.1 * threads;
}

TEST(ThreadChooser, StartsWithAllThreadsAndKeepsThemWhereTheyHelp) {
  ThreadChooser chooser(8);
  EXPECT_EQ(chooser.threads(), 8);
  make_calls(chooser, 20, scaling);
  EXPECT_EQ(chooser.threads(), 8);
  make_calls(chooser, 1000, scaling);
  EXPECT_EQ(chooser.threads(), 8);
}

TEST(ThreadChooser, FindsTheFastestNumber) {
  ThreadChooser two(8);
  make_calls(two, 20, best_with_two);
  EXPECT_EQ(two.threads(), 2);
  ThreadChooser one(2);
  make_calls(one, 20, best_with_one);
  EXPECT_EQ(one.threads(), 1);
}

TEST(ThreadChooser, TriesAgainWhenTrainingHasBecomeSlower) {
  ThreadChooser chooser(2);
  make_calls(chooser, 20, scaling);
  EXPECT_EQ(chooser.threads(), 2);
  make_calls(chooser, 20, best_with_one);
  EXPECT_EQ(chooser.threads(), 1);
}

TEST(ThreadChooser, ReturnsToMoreThreadsWhenTheyHelpAgain) {
  ThreadChooser chooser(2);
  make_calls(chooser, 20, best_with_one);
  EXPECT_EQ(chooser.threads(), 1);
  make_calls(chooser, 400, scaling);
  EXPECT_EQ(chooser.threads(), 2);
}

TEST(ThreadChooser, SpendsFewCallsOnTrials) {
  ThreadChooser chooser(2);
  int calls_on_two = 0;
  for (int i = 0; i < 2000; ++i) {
    calls_on_two += chooser.threads() == 2 ? 1 : 0;
    chooser.add_call(best_with_one(chooser.threads()), kExamplesPerCall);
  }
  EXPECT_LE(calls_on_two, 2000 / 40);
}

TEST(ThreadChooser, IgnoresShortCallsAndSingleOutliers) {
  ThreadChooser chooser(2);
  make_calls(chooser, 100, [](int threads) { return best_with_one(threads) / 1000; });
  EXPECT_EQ(chooser.threads(), 2) << "calls of less than 2 ms say nothing";
  make_calls(chooser, 20, scaling);
  for (int i = 0; i < 800; ++i) {
    chooser.add_call(i % 8 == 7 ? 1.0 : scaling(chooser.threads()), kExamplesPerCall);
    ASSERT_EQ(chooser.threads(), 2) << "after call " << i;
  }
}

TEST(ThreadChooser, HasNoChoiceOfOne) {
  ThreadChooser chooser(1);
  make_calls(chooser, 20, scaling);
  EXPECT_EQ(chooser.threads(), 1);
}

TEST(AdaptiveCpuEngine, TrainsAsTheCpuEngineDoesWhileItChangesThreads) {
  const MlpShape shape{784, {100, 50}, 10, Activation::kRelu};
  const Mlp initial = initial_parameters(shape, 0);
  CpuEngine plain(initial, training_set(), everything(), 1);
  AdaptiveCpuEngine adaptive(initial, training_set(), everything(), 4);
  EXPECT_EQ(adaptive.threads(), 4);
  for (int call = 0; call < 20; ++call) {
    const auto indices = first_indices(640);
    EXPECT_EQ(train(adaptive, indices, 32).losses, train(plain, indices, 32).losses);
  }
  expect_same_bits(adaptive.parameters(), plain.parameters());
  expect_same_bits(adaptive.state().second_moments, plain.state().second_moments);
}

TEST(AdaptiveCpuEngine, KeepsItsEngineWithoutHiddenLayers) {
  const Mlp initial = initial_parameters({784, {}, 10, Activation::kRelu}, 0);
  AdaptiveCpuEngine engine(initial, training_set(), {.profile = true}, 4);
  for (int call = 0; call < 2; ++call) train(engine, first_indices(320), 32);
  EXPECT_EQ(engine.profile().steps, 20) << "since the number of threads last changed";
}

}  // namespace
}  // namespace mnist
