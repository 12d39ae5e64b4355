// Finds the linear layers in a state dict of any program.
#include "serialize/state_dict.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "mnist/support/error.hpp"

namespace mnist {
namespace {

/// A linear layer found in a state dict.
struct FoundLayer {
  std::string name{};
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

std::vector<FoundLayer> find_layers(StateDict& state, const std::string& source) {
  std::vector<FoundLayer> layers;
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
                              [&](const FoundLayer& known) { return known.name == name; });
    if (layer == layers.end()) layer = layers.insert(layers.end(), {name});
    NamedTensor*& slot = kind == "weight" ? layer->weight : layer->bias;
    if (slot != nullptr) throw Error(source + ": has tensor '" + tensor.name + "' twice");
    slot = &tensor;
  }
  if (layers.empty()) throw Error(source + ": holds no tensors");
  return layers;
}

/// "0.weight [256, 784]".
std::string text_of(const NamedTensor& tensor) {
  return tensor.name + " " + shape_text(tensor.shape);
}

void check_chain(const std::vector<FoundLayer>& layers, const std::string& source) {
  const NamedTensor* previous = nullptr;
  for (const FoundLayer& layer : layers) {
    if (layer.weight == nullptr || layer.bias == nullptr) {
      throw Error(source + ": has no tensor '" + layer.name +
                  (layer.weight == nullptr ? ".weight'" : ".bias'") +
                  " beside the layer's other one");
    }
    const std::string weight = source + ": " + text_of(*layer.weight);
    if (layer.weight->shape[0] != layer.bias->shape[0]) {
      throw Error(weight + " and " + text_of(*layer.bias) + " differ in the layer's width");
    }
    if (layer.weight->shape[0] == 0 || layer.weight->shape[1] == 0) {
      throw Error(weight + " is empty");
    }
    if (previous != nullptr && previous->shape[0] != layer.weight->shape[1]) {
      throw Error(weight + " does not fit behind " + text_of(*previous) +
                  ": a layer is missing, or they are in another order");
    }
    previous = layer.weight;
  }
}

}  // namespace

StateDict to_state_dict(const Mlp& mlp) {
  StateDict state;
  for (std::size_t l = 0; l < mlp.layers.size(); ++l) {
    const Linear& layer = mlp.layers[l];
    const std::string prefix = std::to_string(2 * l);  // activations have the odd numbers
    state.push_back({prefix + ".weight", {layer.outputs, layer.inputs}, layer.weight});
    state.push_back({prefix + ".bias", {layer.outputs}, layer.bias});
  }
  return state;
}

Mlp to_mlp(StateDict state, Activation activation, const std::string& source) {
  std::vector<FoundLayer> layers = find_layers(state, source);
  const auto number_of = [](const FoundLayer& layer) { return number_in(layer.name); };
  if (std::ranges::all_of(
          layers, [](const auto& number) { return number.has_value(); }, number_of)) {
    std::ranges::stable_sort(layers, {}, number_of);
  }
  check_chain(layers, source);
  Mlp mlp{{}, activation};
  for (const FoundLayer& layer : layers) {
    mlp.layers.push_back({layer.weight->shape[1], layer.weight->shape[0],
                          std::move(layer.weight->values), std::move(layer.bias->values)});
  }
  return mlp;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (const std::int64_t size : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(size);
  }
  return text + "]";
}

}  // namespace mnist
