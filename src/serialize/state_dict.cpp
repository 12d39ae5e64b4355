// Finds the linear layers in a state dict of any program; checks and decodes untrusted tensors.
#include "serialize/state_dict.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <optional>

#include <spdlog/fmt/fmt.h>

#include "mnist/support/error.hpp"

namespace mnist {
namespace {

/// A linear layer found in a state dict.
struct FoundLayer {
  std::string prefix{};  ///< of its tensors' names, with the dot
  NamedTensor* weight = nullptr;
  NamedTensor* bias = nullptr;
};

/// The last number in a layer's prefix: 4 for "module.4.", 2 for "fc2.".
std::optional<int> number_of(const FoundLayer& layer) {
  constexpr const char* kDigits = "0123456789";
  const std::string& prefix = layer.prefix;
  const std::size_t last = prefix.find_last_of(kDigits);
  if (last == std::string::npos) return std::nullopt;
  const std::size_t first = prefix.find_last_not_of(kDigits, last) + 1;  // npos + 1 is 0
  int number = 0;
  const auto [stop, error] = std::from_chars(&prefix[first], &prefix[last] + 1, number);
  return error == std::errc{} ? std::optional(number) : std::nullopt;
}

std::vector<FoundLayer> find_layers(StateDict& state) {
  std::vector<FoundLayer> layers;
  for (NamedTensor& tensor : state) {
    const std::size_t kind_begin = tensor.name.rfind('.') + 1;  // 0 without a dot
    const std::string prefix = tensor.name.substr(0, kind_begin);
    const std::string kind = tensor.name.substr(kind_begin);
    const std::size_t rank = kind == "weight" ? 2 : 1;
    if ((kind != "weight" && kind != "bias") || tensor.shape.size() != rank) {
      throw Error("tensor '" + tensor.name + "' of shape " + shape_text(tensor.shape) +
                  " does not belong to a network of linear layers, whose tensors are "
                  "LAYER.weight of rank 2 and LAYER.bias of rank 1");
    }
    auto layer = std::ranges::find(layers, prefix, &FoundLayer::prefix);
    if (layer == layers.end()) layer = layers.insert(layers.end(), {prefix});
    NamedTensor*& slot = kind == "weight" ? layer->weight : layer->bias;
    if (slot != nullptr) throw Error("has tensor '" + tensor.name + "' twice");
    slot = &tensor;
  }
  if (layers.empty()) throw Error("holds no tensors");
  return layers;
}

/// "0.weight [256, 784]".
std::string label(const NamedTensor& tensor) {
  return tensor.name + " " + shape_text(tensor.shape);
}

/// Throws Error unless every layer is complete and takes the outputs of the one before it.
void check_chain(const std::vector<FoundLayer>& layers) {
  const NamedTensor* previous = nullptr;
  for (const auto& [prefix, weight, bias] : layers) {
    if (weight == nullptr || bias == nullptr) {
      const NamedTensor& found = weight == nullptr ? *bias : *weight;
      throw Error("has tensor '" + found.name + "' but no tensor '" + prefix +
                  (weight == nullptr ? "weight'" : "bias'"));
    }
    if (weight->shape[0] != bias->shape[0]) {
      throw Error(label(*weight) + " and " + label(*bias) + " have different widths");
    }
    if (weight->shape[0] == 0 || weight->shape[1] == 0) throw Error(label(*weight) + " is empty");
    if (previous != nullptr && previous->shape[0] != weight->shape[1]) {
      throw Error(label(*weight) + " does not fit after " + label(*previous) +
                  ": a layer is missing, or the layers are in a different order");
    }
    previous = weight;
  }
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

float decode(Bytes bytes, FloatType type) {
  ByteReader reader(bytes);
  if (type == FloatType::kF32) return reader.take_little_endian<float>();
  if (type == FloatType::kF64) return static_cast<float>(reader.take_little_endian<double>());
  const auto bits = reader.take_little_endian<std::uint16_t>();
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

Mlp to_mlp(StateDict state, Activation activation) {
  std::vector<FoundLayer> layers = find_layers(state);
  const bool all_numbered =
      std::ranges::all_of(layers, [](const auto& layer) { return number_of(layer).has_value(); });
  if (all_numbered) std::ranges::stable_sort(layers, {}, number_of);
  check_chain(layers);
  Mlp mlp{{}, activation};
  for (const FoundLayer& layer : layers) {
    mlp.layers.push_back({layer.weight->shape[1], layer.weight->shape[0],
                          std::move(layer.weight->values), std::move(layer.bias->values)});
  }
  return mlp;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

FloatType float_type(std::string_view name, const std::array<std::string_view, 4>& names) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) {
    throw Error(fmt::format("is stored as {}; expected {}, {}, {} or {}", name, names[0], names[1],
                            names[2], names[3]));
  }
  return static_cast<FloatType>(found - names.begin());
}

std::size_t float_size(FloatType type) {
  if (type == FloatType::kF32) return 4;
  return type == FloatType::kF64 ? 8 : 2;
}

std::int64_t checked_element_count(std::span<const std::int64_t> shape, std::int64_t limit) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0) throw Error("has a negative size in its shape " + shape_text(shape));
    if (size != 0 && count > limit / size) {
      throw Error(fmt::format("its shape {} has more than the {} stored elements",
                              shape_text(shape), limit));
    }
    count *= size;
  }
  return count;
}

std::vector<float> decode_floats(Bytes storage, FloatType type, std::int64_t offset,
                                 std::span<const std::int64_t> shape,
                                 std::span<const std::int64_t> strides) {
  const auto stored = static_cast<std::int64_t>(storage.size() / float_size(type));
  const std::int64_t count = checked_element_count(shape, stored);
  if (strides.size() != shape.size() || offset < 0 || offset > stored) {
    throw Error(
        fmt::format("its offset {} or its strides {} are invalid", offset, shape_text(strides)));
  }
  if (count == 0) return {};
  std::int64_t last = offset;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const std::int64_t steps = shape[d] - 1;
    if (strides[d] < 0 ||
        (steps > 0 && (strides[d] == 0 || strides[d] > (stored - 1 - last) / steps))) {
      throw Error(fmt::format("its strides {} do not fit its storage of {} elements",
                              shape_text(strides), stored));
    }
    last += steps * strides[d];
  }
  if (last >= stored) throw Error("its offset is outside its storage");

  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t position = offset;
    std::int64_t rest = i;
    for (std::size_t d = shape.size(); d-- > 0; rest /= shape[d]) {
      position += rest % shape[d] * strides[d];
    }
    values.push_back(
        decode(storage.subspan(static_cast<std::size_t>(position) * float_size(type)), type));
  }
  return values;
}

}  // namespace mnist
