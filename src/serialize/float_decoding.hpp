// Stored numbers of several types and layouts, decoded to dense f32.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "support/byte_reader.hpp"

namespace mnist {

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

}  // namespace mnist
