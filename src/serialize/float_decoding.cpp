// Element conversion, and the checks of untrusted shapes and strides.
#include "serialize/float_decoding.hpp"

#include <bit>
#include <cstring>

#include "mnist/support/error.hpp"
#include "serialize/state_dict.hpp"

namespace mnist {
namespace {

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
