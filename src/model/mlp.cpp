// Shapes, parameter tables, initialization.
#include "mnist/model/mlp.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <spdlog/fmt/fmt.h>

#include "mnist/support/error.hpp"
#include "support/random.hpp"

namespace mnist {
namespace {

/// Uniform in [-bound, bound).
void fill_uniform(std::vector<float>& values, float bound, const RandomStream& stream) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = bound * (2 * stream.uniform(i) - 1);
}

/// Normal with mean 0, by the Box-Muller transform.
void fill_normal(std::vector<float>& values, double deviation, const RandomStream& stream) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double radius = std::sqrt(-2 * std::log(1 - static_cast<double>(stream.uniform(2 * i))));
    const double angle = 2 * std::numbers::pi * static_cast<double>(stream.uniform(2 * i + 1));
    values[i] = static_cast<float>(deviation * radius * std::cos(angle));
  }
}

}  // namespace

std::vector<std::int64_t> MlpShape::widths() const {
  std::vector<std::int64_t> widths{inputs};
  widths.insert(widths.end(), hidden.begin(), hidden.end());
  widths.push_back(classes);
  return widths;
}

std::string to_string(const MlpShape& shape) {
  const std::string widths = fmt::format("{}", fmt::join(shape.widths(), "-"));
  return shape.hidden.empty() ? widths : fmt::format("{} ({})", widths, name_of(shape.activation));
}

std::int64_t image_side(const MlpShape& shape, const std::string& source) {
  const auto side = std::llround(std::sqrt(static_cast<double>(shape.inputs)));
  if (side * side == shape.inputs) return side;
  throw Error(fmt::format("{}: the network takes {} inputs, which do not form a square image",
                          source, shape.inputs));
}

std::vector<ParameterInfo> parameter_table(const MlpShape& shape) {
  const std::vector<std::int64_t> widths = shape.widths();
  std::vector<ParameterInfo> table;
  for (std::size_t layer = 0; layer + 1 < widths.size(); ++layer) {
    const std::string prefix = std::to_string(2 * layer);  // activations take the odd numbers
    const std::int64_t in = widths[layer];
    const std::int64_t out = widths[layer + 1];
    table.push_back({prefix + ".weight", {out, in}, out * in});
    table.push_back({prefix + ".bias", {out}, out});
  }
  return table;
}

std::int64_t parameter_count(const MlpShape& shape) {
  std::int64_t count = 0;
  for (const ParameterInfo& parameter : parameter_table(shape)) count += parameter.count;
  return count;
}

MlpShape Mlp::shape() const {
  MlpShape shape{layers.front().inputs, {}, layers.back().outputs, activation};
  for (std::size_t l = 0; l + 1 < layers.size(); ++l) shape.hidden.push_back(layers[l].outputs);
  return shape;
}

Mlp zero_mlp(const MlpShape& shape) {
  return unflatten(shape, std::vector<float>(static_cast<std::size_t>(parameter_count(shape))));
}

std::vector<float> flatten(const Mlp& mlp) {
  std::vector<float> values;
  for (const Linear& layer : mlp.layers) {
    values.insert(values.end(), layer.weight.begin(), layer.weight.end());
    values.insert(values.end(), layer.bias.begin(), layer.bias.end());
  }
  return values;
}

Mlp unflatten(const MlpShape& shape, std::span<const float> values) {
  Mlp mlp{{}, shape.activation};
  const auto take = [&](std::int64_t count) {
    const auto head = values.first(static_cast<std::size_t>(count));
    values = values.subspan(head.size());
    return std::vector<float>(head.begin(), head.end());
  };
  const std::vector<std::int64_t> widths = shape.widths();
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    Linear layer{widths[l], widths[l + 1], take(widths[l] * widths[l + 1]), {}};
    layer.bias = take(layer.outputs);
    mlp.layers.push_back(std::move(layer));
  }
  return mlp;
}

Mlp initial_parameters(const MlpShape& shape, std::uint64_t seed, Initialization initialization) {
  Mlp mlp = zero_mlp(shape);
  std::uint32_t parameter = 0;  // every parameter has a random stream of its own
  for (Linear& layer : mlp.layers) {
    const RandomStream weights(seed, RandomPurpose::kInitialization, parameter++);
    const RandomStream biases(seed, RandomPurpose::kInitialization, parameter++);
    if (initialization == Initialization::kHe) {
      fill_normal(layer.weight, std::sqrt(2.0 / static_cast<double>(layer.inputs)), weights);
      continue;
    }
    const float bound = 1.0F / std::sqrt(static_cast<float>(layer.inputs));
    fill_uniform(layer.weight, bound, weights);
    fill_uniform(layer.bias, bound, biases);
  }
  return mlp;
}

}  // namespace mnist
