// IDX arrays of any type and shape survive a round trip through raw and compressed files.
#include "properties.hpp"

#include "gzip_support.hpp"
#include "idx_support.hpp"
#include "mnist/data/idx.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

/// An array, and the number of bytes of an element.
std::pair<IdxArray, std::size_t> any_array() {
  using Type = std::pair<IdxType, std::size_t>;
  const auto [type, size] =
      *rc::gen::element(Type{IdxType::kU8, 1}, Type{IdxType::kI8, 1}, Type{IdxType::kI16, 2},
                        Type{IdxType::kI32, 4}, Type{IdxType::kF32, 4}, Type{IdxType::kF64, 8});
  IdxArray array;
  array.type = type;
  std::size_t bytes = size;
  for (std::size_t rank = *rc::gen::inRange<std::size_t>(1, 5); rank > 0; --rank) {
    array.dimensions.push_back(*rc::gen::inRange<std::uint64_t>(0, 7));
    bytes *= array.dimensions.back();
  }
  array.bytes =
      *rc::gen::container<std::vector<std::uint8_t>>(bytes, rc::gen::arbitrary<std::uint8_t>());
  return {array, size};
}

PROPERTY(IdxProperties, ArraysComeBack) {
  const auto [array, element_size] = any_array();
  const TemporaryDirectory folder;
  write_idx(folder / "raw", array, element_size);
  write_bytes(folder / "compressed", gzip(to_bytes(read_text(folder / "raw"))));
  for (const char* name : {"raw", "compressed"}) {
    const IdxArray read = read_idx(folder / name);
    RC_ASSERT(read.type == array.type);
    RC_ASSERT(read.dimensions == array.dimensions);
    RC_ASSERT(read.bytes == array.bytes);
  }
}

}  // namespace
}  // namespace mnist
