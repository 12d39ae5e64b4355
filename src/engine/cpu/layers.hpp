// Parameters and activations of the fused CPU engine, in slices that belong to threads.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/cpu/kernels.hpp"
#include "engine/dropout.hpp"
#include "engine/optimizer_step.hpp"
#include "mnist/model/mlp.hpp"
#include "support/aligned.hpp"

namespace mnist {

/// The range of `count` items that belongs to one of `threads` threads, in multiples of `unit`.
struct Share {
  Share(std::size_t count, std::size_t unit, int thread, int threads);
  std::size_t begin;
  std::size_t end;
};

/// An array of parameters with its moments and, with --ema, its average.
struct CpuParameters {
  CpuParameters(std::size_t rows, std::size_t width, bool averaged);
  ParameterSlice view();
  /// Moves the averages of rows begin .. end - 1 towards the weights.
  void average(std::size_t begin, std::size_t end, float weight);

  std::size_t columns;
  AlignedVector<float> weights, first_moments, second_moments, averages;
  AlignedVector<float> squares;  ///< [columns]: of the last gradient, summed over each column
};

/// Some outputs of a layer, a multiple of kBlock, with their parameters.
struct CpuSlice {
  std::size_t begin = 0;
  CpuParameters weights;             ///< [inputs, columns]
  CpuParameters bias;                ///< [1, columns]
  std::vector<std::uint8_t> active;  ///< of each pair of inputs; see CpuKernels::backward_weight
};

struct CpuLayer {
  /// The slices that thread `thread` works on; of the last layer, one that all share.
  std::span<CpuSlice> slices_of(int thread);

  /// Floats from one example's activations to the next's: one cache line more than necessary.
  /// Otherwise the examples of a wide layer, a power of two apart, would compete for a few sets of
  /// the L1 cache.
  std::size_t stride() const { return padded + kBlock; }

  std::size_t inputs = 0;   ///< padded
  std::size_t outputs = 0;  ///< true
  std::size_t padded = 0;   ///< a multiple of kBlock
  std::vector<CpuSlice> slices;
  std::vector<std::size_t> first_slices;  ///< of each thread and one past the last; empty: shared
  std::vector<ParameterSlice> weights;    ///< of all slices
  Dropout dropout;                        ///< of the outputs; the last layer has none
  AlignedVector<float> activations;    ///< [examples, stride()]; of the last layer, its deltas too
  AlignedVector<float> deltas;         ///< [examples, stride()]; none for the last layer
  AlignedVector<std::uint32_t> masks;  ///< [tiles, padded]: which activations are not zero
  AlignedVector<std::uint32_t> keep;   ///< [tiles, padded]: which are not dropped
};

/// The layers of a network with the parameters `initial`, in slices of at most `slice_columns`
/// outputs. reserve_tiles() must follow.
std::vector<CpuLayer> make_cpu_layers(const Mlp& initial, const TrainOptions& options, int threads,
                                      std::size_t slice_columns);

/// Allocates activations for minibatches of `tiles` tiles.
void reserve_tiles(std::vector<CpuLayer>& layers, std::size_t tiles);

/// One array of all parameters: weights, moments or averages.
using CpuArray = AlignedVector<float> CpuParameters::*;

/// A copy of an array; the activation of the result is ReLU.
Mlp array_of(const std::vector<CpuLayer>& layers, const MlpShape& shape, CpuArray array);

/// The inverse.
void set_array(std::vector<CpuLayer>& layers, const Mlp& values, CpuArray array);

/// Marks the weight rows that have nonzero moments as active.
void mark_active(std::vector<CpuLayer>& layers);

/// The sum of the slices' `squares`, of weights or of biases.
double squared_gradient(const std::vector<CpuSlice>& slices, CpuParameters CpuSlice::* parameters);

}  // namespace mnist
