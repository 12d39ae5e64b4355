// What one block of threads has of a network, in the CUDA engine's kernel: where everything lies,
// and how it comes and goes.
//
// Included by cuda_kernels.cu, and by a test that runs the same source on processor threads. A
// `Block` is what a thread knows of its surroundings:
//   index, blocks, thread, threads     int: which one, of how many
//   shared                             float*: the block's shared memory
//   sync()                             waits for the block's threads
//   arrive(), wait()                   the two halves of waiting for all blocks
//   exchanged(p), exchanged_four(p)    what another block has written to device memory
#pragma once

#include <cstdint>
#include <cstring>

#include "engine/cuda/plan.hpp"

#ifdef __CUDACC__
#define MNIST_DEVICE __device__ __forceinline__
#define MNIST_PRAGMA(text) _Pragma(#text)
#define MNIST_UNROLL(times) MNIST_PRAGMA(unroll times)
#else
#define MNIST_DEVICE inline
#define MNIST_UNROLL(times)
#endif

namespace mnist::cuda {

/// Numbers that stay in registers: every index is a constant once loops are unrolled.
template <int kCount>
struct Floats {
  float at[static_cast<std::size_t>(kCount)];
};

/// Four floats that are loaded at once.
struct alignas(16) Four {
  float at[4];
};

template <int kCount>
struct Fours {
  Four of[static_cast<std::size_t>(kCount)];
};

MNIST_DEVICE Four four_at(const float* place) {
  return *reinterpret_cast<const Four*>(place);
}

/// The four pixels of a word, each 0 to 255. A byte as the last digits of 2^23 is a float at once,
/// where converting it takes a unit that is several times as slow.
MNIST_DEVICE Four pixels_of(std::uint32_t word) {
  constexpr std::uint32_t kTwoTo23 = 0x4B000000;
  Four four;
  MNIST_UNROLL(4)
  for (int i = 0; i < 4; ++i) {
    const std::uint32_t bits = kTwoTo23 | (word >> (8 * i) & 0xFF);
    float pixel;
    memcpy(&pixel, &bits, sizeof pixel);
    four.at[i] = pixel - 8388608.0F;
  }
  return four;
}

/// A block's share, as one of its threads sees it. Example e of a tile is thread e of each warp.
template <class Block>
struct Share {
  MNIST_DEVICE Share(const CudaPlan& the_plan, const CudaSteps& the_steps, Block& the_block)
      : plan(the_plan),
        steps(the_steps),
        block(the_block),
        warp(block.thread / kCudaLanes),
        warps(block.threads / kCudaLanes),
        lane(block.thread % kCudaLanes) {}

  const CudaPlan& plan;
  const CudaSteps& steps;
  Block& block;
  const int warp;
  const int warps;
  const int lane;
  int step = 0;  ///< of this launch

  MNIST_DEVICE bool is_last(int l) const { return l + 1 == plan.layer_count; }
  MNIST_DEVICE bool has_columns(int l) const { return l > 0 && !is_last(l); }

  /// The first of the block's units of a layer, and how many there are.
  MNIST_DEVICE int begin_of(int l) const {
    return is_last(l) ? 0 : block.index * plan.layers[l].share;
  }
  MNIST_DEVICE int units_of(int l) const {
    const CudaLayer& layer = plan.layers[l];
    const int left = layer.outputs - begin_of(l);
    return left < 0 ? 0 : left < layer.share ? left : layer.share;
  }

  /// How many examples the minibatch of a step has.
  MNIST_DEVICE int examples_of(int of_step) const {
    const std::int64_t left = steps.row_count - std::int64_t{of_step} * plan.batch;
    return left < plan.batch ? static_cast<int>(left) : plan.batch;
  }

  // In shared memory.

  MNIST_DEVICE float* scratch() const { return block.shared + plan.shared.scratch; }
  MNIST_DEVICE float* logits() const { return block.shared + plan.shared.logits; }
  MNIST_DEVICE float* weights(int l) const {
    return block.shared + plan.shared.weights + plan.layers[l].weights;
  }
  MNIST_DEVICE float* gradients(int l) const {
    return block.shared + plan.shared.gradients + plan.layers[l].weights;
  }
  /// Of the block's units, [share, examples].
  MNIST_DEVICE float* activations(int l) const {
    return block.shared + plan.shared.activations + plan.layers[l].deltas;
  }
  MNIST_DEVICE float* deltas(int l) const {
    return block.shared + plan.shared.deltas + plan.layers[l].deltas;
  }
  MNIST_DEVICE std::uint32_t* pixels(int of_step) const {
    return reinterpret_cast<std::uint32_t*>(block.shared + plan.shared.pixels) +
           of_step % plan.buffers * plan.examples * plan.pixel_row;
  }
  MNIST_DEVICE std::int32_t* labels(int of_step) const {
    return reinterpret_cast<std::int32_t*>(block.shared + plan.shared.labels) +
           of_step % plan.buffers * plan.examples;
  }

  /// Dropout of the block's units in a tile: a word for each unit; null when all are kept.
  MNIST_DEVICE const std::uint32_t* kept(int l, int tile) const {
    if (steps.kept[l] == nullptr) return nullptr;
    return steps.kept[l] + (std::int64_t{step} * plan.tiles + tile) * plan.layers[l].outputs +
           begin_of(l);
  }

  // Exchanged with other blocks, through device memory.

  /// Of all units, for one tile: [outputs, lanes].
  MNIST_DEVICE float* all_activations(int l, int tile) const {
    const CudaLayer& layer = plan.layers[l];
    return steps.exchange + layer.activations +
           std::int64_t{step % 2} * layer.outputs * plan.examples +
           std::int64_t{tile} * layer.outputs * kCudaLanes;
  }
  MNIST_DEVICE float* all_deltas(int l, int tile) const {
    const CudaLayer& layer = plan.layers[l];
    return steps.exchange + layer.exchanged_deltas +
           std::int64_t{tile} * layer.outputs * kCudaLanes;
  }
  /// All weights by columns, [inputs, outputs], as they are in a step.
  MNIST_DEVICE float* columns(int l, int of_step) const {
    const CudaLayer& layer = plan.layers[l];
    return steps.exchange + layer.columns +
           std::int64_t{of_step % 2} * layer.inputs * layer.outputs;
  }

  /// Calls visit(place in the block's arrays of parameters, place among all parameters) for the
  /// block's parameters of layer l.
  template <class Visit>
  MNIST_DEVICE void each_parameter(int l, const Visit& visit) const {
    const CudaLayer& layer = plan.layers[l];
    const int units = units_of(l);
    const std::int64_t rows = layer.parameters + std::int64_t{begin_of(l)} * layer.inputs;
    MNIST_UNROLL(1)
    for (int u = 0; u < units; ++u) {
      MNIST_UNROLL(1)
      for (int k = block.thread; k < layer.inputs; k += block.threads) {
        visit(layer.weights + u * layer.row + k, rows + std::int64_t{u} * layer.inputs + k);
      }
    }
    const std::int64_t biases =
        layer.parameters + std::int64_t{layer.outputs} * layer.inputs + begin_of(l);
    MNIST_UNROLL(1)
    for (int u = block.thread; u < units; u += block.threads) {
      visit(layer.weights + layer.share * layer.row + u, biases + u);
    }
  }

  MNIST_DEVICE void load_parameters() const {
    const CudaSharedLayout& at = plan.shared;
    // Adam also updates the padding of rows, which no parameter is loaded into.
    for (int i = block.thread; i < plan.parameters; i += block.threads) {
      block.shared[at.weights + i] = block.shared[at.gradients + i] = 0;
      block.shared[at.first_moments + i] = block.shared[at.second_moments + i] = 0;
    }
    block.sync();
    for (int l = 0; l < plan.layer_count; ++l) {
      each_parameter(l, [&](int own, std::int64_t all) {
        block.shared[at.weights + own] = steps.weights[all];
        block.shared[at.first_moments + own] = steps.first_moments[all];
        block.shared[at.second_moments + own] = steps.second_moments[all];
      });
      if (has_columns(l)) write_columns(l, 0);
    }
  }

  MNIST_DEVICE void store_parameters() const {
    const CudaSharedLayout& at = plan.shared;
    for (int l = 0; l < plan.layer_count; ++l) {
      if (is_last(l) && block.index > 0) return;  // the same in all blocks
      each_parameter(l, [&](int own, std::int64_t all) {
        steps.weights[all] = block.shared[at.weights + own];
        steps.first_moments[all] = block.shared[at.first_moments + own];
        steps.second_moments[all] = block.shared[at.second_moments + own];
      });
    }
  }

  /// Hands the block's weights to the blocks that need them by columns, for a step.
  MNIST_DEVICE void write_columns(int l, int of_step) const {
    const CudaLayer& layer = plan.layers[l];
    float* const to = columns(l, of_step) + begin_of(l);
    const int units = units_of(l);
    MNIST_UNROLL(1)
    for (int u = 0; u < units; ++u) {
      MNIST_UNROLL(1)
      for (int k = block.thread; k < layer.inputs; k += block.threads) {
        to[std::int64_t{k} * layer.outputs + u] = weights(l)[u * layer.row + k];
      }
    }
  }

  /// Brings the pixels and labels of a step's minibatch into shared memory; blank ones where the
  /// minibatch is short.
  MNIST_DEVICE void fetch_minibatch(int of_step) const {
    if (of_step >= steps.count) return;
    const int count = examples_of(of_step);
    const std::int32_t* const rows = steps.rows + std::int64_t{of_step} * plan.batch;
    for (int e = warp; e < plan.examples; e += warps) {
      const bool there = e < count;
      std::int64_t image_number = 0;
      if (there) image_number = steps.in_order ? std::int64_t{of_step} * plan.batch + e : rows[e];
      const std::uint32_t* const image = steps.images + image_number * plan.pixel_words;
      std::uint32_t* const to = pixels(of_step) + e * plan.pixel_row;
      MNIST_UNROLL(4)
      for (int word = lane; word < plan.pixel_words; word += kCudaLanes) {
        to[word] = there ? image[word] : 0;
      }
    }
    for (int e = block.thread; e < count; e += block.threads) {
      labels(of_step)[e] = steps.labels[rows[e]];
    }
  }

  /// The sum of value(i) over i below `count`, in an order that depends on `threads` alone; the
  /// same in all threads of the block, which must all come here.
  template <class Value>
  MNIST_DEVICE float sum_of(int count, const Value& value) const {
    float sum = 0;
    MNIST_UNROLL(1)
    for (int i = block.thread; i < count; i += block.threads) sum += value(i);
    block.sync();
    scratch()[block.thread] = sum;
    block.sync();
    if (warp == 0) {
      sum = 0;
      for (int w = 0; w < warps; ++w) sum += scratch()[w * kCudaLanes + lane];
      scratch()[lane] = sum;
    }
    block.sync();
    sum = 0;
    for (int i = 0; i < kCudaLanes; ++i) sum += scratch()[i];
    block.sync();
    return sum;
  }
};

}  // namespace mnist::cuda
