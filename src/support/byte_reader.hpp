// Bounds-checked parsing of untrusted bytes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace mnist {

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
  void seek(std::size_t position);

  /// The next `count` bytes, as a view of the source.
  Bytes take(std::size_t count);

  /// The bytes up to the next '\n', which is consumed but not returned.
  std::string_view take_line();

  /// The next integer or floating-point number.
  template <class T>
  T take_little_endian() {
    return take_number<T>(std::endian::little);
  }
  template <class T>
  T take_big_endian() {
    return take_number<T>(std::endian::big);
  }

 private:
  template <class T>
  T take_number(std::endian order) {
    static_assert(std::is_arithmetic_v<T>);
    const Bytes source = take(sizeof(T));
    std::uint8_t raw[sizeof(T)];
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      raw[i] = source[order == std::endian::native ? i : sizeof(T) - 1 - i];
    }
    T value;
    std::memcpy(&value, raw, sizeof(T));
    return value;
  }

  Bytes bytes_;
  std::string_view name_;
  std::size_t position_ = 0;
};

}  // namespace mnist
