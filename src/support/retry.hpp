// System calls that a signal interrupted are made again, and writes that were short go on.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unistd.h>

namespace mnist {

/// The result of `call`, a system call that gives a negative number when it fails, made again for
/// as long as it fails with EINTR.
template <class Call>
auto retried(const Call& call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

/// Writes all of `content`; false, with errno, when that fails.
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
