// ByteReader and InputFile, the latter on POSIX calls.
#include "support/byte_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mnist/support/error.hpp"
#include "support/retry.hpp"

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

InputFile::InputFile(const std::string& path) : path_(path) {
  descriptor_ = retried([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  if (descriptor_ < 0) throw Error(path + ": cannot be opened: " + std::strerror(errno));
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    const bool directory = S_ISDIR(status.st_mode);
    ::close(descriptor_);
    throw Error(path +
                (directory ? ": is a directory, expected a file" : ": is not a regular file"));
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::~InputFile() {
  ::close(descriptor_);
}

void InputFile::read(std::span<std::uint8_t> target) {
  while (!target.empty()) {
    const ssize_t count =
        retried([&] { return ::read(descriptor_, target.data(), target.size()); });
    if (count < 0) throw Error(path_ + ": cannot be read: " + std::strerror(errno));
    if (count == 0) throw Error(path_ + ": was truncated while it was being read");
    target = target.subspan(static_cast<std::size_t>(count));
  }
}

std::vector<std::uint8_t> read_whole_file(const std::string& path, std::uint64_t limit) {
  InputFile file(path);
  if (file.size() > limit) {
    throw Error(path + ": has " + std::to_string(file.size()) + " bytes, expected at most " +
                std::to_string(limit));
  }
  std::vector<std::uint8_t> bytes(file.size());
  file.read(bytes);
  return bytes;
}

}  // namespace mnist
