// The IDX container of MNIST (yann.lecun.com/exdb/mnist), raw or gzip-compressed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

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

/// Bytes of one element.
std::size_t element_size(IdxType type);

/// "u8", "f32" and so on.
std::string type_name(IdxType type);

/// An array as the file has it, elements in the machine's byte order and last dimension fastest.
struct IdxArray {
  IdxType type = IdxType::kU8;
  std::vector<std::uint64_t> dimensions;
  std::vector<std::uint8_t> bytes;

  std::uint64_t element_count() const;
};

/// Reads an IDX file; gzip is told by content, not by name. Before anything is allocated, the
/// header is checked against the file's size (for gzip: against what that many compressed bytes can
/// hold at most). Throws Error that names the file for whatever is not a whole, exact IDX file.
IdxArray read_idx(const std::string& path);

/// Writes `array` as a raw IDX file.
void write_idx(const std::string& path, const IdxArray& array);

}  // namespace mnist
