// The IDX container of MNIST (yann.lecun.com/exdb/mnist), raw or gzip-compressed.
//
// Layout: two zero bytes, the element type, the number of dimensions, one big-endian u32 for each
// dimension, then the elements, big-endian, the last dimension fastest.
#include "mnist/data/idx.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <span>
#include <utility>

#include "mnist/support/error.hpp"
#include "support/atomic_file.hpp"
#include "support/byte_reader.hpp"
#include "support/gzip.hpp"

namespace mnist {
namespace {

constexpr std::size_t kMagicSize = 4;
constexpr std::size_t kDimensionSize = 4;
constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 36;
// Deflate spends at least one bit on 258 bytes and rounds up (zlib's technical notes: 1032 to 1).
constexpr std::uint64_t kLargestGzipRatio = 1032;

struct Header {
  IdxType type = IdxType::kU8;
  std::vector<std::uint64_t> dimensions;
  std::uint64_t payload_size = 0;
};

bool is_known_type(std::uint8_t code) {
  return code >= 0x08 && code <= 0x0E && code != 0x0A;
}

/// Element type and number of dimensions from the first four bytes.
Header parse_magic(Bytes magic, const std::string& path) {
  if (magic[0] != 0 || magic[1] != 0 || !is_known_type(magic[2])) {
    throw Error(path + ": is not an IDX file: it starts with bytes " + std::to_string(magic[0]) +
                " " + std::to_string(magic[1]) + " " + std::to_string(magic[2]) +
                ", expected 0 0 and a type from 8 to 14");
  }
  if (magic[3] == 0) throw Error(path + ": has 0 dimensions, expected at least 1");
  Header header;
  header.type = static_cast<IdxType>(magic[2]);
  header.dimensions.resize(magic[3]);
  return header;
}

/// The dimensions, and the size of the elements that must follow.
void parse_dimensions(Bytes bytes, const std::string& path, Header& header) {
  ByteReader reader(bytes, path);
  std::uint64_t size = element_size(header.type);
  for (std::uint64_t& dimension : header.dimensions) {
    dimension = reader.take_big_endian<std::uint32_t>();
    if (dimension != 0 && size > std::numeric_limits<std::uint64_t>::max() / dimension) {
      throw Error(path + ": its dimensions multiply to more than 64 bits can count");
    }
    size *= dimension;
  }
  header.payload_size = size;
}

std::size_t header_size(const Header& header) {
  return kMagicSize + kDimensionSize * header.dimensions.size();
}

void to_native_order(std::span<std::uint8_t> bytes, std::size_t size) {
  if (size == 1 || std::endian::native == std::endian::big) return;
  for (std::size_t start = 0; start < bytes.size(); start += size) {
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(start),
                 bytes.begin() + static_cast<std::ptrdiff_t>(start + size));
  }
}

/// Reads magic and dimensions from `source`, InputFile or GzipReader.
template <class Source>
Header read_header(Source& source, const std::string& path) {
  std::array<std::uint8_t, kMagicSize> magic{};
  source.read(magic);
  Header header = parse_magic(magic, path);
  std::vector<std::uint8_t> dimensions(kDimensionSize * header.dimensions.size());
  source.read(dimensions);
  parse_dimensions(dimensions, path, header);
  return header;
}

/// Reads the elements piece by piece: memory grows only as far as there is something to fill it,
/// whatever the header of a small compressed file promises.
template <class Source>
IdxArray read_payload(Source& source, Header header) {
  constexpr std::uint64_t kPiece = std::uint64_t{1} << 26;  // MNIST is one
  IdxArray array;
  while (array.bytes.size() < header.payload_size) {
    const std::size_t done = array.bytes.size();
    array.bytes.resize(std::min(header.payload_size, done + kPiece));
    source.read(std::span(array.bytes).subspan(done));
  }
  to_native_order(array.bytes, element_size(header.type));
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
  const std::uint64_t left =
      file.size() - std::min<std::uint64_t>(file.size(), header_size(header));
  if (header.payload_size != left) {
    throw Error(path + ": its header promises " + std::to_string(header.payload_size) +
                " bytes of elements, but " + std::to_string(left) +
                " follow; fetch the file again");
  }
  return read_payload(file, std::move(header));
}

IdxArray read_compressed(const std::string& path) {
  const std::vector<std::uint8_t> compressed = read_whole_file(path, kLargestFile);
  GzipReader reader(compressed, path);
  Header header = read_header(reader, path);
  if (header.payload_size / kLargestGzipRatio > compressed.size()) {
    throw Error(path + ": its header promises " + std::to_string(header.payload_size) +
                " bytes of elements, more than " + std::to_string(compressed.size()) +
                " bytes of gzip can hold; fetch the file again");
  }
  IdxArray array = read_payload(reader, std::move(header));
  reader.expect_end();
  return array;
}

}  // namespace

std::size_t element_size(IdxType type) {
  switch (type) {
    case IdxType::kU8:
    case IdxType::kI8:
      return 1;
    case IdxType::kI16:
      return 2;
    case IdxType::kI32:
    case IdxType::kF32:
      return 4;
    case IdxType::kF64:
      return 8;
  }
  throw Error("unknown IDX type");
}

std::string type_name(IdxType type) {
  switch (type) {
    case IdxType::kU8:
      return "u8";
    case IdxType::kI8:
      return "i8";
    case IdxType::kI16:
      return "i16";
    case IdxType::kI32:
      return "i32";
    case IdxType::kF32:
      return "f32";
    case IdxType::kF64:
      return "f64";
  }
  throw Error("unknown IDX type");
}

std::uint64_t IdxArray::element_count() const {
  return bytes.size() / element_size(type);
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

void write_idx(const std::string& path, const IdxArray& array) {
  std::vector<std::uint8_t> content{0, 0, static_cast<std::uint8_t>(array.type),
                                    static_cast<std::uint8_t>(array.dimensions.size())};
  for (const std::uint64_t dimension : array.dimensions) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      content.push_back(static_cast<std::uint8_t>(dimension >> shift));
    }
  }
  std::vector<std::uint8_t> elements = array.bytes;
  to_native_order(elements, element_size(array.type));  // the same swap turns it back
  content.insert(content.end(), elements.begin(), elements.end());
  write_file_atomically(path, content);
}

}  // namespace mnist
