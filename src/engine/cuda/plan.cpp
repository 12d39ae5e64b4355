// Assigns units to blocks and offsets to arrays.
#include "engine/cuda/plan.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "mnist/model/mlp.hpp"
#include "mnist/options/train_options.hpp"
#include "mnist/support/error.hpp"
#include "support/aligned.hpp"

namespace mnist {
namespace {

/// The fewest blocks with no more units of the widest layer each than if all were used.
int blocks_for(const MlpShape& shape, int available) {
  const auto widest = static_cast<int>(*std::max_element(shape.hidden.begin(), shape.hidden.end()));
  return divide_up(widest, divide_up(widest, available));
}

/// Allocates the next `count` floats, aligned to float4.
template <class Integer>
Integer take(Integer& next, Integer count) {
  const Integer at = next;
  next += round_up(count, 4);
  return at;
}

void place_layers(CudaPlan& plan, const MlpShape& shape) {
  const std::vector<std::int64_t> widths = shape.widths();
  plan.layer_count = static_cast<int>(widths.size()) - 1;
  for (int l = 0; l < plan.layer_count; ++l) {
    CudaLayer& layer = plan.layers[l];
    const auto at = static_cast<std::size_t>(l);
    layer.inputs = static_cast<int>(widths[at]);
    layer.outputs = static_cast<int>(widths[at + 1]);
    const bool last = l + 1 == plan.layer_count;
    layer.units_per_block = last ? layer.outputs : divide_up(layer.outputs, plan.blocks);
    layer.row_stride = round_up(layer.inputs, kPixelsPerWord);
    layer.weights =
        take(plan.parameters, layer.units_per_block * layer.row_stride + layer.units_per_block);
    layer.parameters = plan.all_parameters;
    plan.all_parameters += std::int64_t{layer.outputs} * layer.inputs + layer.outputs;
    if (last) continue;
    const std::int64_t values = std::int64_t{layer.outputs} * plan.examples;
    layer.activations = take(plan.exchange, 2 * values);
    layer.exchanged_deltas = take(plan.exchange, values);
    if (l > 0) {
      layer.transposed = take(plan.exchange, 2 * std::int64_t{layer.inputs} * layer.outputs);
    }
  }
}

void place_in_shared_memory(CudaPlan& plan) {
  int units = 0;
  for (int l = 0; l < plan.layer_count; ++l) {
    plan.layers[l].deltas = units * plan.examples;
    units += plan.layers[l].units_per_block;
  }
  CudaSharedLayout& shared = plan.shared;
  shared = {};
  for (int* array :
       {&shared.weights, &shared.first_moments, &shared.second_moments, &shared.gradients}) {
    *array = take(shared.end, plan.parameters);
  }
  for (int* array : {&shared.activations, &shared.deltas}) {
    *array = take(shared.end, units * plan.examples);
  }
  shared.logits = take(shared.end, plan.layers[plan.layer_count - 1].outputs * kCudaLanes);
  shared.scratch = take(shared.end, plan.scratch);
  shared.labels = take(shared.end, plan.buffers * plan.examples);
  shared.pixels = take(shared.end, plan.buffers * plan.examples * plan.pixel_stride);
}

[[noreturn]] void unsupported(const std::string& problem,
                              const std::string& remedy = "use --engine torch or --device cpu") {
  throw Error("the CUDA kernel " + problem + "; " + remedy);
}

/// Rejects what the kernel does not implement, and sizes whose offsets might overflow an int: no
/// shared memory is large enough for those.
void check_supported(const MlpShape& shape, std::int64_t batch) {
  constexpr std::int64_t kMaxSize = 1 << 12;
  if (shape.hidden.empty() || std::ssize(shape.hidden) >= kMaxCudaLayers) {
    unsupported("needs 1 to " + std::to_string(kMaxCudaLayers - 1) + " hidden layers, found " +
                std::to_string(shape.hidden.size()));
  }
  if (!fused_engines_support(shape.activation)) {
    // The CPU kernels support no other activation either.
    unsupported("supports only relu, found " + std::string(name_of(shape.activation)),
                "use --engine torch");
  }
  const std::vector<std::int64_t> widths = shape.widths();
  const std::int64_t widest = *std::max_element(widths.begin(), widths.end());
  const std::string most = std::to_string(kMaxSize);
  if (widest > kMaxSize) {
    unsupported("needs layers of at most " + most + " units, found " + std::to_string(widest));
  }
  if (batch > kMaxSize) {
    unsupported("needs minibatches of at most " + most + ", found " + std::to_string(batch));
  }
}

}  // namespace

CudaPlan make_cuda_plan(const MlpShape& shape, std::int64_t batch, const CudaLimits& limits) {
  check_supported(shape, batch);
  if (limits.blocks < 1) unsupported("found no multiprocessors on the device");
  CudaPlan plan;
  plan.blocks = blocks_for(shape, limits.blocks);
  plan.tiles = divide_up(static_cast<int>(batch), kCudaLanes);
  plan.examples = plan.tiles * kCudaLanes;
  plan.pixel_words = divide_up(static_cast<int>(shape.inputs), kPixelsPerWord);
  plan.pixel_stride = plan.pixel_words | 1;
  plan.scratch = limits.threads * kCudaUnits;
  place_layers(plan, shape);
  for (plan.buffers = 2; plan.buffers > 0; --plan.buffers) {
    place_in_shared_memory(plan);
    if (plan.shared_bytes() <= limits.shared_bytes) return plan;
  }
  unsupported("needs " + std::to_string(plan.shared_bytes() / 1024) +
              " KiB of shared memory per block for this network and minibatches of " +
              std::to_string(batch) + ", but the device has " +
              std::to_string(limits.shared_bytes / 1024) + " KiB");
}

}  // namespace mnist
