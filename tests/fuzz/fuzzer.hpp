// What the fuzz targets share: foreign bytes may be refused with an Error, and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mnist/support/error.hpp"
#include "support/bytes.hpp"

namespace mnist {

/// Calls parse(bytes): an Error is an answer, any other exception a finding.
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
