// A range of items cut into parts, for processes and threads.
#pragma once

#include <cstdint>

namespace mnist {

/// One of several parts of about the same size.
struct Part {
  std::uint64_t number = 0;  ///< from 0
  std::uint64_t of = 1;

  /// Items begin() .. end() - 1 of `count` items belong to the part.
  std::uint64_t begin(std::uint64_t count) const { return count * number / of; }
  std::uint64_t end(std::uint64_t count) const { return count * (number + 1) / of; }
};

}  // namespace mnist
