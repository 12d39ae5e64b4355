// The reference engine agrees with a plain torch::optim training loop.
#include "engine/torch/engine.hpp"

#include <torch/torch.h>

#include "engine/cuda/device.hpp"
#include "engine/engine_test_support.hpp"
#include "engine/torch/data_parallel_engine.hpp"
#include "engine/torch/device.hpp"
#include "engine/torch/graph_engine.hpp"
#include "mnist/engine/make_engine.hpp"
#include "mnist/support/error.hpp"
#include "model/sequential.hpp"
#include "test_support.hpp"
#include "thread_communicator.hpp"

namespace mnist {
namespace {

/// Images, f32 [count, 784] in 0..1, and labels, i64 [count].
struct Minibatch {
  torch::Tensor images;
  torch::Tensor labels;
};

Minibatch minibatch_of(const Dataset& set) {
  return {torch::from_blob(const_cast<std::uint8_t*>(set.images.data()), {set.count, 784},
                           torch::kUInt8)
              .to(torch::kFloat32)
              .div(255),
          torch::from_blob(const_cast<std::uint8_t*>(set.labels.data()), {set.count}, torch::kUInt8)
              .to(torch::kInt64)};
}

/// The textbook PyTorch loop; returns the loss of each minibatch.
template <class OptimizerType, class OptimizerOptionsType>
StepsResult torch_optim_losses(const Mlp& initial, double weight_decay,
                               const std::vector<std::int64_t>& indices, std::int64_t batch) {
  torch::nn::Sequential network = make_sequential(initial, torch::kCPU);
  OptimizerType optimizer(network->parameters(),
                          OptimizerOptionsType(0.001).weight_decay(weight_decay));
  StepsResult result;
  for (std::size_t begin = 0; begin < indices.size(); begin += static_cast<std::size_t>(batch)) {
    const auto count = std::min(static_cast<std::size_t>(batch), indices.size() - begin);
    const Minibatch minibatch =
        minibatch_of(select_examples(training_set(), std::span(indices).subspan(begin, count)));
    optimizer.zero_grad();
    const torch::Tensor loss =
        torch::nn::functional::cross_entropy(network->forward(minibatch.images), minibatch.labels);
    loss.backward();
    optimizer.step();
    result.losses.push_back(loss.item<float>());
  }
  return result;
}

StepsResult train(const Mlp& initial, const TrainOptions& options,
                  const std::vector<std::int64_t>& indices, std::int64_t batch) {
  TorchEngine engine(initial, training_set(), options, torch::kCPU);
  return train(engine, indices, batch);
}

template <class OptimizerType, class OptimizerOptionsType>
void expect_same_losses(const MlpShape& shape, const TrainOptions& options) {
  const Mlp initial = initial_parameters(shape, 3);
  const auto indices = first_indices(2000);
  expect_near_losses(train(initial, options, indices, 33),
                     torch_optim_losses<OptimizerType, OptimizerOptionsType>(
                         initial, options.weight_decay, indices, 33),
                     1e-4F, 1e-6F);
}

TEST(TorchEngine, AgreesWithTorchAdamAndAdamW) {
  for (const MlpShape& shape : {MlpShape{}, MlpShape{784, {}, 10, Activation::kRelu},
                                MlpShape{784, {33, 17, 5}, 10, Activation::kTanh}}) {
    for (const double decay : {0.0, 0.01}) {
      expect_same_losses<torch::optim::Adam, torch::optim::AdamOptions>(shape,
                                                                        {.weight_decay = decay});
      expect_same_losses<torch::optim::AdamW, torch::optim::AdamWOptions>(
          shape, {.optimizer = Optimizer::kAdamW, .weight_decay = decay});
    }
  }
}

TEST(TorchEngine, StartsAtTheLossOfAUniformGuess) {
  const MlpShape shape;
  const auto result = train(initial_parameters(shape, 0), {}, first_indices(32), 32);
  EXPECT_NEAR(result.losses.at(0), 2.30, 0.05);
}

TEST(TorchEngine, CountsCorrectPredictionsBeforeEachStep) {
  const MlpShape shape{784, {}, 10, Activation::kRelu};
  Mlp constant = zero_mlp(shape);
  constant.layers[0].bias[5] = 100;  // always predicts 5
  const auto& labels = training_set().labels;
  const auto result = train(constant, {}, first_indices(200), 200);
  EXPECT_EQ(result.correct, std::count(labels.begin(), labels.begin() + 200, 5));
}

TEST(TorchEngine, IsDeterministic) {
  const MlpShape shape;
  const Mlp initial = initial_parameters(shape, 1);
  const auto indices = first_indices(1000);
  const auto final_parameters = [&] {
    TorchEngine engine(initial, training_set(), {}, torch::kCPU);
    train(engine, indices, 32);
    return engine.parameters();
  };
  const Mlp first = final_parameters();
  expect_same_bits(final_parameters(), first);
  EXPECT_FALSE(first == initial);
}

TEST(TorchEngine, ReportsTheGradientNormsOfTheLastMinibatch) {
  const MlpShape shape{784, {8}, 10, Activation::kRelu};
  const Mlp initial = initial_parameters(shape, 0);
  TorchEngine engine(initial, training_set(), {}, torch::kCPU);
  const auto indices = first_indices(16);
  train(engine, indices, 16);

  torch::nn::Sequential network = make_sequential(initial, torch::kCPU);
  const auto [images, labels] = minibatch_of(select_examples(training_set(), indices));
  torch::nn::functional::cross_entropy(network->forward(images), labels).backward();
  const NamedNorms norms = engine.gradient_norms();
  ASSERT_EQ(norms.size(), 4U);
  for (const auto& [name, norm] : norms) {
    EXPECT_NEAR(norm, network->named_parameters()[name].grad().norm().item<double>(), 1e-5) << name;
  }
}

TEST(GraphEngine, GivesTheBitsOfTheTorchEngine) {
  const MlpShape shape{784, {16}, 10, Activation::kRelu};
  const Mlp initial = initial_parameters(shape, 0);
  const TrainOptions options{.clip_norm = 1, .ema = 0.9};
  TorchEngine plain(initial, training_set(), options, torch::kCPU);
  GraphEngine graph(initial, training_set(), options, torch::kCPU, {});
  for (const std::int64_t examples : {320, 333, 1600}) {  // a short last minibatch; a longer chunk
    const auto indices = first_indices(examples);
    const StepsResult expected = train(plain, indices, 32);
    const StepsResult found = train(graph, indices, 32);
    EXPECT_EQ(found.losses, expected.losses);
    EXPECT_EQ(found.correct, expected.correct);
    EXPECT_EQ(graph.gradient_norms(), plain.gradient_norms());
  }
  EXPECT_TRUE(graph.parameters() == plain.parameters());
}

std::string chosen(const TrainOptions& options) {
  const MlpShape shape{784, options.hidden, 10, options.activation};
  return make_engine(options, training_device(options), initial_parameters(shape, 0),
                     training_set(), {})
      ->description();
}

TEST(MakeEngine, UsesTheFusedEngineForReluNetworksOnTheCpu) {
  EXPECT_EQ(chosen({}).find("fused on cpu ("), 0U);
  EXPECT_EQ(chosen({.device = "cpu"}).find("fused on cpu ("), 0U);
  EXPECT_EQ(chosen({.activation = Activation::kTanh}).find("torch on cpu, "), 0U);
  EXPECT_EQ(chosen({.engine = EngineKind::kTorch}).find("torch on cpu, "), 0U);
}

TEST(Device, UsesTheCpuUnlessAGpuIsAskedFor) {
  for (const char* device : {"auto", "cpu"}) {
    EXPECT_EQ(resolve_device(device), "cpu");
    EXPECT_EQ(resolve_device(device, EngineKind::kFused), "cpu");
    EXPECT_EQ(evaluation_device(device), "cpu");
  }
}

TEST(Device, SaysWhyThereIsNoGpu) {
  if (torch::cuda::is_available() || find_cuda_devices().devices > 0) {
    GTEST_SKIP() << "this machine has a GPU";
  }
  EXPECT_EQ(evaluation_device("cuda:0"), "cpu");
  for (const char* device : {"cuda", "cuda:1"}) {
    const std::string words = std::string("--device ").append(device).append(" is not available: ");
    expect_throws<Error>([&] { resolve_device(device); }, words + libtorch_description());
    expect_throws<Error>([&] { resolve_device(device, EngineKind::kAuto); },
                         words + libtorch_description());
    expect_throws<Error>([&] { resolve_device(device, EngineKind::kFused); },
                         words + find_cuda_devices().reason);
  }
}

TEST(DataParallelEngine, AgreesWithOneProcess) {
  const Mlp initial = initial_parameters({784, {100, 50}, 10, Activation::kRelu}, 0);
  const auto indices = first_indices(661);  // the last minibatch has fewer examples than processes
  for (const TrainOptions& options : {TrainOptions{}, everything()}) {
    TorchEngine single(initial, training_set(), options, torch::kCPU);
    const StepsResult expected = train(single, indices, 33);
    run_processes(3, [&](Communicator& processes) {
      const Dataset part = part_of(training_set(), processes);
      DataParallelEngine engine(initial, part, options, 1, processes);
      const StepsResult found = train(engine, indices, 33);
      expect_near_losses(found, expected, 1e-3F);  // of one example, in the end
      EXPECT_EQ(found.correct, expected.correct);
      expect_near_norms(engine.gradient_norms(), single.gradient_norms());
    });
  }
}

}  // namespace
}  // namespace mnist
