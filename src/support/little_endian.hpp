// Writes numbers as little-endian bytes.
#pragma once

#include <bit>
#include <span>
#include <string>
#include <type_traits>

namespace mnist {

static_assert(std::endian::native == std::endian::little);

/// Appends a number to `bytes`.
template <class Number>
void append_little_endian(std::string& bytes, Number value) {
  static_assert(std::is_arithmetic_v<Number>);
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(Number));
}

template <class Number>
std::string little_endian_bytes(std::span<const Number> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

}  // namespace mnist
