// How the CUDA engine lays a network out.
#include "engine/cuda/plan.hpp"

#include <algorithm>

#include "mnist/model/mlp_shape.hpp"
#include "mnist/support/error.hpp"
#include "support/aligned.hpp"

namespace mnist {
namespace {

constexpr int divide_up(int value, int by) {
  return (value + by - 1) / by;
}

/// The fewest blocks with which no block owns more units of the widest layer than with all.
int blocks_for(const MlpShape& shape, int most) {
  const auto widest = static_cast<int>(*std::max_element(shape.hidden.begin(), shape.hidden.end()));
  return divide_up(widest, divide_up(widest, most));
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
    layer.share = last ? layer.outputs : divide_up(layer.outputs, plan.blocks);
    layer.row = round_up(layer.inputs, kPixelsOfWord);
    layer.weights = take(plan.parameters, layer.share * layer.row + layer.share);
    layer.parameters = plan.all_parameters;
    plan.all_parameters += std::int64_t{layer.outputs} * layer.inputs + layer.outputs;
    if (last) continue;
    const std::int64_t values = std::int64_t{layer.outputs} * plan.examples;
    layer.activations = take(plan.exchange, 2 * values);
    layer.exchanged_deltas = take(plan.exchange, values);
    if (l > 0) {
      layer.columns = take(plan.exchange, 2 * std::int64_t{layer.inputs} * layer.outputs);
    }
  }
}

void place_in_shared_memory(CudaPlan& plan) {
  int units = 0;
  for (int l = 0; l < plan.layer_count; ++l) {
    plan.layers[l].deltas = units * plan.examples;
    units += plan.layers[l].share;
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
  shared.pixels = take(shared.end, plan.buffers * plan.examples * plan.pixel_row);
}

/// Sizes beyond which an offset might not fit its integer, and no shared memory is large enough.
void check_sizes(const MlpShape& shape, std::int64_t batch) {
  constexpr std::int64_t kMost = 1 << 12;
  if (shape.hidden.empty()) throw Error("a network without hidden layers");
  if (std::ssize(shape.hidden) >= kMostCudaLayers) {
    throw Error("more than " + std::to_string(kMostCudaLayers - 1) + " hidden layers");
  }
  const std::vector<std::int64_t> widths = shape.widths();
  if (*std::max_element(widths.begin(), widths.end()) > kMost) {
    throw Error("a layer of more than " + std::to_string(kMost) + " units");
  }
  if (batch > kMost) throw Error("minibatches of more than " + std::to_string(kMost));
}

}  // namespace

CudaPlan make_cuda_plan(const MlpShape& shape, std::int64_t batch, const CudaLimits& limits) {
  check_sizes(shape, batch);
  if (limits.blocks < 1) throw Error("the device reports no multiprocessors");
  CudaPlan plan;
  plan.blocks = blocks_for(shape, limits.blocks);
  plan.threads = limits.threads;
  plan.batch = static_cast<int>(batch);
  plan.tiles = divide_up(plan.batch, kCudaLanes);
  plan.examples = plan.tiles * kCudaLanes;
  plan.pixel_words = divide_up(static_cast<int>(shape.inputs), kPixelsOfWord);
  plan.pixel_row = plan.pixel_words | 1;
  plan.scratch = limits.threads * kCudaUnits;
  place_layers(plan, shape);
  for (plan.buffers = 2; plan.buffers > 0; --plan.buffers) {
    place_in_shared_memory(plan);
    if (plan.shared_bytes() <= limits.shared_bytes) return plan;
  }
  throw Error("a share of the network and a minibatch of " + std::to_string(batch) + " take " +
              std::to_string(plan.shared_bytes() / 1024) + " KiB of a multiprocessor's memory, " +
              std::to_string(limits.shared_bytes / 1024) + " are there");
}

}  // namespace mnist
