// Writes IDX files for tests.
#pragma once

#include "mnist/data/idx.hpp"
#include "test_support.hpp"

namespace mnist {

/// Writes a file whose elements take `element_size` bytes each; `array` holds them in native order.
inline void write_idx(const std::string& path, const IdxArray& array,
                      std::size_t element_size = 1) {
  std::vector<std::uint8_t> content{0, 0, static_cast<std::uint8_t>(array.type),
                                    static_cast<std::uint8_t>(array.dimensions.size())};
  for (const std::uint64_t dimension : array.dimensions) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      content.push_back(static_cast<std::uint8_t>(dimension >> shift));
    }
  }
  for (std::size_t i = 0; i < array.bytes.size(); ++i) {
    content.push_back(array.bytes[i ^ (element_size - 1)]);  // big-endian
  }
  write_bytes(path, content);
}

}  // namespace mnist
