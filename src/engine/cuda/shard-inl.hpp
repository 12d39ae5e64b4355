// A block's shard of the network in the CUDA engine's kernels: addresses, loading and storing.
//
// Included by kernels.cu, and by tests that run the same source on CPU threads. A `Block` is a
// thread's view of the launch:
//   index, blocks, thread, threads         int: which block of how many, which thread of how many
//   shared                                 float*: the block's shared memory
//   sync()                                 block barrier
//   arrive(), wait()                       split grid barrier
//   load_exchanged(p), load_exchanged4(p)  1 or 4 floats that another block wrote to device memory
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

/// Values in registers: once loops are unrolled, every index is a constant.
template <class Value, int kCount>
struct Registers {
  Value at[static_cast<std::size_t>(kCount)];
};

struct alignas(16) Float4 {
  float at[4];
};

MNIST_DEVICE int smaller(int a, int b) {
  return a < b ? a : b;
}

/// Loads four floats with one instruction.
MNIST_DEVICE Float4 load4(const float* place) {
  return *reinterpret_cast<const Float4*>(place);
}

/// The four pixels of a word, each 0 to 255. Placing a byte in the mantissa of 2^23 avoids the
/// conversion instruction, whose throughput is several times lower.
MNIST_DEVICE Float4 unpack_pixels(std::uint32_t word) {
  constexpr std::uint32_t kTwoTo23 = 0x4B000000;
  Float4 four;
  MNIST_UNROLL(4)
  for (int i = 0; i < 4; ++i) {
    const std::uint32_t bits = kTwoTo23 | (word >> (8 * i) & 0xFF);
    float pixel;
    memcpy(&pixel, &bits, sizeof pixel);
    four.at[i] = pixel - 8388608.0F;
  }
  return four;
}

/// A block's shard, as one of its threads sees it. Lane e of each warp works on example e of a
/// tile.
template <class Block>
struct Shard {
  const CudaPlan& plan;
  const CudaArgs& args;
  Block& block;
  const int warp = block.thread / kCudaLanes;
  const int warps = block.threads / kCudaLanes;
  const int lane = block.thread % kCudaLanes;
  int step = 0;  ///< of this launch

  MNIST_DEVICE bool is_last(int l) const { return l + 1 == plan.layer_count; }
  MNIST_DEVICE bool has_transposed(int l) const { return l > 0 && !is_last(l); }

  /// The block's units of a layer: the index of the first, and their number.
  MNIST_DEVICE int first_unit(int l) const {
    return is_last(l) ? 0 : block.index * plan.layers[l].units_per_block;
  }
  MNIST_DEVICE int unit_count(int l) const {
    const int left = plan.layers[l].outputs - first_unit(l);
    return left < 0 ? 0 : smaller(left, plan.layers[l].units_per_block);
  }

  MNIST_DEVICE int example_count(int of_step) const {
    const std::int64_t left = args.index_count - std::int64_t{of_step} * args.batch;
    return left < args.batch ? static_cast<int>(left) : args.batch;
  }

  // In shared memory.

  MNIST_DEVICE float* scratch() const { return block.shared + plan.shared.scratch; }
  MNIST_DEVICE float* logits() const { return block.shared + plan.shared.logits; }
  /// Of the biases after weights(l), and of their gradients after gradients(l).
  MNIST_DEVICE int bias_offset(int l) const {
    return plan.layers[l].units_per_block * plan.layers[l].row_stride;
  }
  MNIST_DEVICE float* weights(int l) const {
    return block.shared + plan.shared.weights + plan.layers[l].weights;
  }
  MNIST_DEVICE float* gradients(int l) const {
    return block.shared + plan.shared.gradients + plan.layers[l].weights;
  }
  /// Of the block's units: [units_per_block, examples].
  MNIST_DEVICE float* activations(int l) const {
    return block.shared + plan.shared.activations + plan.layers[l].deltas;
  }
  MNIST_DEVICE float* deltas(int l) const {
    return block.shared + plan.shared.deltas + plan.layers[l].deltas;
  }
  MNIST_DEVICE std::uint32_t* pixels(int of_step) const {
    return reinterpret_cast<std::uint32_t*>(block.shared + plan.shared.pixels) +
           of_step % plan.buffers * plan.examples * plan.pixel_stride;
  }
  MNIST_DEVICE std::int32_t* labels(int of_step) const {
    return reinterpret_cast<std::int32_t*>(block.shared + plan.shared.labels) +
           of_step % plan.buffers * plan.examples;
  }

  // In device memory, exchanged between blocks.

  /// Of all units for a tile: [outputs, lanes].
  MNIST_DEVICE float* all_activations(int l, int tile) const {
    const CudaLayer& layer = plan.layers[l];
    return args.exchange + layer.activations +
           std::int64_t{step % 2} * layer.outputs * plan.examples +
           std::int64_t{tile} * layer.outputs * kCudaLanes;
  }
  MNIST_DEVICE float* all_deltas(int l, int tile) const {
    const CudaLayer& layer = plan.layers[l];
    return args.exchange + layer.exchanged_deltas + std::int64_t{tile} * layer.outputs * kCudaLanes;
  }
  /// All weights of a layer as of a step, transposed: [inputs, outputs].
  MNIST_DEVICE float* transposed(int l, int of_step) const {
    const CudaLayer& layer = plan.layers[l];
    return args.exchange + layer.transposed +
           std::int64_t{of_step % 2} * layer.inputs * layer.outputs;
  }

  /// Calls visit(offset in the block's arrays, offset in the arrays of all parameters) for each of
  /// the block's parameters of layer l.
  template <class Visit>
  MNIST_DEVICE void each_parameter(int l, const Visit& visit) const {
    const CudaLayer& layer = plan.layers[l];
    const int units = unit_count(l);
    const std::int64_t rows = layer.parameters + std::int64_t{first_unit(l)} * layer.inputs;
    MNIST_UNROLL(1)
    for (int u = 0; u < units; ++u) {
      MNIST_UNROLL(1)
      for (int k = block.thread; k < layer.inputs; k += block.threads) {
        visit(layer.weights + u * layer.row_stride + k, rows + std::int64_t{u} * layer.inputs + k);
      }
    }
    const std::int64_t biases =
        layer.parameters + std::int64_t{layer.outputs} * layer.inputs + first_unit(l);
    MNIST_UNROLL(1)
    for (int u = block.thread; u < units; u += block.threads) {
      visit(layer.weights + bias_offset(l) + u, biases + u);
    }
  }

  MNIST_DEVICE void load_parameters() const {
    const CudaSharedLayout& at = plan.shared;
    // Adam also updates the padding of rows, into which no parameter is loaded.
    for (int i = block.thread; i < at.activations; i += block.threads) block.shared[i] = 0;
    block.sync();
    for (int l = 0; l < plan.layer_count; ++l) {
      each_parameter(l, [&](int own, std::int64_t all) {
        block.shared[at.weights + own] = args.weights[all];
        block.shared[at.first_moments + own] = args.first_moments[all];
        block.shared[at.second_moments + own] = args.second_moments[all];
      });
      if (has_transposed(l)) write_transposed(l, 0);
    }
  }

  MNIST_DEVICE void store_parameters() const {
    const CudaSharedLayout& at = plan.shared;
    for (int l = 0; l < plan.layer_count; ++l) {
      if (is_last(l) && block.index > 0) return;  // block 0 stores it
      each_parameter(l, [&](int own, std::int64_t all) {
        args.weights[all] = block.shared[at.weights + own];
        args.first_moments[all] = block.shared[at.first_moments + own];
        args.second_moments[all] = block.shared[at.second_moments + own];
      });
    }
  }

  /// Publishes the block's weights, transposed, for a step.
  MNIST_DEVICE void write_transposed(int l, int of_step) const {
    const CudaLayer& layer = plan.layers[l];
    float* const to = transposed(l, of_step) + first_unit(l);
    const int units = unit_count(l);
    MNIST_UNROLL(1)
    for (int u = 0; u < units; ++u) {
      MNIST_UNROLL(1)
      for (int k = block.thread; k < layer.inputs; k += block.threads) {
        to[std::int64_t{k} * layer.outputs + u] = weights(l)[u * layer.row_stride + k];
      }
    }
  }

  /// Copies a step's pixels and labels to shared memory, with zeros after a short minibatch's end.
  MNIST_DEVICE void load_minibatch(int of_step) const {
    if (of_step >= args.count) return;
    const int count = example_count(of_step);
    const std::int64_t first = std::int64_t{of_step} * args.batch;
    const std::int32_t* const indices = args.indices + first;
    for (int e = warp; e < plan.examples; e += warps) {
      const bool active = e < count;
      const std::uint32_t* image = args.images;
      if (active && args.prepared != nullptr)
        image = args.prepared + (first + e) * plan.pixel_words;
      if (active && args.prepared == nullptr) image += std::int64_t{indices[e]} * plan.pixel_words;
      std::uint32_t* const to = pixels(of_step) + e * plan.pixel_stride;
      MNIST_UNROLL(4)
      for (int word = lane; word < plan.pixel_words; word += kCudaLanes) {
        to[word] = active ? image[word] : 0;
      }
    }
    for (int e = block.thread; e < count; e += block.threads) {
      labels(of_step)[e] = args.labels[indices[e]];
    }
  }

  /// The sum of value(i) over i below `count`, returned to every thread of the block. All must call
  /// it. The order of summation depends only on the number of threads.
  template <class Value>
  MNIST_DEVICE float block_sum(int count, const Value& value) const {
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
