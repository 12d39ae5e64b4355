// The reference engine agrees with a plain torch::optim training loop.
#include "engine/torch/engine.hpp"

#include <torch/torch.h>

#include "engine/cuda/device.hpp"
#include "engine/engine_test_support.hpp"
#include "engine/torch/device.hpp"
#include "mnist/engine/make_engine.hpp"
#include "mnist/support/error.hpp"
#include "model/sequential.hpp"
#include "test_support.hpp"

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
StepsResult torch_optim_losses(const MlpShape& shape, const StateDict& initial, double weight_decay,
                               const std::vector<std::int64_t>& rows, std::int64_t batch) {
  torch::nn::Sequential network = make_mlp(shape, initial, torch::kCPU);
  OptimizerType optimizer(network->parameters(),
                          OptimizerOptionsType(0.001).weight_decay(weight_decay));
  StepsResult result;
  for (std::size_t begin = 0; begin < rows.size(); begin += static_cast<std::size_t>(batch)) {
    const auto count = std::min(static_cast<std::size_t>(batch), rows.size() - begin);
    const auto [images, labels] =
        minibatch_of(select_rows(training_set(), std::span(rows).subspan(begin, count)));
    optimizer.zero_grad();
    const auto loss = torch::nn::functional::cross_entropy(network->forward(images), labels);
    loss.backward();
    optimizer.step();
    result.losses.push_back(loss.item<float>());
  }
  return result;
}

StepsResult train(const MlpShape& shape, const StateDict& initial, const EngineOptions& options,
                  const std::vector<std::int64_t>& rows, std::int64_t batch) {
  AutogradEngine engine(shape, initial, training_set(), options, torch::kCPU);
  return train(engine, rows, batch);
}

template <class OptimizerType, class OptimizerOptionsType>
void expect_same_losses(const MlpShape& shape, const EngineOptions& options) {
  const StateDict initial = initial_parameters(shape, 3);
  const auto rows = first_rows(2000);
  expect_near_losses(train(shape, initial, options, rows, 33),
                     torch_optim_losses<OptimizerType, OptimizerOptionsType>(
                         shape, initial, options.weight_decay, rows, 33),
                     1e-4F, 1e-6F);
}

TEST(AutogradEngine, AgreesWithTorchAdamAndAdamW) {
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

TEST(AutogradEngine, StartsAtTheLossOfAUniformGuess) {
  const MlpShape shape;
  const auto result = train(shape, initial_parameters(shape, 0), {}, first_rows(32), 32);
  EXPECT_NEAR(result.losses.at(0), 2.30, 0.05);
}

TEST(AutogradEngine, CountsCorrectPredictionsBeforeEachStep) {
  const MlpShape shape{784, {}, 10, Activation::kRelu};
  StateDict constant = initial_parameters(shape, 0);
  for (NamedTensor& tensor : constant) std::fill(tensor.values.begin(), tensor.values.end(), 0.0F);
  constant[1].values[5] = 100;  // always predicts 5
  const auto& labels = training_set().labels;
  const auto result = train(shape, constant, {}, first_rows(200), 200);
  EXPECT_EQ(result.correct, std::count(labels.begin(), labels.begin() + 200, 5));
}

TEST(AutogradEngine, IsDeterministic) {
  const MlpShape shape;
  const StateDict initial = initial_parameters(shape, 1);
  const auto rows = first_rows(1000);
  const auto final_parameters = [&] {
    AutogradEngine engine(shape, initial, training_set(), {}, torch::kCPU);
    train(engine, rows, 32);
    return engine.parameters();
  };
  const StateDict first = final_parameters();
  expect_same_bits(final_parameters(), first);
  EXPECT_NE(first[0].values, initial[0].values);
}

TEST(AutogradEngine, ReportsTheGradientNormsOfTheLastMinibatch) {
  const MlpShape shape{784, {8}, 10, Activation::kRelu};
  const StateDict initial = initial_parameters(shape, 0);
  AutogradEngine engine(shape, initial, training_set(), {}, torch::kCPU);
  const auto rows = first_rows(16);
  train(engine, rows, 16);

  torch::nn::Sequential network = make_mlp(shape, initial, torch::kCPU);
  const auto [images, labels] = minibatch_of(select_rows(training_set(), rows));
  torch::nn::functional::cross_entropy(network->forward(images), labels).backward();
  const NamedNorms norms = engine.gradient_norms();
  ASSERT_EQ(norms.size(), 4U);
  for (const auto& [name, norm] : norms) {
    EXPECT_NEAR(norm, network->named_parameters()[name].grad().norm().item<double>(), 1e-5) << name;
  }
}

TEST(MakeEngine, DescribesTheEngineAndDevice) {
  const MlpShape shape{784, {8}, 10, Activation::kRelu};
  TrainOptions options;
  options.engine = EngineKind::kAutograd;
  const auto engine =
      make_engine(options, shape, initial_parameters(shape, 0), training_set(), "cpu", {});
  EXPECT_EQ(engine->description().find("autograd on cpu, "), 0U) << engine->description();
}

TEST(Device, ResolvesAvailableDevicesOnly) {
  std::string notices;
  const Notify notify = [&](const std::string& notice) { notices += notice; };
  EXPECT_EQ(resolve_device("cpu", notify), "cpu");
  EXPECT_EQ(resolve_training_device("cpu", notify), "cpu");
  EXPECT_EQ(libtorch_device("cpu"), "cpu");
  EXPECT_EQ(notices, "");
  if (torch::cuda::is_available() || find_cuda_devices().devices > 0) {
    GTEST_SKIP() << "tests machines without a GPU";
  }
  EXPECT_EQ(libtorch_device("cuda:0"), "cpu");
  EXPECT_EQ(resolve_training_device("auto", notify), "cpu");
  EXPECT_EQ(notices, "working on the CPU: " + find_cuda_devices().reason);
  EXPECT_EQ(resolve_device("auto", notify), "cpu");
  for (const char* device : {"cuda", "cuda:1"}) {
    const std::string words = std::string("--device ").append(device).append(" is not available: ");
    expect_throws<Error>([&] { resolve_device(device, notify); }, words + libtorch_description());
    expect_throws<Error>([&] { resolve_training_device(device, notify); },
                         words + find_cuda_devices().reason);
  }
}

}  // namespace
}  // namespace mnist
