// Several processes train to the same bits as one; here each is a thread.
#include "engine/cpu/engine.hpp"
#include "engine/cpu/gradient_exchange.hpp"
#include "engine/engine_test_support.hpp"
#include "mnist/support/error.hpp"
#include "test_support.hpp"
#include "thread_communicator.hpp"

namespace mnist {
namespace {

/// Trains by one process, and by several, and compares the results of all. Of an even number of
/// processes, each would like to have 2 threads, of an odd number only some of them.
void expect_process_invariance(const MlpShape& shape, const TrainOptions& options,
                               std::int64_t examples, std::int64_t batch) {
  const Mlp initial = initial_parameters(shape, 0);
  const auto indices = first_indices(examples);
  CpuEngine single(initial, training_set(), options, 1);
  const StepsResult expected = train(single, indices, batch);
  for (const int size : {2, 3, 4, 7, 17}) {
    run_processes(size, [&](Communicator& processes) {
      const Dataset part = part_of(training_set(), processes);
      const int threads = size % 2 == 0 ? 2 : 1 + processes.rank() % 2;
      CpuEngine engine(initial, part, options, threads, best_cpu_kernels(), processes);
      const StepsResult result = train(engine, indices, batch);
      EXPECT_EQ(result.losses, expected.losses) << size << " processes";
      EXPECT_EQ(result.correct, expected.correct);
      EXPECT_EQ(engine.gradient_norms(), single.gradient_norms());
      expect_same_bits(engine.parameters(), single.parameters());
      expect_same_bits(engine.state().second_moments, single.state().second_moments);
    });
  }
}

TEST(Processes, TrainToTheBitsOfOne) {
  for (const MlpShape& shape : {MlpShape{784, {100, 50}, 10, Activation::kRelu},
                                MlpShape{784, {}, 10, Activation::kRelu}}) {
    for (const std::int64_t batch : {32, 200, 700, 1500}) {
      expect_process_invariance(shape, {}, 1700, batch);
    }
  }
}

TEST(Processes, RefuseKernelsOfDifferentWidths) {
  const Mlp initial = initial_parameters({784, {32}, 10, Activation::kRelu}, 0);
  run_processes(2, [&](Communicator& processes) {
    const Dataset part = part_of(training_set(), processes);
    CpuKernels kernels = best_cpu_kernels();
    if (processes.rank() == 1) kernels.slice_columns *= 2;
    expect_throws<Error>([&] { CpuEngine(initial, part, {}, 1, kernels, processes); },
                         "--cpu-target avx2");
  });
}

TEST(Processes, TrainToTheBitsOfOneWithAllOptions) {
  expect_process_invariance({784, {100, 50}, 10, Activation::kRelu}, everything(), 1500, 700);
  TrainOptions options = everything();
  options.weight_decay = 0;  // which would update the weights of blank pixels
  expect_process_invariance({784, {40}, 10, Activation::kRelu}, options, 1000, 300);
}

TEST(Processes, ShareTheMicrobatchesOfAMinibatch) {
  for (const std::size_t examples : {1U, 129U, 1000U, 2048U, 5000U}) {
    const auto all = microbatches_of(3, examples);
    EXPECT_EQ(all.size(), microbatch_count(examples));
    for (const int size : {2, 3, 5, 16, 20}) {
      std::vector<int> computed(all.size());
      for (int rank = 0; rank < size; ++rank) {
        const auto own = microbatches_of(3, examples, rank, size);
        EXPECT_TRUE(own.back().ends_step);
        for (const CpuMicrobatch& part : own) {
          if (part.examples == 0) continue;
          EXPECT_EQ(part.begin, all.at(part.number).begin);
          EXPECT_EQ(part.examples, all.at(part.number).examples);
          EXPECT_EQ(part.starts_leaf, all.at(part.number).starts_leaf);
          ++computed[part.number];
        }
      }
      const int each = leaves_of(examples) == 1 ? size : 1;
      EXPECT_EQ(computed, std::vector<int>(all.size(), each)) << examples << ", " << size;
    }
  }
}

}  // namespace
}  // namespace mnist
