// The CUDA engine agrees with the reference on a real GPU; skipped on machines without one.
#include <gtest/gtest.h>
#include <torch/cuda.h>
#include <torch/types.h>

#include "engine/cuda/engine.hpp"
#include "engine/engine_test_support.hpp"
#include "engine/torch/graph_engine.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

constexpr std::int64_t kStepsOnGpu = 200;

class OnGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    const CudaPresence cuda = find_cuda_devices();
    if (cuda.devices == 0) GTEST_SKIP() << "needs a GPU: " << cuda.reason;
  }
};

CudaEngine on_gpu(const MlpShape& shape, TrainOptions options, std::int64_t batch) {
  options.batch = batch;
  return {initial_parameters(shape, 1), training_set(), options, open_cuda_device(0)};
}

/// Trains both engines for 200 steps and compares losses and gradient norms.
void expect_same_losses(Engine& reference, Engine& engine, std::int64_t batch) {
  const auto indices = shuffled_indices(kStepsOnGpu * batch);
  const StepsResult expected = train(reference, indices, batch);
  const StepsResult found = train(engine, indices, batch);
  expect_near_losses(found, expected);
  expect_near_norms(engine.gradient_norms(), reference.gradient_norms());
}

TorchEngine torch_engine(const MlpShape& shape, const TrainOptions& options,
                         const torch::Device& device) {
  return {initial_parameters(shape, 1), training_set(), options, device};
}

void expect_agreement_on_gpu(const MlpShape& shape, std::int64_t batch,
                             const TrainOptions& options) {
  SCOPED_TRACE(to_string(shape) + ", batch " + std::to_string(batch));
  TorchEngine reference = torch_engine(shape, options, torch::kCPU);
  CudaEngine engine = on_gpu(shape, options, batch);
  expect_same_losses(reference, engine, batch);
}

TEST_F(OnGpu, AgreesWithTheReference) {
  for (const std::vector<std::int64_t>& hidden :
       {std::vector<std::int64_t>{256, 128}, {64}, {50, 33, 17}, {512, 256}}) {
    expect_agreement_on_gpu({784, hidden, 10, Activation::kRelu}, 32, {});
  }
  const MlpShape shape{784, {64, 32}, 10, Activation::kRelu};
  for (const std::int64_t batch : {1, 31, 33, 100}) expect_agreement_on_gpu(shape, batch, {});
  expect_agreement_on_gpu(shape, 32,
                          {.weight_decay = 0.01, .clip_norm = 0.3, .label_smoothing = 0.1});
  expect_agreement_on_gpu(shape, 32,
                          {.optimizer = Optimizer::kAdamW, .weight_decay = 0.1, .ema = 0.99});
}

TEST_F(OnGpu, AgreesWithTheReferenceWithDropoutAndAugmentation) {
  TrainOptions options;
  options.dropout = {0.1, 0.2, 0.5};
  options.augment = {.rotation = 10, .translation = 1, .elastic = 1, .erasing = 0.5};
  // CPU and GPU may differ in the last bit of a resampled value, which can round a pixel
  // differently.
  TorchEngine reference = torch_engine({}, options, torch::kCPU);
  CudaEngine engine = on_gpu({}, options, 32);
  const auto indices = shuffled_indices(kStepsOnGpu * 32);
  const StepsResult expected = train(reference, indices, 32);
  const StepsResult found = train(engine, indices, 32);
  expect_near_losses(found, expected, 1e-2F);
}

/// A captured CUDA graph must do what an eager step does, Adam's step count included.
TEST_F(OnGpu, CapturedStepsAgreeWithTheReference) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << "needs a LibTorch with CUDA";
  const auto fail = [](const std::string& notice) { FAIL() << notice; };
  for (TrainOptions options :
       {TrainOptions{}, TrainOptions{.weight_decay = 0.01, .clip_norm = 0.3, .ema = 0.99}}) {
    for (const std::int64_t batch : {32, 45}) {
      options.batch = batch;
      TorchEngine reference = torch_engine({}, options, torch::kCPU);
      GraphEngine engine(initial_parameters({}, 1), training_set(), options, torch::kCUDA, fail);
      expect_same_losses(reference, engine, batch);
    }
  }
}

TEST_F(OnGpu, IsDeterministic) {
  const auto indices = shuffled_indices(kStepsOnGpu * 32);
  CudaEngine first = on_gpu({}, {}, 32);
  CudaEngine second = on_gpu({}, {}, 32);
  EXPECT_EQ(train(first, indices, 32).losses, train(second, indices, 32).losses);
  expect_same_bits(second.parameters(), first.parameters());
}

TEST_F(OnGpu, ReportsFreeMemoryWhenAnAllocationFails) {
  constexpr std::size_t kPetabyte = std::size_t{1} << 50;
  const auto device = open_cuda_device(0);
  expect_throws<Error>([&] { device->allocate(kPetabyte); }, "MiB are free");
}

}  // namespace
}  // namespace mnist
