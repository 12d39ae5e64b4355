// Turns a fuzzer's bytes into choices, so that inputs are well-formed files with hostile numbers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "support/bytes.hpp"

namespace mnist {

/// Numbers at which sizes, offsets and strides overflow or change sign.
inline constexpr std::array<std::int64_t, 16> kHostileNumbers{
    0,
    -1,
    255,
    65535,
    65536,
    (std::int64_t{1} << 31) - 1,
    std::int64_t{1} << 31,
    (std::int64_t{1} << 32) - 1,
    std::int64_t{1} << 32,
    std::int64_t{1} << 40,
    std::int64_t{1} << 53,
    std::int64_t{1} << 61,
    std::int64_t{1} << 62,
    std::numeric_limits<std::int64_t>::max() - 1,
    std::numeric_limits<std::int64_t>::max(),
    std::numeric_limits<std::int64_t>::min()};

/// Reads choices from front to back; once the bytes are used up, every choice is the first one.
class Choices {
 public:
  explicit Choices(Bytes bytes) : bytes_(bytes) {}

  std::uint8_t byte() { return next_ < bytes_.size() ? bytes_[next_++] : std::uint8_t{0}; }

  /// 0 to `count` - 1, of at most 256.
  std::size_t below(std::size_t count) { return byte() % count; }

  /// True for one byte value out of `of`.
  bool rarely(std::size_t of = 16) { return below(of) == of - 1; }

  std::int64_t hostile() { return kHostileNumbers[below(kHostileNumbers.size())]; }

  /// Small or hostile.
  std::int64_t number() { return below(2) == 0 ? static_cast<std::int64_t>(below(8)) : hostile(); }

  /// `usual`, or a hostile number for one byte in `of`.
  std::int64_t number_or(std::int64_t usual, std::size_t of = 16) {
    return rarely(of) ? hostile() : usual;
  }

  /// Mostly small sizes, because a file with one size that does not fit is rejected early.
  std::vector<std::int64_t> shape() {
    std::vector<std::int64_t> sizes(below(5));
    for (std::int64_t& size : sizes) size = number_or(static_cast<std::int64_t>(below(4)), 4);
    return sizes;
  }

  /// Row-major strides of a shape, some of them hostile.
  std::vector<std::int64_t> strides(const std::vector<std::int64_t>& shape) {
    std::vector<std::int64_t> strides(shape.size());
    std::uint64_t next = 1;  // may wrap around
    for (std::size_t d = shape.size(); d-- > 0; next *= static_cast<std::uint64_t>(shape[d])) {
      strides[d] = number_or(static_cast<std::int64_t>(next), 4);
    }
    return strides;
  }

  template <std::size_t kCount>
  std::string one_of(const std::array<const char*, kCount>& texts) {
    return texts[below(kCount)];
  }

  /// The names of a network's parameters, so that some inputs are whole models.
  std::string parameter_name() {
    return std::to_string(2 * below(3)) + (below(2) == 0 ? ".weight" : ".bias");
  }

 private:
  Bytes bytes_;
  std::size_t next_ = 0;
};

}  // namespace mnist
