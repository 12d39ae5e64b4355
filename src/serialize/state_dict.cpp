// Finds the linear layers in a state dict of any program; checks and decodes untrusted tensors.
#include "serialize/state_dict.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
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
  constexpr const char* kDigits = "0123456789";
  const std::size_t last = name.find_last_of(kDigits);
  if (last == std::string::npos) return std::nullopt;
  const std::size_t first = name.find_last_not_of(kDigits, last) + 1;  // npos + 1 is 0
  int number = 0;
  const auto [stopped, error] = std::from_chars(&name[first], &name[last] + 1, number);
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

template <class Number>
Number load(const std::uint8_t* source) {
  Number value;
  std::memcpy(&value, source, sizeof(Number));
  return value;
}

/// Converts IEEE 754 binary16, subnormals, infinities and NaN included.
float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16;
  const std::uint32_t magnitude = half & 0x7FFFU;
  if (magnitude >= 0x7C00U) {
    return std::bit_cast<float>(sign | 0x7F800000U | ((magnitude & 0x3FFU) << 13));
  }
  // No arithmetic on f32 subnormals: LibTorch may have set the CPU to flush them to zero.
  const std::uint32_t value =
      magnitude < 0x400U ? std::bit_cast<std::uint32_t>(static_cast<float>(magnitude) * 0x1p-24F)
                         : (magnitude << 13) + ((127U - 15U) << 23);
  return std::bit_cast<float>(sign | value);
}

float decode(const std::uint8_t* source, FloatType type) {
  if (type == FloatType::kF32) return load<float>(source);
  if (type == FloatType::kF64) return static_cast<float>(load<double>(source));
  const auto bits = load<std::uint16_t>(source);
  return type == FloatType::kF16 ? half_to_float(bits)
                                 : std::bit_cast<float>(std::uint32_t{bits} << 16);
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

std::size_t float_size(FloatType type) {
  if (type == FloatType::kF32) return 4;
  return type == FloatType::kF64 ? 8 : 2;
}

std::int64_t checked_element_count(std::span<const std::int64_t> shape, std::int64_t limit,
                                   const std::string& what) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0) throw Error(what + ": has a negative size in its shape " + shape_text(shape));
    if (size != 0 && count > limit / size) {
      throw Error(what + ": its shape " + shape_text(shape) + " has more than the " +
                  std::to_string(limit) + " stored elements");
    }
    count *= size;
  }
  return count;
}

std::vector<float> decode_floats(Bytes storage, FloatType type, std::int64_t offset,
                                 std::span<const std::int64_t> shape,
                                 std::span<const std::int64_t> strides, const std::string& what) {
  const auto stored = static_cast<std::int64_t>(storage.size() / float_size(type));
  const std::int64_t count = checked_element_count(shape, stored, what);
  if (strides.size() != shape.size() || offset < 0 || offset > stored) {
    throw Error(what + ": its offset " + std::to_string(offset) + " or its strides " +
                shape_text(strides) + " are invalid");
  }
  if (count == 0) return {};
  std::int64_t last = offset;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const std::int64_t steps = shape[d] - 1;
    if (strides[d] < 0 ||
        (steps > 0 && (strides[d] == 0 || strides[d] > (stored - 1 - last) / steps))) {
      throw Error(what + ": its strides " + shape_text(strides) + " do not fit its storage of " +
                  std::to_string(stored) + " elements");
    }
    last += steps * strides[d];
  }
  if (last >= stored) throw Error(what + ": its offset is outside its storage");

  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(count));
  std::vector<std::int64_t> index(shape.size(), 0);
  std::int64_t position = offset;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(
        decode(storage.data() + static_cast<std::size_t>(position) * float_size(type), type));
    for (std::size_t d = shape.size(); d-- > 0;) {  // the last dimension changes fastest
      if (++index[d] < shape[d]) {
        position += strides[d];
        break;
      }
      position -= (shape[d] - 1) * strides[d];
      index[d] = 0;
    }
  }
  return values;
}

}  // namespace mnist
