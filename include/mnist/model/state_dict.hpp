// Named parameters in plain memory: what model files hold and what engines take and give.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mnist/support/byte_reader.hpp"

namespace mnist {

/// One parameter. Values are f32, last dimension fastest.
struct NamedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

/// Parameters in the order of the network, as nn::Module::state_dict() has them.
using StateDict = std::vector<NamedTensor>;

/// Types of stored numbers that can be read as parameters.
enum class FloatType { kF32, kF64, kF16, kBf16 };

/// Bytes of one number.
std::size_t float_size(FloatType type);

/// The product of `shape`. Throws Error when it is negative somewhere or above `limit`; `what`
/// names the tensor in the message.
std::int64_t checked_element_count(std::span<const std::int64_t> shape, std::int64_t limit,
                                   const std::string& what);

/// Decodes little-endian numbers at `offset` (in elements) of `storage`, laid out by `strides`,
/// into a dense f32 tensor. Throws Error when the tensor has more numbers than the storage, or its
/// layout reaches outside.
std::vector<float> decode_floats(Bytes storage, FloatType type, std::int64_t offset,
                                 std::span<const std::int64_t> shape,
                                 std::span<const std::int64_t> strides, const std::string& what);

/// "[256, 784]".
std::string shape_text(std::span<const std::int64_t> shape);

}  // namespace mnist
