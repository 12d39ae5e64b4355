// The checks of ByteReader.
#include "support/bytes.hpp"

#include <algorithm>

#include "mnist/support/error.hpp"

namespace mnist {

void ByteReader::seek(std::size_t position) {
  if (position > bytes_.size()) {
    throw Error(std::string(name_) + ": refers to byte " + std::to_string(position) +
                ", past its end at byte " + std::to_string(bytes_.size()));
  }
  position_ = position;
}

Bytes ByteReader::take(std::size_t count) {
  if (count > remaining()) {
    throw Error(std::string(name_) + ": ends at byte " + std::to_string(bytes_.size()) + ", but " +
                std::to_string(count) + " more bytes were expected at byte " +
                std::to_string(position_));
  }
  const Bytes taken = bytes_.subspan(position_, count);
  position_ += count;
  return taken;
}

std::string_view ByteReader::take_line() {
  const Bytes rest = bytes_.subspan(position_);
  const auto end = std::find(rest.begin(), rest.end(), std::uint8_t{'\n'});
  const Bytes line = take(static_cast<std::size_t>(end - rest.begin()));
  take(1);
  return {reinterpret_cast<const char*>(line.data()), line.size()};
}

}  // namespace mnist
