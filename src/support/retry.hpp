// Retries system calls after EINTR, and continues short writes.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unistd.h>

namespace mnist {

/// Repeats `call` while it returns a negative number with errno EINTR; returns its last result.
template <class Call>
auto retried(const Call& call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

/// Writes all of `content`; on failure returns false and sets errno.
inline bool write_all(int descriptor, std::span<const std::uint8_t> content) {
  while (!content.empty()) {
    const ssize_t count =
        retried([&] { return ::write(descriptor, content.data(), content.size()); });
    if (count < 0) return false;
    content = content.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace mnist
