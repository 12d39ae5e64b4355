// Bounded decompression of one gzip member (RFC 1952).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <zlib.h>

#include "support/bytes.hpp"

namespace mnist {

/// Whether these are the first bytes of a gzip file.
bool is_gzip(Bytes bytes);

/// Inflates gzip data in memory, chunk by chunk. The caller sets the size of each chunk, so
/// untrusted input cannot make memory grow beyond what the caller expects.
class GzipReader {
 public:
  /// `compressed` must outlive the reader; `name` is what error messages call it.
  GzipReader(Bytes compressed, std::string_view name);
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  /// Fills `target` with the next decompressed bytes. Throws Error when the data is damaged or ends
  /// too early.
  void read(std::span<std::uint8_t> target);

  /// Throws Error unless the data ends here, with a valid checksum and nothing after it.
  void expect_end();

 private:
  std::size_t inflate_into(std::span<std::uint8_t> target);

  z_stream stream_{};
  Bytes unread_;
  std::string name_;
  bool ended_ = false;
};

}  // namespace mnist
