// Views of bytes, and bounds-checked parsing of untrusted ones.
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

/// The memory of a contiguous range, such as a string or a vector of numbers.
template <class Range>
Bytes bytes_of(const Range& range) {
  const std::span values(range);
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()};
}

inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Returns parse(). Puts `source` and ": " before the message of an Error (or another exception)
/// that it throws, so that parsers need not know what they read.
template <class Thrown = Error, class Parse>
auto with_source(const std::string& source, const Parse& parse) {
  try {
    return parse();
  } catch (const Thrown& error) {
    throw Thrown(source + ": " + error.what());
  }
}

/// Parses untrusted bytes from front to back. A read past the end throws Error.
class ByteReader {
 public:
  /// Keeps a view of `bytes`.
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  std::size_t remaining() const { return bytes_.size() - position_; }

  /// Moves to an absolute position. Throws Error past the end.
  void seek(std::size_t position) {
    if (position > bytes_.size()) {
      throw Error("refers to byte " + std::to_string(position) + ", past its end at byte " +
                  std::to_string(bytes_.size()));
    }
    position_ = position;
  }

  /// The next `count` bytes, as a view of the source.
  Bytes take(std::size_t count) {
    if (count > remaining()) {
      throw Error("ends at byte " + std::to_string(bytes_.size()) + ", but " +
                  std::to_string(count) + " more bytes were expected at byte " +
                  std::to_string(position_));
    }
    const Bytes taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
  }

  /// The bytes up to the next '\n', which is consumed but not returned.
  std::string_view take_line() {
    const std::size_t size = text_of(bytes_.subspan(position_)).find('\n');
    const Bytes line = take(std::min(size, remaining()));
    take(1);
    return text_of(line);
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
    return std::bit_cast<T>(reversed);
  }

 private:
  Bytes bytes_;
  std::size_t position_ = 0;
};

/// Appends a number in little-endian order.
template <class Number>
void append_little_endian(std::string& bytes, Number value) {
  static_assert(std::is_arithmetic_v<Number>);
  bytes += text_of(bytes_of(std::span(&value, 1)));
}

}  // namespace mnist
