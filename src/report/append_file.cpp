// Each append opens and closes the file, so no descriptor outlives an error.
#include "report/append_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include "mnist/support/error.hpp"
#include "support/files.hpp"

namespace mnist {

void append_to_file(const std::string& path, std::string_view content) {
  const int descriptor = retried(
      [&] { return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666); });
  // EINVAL: this file system cannot sync.
  const bool done = descriptor >= 0 &&
                    write_all(descriptor, {reinterpret_cast<const std::uint8_t*>(content.data()),
                                           content.size()}) &&
                    (retried([&] { return ::fsync(descriptor); }) == 0 || errno == EINVAL);
  const int reason = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!done) throw Error(path + ": cannot be written: " + std::strerror(reason));
}

}  // namespace mnist
