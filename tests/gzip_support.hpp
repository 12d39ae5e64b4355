// Gzip compression for tests.
#pragma once

#include <cstdint>
#include <vector>

#include <zlib.h>

namespace mnist {

inline std::vector<std::uint8_t> gzip(std::vector<std::uint8_t> content) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::vector<std::uint8_t> compressed(deflateBound(&stream, content.size()) + 64);
  stream.next_in = content.data();
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = compressed.data();
  stream.avail_out = static_cast<uInt>(compressed.size());
  deflate(&stream, Z_FINISH);
  compressed.resize(stream.total_out);
  deflateEnd(&stream);
  return compressed;
}

}  // namespace mnist
