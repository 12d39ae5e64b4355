// The CUDA engine on emulated devices of several sizes, against the fused CPU engine.
// device_test.cpp runs it on a GPU.
#include "engine/cuda/engine.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "engine/cpu/engine.hpp"
#include "engine/cuda/emulator.hpp"
#include "engine/cuda/self_check.hpp"
#include "engine/engine_test_support.hpp"
#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

constexpr std::size_t kPlenty = 1 << 20;

CudaEngine emulated(const Mlp& initial, TrainOptions options, std::int64_t batch,
                    const CudaLimits& limits, const Dataset& dataset = training_set()) {
  options.batch = batch;
  return {initial, dataset, options, std::make_unique<EmulatedCudaDevice>(limits)};
}

/// The middle of each MNIST image, `size` pixels wide and high.
Dataset cropped(std::int64_t size) {
  const Dataset& whole = training_set();
  Dataset set;
  set.count = whole.count;
  set.rows = set.columns = size;
  set.labels = whole.labels;
  set.class_names = whole.class_names;
  const std::int64_t margin = (whole.rows - size) / 2;
  for (std::int64_t n = 0; n < set.count; ++n) {
    for (std::int64_t row = margin; row < margin + size; ++row) {
      const auto first = whole.images.begin() + n * whole.pixels() + row * whole.columns + margin;
      set.images.insert(set.images.end(), first, first + size);
    }
  }
  return set;
}

void expect_near(const Mlp& found, const Mlp& expected, float tolerance) {
  ASSERT_EQ(found.shape(), expected.shape());
  const std::vector<float> a = flatten(found);
  const std::vector<float> b = flatten(expected);
  float largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const float difference = std::abs(a[i] - b[i]);
    largest = difference <= largest ? largest : difference;  // NaN counts as largest
  }
  EXPECT_LE(largest, tolerance);
}

void expect_agreement(const MlpShape& shape, std::int64_t batch, const TrainOptions& options,
                      const CudaLimits& limits, std::int64_t examples,
                      const Dataset& dataset = training_set()) {
  SCOPED_TRACE(to_string(shape) + ", batch " + std::to_string(batch) + ", " +
               std::to_string(limits.blocks) + " blocks of " + std::to_string(limits.threads));
  const Mlp initial = initial_parameters(shape, 1);
  const auto indices = first_indices(examples);
  CpuEngine reference(initial, dataset, options, 1);
  CudaEngine engine = emulated(initial, options, batch, limits, dataset);
  for (int call = 0; call < 2; ++call) {
    const StepsResult expected = train(reference, indices, batch);
    const StepsResult found = train(engine, indices, batch);
    expect_near_losses(found, expected);
    EXPECT_NEAR(static_cast<double>(found.correct), static_cast<double>(expected.correct), 1);
  }
  expect_near(engine.parameters(), reference.parameters(), 1e-4F);
  const NamedNorms norms = engine.gradient_norms();
  const NamedNorms expected_norms = reference.gradient_norms();
  for (std::size_t i = 0; i < norms.size(); ++i) {
    EXPECT_EQ(norms[i].first, expected_norms[i].first);
    EXPECT_NEAR(norms[i].second, expected_norms[i].second, 1e-3 * expected_norms[i].second);
  }
}

constexpr CudaLimits kThreeBlocks{3, 64, kPlenty};

TEST(CudaEngine, AgreesWithTheCpuEngineOnShapes) {
  for (const std::vector<std::int64_t>& hidden :
       {std::vector<std::int64_t>{20, 12}, {7}, {9, 8, 7}, {9, 7, 5}, {64, 3}}) {
    expect_agreement({784, hidden, 10, Activation::kRelu}, 32, {}, kThreeBlocks, 170);
  }
}

/// Rows of weights are padded to whole float4; NaN in the padding must not spread.
TEST(CudaEngine, AgreesWithTheCpuEngineOnImagesWhosePixelCountIsNoMultipleOfFour) {
  const Dataset small = cropped(5);
  expect_agreement({25, {20, 12}, 10, Activation::kRelu}, 32, {}, kThreeBlocks, 170, small);
  expect_agreement({25, {9}, 10, Activation::kRelu}, 32, {.clip_norm = 0.3}, kThreeBlocks, 170,
                   small);
}

TEST(CudaEngine, AgreesWithTheCpuEngineOnBatches) {
  for (const std::int64_t batch : {1, 31, 33, 100}) {
    expect_agreement({784, {20, 12}, 10, Activation::kRelu}, batch, {}, kThreeBlocks,
                     3 * batch + 1);
  }
}

TEST(CudaEngine, AgreesWithTheCpuEngineForAnyNumberOfBlocksAndThreads) {
  const MlpShape shape{784, {20, 12}, 10, Activation::kRelu};
  for (const CudaLimits& limits : {CudaLimits{1, 32, kPlenty}, CudaLimits{1, 512, kPlenty},
                                   CudaLimits{2, 96, kPlenty}, CudaLimits{13, 32, kPlenty}}) {
    expect_agreement(shape, 32, {}, limits, 100);
  }
}

TEST(CudaEngine, AgreesWithTheCpuEngineWithoutPrefetching) {
  const MlpShape shape{784, {20, 12}, 10, Activation::kRelu};
  const std::size_t two = make_cuda_plan(shape, 32, kThreeBlocks).shared_bytes();
  const CudaLimits limits{3, 64, two - 1};
  EXPECT_EQ(make_cuda_plan(shape, 32, limits).buffers, 1);
  expect_agreement(shape, 32, {}, limits, 170);
}

TEST(CudaEngine, AgreesWithTheCpuEngineOnOptions) {
  const MlpShape shape{784, {20, 12}, 10, Activation::kRelu};
  expect_agreement(shape, 32, {.weight_decay = 0.01}, kThreeBlocks, 170);
  expect_agreement(shape, 32, {.optimizer = Optimizer::kAdamW, .weight_decay = 0.1}, kThreeBlocks,
                   170);
  expect_agreement(shape, 32, {.label_smoothing = 0.1}, kThreeBlocks, 170);
  expect_agreement(shape, 32, {.clip_norm = 0.3}, kThreeBlocks, 170);
  expect_agreement({784, {9}, 10, Activation::kRelu}, 45, {.clip_norm = 0.3}, kThreeBlocks, 170);
  expect_agreement(shape, 32, {.ema = 0.9}, kThreeBlocks, 330);
}

TEST(CudaEngine, AgreesWithTheCpuEngineOnDropout) {
  const MlpShape shape{784, {20, 12}, 10, Activation::kRelu};
  expect_agreement(shape, 32, {.seed = 3, .dropout = {0.5, 0.25}, .input_dropout = 0}, kThreeBlocks,
                   170);
  expect_agreement(shape, 45, {.seed = 3, .dropout = {0, 0.1}, .input_dropout = 0.2}, kThreeBlocks,
                   170);
  expect_agreement({784, {9}, 10, Activation::kRelu}, 31, {.dropout = {0.3, 0}}, kThreeBlocks, 170);
  // Fewer examples than a minibatch has, and fewer tiles.
  expect_agreement(shape, 100, {.dropout = {0.2, 0.5, 0.25}}, kThreeBlocks, 20);
}

TEST(CudaEngine, PassesItsSelfCheck) {
  const MlpShape shape{784, {20, 12}, 10, Activation::kRelu};
  const Mlp initial = initial_parameters(shape, 1);
  CpuEngine reference(initial, training_set(), everything(), 1);
  CudaEngine engine = emulated(initial, everything(), 32, kThreeBlocks);
  check_against_reference(engine, reference, everything(), training_set().count);
}

TEST(CudaEngine, AugmentsImagesLikeTheCpuEngine) {
  const MlpShape shape{784, {20, 12}, 10, Activation::kRelu};
  TrainOptions affine;
  affine.augment = {.rotation = 15, .translation = 2, .scaling = 0.1, .shear = 10};
  expect_agreement(shape, 32, affine, kThreeBlocks, 100);
  TrainOptions elastic;
  elastic.augment = {.elastic = 1.5, .flip = 0.5, .erasing = 0.5};
  elastic.dropout = {0.1, 0, 0};
  expect_agreement(shape, 45, elastic, kThreeBlocks, 100);
}

TEST(CudaEngine, ResumesFromItsStateBitByBit) {
  const MlpShape shape{784, {20, 12}, 10, Activation::kRelu};
  const auto indices = first_indices(480);
  CudaEngine whole = emulated(initial_parameters(shape, 0), everything(), 32, kThreeBlocks);
  const StepsResult expected = train(whole, indices, 32);
  CudaEngine first = emulated(initial_parameters(shape, 0), everything(), 32, kThreeBlocks);
  train(first, {indices.begin(), indices.begin() + 160}, 32);
  CudaEngine second = emulated(initial_parameters(shape, 9), everything(), 32, kThreeBlocks);
  second.restore(first.state());
  const StepsResult found = train(second, {indices.begin() + 160, indices.end()}, 32);
  EXPECT_TRUE(std::equal(found.losses.begin(), found.losses.end(), expected.losses.begin() + 5));
  expect_near(second.parameters(), whole.parameters(), 0);
  expect_near(second.state().second_moments, whole.state().second_moments, 0);
}

TEST(CudaEngine, ResultsDoNotDependOnTheNumberOfBlocks) {
  const MlpShape shape{784, {20, 12}, 10, Activation::kRelu};
  const auto indices = first_indices(170);
  CudaEngine one = emulated(initial_parameters(shape, 0), {}, 32, {1, 64, kPlenty});
  CudaEngine five = emulated(initial_parameters(shape, 0), {}, 32, {5, 64, kPlenty});
  EXPECT_EQ(train(one, indices, 32).losses, train(five, indices, 32).losses);
  expect_near(five.parameters(), one.parameters(), 0);
}

TEST(CudaEngine, ResumesFromTheStateOfTheCpuEngine) {
  const MlpShape shape{784, {20, 12}, 10, Activation::kRelu};
  const auto indices = first_indices(320);
  const std::vector<std::int64_t> begin(indices.begin(), indices.begin() + 160);
  const std::vector<std::int64_t> rest(indices.begin() + 160, indices.end());
  CpuEngine cpu(initial_parameters(shape, 0), training_set(), everything(), 1);
  train(cpu, begin, 32);
  CudaEngine engine = emulated(initial_parameters(shape, 9), everything(), 32, kThreeBlocks);
  engine.restore(cpu.state());
  const StepsResult expected = train(cpu, rest, 32);
  const StepsResult found = train(engine, rest, 32);
  expect_near_losses(found, expected);
}

void expect_unsupported(const MlpShape& shape, const CudaLimits& limits, std::string_view words) {
  expect_throws<Error>([&] { emulated(initial_parameters(shape, 0), {}, 32, limits); },
                       "the CUDA kernel " + std::string(words));
}

TEST(CudaEngine, RefusesWhatItsKernelDoesNotSupport) {
  const MlpShape shape{784, {20, 12}, 10, Activation::kRelu};
  const std::vector<std::int64_t> eight_layers(8, 4);
  MlpShape tanh = shape;
  tanh.activation = Activation::kTanh;
  expect_unsupported(tanh, kThreeBlocks, "supports only relu, found tanh; use --engine torch");
  expect_unsupported({784, {}, 10, Activation::kRelu}, kThreeBlocks,
                     "needs 1 to 7 hidden layers, found 0; use --engine torch or --device cpu");
  expect_unsupported({784, eight_layers, 10, Activation::kRelu}, kThreeBlocks,
                     "needs 1 to 7 hidden layers, found 8");
  expect_unsupported({784, {5000}, 10, Activation::kRelu}, kThreeBlocks,
                     "needs layers of at most 4096 units, found 5000");
  expect_unsupported(shape, {0, 64, kPlenty}, "found no multiprocessors on the device");
  expect_unsupported(shape, {3, 64, 100 << 10}, "needs 123 KiB of shared memory per block");
}

/// A device on which launches would fail.
class DeviceWithoutOccupancy : public EmulatedCudaDevice {
 public:
  using EmulatedCudaDevice::EmulatedCudaDevice;
  void check_fits(const CudaPlan& /*plan*/) override { throw Error("no occupancy"); }
};

TEST(CudaEngine, ChecksTheDeviceBeforeTheFirstStep) {
  const MlpShape shape{784, {20, 12}, 10, Activation::kRelu};
  expect_throws<Error>(
      [&] {
        CudaEngine(initial_parameters(shape, 0), training_set(), {},
                   std::make_unique<DeviceWithoutOccupancy>(kThreeBlocks));
      },
      "no occupancy");
}

TEST(CudaPlan, DefaultNetworkFitsDataCenterAndDesktopGpus) {
  constexpr std::size_t kKiB = 1024;
  struct Gpu {
    const char* name;
    int multiprocessors;
    std::size_t shared_bytes;
    int blocks;
    int buffers;
  };
  // Multiprocessors and shared memory of a block: CUDA C++ Programming Guide, "Compute
  // Capabilities", and NVIDIA's data sheets.
  for (const Gpu& gpu : {Gpu{"A100", 108, 163 * kKiB, 86, 2}, Gpu{"H100", 132, 227 * kKiB, 128, 2},
                         Gpu{"RTX 5090", 170, 99 * kKiB, 128, 1}}) {
    SCOPED_TRACE(gpu.name);
    const CudaPlan plan = make_cuda_plan({}, 32, {gpu.multiprocessors, 512, gpu.shared_bytes});
    EXPECT_EQ(plan.blocks, gpu.blocks);
    EXPECT_EQ(plan.buffers, gpu.buffers);
    EXPECT_EQ(plan.all_parameters, 235146);
  }
}

TEST(CudaPlan, AlignsExchangedArraysToFloat4) {
  const CudaPlan plan = make_cuda_plan({784, {9, 7, 5}, 10, Activation::kRelu}, 32, kThreeBlocks);
  for (int l = 0; l + 1 < plan.layer_count; ++l) {
    EXPECT_EQ(plan.layers[l].activations % 4, 0) << "layer " << l;
    EXPECT_EQ(plan.layers[l].exchanged_deltas % 4, 0) << "layer " << l;
  }
}

}  // namespace
}  // namespace mnist
