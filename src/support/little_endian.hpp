// Writes numbers as little-endian bytes.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>

namespace mnist {

/// Appends `value` in little-endian order.
template <class Number>
void append_little_endian(std::string& bytes, Number value) {
  static_assert(std::is_arithmetic_v<Number>);
  char raw[sizeof(Number)];
  std::memcpy(raw, &value, sizeof(Number));
  if (std::endian::native == std::endian::big) std::reverse(raw, raw + sizeof(Number));
  bytes.append(raw, sizeof(Number));
}

/// All of `values` in little-endian order.
template <class Number>
std::string little_endian_bytes(std::span<const Number> values) {
  std::string bytes;
  bytes.reserve(values.size_bytes());
  for (const Number value : values) append_little_endian(bytes, value);
  return bytes;
}

}  // namespace mnist
