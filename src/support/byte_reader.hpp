// Bounds-checked reading of foreign bytes, and whole files into memory.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace mnist {

using Bytes = std::span<const std::uint8_t>;

/// Reads forward through bytes that someone else wrote. Every read that would pass the end throws
/// Error with the name of the source; nothing is ever read outside the span.
class ByteReader {
 public:
  /// `name` is what error messages call the source, a file's path as a rule.
  ByteReader(Bytes bytes, std::string_view name) : bytes_(bytes), name_(name) {}

  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }

  /// Moves to an absolute position, at most the end.
  void seek(std::size_t position);

  /// The next `count` bytes, still in the source's memory.
  Bytes take(std::size_t count);

  /// The bytes up to the next '\n', which is consumed and not returned.
  std::string_view take_line();

  /// The next integer or floating-point number, in the named byte order.
  template <class T>
  T take_little_endian() {
    return take_number<T>(std::endian::little);
  }
  template <class T>
  T take_big_endian() {
    return take_number<T>(std::endian::big);
  }

 private:
  template <class T>
  T take_number(std::endian order) {
    static_assert(std::is_arithmetic_v<T>);
    const Bytes source = take(sizeof(T));
    std::uint8_t raw[sizeof(T)];
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      raw[i] = source[order == std::endian::native ? i : sizeof(T) - 1 - i];
    }
    T value;
    std::memcpy(&value, raw, sizeof(T));
    return value;
  }

  Bytes bytes_;
  std::string_view name_;
  std::size_t position_ = 0;
};

/// A file that is open for reading; the descriptor is closed with the object.
class InputFile {
 public:
  /// Opens a regular file. Throws Error when it is missing, unreadable, or a folder.
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  std::uint64_t size() const { return size_; }

  /// Fills `target` with the next bytes. Throws Error when the file ends before.
  void read(std::span<std::uint8_t> target);

 private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// The whole of a file. Throws Error as InputFile does, and when it is larger than `limit` bytes.
std::vector<std::uint8_t> read_whole_file(const std::string& path, std::uint64_t limit);

}  // namespace mnist
