// The training loop, driven with an engine that records its calls.
#include "mnist/train/trainer.hpp"

#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <thread>

#include "mnist/support/error.hpp"
#include "mnist/train/schedule.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

/// A network whose only weight is `mark`.
Mlp marked(float mark) {
  return {{{1, 1, {mark}, {0}}}};
}

float mark_of(const Mlp& mlp) {
  return mlp.layers.at(0).weight.at(0);
}

/// The loss of a minibatch is its size, and every prediction is correct.
class RecordingEngine : public Engine {
 public:
  StepsResult train(const Steps& steps) override {
    StepsResult result;
    chunks.push_back(steps.count());
    EXPECT_GE(std::ssize(steps.learning_rates), steps.count());
    for (std::int64_t i = 0; i < steps.count(); ++i) {
      const std::int64_t size = std::min(steps.batch, std::ssize(steps.indices) - i * steps.batch);
      sizes.push_back(size);
      const bool bad = std::ssize(sizes) == bad_step;
      result.losses.push_back(bad ? std::numeric_limits<float>::quiet_NaN()
                                  : static_cast<float>(size));
    }
    rates.insert(rates.end(), steps.learning_rates.begin(), steps.learning_rates.end());
    epochs.insert(epochs.end(), static_cast<std::size_t>(steps.count()), steps.epoch);
    strengths.insert(strengths.end(), static_cast<std::size_t>(steps.count()),
                     steps.augment_strength);
    indices.insert(indices.end(), steps.indices.begin(), steps.indices.end());
    result.correct = std::ssize(steps.indices);
    return result;
  }
  Mlp parameters() const override { return marked(static_cast<float>(sizes.size())); }
  NamedNorms gradient_norms() const override { return {{"0.weight", 2.5}}; }
  EngineState state() const override { return {}; }
  void restore(const EngineState&) override {}
  std::string description() const override { return "recording"; }
  int threads() const override { return 1; }

  std::vector<std::int64_t> indices;
  std::vector<std::int64_t> sizes;
  std::vector<std::int64_t> chunks;  ///< steps of each call
  std::vector<double> rates;
  std::vector<std::int64_t> epochs;
  std::vector<double> strengths;
  std::int64_t bad_step = 0;
};

class RecordingCallback : public TrainingCallback {
 public:
  void on_epoch(const EpochReport& report) override { reports.push_back(report); }
  std::vector<EpochReport> reports;
};

std::vector<std::int64_t> first_indices(std::int64_t count) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  std::iota(indices.begin(), indices.end(), 100);
  return indices;
}

TrainOptions options(std::int64_t epochs, std::int64_t batch) {
  TrainOptions options;
  options.epochs = epochs;
  options.batch = batch;
  return options;
}

TEST(Trainer, KeepsAFixedOrder) {
  RecordingEngine engine;
  TrainOptions fixed = options(2, 3);
  fixed.order = Order::kFixed;
  Trainer(fixed, engine, first_indices(4)).run();
  EXPECT_EQ(engine.indices, (std::vector<std::int64_t>{100, 101, 102, 103, 100, 101, 102, 103}));
}

TEST(Trainer, ReportsProgressToCallbacks) {
  class ProgressCallback : public TrainingCallback {
   public:
    void on_progress(const ProgressReport& report) override { last = report; }
    ProgressReport last;
  } observer;
  RecordingEngine engine;
  Trainer trainer(options(2, 4), engine, first_indices(10));
  trainer.add_callback(observer);
  trainer.run();
  EXPECT_EQ(observer.last.epoch, 2);
  EXPECT_EQ(observer.last.examples, 10);
  EXPECT_EQ(observer.last.epoch_examples, 10);
  EXPECT_DOUBLE_EQ(observer.last.loss, (4 * 4 + 4 * 4 + 2 * 2) / 10.0);
  EXPECT_EQ(observer.last.first_batch_loss, 4);
}

TEST(Trainer, AddsUpTheSecondsOfAllEpochs) {
  RecordingEngine engine;
  RecordingCallback observer;
  Progress progress;
  progress.epoch = 2;
  progress.run_seconds = 100;
  Trainer trainer(options(3, 4), engine, first_indices(10));
  trainer.add_callback(observer);
  trainer.resume(progress);
  const double seconds = trainer.run().seconds;
  ASSERT_EQ(observer.reports.size(), 2U);
  EXPECT_DOUBLE_EQ(seconds, 100 + observer.reports[0].seconds + observer.reports[1].seconds);
}

TEST(Trainer, VisitsEachExampleOncePerEpochWithAShortLastMinibatch) {
  RecordingEngine engine;
  RecordingCallback observer;
  Trainer trainer(options(2, 4), engine, first_indices(10));
  trainer.add_callback(observer);
  trainer.run();
  EXPECT_EQ(engine.sizes, (std::vector<std::int64_t>{4, 4, 2, 4, 4, 2}));
  const std::set<std::int64_t> first(engine.indices.begin(), engine.indices.begin() + 10);
  EXPECT_EQ(first.size(), 10U);
  EXPECT_EQ(*first.begin(), 100);
  EXPECT_NE(std::vector<std::int64_t>(engine.indices.begin(), engine.indices.begin() + 10),
            std::vector<std::int64_t>(engine.indices.begin() + 10, engine.indices.end()));

  ASSERT_EQ(observer.reports.size(), 2U);
  const EpochReport& report = observer.reports[1];
  EXPECT_EQ(report.epoch, 2);
  EXPECT_EQ(report.step, 6);
  EXPECT_DOUBLE_EQ(report.training.loss, (4 * 4 + 4 * 4 + 2 * 2) / 10.0);  // weighted by size
  EXPECT_DOUBLE_EQ(report.training.accuracy, 1.0);
  EXPECT_EQ(report.first_batch_loss, 4);
  EXPECT_EQ(report.last_batch_loss, 2);
  EXPECT_EQ(report.gradient_norm.at(0).second, 2.5);
  EXPECT_GT(report.images_per_second, 0);
  EXPECT_GT(report.peak_memory_bytes, 0);
  EXPECT_FALSE(report.validation.has_value());
}

TEST(Trainer, WeightsLossesByMinibatchSizeAcrossChunks) {
  RecordingEngine engine;
  RecordingCallback observer;
  Trainer trainer(options(1, 2), engine, first_indices(901));
  trainer.add_callback(observer);
  trainer.run();
  EXPECT_EQ(engine.sizes.size(), 451U);
  EXPECT_EQ(engine.sizes.back(), 1);
  EXPECT_DOUBLE_EQ(observer.reports[0].training.loss, (450 * 2 * 2 + 1) / 901.0);
}

TEST(Trainer, ShufflesByAFunctionOfSeedAndEpoch) {
  const auto indices = first_indices(50);
  EXPECT_EQ(shuffled(indices, 1, 2), shuffled(indices, 1, 2));
  EXPECT_NE(shuffled(indices, 1, 2), shuffled(indices, 1, 3));
  EXPECT_NE(shuffled(indices, 1, 2), shuffled(indices, 2, 2));
}

TEST(Trainer, ValidatesAfterEachEpoch) {
  RecordingEngine engine;
  RecordingCallback observer;
  Trainer trainer(options(3, 4), engine, first_indices(8));
  int calls = 0;
  trainer.set_validation([&](const Mlp&) { return Score{1.0 * ++calls, 0.5}; });
  trainer.add_callback(observer);
  trainer.run();
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(observer.reports[2].validation->loss, 3.0);
}

TEST(Trainer, StopsEarlyAndKeepsTheBestEpoch) {
  RecordingEngine engine;
  RecordingCallback observer;
  TrainOptions patient = options(20, 4);
  patient.patience = 3;
  Trainer trainer(patient, engine, first_indices(8));
  // The best is epoch 4: as accurate as epoch 3, with a lower loss.
  const std::vector<Score> scores{{1, 0.5}, {1, 0.4}, {3, 0.6}, {2, 0.6}, {2, 0.6}, {1, 0.5}};
  trainer.set_validation([&](const Mlp& parameters) {
    EXPECT_EQ(mark_of(parameters), static_cast<float>(engine.sizes.size()));
    return scores[std::min(observer.reports.size(), scores.size() - 1)];
  });
  trainer.add_callback(observer);
  const TrainingResult result = trainer.run();
  EXPECT_EQ(observer.reports.size(), 7U);
  EXPECT_EQ(result.epochs, 7);
  EXPECT_EQ(result.kept_epoch, 4);
  EXPECT_EQ(mark_of(result.mlp), 8.0F) << "from step 8, the end of epoch 4";
}

TEST(Trainer, KeepsTheLastEpochWithoutPatience) {
  RecordingEngine engine;
  Trainer trainer(options(2, 4), engine, first_indices(8));
  double accuracy = 1;
  trainer.set_validation([&](const Mlp&) { return Score{1, accuracy /= 2}; });
  const TrainingResult result = trainer.run();
  EXPECT_EQ(result.kept_epoch, 2);
  EXPECT_EQ(mark_of(result.mlp), 4.0F);
}

TEST(Trainer, PassesLearningRatesEpochAndStrengthToTheEngine) {
  RecordingEngine engine;
  TrainOptions scheduled = options(2, 4);
  scheduled.schedule = Schedule::kCosine;
  scheduled.augment.fade_augment = 0.5;
  Trainer trainer(scheduled, engine, first_indices(1000));  // more steps than one chunk
  RecordingCallback observer;
  trainer.add_callback(observer);
  trainer.run();
  ASSERT_EQ(engine.rates.size(), 500U);
  for (std::int64_t step = 0; step < 500; ++step) {
    EXPECT_EQ(engine.rates[static_cast<std::size_t>(step)], learning_rate(scheduled, step, 250));
  }
  EXPECT_EQ(observer.reports.back().learning_rate, engine.rates.back());
  std::vector<std::int64_t> epochs(250, 1);
  epochs.resize(500, 2);
  EXPECT_EQ(engine.epochs, epochs);
  std::vector<double> strengths(250, 1);
  strengths.resize(500, 0.5);
  EXPECT_EQ(engine.strengths, strengths);
}

TEST(Trainer, SavesAfterEachEpochAndEveryGivenNumberOfSteps) {
  RecordingEngine engine;
  TrainOptions often = options(2, 4);
  often.checkpoint_every.steps = 30;
  Trainer trainer(often, engine, first_indices(400));
  std::vector<std::int64_t> steps;
  trainer.set_save([&](const Progress& progress) { steps.push_back(progress.step); });
  trainer.run();
  EXPECT_EQ(steps, (std::vector<std::int64_t>{30, 60, 90, 100, 130, 160, 190, 200}));
}

TEST(Trainer, SavesAfterTheGivenNumberOfSeconds) {
  // Whatever the clock: a nanosecond has passed after every chunk, and an hour after none.
  for (const auto& [seconds, often] : {std::pair{1e-9, true}, std::pair{3600.0, false}}) {
    RecordingEngine engine;
    TrainOptions timed = options(2, 4);
    timed.checkpoint_every.seconds = seconds;
    Trainer trainer(timed, engine, first_indices(400));
    std::vector<std::int64_t> steps;
    trainer.set_save([&](const Progress& progress) { steps.push_back(progress.step); });
    trainer.run();
    EXPECT_EQ(steps.front(), often ? 16 : 100) << "the first chunk has 16 steps";
    EXPECT_EQ(steps.size() > 2, often);
    EXPECT_EQ(steps.back(), 200);
  }
}

/// A step takes at least a millisecond.
class SlowEngine : public RecordingEngine {
 public:
  StepsResult train(const Steps& steps) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(steps.count()));
    return RecordingEngine::train(steps);
  }
};

/// The examples of each report of progress.
class ProgressCounter : public TrainingCallback {
 public:
  void on_progress(const ProgressReport& report) override { examples.push_back(report.examples); }
  std::vector<std::int64_t> examples;
};

TEST(Trainer, ReportsProgressAtLeastEvery25MillisecondsOfSteps) {
  SlowEngine engine;
  ProgressCounter progress;
  Trainer trainer(options(1, 4), engine, first_indices(400));
  trainer.add_callback(progress);
  trainer.run();
  EXPECT_GE(progress.examples.size(), 5U) << "16 steps at first, then at most 25 at once";
  std::int64_t before = 0;
  for (const std::int64_t examples : progress.examples) {
    EXPECT_LE(examples - before, 25 * 4);
    before = examples;
  }
  EXPECT_EQ(before, 400);
}

TEST(Trainer, TakesFastStepsInLargeChunks) {
  RecordingEngine engine;
  ProgressCounter progress;
  Trainer trainer(options(1, 4), engine, first_indices(40'000));
  trainer.add_callback(progress);
  trainer.run();
  EXPECT_LT(progress.examples.size(), 10'000U / 16) << "more than 16 steps at once on average";
}

TEST(Trainer, TakesAsManyStepsAtOnceAsOtherProcesses) {
  RecordingEngine engine;
  Trainer trainer(options(2, 4), engine, first_indices(40));
  trainer.set_all_reduce_max([](std::int64_t) { return 3; });
  trainer.run();
  EXPECT_EQ(engine.chunks, (std::vector<std::int64_t>{3, 3, 3, 1, 3, 3, 3, 1}));
}

TEST(Trainer, ResumesFromAnyStepWithTheSameResult) {
  TrainOptions two = options(2, 4);
  two.schedule = Schedule::kCosine;
  RecordingEngine whole;
  RecordingCallback expected;
  Trainer uninterrupted(two, whole, first_indices(102));
  uninterrupted.add_callback(expected);
  uninterrupted.run();
  for (const int chunks : {0, 1, 2}) {
    RecordingEngine engine;
    RecordingCallback observer;
    Progress progress;
    Trainer first(two, engine, first_indices(102));
    first.add_callback(observer);
    int checks = 0;
    first.set_should_stop([&] { return checks++ == chunks; });
    first.set_save([&](const Progress& now) { progress = now; });
    EXPECT_TRUE(first.run().stopped);
    EXPECT_LT(progress.step, 52);
    Trainer second(two, engine, first_indices(102));
    second.add_callback(observer);
    second.resume(progress);
    const TrainingResult result = second.run();
    EXPECT_FALSE(result.stopped);
    EXPECT_EQ(result.epochs, 2);
    EXPECT_EQ(engine.indices, whole.indices);
    EXPECT_EQ(engine.rates, whole.rates);
    EXPECT_EQ(engine.epochs, whole.epochs);
    ASSERT_EQ(observer.reports.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(observer.reports[i].training.loss, expected.reports[i].training.loss);
      EXPECT_EQ(observer.reports[i].first_batch_loss, expected.reports[i].first_batch_loss);
      EXPECT_EQ(observer.reports[i].step, expected.reports[i].step);
    }
  }
}

TEST(Trainer, ResumedRunsSaveAtTheirIntervalAgain) {
  RecordingEngine engine;
  TrainOptions often = options(2, 4);
  often.checkpoint_every.steps = 30;
  Progress progress;
  progress.minibatches = progress.step = 45;
  Trainer trainer(often, engine, first_indices(400));
  trainer.resume(progress);
  std::vector<std::int64_t> steps;
  trainer.set_save([&](const Progress& now) { steps.push_back(now.step); });
  trainer.run();
  EXPECT_EQ(steps, (std::vector<std::int64_t>{75, 100, 130, 160, 190, 200}));
}

TEST(Trainer, ResumesWithTheBestEpoch) {
  TrainOptions patient = options(20, 4);
  patient.patience = 3;
  RecordingEngine engine;
  Progress progress;
  progress.epoch = 6;
  progress.step = 10;
  progress.best = BestEpoch{4, {1, 0.9}, marked(-1)};
  Trainer trainer(patient, engine, first_indices(8));
  trainer.set_validation([](const Mlp&) { return Score{1, 0.5}; });
  trainer.resume(progress);
  const TrainingResult result = trainer.run();
  EXPECT_EQ(result.epochs, 7);
  EXPECT_EQ(result.kept_epoch, 4);
  EXPECT_EQ(mark_of(result.mlp), -1.0F);
}

TEST(Trainer, FailsWhenALossIsNotFinite) {
  RecordingEngine engine;
  engine.bad_step = 4;
  RecordingCallback observer;
  Trainer trainer(options(9, 4), engine, first_indices(10));
  trainer.add_callback(observer);
  expect_throws<Error>(
      [&] { trainer.run(); },
      "the loss of step 4 is nan at learning rate 0.001; gradient norms: 0.weight 2.5; no model");
  EXPECT_EQ(observer.reports.size(), 1U);
  EXPECT_EQ(engine.sizes.size(), 6U);
}

}  // namespace
}  // namespace mnist
