// The parameters of the fused CPU engine, cut into parts that belong to threads.
#include "engine/cpu/layers.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "mnist/support/part.hpp"

namespace mnist {
namespace {

/// Units in a leaf: fewer would be added up more often than they are worth.
constexpr std::size_t kSmallestLeaf = 32;

/// Calls copy(ours, index in its arrays, value of the network) for each weight and bias.
template <class Layers, class Network, class Copy>
void for_each_parameter(Layers& layers, Network& mlp, const Copy& copy) {
  for (std::size_t l = 0; l < layers.size(); ++l) {
    auto& linear = mlp.layers.at(l);
    const auto inputs = static_cast<std::size_t>(linear.inputs);
    for (auto& slice : layers[l].slices) {
      const std::size_t columns = slice.weights.columns;
      const std::size_t end = std::min(slice.begin + columns, layers[l].outputs);
      for (std::size_t j = slice.begin; j < end; ++j) {
        for (std::size_t k = 0; k < inputs; ++k) {
          copy(slice.weights, k * columns + j - slice.begin, linear.weight[j * inputs + k]);
        }
      }
    }
    for (std::size_t j = 0; j < layers[l].outputs; ++j) copy(layers[l].bias, j, linear.bias[j]);
  }
}

void add_slices(CpuLayer& layer, std::size_t begin, std::size_t end, const TrainOptions& options,
                std::size_t slice_columns, bool all_active) {
  const std::size_t square_rows = layer.first ? layer.inputs : layer.input_leaf;
  for (; begin < end; begin += slice_columns) {
    const std::size_t columns = std::min(slice_columns, end - begin);
    // Weight decay moves weights without a gradient, too.
    const bool active = all_active || options.weight_decay > 0;
    layer.slices.push_back({begin,
                            CpuParameters(layer.inputs, columns, square_rows, options.ema > 0),
                            std::vector<std::uint8_t>(layer.inputs / 2, active)});
  }
}

/// Cuts the weights into slices: those of the first layer within what belongs to a thread.
void make_slices(CpuLayer& layer, const TrainOptions& options, std::size_t slice_columns,
                 bool all_active) {
  if (!layer.first) return add_slices(layer, 0, layer.padded, options, slice_columns, all_active);
  for (int thread = 0; thread < layer.threads; ++thread) {
    layer.first_slices.push_back(layer.slices.size());
    const Share share = layer.own_units(thread);
    add_slices(layer, share.begin, share.end, options, slice_columns, all_active);
  }
  layer.first_slices.push_back(layer.slices.size());
}

/// The sums over inputs that each thread computes.
void make_nodes(CpuLayer& layer) {
  for (int thread = 0; thread < layer.threads; ++thread) {
    layer.first_nodes.push_back(layer.nodes.size());
    const Share rows(layer.inputs, layer.input_leaf, thread, layer.threads);
    const std::size_t end = (rows.end + layer.input_leaf - 1) / layer.input_leaf;
    const auto nodes = pairwise_nodes(rows.begin / layer.input_leaf, end);
    layer.nodes.insert(layer.nodes.end(), nodes.begin(), nodes.end());
  }
  layer.first_nodes.push_back(layer.nodes.size());
  layer.additions = additions_of(layer.nodes);
}

template <class Array>
auto part_of(Array& array, const std::vector<std::size_t>& first, int thread) {
  const auto t = static_cast<std::size_t>(thread);
  return std::span(array).subspan(first[t], first[t + 1] - first[t]);
}

double sum_of(const AlignedVector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

}  // namespace

Share::Share(std::size_t count, std::size_t unit, int part, int parts) {
  const std::size_t units = (count + unit - 1) / unit;
  const Part own{static_cast<std::uint64_t>(part), static_cast<std::uint64_t>(parts)};
  begin = std::min(own.begin(units) * unit, count);
  end = std::min(own.end(units) * unit, count);
}

OwnWeights CpuLayer::own_weights(int thread) {
  if (first) return {part_of(slices, first_slices, thread), 0, inputs};
  const Share rows(inputs, input_leaf, thread, threads);
  return {slices, rows.begin, rows.end};
}

std::span<const PairwiseNode> CpuLayer::own_nodes(int thread) const {
  return part_of(nodes, first_nodes, thread);
}

float* CpuLayer::partial_sum(const PairwiseNode& node) {
  const auto n = static_cast<std::size_t>(&node - nodes.data());
  return partials.data() + n * examples * stride();
}

PartialSums CpuLayer::partial_sums() const {
  return {partials.data(), examples * stride(), stride(), additions};
}

CpuParameters::CpuParameters(std::size_t rows, std::size_t width, std::size_t rows_of_square,
                             bool averaged)
    : columns(width),
      square_rows(rows_of_square),
      weights(rows * width),
      first_moments(rows * width),
      second_moments(rows * width),
      averages(averaged ? rows * width : 0),
      squares((rows + square_rows - 1) / square_rows * width) {}

ParameterSlice CpuParameters::view() {
  return {columns,        weights.data(), first_moments.data(), second_moments.data(),
          squares.data(), square_rows};
}

void CpuParameters::average(std::size_t begin, std::size_t end, float weight) {
  for (std::size_t i = begin; i < end; ++i) averages[i] += weight * (weights[i] - averages[i]);
}

std::vector<CpuLayer> make_cpu_layers(const Mlp& initial, const TrainOptions& options, int threads,
                                      std::size_t slice_columns, bool all_active) {
  std::vector<CpuLayer> layers;
  const MlpShape shape = initial.shape();
  const std::vector<std::int64_t> widths = shape.widths();
  std::size_t inputs = round_up(static_cast<std::size_t>(shape.inputs), 2);
  std::size_t input_leaf = inputs;
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    const bool last = l + 2 == widths.size();
    const auto outputs = static_cast<std::size_t>(widths[l + 1]);
    CpuLayer layer;
    layer.first = l == 0;
    layer.threads = threads;
    layer.inputs = inputs;
    layer.outputs = outputs;
    layer.padded = round_up(outputs, kBlock);
    layer.input_leaf = input_leaf;
    layer.unit_leaf = leaf_size(layer.padded, kBlock, kSmallestLeaf);
    layer.bias = CpuParameters(1, layer.padded, 1, options.ema > 0);
    layer.dropout = Dropout(last ? 0 : options.dropout_of(l + 1), options.seed, l + 1);
    make_slices(layer, options, slice_columns, all_active);
    if (!layer.first) make_nodes(layer);
    inputs = layer.padded;
    input_leaf = layer.unit_leaf;
    layers.push_back(std::move(layer));
  }
  for (CpuLayer& layer : layers) {
    for (CpuSlice& slice : layer.slices) layer.weights.push_back(slice.weights.view());
  }
  set_array(layers, initial, &CpuParameters::weights);
  if (options.ema > 0) set_array(layers, initial, &CpuParameters::averages);
  return layers;
}

void reserve_examples(std::vector<CpuLayer>& layers, std::size_t examples) {
  const std::size_t tiles = (examples + kTile - 1) / kTile;
  for (CpuLayer& layer : layers) {
    layer.examples = tiles * kTile;
    layer.partials.assign(layer.nodes.size() * layer.examples * layer.stride(), 0.0F);
    if (&layer == &layers.back()) continue;
    layer.activations.assign(layer.examples * layer.stride(), 0.0F);
    layer.deltas.assign(layer.examples * layer.stride(), 0.0F);
    layer.masks.assign(tiles * layer.padded, 0);
    if (layer.dropout.on()) layer.keep.assign(tiles * layer.padded, 0);
  }
}

std::size_t gradient_size(const std::vector<CpuLayer>& layers) {
  std::size_t size = 0;
  for (const CpuLayer& layer : layers) {
    for (const CpuSlice& slice : layer.slices) size += slice.weights.weights.size();
    size += layer.bias.weights.size();
  }
  return size;
}

void reserve_gradients(std::vector<CpuLayer>& layers, std::size_t depth,
                       std::vector<AlignedVector<float>>& stack) {
  while (stack.size() < depth) {
    float* next = stack.emplace_back(gradient_size(layers)).data();
    const auto reserve = [&](CpuParameters& parameters) {
      parameters.gradients.push_back(next);
      next += parameters.weights.size();
    };
    for (CpuLayer& layer : layers) {
      for (CpuSlice& slice : layer.slices) reserve(slice.weights);
      reserve(layer.bias);
    }
  }
}

Mlp array_of(const std::vector<CpuLayer>& layers, const MlpShape& shape, CpuArray array) {
  Mlp mlp = zero_mlp(shape);
  for_each_parameter(layers, mlp, [&](const CpuParameters& ours, std::size_t i, float& value) {
    value = (ours.*array)[i];
  });
  return mlp;
}

void set_array(std::vector<CpuLayer>& layers, const Mlp& values, CpuArray array) {
  for_each_parameter(layers, values, [&](CpuParameters& ours, std::size_t i, float value) {
    (ours.*array)[i] = value;
  });
}

void mark_active(std::vector<CpuLayer>& layers) {
  for (CpuLayer& layer : layers) {
    for (CpuSlice& slice : layer.slices) {
      const std::size_t pair = 2 * slice.weights.columns;
      for (std::size_t k = 0; k < slice.active.size(); ++k) {
        const float* const moments = slice.weights.second_moments.data() + k * pair;
        if (std::any_of(moments, moments + pair, [](float moment) { return moment != 0; })) {
          slice.active[k] = 1;
        }
      }
    }
  }
}

double squared_weight_gradient(const CpuLayer& layer) {
  double sum = 0;
  for (const CpuSlice& slice : layer.slices) sum += sum_of(slice.weights.squares);
  return sum;
}

double squared_bias_gradient(const CpuLayer& layer) {
  return sum_of(layer.bias.squares);
}

}  // namespace mnist
