// What the fuzz targets share: untrusted bytes may be rejected with an Error, and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mnist/support/error.hpp"
#include "support/bytes.hpp"

namespace mnist {

/// Calls parse(bytes): an Error is acceptable; any other exception is a bug.
template <class Parse>
int fuzz(const std::uint8_t* data, std::size_t size, const Parse& parse) {
  try {
    parse(Bytes(data, size));
  } catch (const Error&) {
    return 0;
  }
  return 0;
}

}  // namespace mnist
