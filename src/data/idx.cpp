// Layout of an IDX file: two zero bytes, the element type, the number of dimensions, one u32 per
// dimension, then the elements; all big-endian, the last dimension contiguous.
#include "mnist/data/idx.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <utility>

#include <spdlog/fmt/fmt.h>
#include <zlib.h>

#include "mnist/support/error.hpp"
#include "support/bytes.hpp"
#include "support/files.hpp"

namespace mnist {
namespace {

constexpr std::size_t kMagicSize = 4;
constexpr std::size_t kDimensionSize = 4;
constexpr std::uint64_t kMaxGzipFile = std::uint64_t{1} << 36;
constexpr std::uint64_t kMaxGzipRatio = 1032;  // of deflate, from zlib's technical details

/// Inflates one gzip member (RFC 1952) in memory: gzread would ignore trailing garbage and join
/// concatenated members. The caller sets the size of each chunk, so untrusted input cannot make
/// memory grow beyond what the caller expects.
class GzipReader {
 public:
  /// `compressed` must outlive the reader.
  explicit GzipReader(Bytes compressed) : unread_(compressed) {
    constexpr int kGzipOnly = 16;
    if (inflateInit2(&stream_, MAX_WBITS + kGzipOnly) != Z_OK) {
      throw Error("zlib could not be initialized: out of memory");
    }
  }
  ~GzipReader() { inflateEnd(&stream_); }
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  /// Fills `target` with the next decompressed bytes.
  void read(std::span<std::uint8_t> target) {
    const std::size_t written = inflate_into(target);
    if (written == target.size()) return;
    throw Error(
        fmt::format("the decompressed data ends {} bytes too early", target.size() - written));
  }

  /// Decompresses the next `count` bytes without keeping them.
  void skip(std::uint64_t count) {
    std::array<std::uint8_t, 1 << 16> skipped{};
    while (count > 0) {
      const auto part = std::span(skipped).first(std::min<std::uint64_t>(count, skipped.size()));
      read(part);
      count -= part.size();
    }
  }

  /// Throws Error unless the data ends here, with a valid checksum and nothing after it.
  void expect_end() {
    std::uint8_t extra = 0;
    if (inflate_into({&extra, 1}) > 0) {
      throw Error("the decompressed data is longer than its header says");
    }
    if (unread_.empty()) return;
    throw Error(fmt::format("has {} bytes of garbage after the gzip data", unread_.size()));
  }

 private:
  /// Inflates until `target` is full or the member ends; returns the number of bytes written.
  std::size_t inflate_into(std::span<std::uint8_t> target) {
    constexpr std::size_t kMaxCount = std::numeric_limits<uInt>::max();  // z_stream counts in uInt
    std::size_t written = 0;
    while (written < target.size() && !ended_) {
      const auto input = static_cast<uInt>(std::min(unread_.size(), kMaxCount));
      const auto space = static_cast<uInt>(std::min(target.size() - written, kMaxCount));
      stream_.next_in = const_cast<Bytef*>(unread_.data());
      stream_.avail_in = input;
      stream_.next_out = target.data() + written;
      stream_.avail_out = space;
      const int status = inflate(&stream_, Z_NO_FLUSH);
      unread_ = unread_.subspan(input - stream_.avail_in);
      written += space - stream_.avail_out;
      if (status == Z_BUF_ERROR) {  // no progress: the input is used up
        throw Error("the gzip data is truncated; download the file again");
      }
      if (status != Z_OK && status != Z_STREAM_END) {
        throw Error(fmt::format(
            "the gzip data is damaged: {}; download the file again",
            stream_.msg != nullptr ? stream_.msg : "zlib error " + std::to_string(status)));
      }
      ended_ = status == Z_STREAM_END;
    }
    return written;
  }

  z_stream stream_{};
  Bytes unread_;
  bool ended_ = false;
};

struct ElementType {
  IdxType type;
  const char* name;
  std::size_t size;
};
constexpr std::array<ElementType, 6> kTypes{{{IdxType::kU8, "u8", 1},
                                             {IdxType::kI8, "i8", 1},
                                             {IdxType::kI16, "i16", 2},
                                             {IdxType::kI32, "i32", 4},
                                             {IdxType::kF32, "f32", 4},
                                             {IdxType::kF64, "f64", 8}}};

/// The entry of `type`, or the end of kTypes.
auto find_type(IdxType type) {
  return std::ranges::find(kTypes, type, &ElementType::type);
}

struct Header {
  ElementType type;
  std::vector<std::uint64_t> dimensions;
  std::uint64_t payload_size = 0;

  std::size_t size() const { return kMagicSize + kDimensionSize * dimensions.size(); }
};

/// Reads a header from an InputFile or a GzipReader.
template <class Source>
Header read_header(Source& source) {
  std::array<std::uint8_t, kMagicSize> magic{};
  source.read(magic);
  const auto type = find_type(static_cast<IdxType>(magic[2]));
  if (magic[0] != 0 || magic[1] != 0 || type == kTypes.end()) {
    throw Error(
        fmt::format("is not an IDX file: found first bytes {} {} {}, expected 0 0 and an "
                    "element type",
                    magic[0], magic[1], magic[2]));
  }
  if (magic[3] == 0) throw Error("has 0 dimensions, expected at least 1");
  Header header{*type, std::vector<std::uint64_t>(magic[3]), type->size};
  std::vector<std::uint8_t> bytes(kDimensionSize * header.dimensions.size());
  source.read(bytes);
  ByteReader reader(bytes);
  for (std::uint64_t& dimension : header.dimensions) {
    dimension = reader.take_big_endian<std::uint32_t>();
    if (dimension != 0 &&
        header.payload_size > std::numeric_limits<std::uint64_t>::max() / dimension) {
      throw Error("its dimensions overflow 64 bits when multiplied");
    }
    header.payload_size *= dimension;
  }
  return header;
}

/// Reads a part of the elements, at most `chunk` bytes at a time.
template <class Source>
IdxArray read_payload(Source& source, Header header, Part part, std::uint64_t chunk) {
  const std::uint64_t rows = header.dimensions[0];
  const std::uint64_t row_size = rows == 0 ? 0 : header.payload_size / rows;
  const std::uint64_t part_size = (part.end(rows) - part.begin(rows)) * row_size;
  IdxArray array{header.type.type, std::move(header.dimensions), {}};
  source.skip(part.begin(rows) * row_size);
  while (array.bytes.size() < part_size) {
    const std::size_t done = array.bytes.size();
    array.bytes.resize(std::min(part_size, done + chunk));
    source.read(std::span(array.bytes).subspan(done));
  }
  source.skip((rows - part.end(rows)) * row_size);
  const std::size_t size = header.type.size;
  for (std::size_t i = 0; size > 1 && i < array.bytes.size(); i += size) {  // from big-endian
    std::reverse(array.bytes.data() + i, array.bytes.data() + i + size);
  }
  return array;
}

IdxArray read_raw(const std::string& path, Part part) {
  InputFile file(path);
  Header header = read_header(file);
  const std::uint64_t left = file.size() - header.size();
  if (header.payload_size != left) {
    throw Error(fmt::format(
        "its header claims {} bytes of elements, but {} follow; download the file again",
        header.payload_size, left));
  }
  return read_payload(file, std::move(header), part, file.size());
}

IdxArray read_compressed(const std::string& path, Part part) {
  const std::vector<std::uint8_t> compressed = InputFile(path).read_all(kMaxGzipFile);
  GzipReader reader(compressed);
  Header header = read_header(reader);
  if (header.payload_size / kMaxGzipRatio > compressed.size()) {
    throw Error(
        fmt::format("its header claims {} bytes of elements, more than {} bytes of gzip "
                    "can hold; download the file again",
                    header.payload_size, compressed.size()));
  }
  // In chunks, so that memory use follows the bytes present, not the size that the header of a
  // small file claims.
  constexpr std::uint64_t kChunk = std::uint64_t{1} << 26;  // all of MNIST
  IdxArray array = read_payload(reader, std::move(header), part, kChunk);
  reader.expect_end();
  return array;
}

}  // namespace

std::string type_name(IdxType type) {
  const auto found = find_type(type);
  return found == kTypes.end() ? "unknown type" : found->name;
}

IdxArray read_idx(const std::string& path, Part part) {
  return with_source(path, [&] {
    InputFile file(path);
    if (file.size() < kMagicSize + kDimensionSize) {
      throw Error(fmt::format("is truncated to {} bytes; download the file again", file.size()));
    }
    std::array<std::uint8_t, 2> start{};
    file.read(start);
    const bool compressed = start == std::array<std::uint8_t, 2>{0x1f, 0x8b};
    return compressed ? read_compressed(path, part) : read_raw(path, part);
  });
}

}  // namespace mnist
