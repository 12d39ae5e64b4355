// The products of the CUDA engine's kernel: sums over inputs for a block's units, and over examples
// for their weights.
#pragma once

#include "engine/cuda/share-inl.hpp"

namespace mnist::cuda {

/// Calls work.template operator()<kUnits>(first) for runs of units 0 .. count - 1. That a run's
/// length is a constant keeps its sums in registers.
template <class Work>
MNIST_DEVICE void in_runs(int count, const Work& work) {
  int first = 0;
  for (; count - first >= kCudaUnits; first += kCudaUnits) {
    work.template operator()<kCudaUnits>(first);
  }
  for (; count - first >= 4; first += 4) work.template operator()<4>(first);
  for (; count - first >= 2; first += 2) work.template operator()<2>(first);
  if (first < count) work.template operator()<1>(first);
}

/// For each of `units` units, the sum over all inputs for the examples of one tile: add(first unit,
/// sums) adds those of a warp's inputs, finish(unit, sum) gets the total, which is taken in the
/// order of the warps. All threads must come here.
template <class Block, class Add, class Finish>
MNIST_DEVICE void sum_over_inputs(const Share<Block>& own, int units, const Add& add,
                                  const Finish& finish) {
  float* const scratch = own.scratch() + own.lane;
  in_runs(units, [&]<int kUnits>(int first) {
    Floats<kUnits> sums = {};
    add(first, sums);
    MNIST_UNROLL(kUnits)
    for (int u = 0; u < kUnits; ++u) scratch[(own.warp * kUnits + u) * kCudaLanes] = sums.at[u];
    own.block.sync();
    for (int u = own.warp; u < kUnits; u += own.warps) {
      float total = 0;
      for (int w = 0; w < own.warps; ++w) total += scratch[(w * kUnits + u) * kCudaLanes];
      finish(first + u, total);
    }
    own.block.sync();
  });
}

/// Adds weight * pixel for a warp's share of the pixels. `weights` are those of kUnits units, with
/// `row` floats each.
template <int kUnits, class Block>
MNIST_DEVICE void add_pixels(const Share<Block>& own, int tile, const float* weights, int row,
                             Floats<kUnits>& sums) {
  const std::uint32_t* const image =
      own.pixels(own.step) + (tile * kCudaLanes + own.lane) * own.plan.pixel_row;
  MNIST_UNROLL(4)
  for (int word = own.warp; word < own.plan.pixel_words; word += own.warps) {
    const Four pixels = pixels_of(image[word]);
    MNIST_UNROLL(kUnits)
    for (int u = 0; u < kUnits; ++u) {
      const Four weight = four_at(weights + u * row + 4 * word);
      MNIST_UNROLL(4)
      for (int i = 0; i < 4; ++i) sums.at[u] += pixels.at[i] * weight.at[i];
    }
  }
}

/// Adds weight(unit, k) * values[k] for a warp's share of the k below `inputs`. `values` [inputs,
/// lanes] have come from other blocks.
template <int kUnits, class Block, class Weight>
MNIST_DEVICE void add_exchanged(const Share<Block>& own, const float* values, int inputs,
                                const Weight& weight, Floats<kUnits>& sums) {
  MNIST_UNROLL(8)
  for (int k = own.warp; k < inputs; k += own.warps) {
    const float value = own.block.exchanged(values + k * kCudaLanes + own.lane);
    MNIST_UNROLL(kUnits)
    for (int u = 0; u < kUnits; ++u) sums.at[u] += weight(u, k) * value;
  }
}

/// The sums of one thread for gradients: kUnits units, kWidth inputs.
template <int kUnits, int kWidth>
struct GradientSums {
  Floats<kWidth> of[static_cast<std::size_t>(kUnits)];
};

/// Adds delta(unit, example) * pixel(example, four inputs from 4 * slot) for examples e to e + 3.
template <int kUnits, class Block>
MNIST_DEVICE void add_examples(const Share<Block>& own, int /*l*/, int slot, int e,
                               const Fours<kUnits>& deltas,
                               GradientSums<kUnits, kPixelsOfWord>& sums) {
  const std::uint32_t* const words = own.pixels(own.step) + e * own.plan.pixel_row + slot;
  MNIST_UNROLL(4)
  for (int n = 0; n < 4; ++n) {
    const Four pixels = pixels_of(words[n * own.plan.pixel_row]);
    MNIST_UNROLL(kUnits)
    for (int u = 0; u < kUnits; ++u) {
      MNIST_UNROLL(4)
      for (int i = 0; i < 4; ++i) sums.of[u].at[i] += deltas.of[u].at[n] * pixels.at[i];
    }
  }
}

/// The same for input `slot` of layer l, an activation of the layer below.
template <int kUnits, class Block>
MNIST_DEVICE void add_examples(const Share<Block>& own, int l, int slot, int e,
                               const Fours<kUnits>& deltas, GradientSums<kUnits, 1>& sums) {
  const float* const below = own.all_activations(l - 1, e / kCudaLanes);
  const Four values = own.block.exchanged_four(below + slot * kCudaLanes + e % kCudaLanes);
  MNIST_UNROLL(kUnits)
  for (int u = 0; u < kUnits; ++u) {
    MNIST_UNROLL(4)
    for (int n = 0; n < 4; ++n) sums.of[u].at[0] += deltas.of[u].at[n] * values.at[n];
  }
}

/// How the threads of a block share the inputs of a layer and the examples of a minibatch: with
/// more threads than inputs, groups of threads have some of the examples each.
struct GradientShares {
  template <class Block>
  MNIST_DEVICE GradientShares(const Share<Block>& own, int slots, int sums_of_group)
      : stride((slots + kCudaLanes - 1) / kCudaLanes * kCudaLanes) {
    const auto at_most = [&](int most) { groups = groups < most ? groups : most; };
    groups = own.block.threads / stride;
    at_most(own.plan.scratch / sums_of_group + 1);  // the first group needs no room of its own
    at_most(own.plan.examples / 4);
    groups = groups < 1 ? 1 : groups;
  }

  int stride;  ///< threads of a group, in whole warps: four pixels each, or an activation
  int groups = 1;
};

/// Gradients of the weights of layer l for kUnits of the block's units from `first`: sums over all
/// examples, kWidth inputs a thread. All threads must come here.
template <int kUnits, int kWidth, class Block>
MNIST_DEVICE void weight_gradients(const Share<Block>& own, int l, int first) {
  const CudaLayer& layer = own.plan.layers[l];
  const float* const all_deltas = own.deltas(l) + first * own.plan.examples;
  float* const gradients = own.gradients(l) + first * layer.row;
  const int size = kUnits * layer.row;
  const GradientShares shares(own, layer.row / kWidth, size);
  const int fours = own.plan.examples / 4;
  for (int i = own.block.thread; i < shares.groups * shares.stride; i += own.block.threads) {
    const int group = i / shares.stride;
    const int slot = i - group * shares.stride;
    if (slot * kWidth >= layer.row) continue;
    GradientSums<kUnits, kWidth> sums = {};
    // What pads a row of weights has no examples: its gradient stays 0.
    const int end = slot * kWidth < layer.inputs ? 4 * (fours * (group + 1) / shares.groups) : 0;
    MNIST_UNROLL(2)
    for (int e = 4 * (fours * group / shares.groups); e < end; e += 4) {
      Fours<kUnits> deltas;
      MNIST_UNROLL(kUnits)
      for (int u = 0; u < kUnits; ++u)
        deltas.of[u] = four_at(all_deltas + u * own.plan.examples + e);
      add_examples(own, l, slot, e, deltas, sums);
    }
    float* const to = group == 0 ? gradients : own.scratch() + (group - 1) * size;
    MNIST_UNROLL(kUnits)
    for (int u = 0; u < kUnits; ++u) {
      MNIST_UNROLL(kWidth)
      for (int w = 0; w < kWidth; ++w) to[u * layer.row + slot * kWidth + w] = sums.of[u].at[w];
    }
  }
  own.block.sync();
  const float scale = l == 0 ? own.steps.rules.pixel_scale : 1.0F;
  MNIST_UNROLL(2)
  for (int i = own.block.thread; i < size; i += own.block.threads) {
    float sum = gradients[i];
    for (int g = 1; g < shares.groups; ++g) sum += own.scratch()[(g - 1) * size + i];
    gradients[i] = scale * sum;
  }
  own.block.sync();
}

}  // namespace mnist::cuda
