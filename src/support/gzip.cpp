// GzipReader on zlib's inflate: gzread would ignore trailing garbage and join concatenated members.
#include "support/gzip.hpp"

#include <algorithm>
#include <limits>

#include "mnist/support/error.hpp"

namespace mnist {

bool is_gzip(Bytes bytes) {
  return bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

GzipReader::GzipReader(Bytes compressed, std::string_view name) : unread_(compressed), name_(name) {
  constexpr int kGzipOnly = 16;
  if (inflateInit2(&stream_, MAX_WBITS + kGzipOnly) != Z_OK) {
    throw Error(name_ + ": zlib could not be initialized: out of memory");
  }
}

GzipReader::~GzipReader() {
  inflateEnd(&stream_);
}

/// Inflates until `target` is full or the member ends; returns the number of bytes written.
std::size_t GzipReader::inflate_into(std::span<std::uint8_t> target) {
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
      throw Error(name_ + ": the gzip data is truncated; download the file again");
    }
    if (status != Z_OK && status != Z_STREAM_END) {
      throw Error(name_ + ": the gzip data is damaged: " +
                  (stream_.msg != nullptr ? stream_.msg : "zlib error " + std::to_string(status)) +
                  "; download the file again");
    }
    ended_ = status == Z_STREAM_END;
  }
  return written;
}

void GzipReader::read(std::span<std::uint8_t> target) {
  const std::size_t written = inflate_into(target);
  if (written < target.size()) {
    throw Error(name_ + ": the decompressed data ends " + std::to_string(target.size() - written) +
                " bytes too early");
  }
}

void GzipReader::expect_end() {
  std::uint8_t extra = 0;
  if (inflate_into({&extra, 1}) > 0) {
    throw Error(name_ + ": the decompressed data is longer than its header says");
  }
  if (!unread_.empty()) {
    throw Error(name_ + ": has " + std::to_string(unread_.size()) +
                " bytes of garbage after the gzip data");
  }
}

}  // namespace mnist
