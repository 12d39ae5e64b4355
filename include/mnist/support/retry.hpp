// System calls that a signal interrupted are made again.
#pragma once

#include <cerrno>

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

}  // namespace mnist
