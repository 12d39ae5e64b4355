// Decodes stored floating-point data of several types and layouts to dense f32.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "support/bytes.hpp"

namespace mnist {

/// The element types that model files may use for parameters.
enum class FloatType { kF32, kF64, kF16, kBf16 };

/// Bytes per element.
std::size_t float_size(FloatType type);

/// The number of elements of `shape`. Throws Error, with `what` for the tensor's name, if a size is
/// negative or the product exceeds `limit`.
std::int64_t checked_element_count(std::span<const std::int64_t> shape, std::int64_t limit,
                                   const std::string& what);

/// Decodes the little-endian tensor that starts at element `offset` of `storage`; `strides` are in
/// elements too. Returns its values with the last dimension fastest. Throws Error if the tensor has
/// more elements than the storage, a negative stride, a stride of 0 in a dimension above size 1, or
/// elements outside the storage.
std::vector<float> decode_floats(Bytes storage, FloatType type, std::int64_t offset,
                                 std::span<const std::int64_t> shape,
                                 std::span<const std::int64_t> strides, const std::string& what);

}  // namespace mnist
