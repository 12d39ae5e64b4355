// Decompression of gzip members (RFC 1952) by zlib, with the size of the output known beforehand.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "support/byte_reader.hpp"

namespace mnist {

/// Whether these are the first bytes of a gzip file.
bool is_gzip(Bytes bytes);

/// Inflates one gzip file from memory piece by piece. The caller says how much to write, so a small
/// file can never make memory grow beyond what its content promises.
class GzipReader {
 public:
  /// `compressed` must outlive the reader; `name` is used in messages.
  GzipReader(Bytes compressed, std::string_view name);
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  /// Fills `target` with the next decompressed bytes. Throws Error when the data are damaged or
  /// end before.
  void read(std::span<std::uint8_t> target);

  /// Throws Error unless the stream ends here, with a right checksum and nothing after it.
  void expect_end();

 private:
  struct State;

  [[noreturn]] void fail_cut_short() const;
  [[noreturn]] void fail_damaged(int status) const;

  std::unique_ptr<State> state_;
  std::string name_;
};

}  // namespace mnist
