// Bounds-checked parsing of untrusted bytes, and writing of little-endian numbers.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "mnist/support/error.hpp"

namespace mnist {

static_assert(std::endian::native == std::endian::little);

using Bytes = std::span<const std::uint8_t>;

/// Parses untrusted bytes from front to back. A read past the end throws Error with the name of the
/// source.
class ByteReader {
 public:
  /// `name` is what error messages call the source, usually a path. The reader keeps views of
  /// both arguments.
  ByteReader(Bytes bytes, std::string_view name) : bytes_(bytes), name_(name) {}

  std::size_t remaining() const { return bytes_.size() - position_; }

  /// Moves to an absolute position. Throws Error past the end.
  void seek(std::size_t position) {
    if (position > bytes_.size()) {
      throw Error(std::string(name_) + ": refers to byte " + std::to_string(position) +
                  ", past its end at byte " + std::to_string(bytes_.size()));
    }
    position_ = position;
  }

  /// The next `count` bytes, as a view of the source.
  Bytes take(std::size_t count) {
    if (count > remaining()) {
      throw Error(std::string(name_) + ": ends at byte " + std::to_string(bytes_.size()) +
                  ", but " + std::to_string(count) + " more bytes were expected at byte " +
                  std::to_string(position_));
    }
    const Bytes taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
  }

  /// The bytes up to the next '\n', which is consumed but not returned.
  std::string_view take_line() {
    const Bytes rest = bytes_.subspan(position_);
    const auto end = std::find(rest.begin(), rest.end(), std::uint8_t{'\n'});
    const Bytes line = take(static_cast<std::size_t>(end - rest.begin()));
    take(1);
    return {reinterpret_cast<const char*>(line.data()), line.size()};
  }

  /// The next integer or floating-point number.
  template <class T>
  T take_little_endian() {
    static_assert(std::is_arithmetic_v<T>);
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  template <class T>
  T take_big_endian() {
    const Bytes source = take(sizeof(T));
    std::array<std::uint8_t, sizeof(T)> reversed;
    std::reverse_copy(source.begin(), source.end(), reversed.begin());
    return ByteReader(reversed, name_).take_little_endian<T>();
  }

 private:
  Bytes bytes_;
  std::string_view name_;
  std::size_t position_ = 0;
};

/// Appends a number in little-endian order.
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
