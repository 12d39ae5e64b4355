// The shape of a multilayer perceptron, and the table of parameters that follows from it.
#include "mnist/model/mlp_shape.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

#include "mnist/support/error.hpp"
#include "support/random.hpp"

namespace mnist {
namespace {

/// A linear layer found in a foreign state dict.
struct Layer {
  std::string name;
  NamedTensor* weight = nullptr;
  NamedTensor* bias = nullptr;
};

/// The last number in a layer's name: 4 for "module.4", 2 for "fc2".
std::optional<int> number_in(const std::string& name) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto end = std::find_if(name.rbegin(), name.rend(), is_digit);
  const auto begin = std::find_if_not(end, name.rend(), is_digit);
  if (end == name.rend()) return std::nullopt;
  int number = 0;
  const auto [stopped, error] =
      std::from_chars(&*begin.base(), &*begin.base() + (begin - end), number);
  return error == std::errc{} ? std::optional(number) : std::nullopt;
}

std::vector<Layer> find_layers(StateDict& state, const std::string& source) {
  std::vector<Layer> layers;
  for (NamedTensor& tensor : state) {
    const std::size_t dot = tensor.name.rfind('.');
    const std::string kind = dot == std::string::npos ? tensor.name : tensor.name.substr(dot + 1);
    const std::size_t rank = kind == "weight" ? 2 : 1;
    if ((kind != "weight" && kind != "bias") || tensor.shape.size() != rank) {
      throw Error(source + ": tensor '" + tensor.name + "' of shape " + shape_text(tensor.shape) +
                  " does not belong to a network of linear layers, whose tensors are "
                  "LAYER.weight of rank 2 and LAYER.bias of rank 1");
    }
    const std::string name = dot == std::string::npos ? "" : tensor.name.substr(0, dot);
    auto layer = std::find_if(layers.begin(), layers.end(),
                              [&](const Layer& known) { return known.name == name; });
    if (layer == layers.end()) layer = layers.insert(layers.end(), Layer{name, nullptr, nullptr});
    NamedTensor*& slot = kind == "weight" ? layer->weight : layer->bias;
    if (slot != nullptr) throw Error(source + ": has tensor '" + tensor.name + "' twice");
    slot = &tensor;
  }
  if (layers.empty()) throw Error(source + ": holds no tensors");
  return layers;
}

void check_chain(const std::vector<Layer>& layers, const std::string& source) {
  const Layer* previous = nullptr;
  for (const Layer& layer : layers) {
    if (layer.weight == nullptr || layer.bias == nullptr) {
      throw Error(source + ": has no tensor '" + layer.name +
                  (layer.weight == nullptr ? ".weight'" : ".bias'") +
                  " beside the layer's other one");
    }
    if (layer.weight->shape[0] != layer.bias->shape[0]) {
      throw Error(source + ": " + layer.weight->name + " " + shape_text(layer.weight->shape) +
                  " and " + layer.bias->name + " " + shape_text(layer.bias->shape) +
                  " differ in the layer's width");
    }
    if (layer.weight->shape[0] == 0 || layer.weight->shape[1] == 0) {
      throw Error(source + ": " + layer.weight->name + " " + shape_text(layer.weight->shape) +
                  " is empty");
    }
    if (previous != nullptr && previous->weight->shape[0] != layer.weight->shape[1]) {
      throw Error(source + ": " + layer.weight->name + " " + shape_text(layer.weight->shape) +
                  " does not fit behind " + previous->weight->name + " " +
                  shape_text(previous->weight->shape) +
                  ": a layer is missing, or they are in another order");
    }
    previous = &layer;
  }
}

/// Normal numbers by Box and Muller's transformation.
StateDict he_parameters(const MlpShape& shape, std::uint64_t seed) {
  StateDict state;
  std::uint32_t number = 0;
  for (const ParameterInfo& parameter : parameter_table(shape)) {
    const RandomStream stream(seed, RandomPurpose::kInitialisation, number++);
    NamedTensor tensor{parameter.name, parameter.shape,
                       std::vector<float>(static_cast<std::size_t>(parameter.count))};
    if (parameter.shape.size() == 2) {
      const double deviation = std::sqrt(2.0 / static_cast<double>(parameter.shape[1]));
      for (std::size_t i = 0; i < tensor.values.size(); ++i) {
        const double radius =
            std::sqrt(-2 * std::log(1 - static_cast<double>(stream.uniform(2 * i))));
        const double angle = 2 * std::numbers::pi * static_cast<double>(stream.uniform(2 * i + 1));
        tensor.values[i] = static_cast<float>(deviation * radius * std::cos(angle));
      }
    }
    state.push_back(std::move(tensor));
  }
  return state;
}

}  // namespace

std::vector<std::int64_t> MlpShape::widths() const {
  std::vector<std::int64_t> widths{inputs};
  widths.insert(widths.end(), hidden.begin(), hidden.end());
  widths.push_back(classes);
  return widths;
}

std::string to_string(const MlpShape& shape) {
  std::string text;
  for (const std::int64_t width : shape.widths()) {
    if (!text.empty()) text += '-';
    text += std::to_string(width);
  }
  if (!shape.hidden.empty()) text += " (" + std::string(name_of(shape.activation)) + ")";
  return text;
}

std::int64_t image_side(const MlpShape& shape, const std::string& source) {
  const auto side = std::llround(std::sqrt(static_cast<double>(shape.inputs)));
  if (side * side == shape.inputs) return side;
  throw Error(source + ": the network takes " + std::to_string(shape.inputs) +
              " inputs, which are no square image");
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

StateDict normalise_state_dict(StateDict state, const std::string& source) {
  std::vector<Layer> layers = find_layers(state, source);
  const bool numbered = std::all_of(layers.begin(), layers.end(), [](const Layer& layer) {
    return number_in(layer.name).has_value();
  });
  if (numbered) {
    std::stable_sort(layers.begin(), layers.end(), [](const Layer& a, const Layer& b) {
      return number_in(a.name) < number_in(b.name);
    });
  }
  check_chain(layers, source);
  StateDict ours;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string prefix = std::to_string(2 * i);
    layers[i].weight->name = prefix + ".weight";
    layers[i].bias->name = prefix + ".bias";
    ours.push_back(std::move(*layers[i].weight));
    ours.push_back(std::move(*layers[i].bias));
  }
  return ours;
}

MlpShape shape_of(const StateDict& state, Activation activation) {
  MlpShape shape;
  shape.activation = activation;
  shape.hidden.clear();
  shape.inputs = state.front().shape[1];
  for (std::size_t i = 1; i + 1 < state.size(); i += 2) shape.hidden.push_back(state[i].shape[0]);
  shape.classes = state.back().shape[0];
  return shape;
}

StateDict initial_parameters(const MlpShape& shape, std::uint64_t seed,
                             Initialisation initialisation) {
  if (initialisation == Initialisation::kHe) return he_parameters(shape, seed);
  StateDict state;
  std::uint32_t number = 0;
  float bound = 0;
  for (const ParameterInfo& parameter : parameter_table(shape)) {
    if (parameter.shape.size() == 2) {
      bound = 1.0F / std::sqrt(static_cast<float>(parameter.shape[1]));
    }
    const RandomStream stream(seed, RandomPurpose::kInitialisation, number++);
    NamedTensor tensor{parameter.name, parameter.shape, {}};
    tensor.values.reserve(static_cast<std::size_t>(parameter.count));
    for (std::int64_t i = 0; i < parameter.count; ++i) {
      tensor.values.push_back(bound * (2 * stream.uniform(static_cast<std::uint64_t>(i)) - 1));
    }
    state.push_back(std::move(tensor));
  }
  return state;
}

}  // namespace mnist
