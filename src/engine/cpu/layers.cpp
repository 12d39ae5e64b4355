// The parameters of the fused CPU engine, cut into parts that belong to threads.
#include "engine/cpu/layers.hpp"

#include <algorithm>

namespace mnist {
namespace {

/// Units in a leaf: with fewer, adding up the partial sums would cost too much.
constexpr std::size_t kSmallestLeaf = 32;

/// Cuts the weights into slices; in the first layer, a slice belongs to one thread.
void make_slices(CpuLayer& layer, const TrainOptions& options, std::size_t slice_columns,
                 bool all_active) {
  // Weight decay moves weights without a gradient, too.
  const bool active = all_active || options.weight_decay > 0;
  const int parts = layer.first ? layer.threads : 1;
  for (int part = 0; part < parts; ++part) {
    const Share units(layer.padded, layer.unit_leaf, part, parts);
    for (std::size_t begin = units.begin; begin < units.end; begin += slice_columns) {
      const std::size_t columns = std::min(slice_columns, units.end - begin);
      layer.slices.push_back(
          {begin, CpuParameters(layer.inputs, columns, layer.input_leaf, options.ema > 0),
           std::vector<std::uint8_t>(layer.inputs / 2, active)});
    }
  }
}

}  // namespace

OwnWeights CpuLayer::own_weights(int thread) {
  if (!first) {
    const Share rows(inputs, input_leaf, thread, threads);
    return {slices, rows.begin, rows.end};
  }
  const Share units = own_units(thread);
  const auto begin = std::ranges::lower_bound(slices, units.begin, {}, &CpuSlice::begin);
  const auto end = std::ranges::lower_bound(slices, units.end, {}, &CpuSlice::begin);
  return {{begin, end}, 0, inputs};
}

CpuParameters::CpuParameters(std::size_t rows, std::size_t width, std::size_t rows_of_square,
                             bool averaged)
    : columns(width),
      square_rows(rows_of_square),
      weights(rows * width),
      first_moments(rows * width),
      second_moments(rows * width),
      averages(averaged ? rows * width : 0),
      squares(divide_up(rows, square_rows) * width) {}

ParameterSlice CpuParameters::view() {
  return {columns,        weights.data(), first_moments.data(), second_moments.data(),
          squares.data(), square_rows};
}

void CpuParameters::average(std::size_t begin, std::size_t end, float weight) {
  if (weight == 0) return;
  for (std::size_t i = begin; i < end; ++i) averages[i] += weight * (weights[i] - averages[i]);
}

std::vector<CpuLayer> make_cpu_layers(const MlpShape& shape, const TrainOptions& options,
                                      int threads, std::size_t slice_columns, bool all_active) {
  std::vector<CpuLayer> layers;
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
    if (!layer.first) {
      layer.nodes = shared_nodes(divide_up(inputs, input_leaf), threads);
      layer.additions = additions_of(layer.nodes);
    }
    inputs = layer.padded;
    input_leaf = layer.unit_leaf;
    layers.push_back(std::move(layer));
  }
  for (CpuLayer& layer : layers) {
    for (CpuSlice& slice : layer.slices) layer.weights.push_back(slice.weights.view());
  }
  return layers;
}

void reserve_examples(std::vector<CpuLayer>& layers, std::size_t examples) {
  const std::size_t tiles = divide_up(examples, kTile);
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

}  // namespace mnist
