// The IDX container of MNIST (yann.lecun.com/exdb/mnist), raw or gzip-compressed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mnist/support/part.hpp"

namespace mnist {

/// Element type of an IDX file; the values are the third byte of its header.
enum class IdxType : std::uint8_t {
  kU8 = 0x08,
  kI8 = 0x09,
  kI16 = 0x0B,
  kI32 = 0x0C,
  kF32 = 0x0D,
  kF64 = 0x0E,
};

/// "u8", "f32" and so on.
std::string type_name(IdxType type);

/// An array, with elements in native byte order and the last dimension contiguous.
struct IdxArray {
  IdxType type = IdxType::kU8;
  std::vector<std::uint64_t> dimensions;
  std::vector<std::uint8_t> bytes;
};

/// Reads `part` of the rows (along the first dimension) of an IDX file; `dimensions` still
/// describes the whole array. Gzip is detected by content, not by name. Allocates at most the size
/// of the file or, for gzip, what that many compressed bytes can expand to. Throws Error that names
/// the file if it cannot be read, is truncated or malformed, or has trailing bytes.
IdxArray read_idx(const std::string& path, Part part = {});

}  // namespace mnist
