// Layout of an IDX file: two zero bytes, the element type, the number of dimensions, one u32 per
// dimension, then the elements; all big-endian, the last dimension contiguous.
#include "mnist/data/idx.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <span>
#include <utility>

#include "mnist/support/error.hpp"
#include "support/bytes.hpp"
#include "support/files.hpp"
#include "support/gzip.hpp"

namespace mnist {
namespace {

constexpr std::size_t kMagicSize = 4;
constexpr std::size_t kDimensionSize = 4;
constexpr std::uint64_t kMaxGzipFile = std::uint64_t{1} << 36;
constexpr std::uint64_t kMaxGzipRatio = 1032;  // of deflate, from zlib's technical details

struct TypeEntry {
  IdxType type;
  const char* name;
  std::size_t size;
};
constexpr std::array<TypeEntry, 6> kTypes{{{IdxType::kU8, "u8", 1},
                                           {IdxType::kI8, "i8", 1},
                                           {IdxType::kI16, "i16", 2},
                                           {IdxType::kI32, "i32", 4},
                                           {IdxType::kF32, "f32", 4},
                                           {IdxType::kF64, "f64", 8}}};

/// The entry of `type`, or nullptr.
const TypeEntry* find_type(IdxType type) {
  const auto found = std::find_if(kTypes.begin(), kTypes.end(),
                                  [&](const TypeEntry& entry) { return entry.type == type; });
  return found == kTypes.end() ? nullptr : &*found;
}

const TypeEntry& entry_of(IdxType type) {
  const TypeEntry* const entry = find_type(type);
  if (entry == nullptr) throw Error("unknown IDX type");
  return *entry;
}

struct Header {
  IdxType type = IdxType::kU8;
  std::vector<std::uint64_t> dimensions;
  std::uint64_t payload_size = 0;

  std::size_t size() const { return kMagicSize + kDimensionSize * dimensions.size(); }
};

/// Reads a header from an InputFile or a GzipReader.
template <class Source>
Header read_header(Source& source, const std::string& path) {
  std::array<std::uint8_t, kMagicSize> magic{};
  source.read(magic);
  Header header;
  header.type = static_cast<IdxType>(magic[2]);
  if (magic[0] != 0 || magic[1] != 0 || find_type(header.type) == nullptr) {
    throw Error(path + ": is not an IDX file: found first bytes " + std::to_string(magic[0]) + " " +
                std::to_string(magic[1]) + " " + std::to_string(magic[2]) +
                ", expected 0 0 and an element type");
  }
  if (magic[3] == 0) throw Error(path + ": has 0 dimensions, expected at least 1");
  header.dimensions.resize(magic[3]);
  std::vector<std::uint8_t> bytes(kDimensionSize * header.dimensions.size());
  source.read(bytes);
  ByteReader reader(bytes, path);
  header.payload_size = entry_of(header.type).size;
  for (std::uint64_t& dimension : header.dimensions) {
    dimension = reader.take_big_endian<std::uint32_t>();
    if (dimension != 0 &&
        header.payload_size > std::numeric_limits<std::uint64_t>::max() / dimension) {
      throw Error(path + ": its dimensions overflow 64 bits when multiplied");
    }
    header.payload_size *= dimension;
  }
  return header;
}

/// Converts between big-endian and native byte order, in place.
void swap_big_endian(std::span<std::uint8_t> bytes, std::size_t size) {
  if (size == 1 || std::endian::native == std::endian::big) return;
  for (std::size_t start = 0; start < bytes.size(); start += size) {
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(start),
                 bytes.begin() + static_cast<std::ptrdiff_t>(start + size));
  }
}

/// Reads the elements in chunks, so that memory use follows the bytes present, not the size that
/// the header of a small compressed file claims.
template <class Source>
IdxArray read_payload(Source& source, Header header) {
  constexpr std::uint64_t kChunk = std::uint64_t{1} << 26;  // all of MNIST
  IdxArray array;
  while (array.bytes.size() < header.payload_size) {
    const std::size_t done = array.bytes.size();
    array.bytes.resize(std::min(header.payload_size, done + kChunk));
    source.read(std::span(array.bytes).subspan(done));
  }
  swap_big_endian(array.bytes, entry_of(header.type).size);
  array.type = header.type;
  array.dimensions = std::move(header.dimensions);
  return array;
}

IdxArray read_raw(const std::string& path) {
  InputFile file(path);
  if (file.size() < kMagicSize + kDimensionSize) {
    throw Error(path + ": has " + std::to_string(file.size()) +
                " bytes, too few for an IDX header; fetch the file again");
  }
  Header header = read_header(file, path);
  const std::uint64_t left = file.size() - std::min<std::uint64_t>(file.size(), header.size());
  if (header.payload_size != left) {
    throw Error(path + ": its header announces " + std::to_string(header.payload_size) +
                " bytes of elements, but " + std::to_string(left) +
                " follow; fetch the file again");
  }
  return read_payload(file, std::move(header));
}

IdxArray read_compressed(const std::string& path) {
  const std::vector<std::uint8_t> compressed = read_whole_file(path, kMaxGzipFile);
  GzipReader reader(compressed, path);
  Header header = read_header(reader, path);
  if (header.payload_size / kMaxGzipRatio > compressed.size()) {
    throw Error(path + ": its header announces " + std::to_string(header.payload_size) +
                " bytes of elements, more than " + std::to_string(compressed.size()) +
                " bytes of gzip can hold; fetch the file again");
  }
  IdxArray array = read_payload(reader, std::move(header));
  reader.expect_end();
  return array;
}

}  // namespace

std::string type_name(IdxType type) {
  return entry_of(type).name;
}

IdxArray read_idx(const std::string& path) {
  std::array<std::uint8_t, 2> start{};
  {
    InputFile file(path);
    if (file.size() == 0) throw Error(path + ": is empty; fetch the file again");
    file.read(std::span(start).first(std::min<std::size_t>(start.size(), file.size())));
  }
  return is_gzip(start) ? read_compressed(path) : read_raw(path);
}

}  // namespace mnist
