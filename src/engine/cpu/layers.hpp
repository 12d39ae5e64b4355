// Parameters and activations of the fused CPU engine, and which thread works on which of them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/cpu/kernels.hpp"
#include "engine/cpu/pairwise.hpp"
#include "engine/dropout.hpp"
#include "mnist/model/mlp.hpp"
#include "mnist/options/train_options.hpp"
#include "support/aligned.hpp"

namespace mnist {

/// An array of parameters with its moments and, with --ema, its average.
struct CpuParameters {
  CpuParameters() = default;
  CpuParameters(std::size_t rows, std::size_t width, std::size_t square_rows, bool averaged);
  ParameterSlice view();
  /// Moves elements begin .. end - 1 of the averages toward the weights.
  void average(std::size_t begin, std::size_t end, float weight);

  std::size_t columns = 0;
  std::size_t square_rows = 1;
  AlignedVector<float> weights, first_moments, second_moments, averages;
  AlignedVector<float> squares;   ///< summed, of the last gradient; see ParameterSlice
  std::vector<float*> gradients;  ///< the stack of the sum over microbatches
};

/// One of these arrays: weights, moments or averages.
using CpuArray = AlignedVector<float> CpuParameters::*;

/// Some columns of a layer's weights, as many as the kernels keep in registers.
struct CpuSlice {
  std::size_t begin = 0;             ///< the first column
  CpuParameters weights;             ///< [inputs, columns]
  std::vector<std::uint8_t> active;  ///< of each pair of inputs; see CpuKernels::backward_weight
};

/// The weights of a layer that belong to a thread: rows begin .. end - 1 of some slices.
struct OwnWeights {
  std::span<CpuSlice> slices;
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// A thread owns some units of each hidden layer, with all weights that lead to them in the first
/// layer and all that leave them in the others.
struct CpuLayer {
  OwnWeights own_weights(int thread);
  /// Outputs: hidden units, or the logits whose biases the thread updates.
  Share own_units(int thread) const { return {padded, unit_leaf, thread, threads}; }

  /// Floats from one example's activations to the next's: one cache line more than necessary.
  /// Otherwise the examples of a wide layer, a power of two apart, would compete for a few sets of
  /// the L1 cache.
  std::size_t stride() const { return padded + kBlock; }

  bool first = false;
  int threads = 1;
  std::size_t inputs = 0;      ///< padded
  std::size_t outputs = 0;     ///< not padded
  std::size_t padded = 0;      ///< outputs, rounded up to a multiple of kBlock
  std::size_t input_leaf = 0;  ///< inputs in a leaf of the pairwise sums over them
  std::size_t unit_leaf = 0;   ///< the same of the next layer
  std::vector<CpuSlice> slices;
  std::vector<ParameterSlice> weights;  ///< of all slices
  CpuParameters bias;                   ///< [1, padded]
  Dropout dropout;                      ///< of the outputs; the last layer has none
  std::size_t examples = 0;             ///< for which the following arrays are allocated
  AlignedVector<float> activations;     ///< [examples, stride()]
  AlignedVector<float> deltas;          ///< [examples, stride()]
  AlignedVector<std::uint32_t> masks;   ///< [tiles, padded]: which activations are not zero
  AlignedVector<std::uint32_t> keep;    ///< [tiles, padded]: which are not dropped
  std::vector<PairwiseNode> nodes;      ///< of all threads: sums over some of the inputs
  std::vector<std::size_t> additions;   ///< of the nodes; see pairwise.hpp
  AlignedVector<float> partials;        ///< [nodes, examples, stride()]
};

/// The layers of a network, with all parameters 0. reserve_examples() must follow.
/// `all_active`: rows of weights may get a gradient from inputs that this process never sees.
std::vector<CpuLayer> make_cpu_layers(const MlpShape& shape, const TrainOptions& options,
                                      int threads, std::size_t slice_columns, bool all_active);

/// Allocates activations for microbatches of `examples` examples.
void reserve_examples(std::vector<CpuLayer>& layers, std::size_t examples);

/// The floats of a gradient of all parameters.
std::size_t gradient_size(const std::vector<CpuLayer>& layers);

/// Allocates `stack` for `depth` gradients, of which each layer has its part.
void reserve_gradients(std::vector<CpuLayer>& layers, std::size_t depth,
                       std::vector<AlignedVector<float>>& stack);

}  // namespace mnist
