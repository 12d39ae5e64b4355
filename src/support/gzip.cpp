// Decompression of gzip members (RFC 1952) by zlib, with the size of the output known beforehand.
#include "support/gzip.hpp"

#include <algorithm>
#include <limits>

#include <zlib.h>

#include "mnist/support/error.hpp"

namespace mnist {

struct GzipReader::State {
  z_stream stream{};
  Bytes unread;
  bool ended = false;

  /// Gives zlib more input when it has none; z_stream counts in 32 bits.
  void refill() {
    if (stream.avail_in > 0 || unread.empty()) return;
    const std::size_t count =
        std::min<std::size_t>(unread.size(), std::numeric_limits<uInt>::max());
    stream.next_in = const_cast<Bytef*>(unread.data());
    stream.avail_in = static_cast<uInt>(count);
    unread = unread.subspan(count);
  }
};

bool is_gzip(Bytes bytes) {
  return bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

GzipReader::GzipReader(Bytes compressed, std::string_view name)
    : state_(std::make_unique<State>()), name_(name) {
  state_->unread = compressed;
  constexpr int kGzipOnly = 16;
  if (inflateInit2(&state_->stream, MAX_WBITS + kGzipOnly) != Z_OK) {
    throw Error(name_ + ": zlib could not be started: out of memory");
  }
}

GzipReader::~GzipReader() {
  inflateEnd(&state_->stream);
}

void GzipReader::fail_cut_short() const {
  throw Error(name_ + ": the gzip data are cut short; fetch the file again");
}

void GzipReader::fail_damaged(int status) const {
  const char* const reason = state_->stream.msg;
  throw Error(name_ + ": the gzip data are damaged: " +
              (reason != nullptr ? reason : "zlib error " + std::to_string(status)) +
              "; fetch the file again");
}

void GzipReader::read(std::span<std::uint8_t> target) {
  z_stream& stream = state_->stream;
  while (!target.empty()) {
    if (state_->ended) {
      throw Error(name_ + ": its decompressed content ends " + std::to_string(target.size()) +
                  " bytes too early");
    }
    state_->refill();
    const std::size_t wanted =
        std::min<std::size_t>(target.size(), std::numeric_limits<uInt>::max());
    stream.next_out = target.data();
    stream.avail_out = static_cast<uInt>(wanted);
    const int status = inflate(&stream, Z_NO_FLUSH);
    target = target.subspan(wanted - stream.avail_out);
    if (status == Z_STREAM_END) {
      state_->ended = true;
    } else if (status == Z_BUF_ERROR || (status == Z_OK && stream.avail_in == 0 &&
                                         state_->unread.empty() && stream.avail_out > 0)) {
      fail_cut_short();
    } else if (status != Z_OK) {
      fail_damaged(status);
    }
  }
}

void GzipReader::expect_end() {
  z_stream& stream = state_->stream;
  if (!state_->ended) {
    std::uint8_t extra = 0;
    state_->refill();
    stream.next_out = &extra;
    stream.avail_out = 1;
    const int status = inflate(&stream, Z_FINISH);
    if (stream.avail_out == 0) {
      throw Error(name_ + ": its decompressed content is longer than its header says");
    }
    if (status == Z_BUF_ERROR || status == Z_OK) {
      fail_cut_short();
    }
    if (status != Z_STREAM_END) {
      fail_damaged(status);
    }
    state_->ended = true;
  }
  const std::size_t left = stream.avail_in + state_->unread.size();
  if (left > 0) {
    throw Error(name_ + ": has " + std::to_string(left) + " bytes of garbage after the gzip data");
  }
}

}  // namespace mnist
