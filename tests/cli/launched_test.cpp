// What the processes of a launch check and share.
#include "cli/launched.hpp"

#include "engine/cpu/engine.hpp"
#include "engine/engine_test_support.hpp"
#include "mnist/support/error.hpp"
#include "thread_communicator.hpp"

namespace mnist {
namespace {

TEST(Launched, ProcessesWithOtherParametersAreAnError) {
  const MlpShape shape{784, {8}, 10, Activation::kRelu};
  for (const bool same : {true, false}) {
    run_processes(3, [&](Communicator& processes) {
      const std::uint64_t seed = !same && processes.rank() == 2 ? 1 : 0;
      const CpuEngine engine(initial_parameters(shape, seed), training_set(), {}, 1);
      if (same) {
        check_same_parameters(engine, processes);
      } else {
        EXPECT_THROW(check_same_parameters(engine, processes), Error);
      }
    });
  }
}

TEST(Launched, AllProcessesGetTheScoreOfTheFirst) {
  run_processes(2, [&](Communicator& processes) {
    TrainOptions options;
    options.epochs = 1;
    options.patience = 1;
    const MlpShape shape{784, {8}, 10, Activation::kRelu};
    CpuEngine engine(initial_parameters(shape, 0), training_set(), options, 1);
    Trainer trainer(options, engine, first_indices(64));
    const Validate validate = [](const Mlp&) { return Score{0.5, 0.75}; };
    train_together(trainer, processes, true, processes.rank() == 0 ? validate : nullptr);
    struct Reports : TrainingCallback {
      void on_epoch(const EpochReport& report) override { score = report.validation.value(); }
      Score score;
    } reports;
    trainer.add_callback(reports);
    trainer.run();
    EXPECT_EQ(reports.score.loss, 0.5);
    EXPECT_EQ(reports.score.accuracy, 0.75);
  });
}

}  // namespace
}  // namespace mnist
