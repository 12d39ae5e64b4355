// The parameters of the fused CPU engine: cut into slices that the threads share out.
#include "engine/cpu/layers.hpp"

#include <algorithm>
#include <cmath>

namespace mnist {
namespace {

/// Calls copy(slice's array, its index, value of the network) for each weight and bias.
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
        copy(slice.bias, j - slice.begin, linear.bias[j]);
      }
    }
  }
}

CpuSlice make_slice(std::size_t begin, std::size_t columns, std::size_t inputs,
                    const TrainOptions& options) {
  const bool averaged = options.ema > 0;
  // Weight decay moves weights without a gradient, too.
  return {begin, CpuParameters(inputs, columns, averaged), CpuParameters(1, columns, averaged),
          std::vector<std::uint8_t>(inputs / 2, options.weight_decay > 0 ? 1 : 0)};
}

/// Cuts a hidden layer into shares of the threads, and those into slices. The last layer is narrow:
/// its one slice is for all.
void make_slices(CpuLayer& layer, bool last, const TrainOptions& options, int threads,
                 std::size_t slice_columns) {
  if (last) {
    layer.slices.push_back(make_slice(0, layer.padded, layer.inputs, options));
    return;
  }
  for (int thread = 0; thread < threads; ++thread) {
    layer.first_slices.push_back(layer.slices.size());
    const Share share(layer.padded, kBlock, thread, threads);
    for (std::size_t begin = share.begin; begin < share.end; begin += slice_columns) {
      const std::size_t columns = std::min(slice_columns, share.end - begin);
      layer.slices.push_back(make_slice(begin, columns, layer.inputs, options));
    }
  }
  layer.first_slices.push_back(layer.slices.size());
}

}  // namespace

std::span<CpuSlice> CpuLayer::slices_of(int thread) {
  if (first_slices.empty()) return slices;
  const auto t = static_cast<std::size_t>(thread);
  return std::span(slices).subspan(first_slices[t], first_slices[t + 1] - first_slices[t]);
}

Share::Share(std::size_t count, std::size_t unit, int thread, int threads) {
  const std::size_t units = (count + unit - 1) / unit;
  const auto t = static_cast<std::size_t>(thread);
  const auto n = static_cast<std::size_t>(threads);
  begin = std::min(units * t / n * unit, count);
  end = std::min(units * (t + 1) / n * unit, count);
}

CpuParameters::CpuParameters(std::size_t rows, std::size_t width, bool averaged)
    : columns(width),
      weights(rows * width),
      first_moments(rows * width),
      second_moments(rows * width),
      averages(averaged ? rows * width : 0),
      squares(width) {}

ParameterSlice CpuParameters::view() {
  return {columns, weights.data(), first_moments.data(), second_moments.data(), squares.data()};
}

void CpuParameters::average(std::size_t begin, std::size_t end, float weight) {
  for (std::size_t i = begin * columns; i < end * columns; ++i) {
    averages[i] += weight * (weights[i] - averages[i]);
  }
}

std::vector<CpuLayer> make_cpu_layers(const Mlp& initial, const TrainOptions& options, int threads,
                                      std::size_t slice_columns) {
  std::vector<CpuLayer> layers;
  const MlpShape shape = initial.shape();
  const std::vector<std::int64_t> widths = shape.widths();
  std::size_t inputs = round_up(static_cast<std::size_t>(shape.inputs), 2);
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    const bool last = l + 2 == widths.size();
    const auto outputs = static_cast<std::size_t>(widths[l + 1]);
    const Dropout dropout(last ? 0 : options.dropout_of(l + 1), options.seed, l + 1);
    CpuLayer& layer = layers.emplace_back(
        CpuLayer{inputs, outputs, round_up(outputs, kBlock), {}, {}, {}, dropout, {}, {}, {}, {}});
    make_slices(layer, last, options, threads, slice_columns);
    for (CpuSlice& slice : layer.slices) layer.weights.push_back(slice.weights.view());
    inputs = layer.padded;
  }
  set_array(layers, initial, &CpuParameters::weights);
  if (options.ema > 0) set_array(layers, initial, &CpuParameters::averages);
  return layers;
}

void reserve_tiles(std::vector<CpuLayer>& layers, std::size_t tiles) {
  for (CpuLayer& layer : layers) {
    layer.activations.assign(tiles * kTile * layer.stride(), 0.0F);
    if (&layer == &layers.back()) continue;
    layer.deltas.assign(tiles * kTile * layer.stride(), 0.0F);
    layer.masks.assign(tiles * layer.padded, 0);
    if (layer.dropout.on()) layer.keep.assign(tiles * layer.padded, 0);
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

double squared_gradient(const std::vector<CpuSlice>& slices, CpuParameters CpuSlice::* parameters) {
  double sum = 0;
  for (const CpuSlice& slice : slices) {
    for (const float square : (slice.*parameters).squares) sum += static_cast<double>(square);
  }
  return sum;
}

}  // namespace mnist
