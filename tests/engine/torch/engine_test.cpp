// The reference engine against torch::optim itself.
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

/// The guide's loop, literally, over consecutive rows; the losses of all minibatches.
template <class OptimizerType, class OptimizerOptionsType>
std::vector<float> guides_losses(const MlpShape& shape, const StateDict& initial,
                                 double weight_decay, const std::vector<std::int64_t>& rows,
                                 std::int64_t batch) {
  torch::nn::Sequential network = make_mlp(shape, initial, torch::kCPU);
  OptimizerType optimizer(network->parameters(),
                          OptimizerOptionsType(0.001).weight_decay(weight_decay));
  const Dataset& set = training_set();
  std::vector<float> losses;
  for (std::size_t begin = 0; begin < rows.size(); begin += static_cast<std::size_t>(batch)) {
    const auto count = std::min(static_cast<std::size_t>(batch), rows.size() - begin);
    const Dataset minibatch = select_rows(set, std::span(rows).subspan(begin, count));
    const auto images = torch::from_blob(const_cast<std::uint8_t*>(minibatch.images.data()),
                                         {minibatch.count, 784}, torch::kUInt8)
                            .to(torch::kFloat32)
                            .div(255);
    const auto labels = torch::from_blob(const_cast<std::uint8_t*>(minibatch.labels.data()),
                                         {minibatch.count}, torch::kUInt8)
                            .to(torch::kInt64);
    optimizer.zero_grad();
    const auto loss = torch::nn::functional::cross_entropy(network->forward(images), labels);
    loss.backward();
    optimizer.step();
    losses.push_back(loss.item<float>());
  }
  return losses;
}

StepsResult train(const MlpShape& shape, const StateDict& initial, const EngineOptions& options,
                  const std::vector<std::int64_t>& rows, std::int64_t batch) {
  AutogradEngine engine(shape, initial, training_set(), options, torch::kCPU);
  return train(engine, rows, batch);
}

void expect_close(const std::vector<float>& ours, const std::vector<float>& theirs) {
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    EXPECT_NEAR(ours[i], theirs[i], 1e-4F * std::abs(theirs[i]) + 1e-6F) << "step " << i;
  }
}

TEST(AutogradEngine, FollowsTorchsAdam) {
  const auto rows = first_rows(2000);
  for (const MlpShape& shape : {MlpShape{}, MlpShape{784, {}, 10, Activation::kRelu},
                                MlpShape{784, {33, 17, 5}, 10, Activation::kTanh}}) {
    const StateDict initial = initial_parameters(shape, 3);
    for (const double decay : {0.0, 0.01}) {
      expect_close(train(shape, initial, {.weight_decay = decay}, rows, 33).losses,
                   guides_losses<torch::optim::Adam, torch::optim::AdamOptions>(shape, initial,
                                                                                decay, rows, 33));
      expect_close(
          train(shape, initial, {.optimizer = Optimizer::kAdamW, .weight_decay = decay}, rows, 33)
              .losses,
          guides_losses<torch::optim::AdamW, torch::optim::AdamWOptions>(shape, initial, decay,
                                                                         rows, 33));
    }
  }
}

TEST(AutogradEngine, StartsAtTheLossOfGuessing) {
  const MlpShape shape;
  const auto result = train(shape, initial_parameters(shape, 0), {}, first_rows(32), 32);
  EXPECT_NEAR(result.losses.at(0), 2.30, 0.05);
}

TEST(AutogradEngine, CountsWhatWasRightBeforeEachStep) {
  const MlpShape shape{784, {}, 10, Activation::kRelu};
  StateDict sure = initial_parameters(shape, 0);
  for (NamedTensor& tensor : sure) std::fill(tensor.values.begin(), tensor.values.end(), 0.0F);
  sure[1].values[5] = 100;  // whatever is shown, it says 5
  const auto& labels = training_set().labels;
  const auto result = train(shape, sure, {}, first_rows(200), 200);
  EXPECT_EQ(result.correct, std::count(labels.begin(), labels.begin() + 200, 5));
}

TEST(AutogradEngine, SameStartSameBits) {
  const MlpShape shape;
  const StateDict initial = initial_parameters(shape, 1);
  const auto rows = first_rows(1000);
  const auto final_parameters = [&] {
    AutogradEngine engine(shape, initial, training_set(), {}, torch::kCPU);
    train(engine, rows, 32);
    return engine.parameters();
  };
  const StateDict first = final_parameters();
  const StateDict second = final_parameters();
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(first[i].values, second[i].values);
  EXPECT_NE(first[0].values, initial[0].values);
}

TEST(AutogradEngine, GradientNormsAreThoseOfTheLastMinibatch) {
  const MlpShape shape{784, {8}, 10, Activation::kRelu};
  const StateDict initial = initial_parameters(shape, 0);
  AutogradEngine engine(shape, initial, training_set(), {}, torch::kCPU);
  const auto rows = first_rows(16);
  train(engine, rows, 16);

  torch::nn::Sequential network = make_mlp(shape, initial, torch::kCPU);
  const auto images = torch::from_blob(const_cast<std::uint8_t*>(training_set().images.data()),
                                       {16, 784}, torch::kUInt8)
                          .to(torch::kFloat32)
                          .div(255);
  const auto labels =
      torch::from_blob(const_cast<std::uint8_t*>(training_set().labels.data()), {16}, torch::kUInt8)
          .to(torch::kInt64);
  torch::nn::functional::cross_entropy(network->forward(images), labels).backward();
  const NamedNorms norms = engine.gradient_norms();
  ASSERT_EQ(norms.size(), 4U);
  for (const auto& [name, norm] : norms) {
    EXPECT_NEAR(norm, network->named_parameters()[name].grad().norm().item<double>(), 1e-5) << name;
  }
}

TEST(MakeEngine, SaysWhatItChose) {
  const MlpShape shape{784, {8}, 10, Activation::kRelu};
  TrainOptions options;
  options.engine = EngineKind::kAutograd;
  const auto engine =
      make_engine(options, shape, initial_parameters(shape, 0), training_set(), "cpu", {});
  EXPECT_EQ(engine->description().find("autograd on cpu, "), 0U) << engine->description();
}

TEST(Device, ResolvesWhatIsThere) {
  std::string said;
  const Notify notify = [&](const std::string& remark) { said += remark; };
  EXPECT_EQ(resolve_device("cpu", notify), "cpu");
  EXPECT_EQ(resolve_training_device("cpu", notify), "cpu");
  EXPECT_EQ(libtorch_device("cpu"), "cpu");
  EXPECT_EQ(said, "");
  if (torch::cuda::is_available() || find_cuda_devices().devices > 0) {
    GTEST_SKIP() << "there is a GPU, whose absence is tested here";
  }
  EXPECT_EQ(libtorch_device("cuda:0"), "cpu");
  EXPECT_EQ(resolve_training_device("auto", notify), "cpu");
  EXPECT_EQ(said, "working on the CPU: " + find_cuda_devices().reason);
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
