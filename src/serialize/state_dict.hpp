// State dicts: named parameters, as in nn::Sequential and in files, and the decoding of tensors.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mnist/model/mlp.hpp"
#include "support/bytes.hpp"

namespace mnist {

/// One parameter: f32 values, row-major.
struct NamedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

/// Parameters in the order of the file; ours have the order of nn::Module::state_dict().
using StateDict = std::vector<NamedTensor>;

/// The parameters of `mlp`, named as parameter_table() does.
StateDict to_state_dict(const Mlp& mlp);

/// The network that a state dict describes: pairs of "LAYER.weight" [out, in] and "LAYER.bias"
/// [out], whatever the layers are called, ordered by the number in their names when all have one.
/// A state dict does not store the activation, so it is passed in. Throws Error that names the
/// tensor when one is missing, left over, or does not fit its neighbor.
Mlp to_mlp(StateDict state, Activation activation);

/// "[256, 784]".
std::string shape_text(std::span<const std::int64_t> shape);

/// The element types that model files may use for parameters.
enum class FloatType { kF32, kF64, kF16, kBf16 };

/// The type called `name` in a file format, whose `names` are in the order of the enum. Throws
/// Error for any other name.
FloatType float_type(std::string_view name, const std::array<std::string_view, 4>& names);

/// Bytes per element.
std::size_t float_size(FloatType type);

/// The number of elements of `shape`. Throws Error if a size is negative or the product exceeds
/// `limit`.
std::int64_t checked_element_count(std::span<const std::int64_t> shape, std::int64_t limit);

/// Decodes the tensor that starts at element `offset` of `storage` to row-major values; `strides`
/// are in elements. Throws Error if the tensor has more elements than the storage or one outside
/// it, a negative stride, or a stride of 0 in a dimension above size 1.
std::vector<float> decode_floats(Bytes storage, FloatType type, std::int64_t offset,
                                 std::span<const std::int64_t> shape,
                                 std::span<const std::int64_t> strides);

}  // namespace mnist
