// Matrix products of the CUDA engine's kernel: sums over inputs for pre-activations and their
// gradients, and sums over examples for weight gradients.
#pragma once

#include "engine/cuda/shard-inl.hpp"

namespace mnist::cuda {

/// Calls work.template operator()<kUnits>(first) for chunks of units 0 .. count - 1. As the length
/// of a chunk is a constant, its sums stay in registers.
template <class Work>
MNIST_DEVICE void for_each_chunk(int count, const Work& work) {
  int first = 0;
  for (; count - first >= kCudaUnits; first += kCudaUnits) {
    work.template operator()<kCudaUnits>(first);
  }
  for (; count - first >= 4; first += 4) work.template operator()<4>(first);
  for (; count - first >= 2; first += 2) work.template operator()<2>(first);
  if (first < count) work.template operator()<1>(first);
}

/// Sums over all inputs for each of `units` units and the examples of one tile. Each warp calls
/// add(first unit, sums) for its inputs; finish(unit, sum) gets the total, added in the order of
/// warps. All threads of the block must call it.
template <class Block, class Add, class Finish>
MNIST_DEVICE void sum_over_inputs(const Shard<Block>& shard, int units, const Add& add,
                                  const Finish& finish) {
  float* const scratch = shard.scratch() + shard.lane;
  for_each_chunk(units, [&]<int kUnits>(int first) {
    Registers<float, kUnits> sums = {};
    add(first, sums);
    MNIST_UNROLL(kUnits)
    for (int u = 0; u < kUnits; ++u) scratch[(shard.warp * kUnits + u) * kCudaLanes] = sums.at[u];
    shard.block.sync();
    for (int u = shard.warp; u < kUnits; u += shard.warps) {
      float total = 0;
      for (int w = 0; w < shard.warps; ++w) total += scratch[(w * kUnits + u) * kCudaLanes];
      finish(first + u, total);
    }
    shard.block.sync();
  });
}

/// Adds weight * pixel over a warp's part of the pixels. `weights` is [kUnits, row].
template <int kUnits, class Block>
MNIST_DEVICE void add_pixels(const Shard<Block>& shard, int tile, const float* weights, int row,
                             Registers<float, kUnits>& sums) {
  const std::uint32_t* const image =
      shard.pixels(shard.step) + (tile * kCudaLanes + shard.lane) * shard.plan.pixel_stride;
  MNIST_UNROLL(4)
  for (int word = shard.warp; word < shard.plan.pixel_words; word += shard.warps) {
    const Float4 pixels = unpack_pixels(image[word]);
    MNIST_UNROLL(kUnits)
    for (int u = 0; u < kUnits; ++u) {
      const Float4 weight = load4(weights + u * row + 4 * word);
      MNIST_UNROLL(4)
      for (int i = 0; i < 4; ++i) sums.at[u] += pixels.at[i] * weight.at[i];
    }
  }
}

/// Adds weight(unit, k) * values[k] over a warp's part of the k below `inputs`. Other blocks wrote
/// `values`, [inputs, lanes].
template <int kUnits, class Block, class Weight>
MNIST_DEVICE void add_exchanged(const Shard<Block>& shard, const float* values, int inputs,
                                const Weight& weight, Registers<float, kUnits>& sums) {
  MNIST_UNROLL(8)
  for (int k = shard.warp; k < inputs; k += shard.warps) {
    const float value = shard.block.load_exchanged(values + k * kCudaLanes + shard.lane);
    MNIST_UNROLL(kUnits)
    for (int u = 0; u < kUnits; ++u) sums.at[u] += weight(u, k) * value;
  }
}

/// One thread's partial sums of weight gradients: kUnits units, kWidth inputs.
template <int kUnits, int kWidth>
using GradientSums = Registers<Registers<float, kWidth>, kUnits>;

/// Adds delta(unit, example) * pixel(example, four inputs from 4 * slot) for examples e to e + 3.
template <int kUnits, class Block>
MNIST_DEVICE void add_examples(const Shard<Block>& shard, int /*l*/, int slot, int e,
                               const Registers<Float4, kUnits>& deltas,
                               GradientSums<kUnits, kPixelsPerWord>& sums) {
  const std::uint32_t* const words = shard.pixels(shard.step) + e * shard.plan.pixel_stride + slot;
  MNIST_UNROLL(4)
  for (int n = 0; n < 4; ++n) {
    const Float4 pixels = unpack_pixels(words[n * shard.plan.pixel_stride]);
    MNIST_UNROLL(kUnits)
    for (int u = 0; u < kUnits; ++u) {
      MNIST_UNROLL(4)
      for (int i = 0; i < 4; ++i) sums.at[u].at[i] += deltas.at[u].at[n] * pixels.at[i];
    }
  }
}

/// The same for input `slot` of layer l, an activation of the layer below.
template <int kUnits, class Block>
MNIST_DEVICE void add_examples(const Shard<Block>& shard, int l, int slot, int e,
                               const Registers<Float4, kUnits>& deltas,
                               GradientSums<kUnits, 1>& sums) {
  const float* const below = shard.all_activations(l - 1, e / kCudaLanes);
  const Float4 values = shard.block.load_exchanged4(below + slot * kCudaLanes + e % kCudaLanes);
  MNIST_UNROLL(kUnits)
  for (int u = 0; u < kUnits; ++u) {
    MNIST_UNROLL(4)
    for (int n = 0; n < 4; ++n) sums.at[u].at[0] += deltas.at[u].at[n] * values.at[n];
  }
}

/// Weight gradients of layer l for kUnits of the block's units from `first` on: sums over all
/// examples, kWidth inputs per thread. Where there are more threads than inputs, each group of
/// threads takes some of the examples. All threads of the block must call it.
template <int kUnits, int kWidth, class Block>
MNIST_DEVICE void weight_gradients(const Shard<Block>& shard, int l, int first) {
  const CudaLayer& layer = shard.plan.layers[l];
  const float* const all_deltas = shard.deltas(l) + first * shard.plan.examples;
  float* const gradients = shard.gradients(l) + first * layer.row_stride;
  const int size = kUnits * layer.row_stride;
  const int fours = shard.plan.examples / 4;
  // Threads of a group, in whole warps. The first group needs no scratch.
  const int stride = (layer.row_stride / kWidth + kCudaLanes - 1) / kCudaLanes * kCudaLanes;
  int groups = smaller(shard.block.threads / stride, shard.plan.scratch / size + 1);
  groups = groups < 1 ? 1 : smaller(groups, fours);
  for (int i = shard.block.thread; i < groups * stride; i += shard.block.threads) {
    const int group = i / stride;
    const int slot = i - group * stride;
    if (slot * kWidth >= layer.row_stride) continue;
    GradientSums<kUnits, kWidth> sums = {};
    // The padding of a row sums over no examples: its gradient stays 0.
    const int end = slot * kWidth < layer.inputs ? 4 * (fours * (group + 1) / groups) : 0;
    MNIST_UNROLL(2)
    for (int e = 4 * (fours * group / groups); e < end; e += 4) {
      Registers<Float4, kUnits> deltas;
      MNIST_UNROLL(kUnits)
      for (int u = 0; u < kUnits; ++u)
        deltas.at[u] = load4(all_deltas + u * shard.plan.examples + e);
      add_examples(shard, l, slot, e, deltas, sums);
    }
    float* const to = group == 0 ? gradients : shard.scratch() + (group - 1) * size;
    MNIST_UNROLL(kUnits)
    for (int u = 0; u < kUnits; ++u) {
      MNIST_UNROLL(kWidth)
      for (int w = 0; w < kWidth; ++w)
        to[u * layer.row_stride + slot * kWidth + w] = sums.at[u].at[w];
    }
  }
  shard.block.sync();
  const float scale = l == 0 ? shard.args.pixel_scale : 1.0F;
  MNIST_UNROLL(2)
  for (int i = shard.block.thread; i < size; i += shard.block.threads) {
    float sum = gradients[i];
    for (int g = 1; g < groups; ++g) sum += shard.scratch()[(g - 1) * size + i];
    gradients[i] = scale * sum;
  }
  shard.block.sync();
}

}  // namespace mnist::cuda
