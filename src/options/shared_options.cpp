// The checks that several programs share.
#include "options/shared_options.hpp"

#include "mnist/support/error.hpp"
#include "options/option_text.hpp"
#include "support/machine.hpp"

namespace mnist {

void require(bool allowed, const std::string& flag, const std::string& rule,
             const std::string& found) {
  if (!allowed) throw UsageError("--" + flag + " must be " + rule + ", found " + found);
}

void require_name(const std::string& name, const std::string& flag, const std::string& kind) {
  require(!name.empty(), flag, "the name of a " + kind, "an empty string");
}

void validate_device(const std::string& device) {
  constexpr std::string_view kCuda = "cuda:";
  constexpr std::size_t kMaxDigits = 3;
  const bool numbered = device.starts_with(kCuda) && device.size() > kCuda.size() &&
                        device.size() <= kCuda.size() + kMaxDigits &&
                        device.find_first_not_of("0123456789", kCuda.size()) == std::string::npos;
  require(device == "auto" || device == "cpu" || device == "cuda" || numbered, "device",
          "auto, cpu, cuda or cuda:N", "'" + device + "'");
}

void validate_threads(std::int64_t threads) {
  require(threads >= 0 && threads <= kMaxThreads, "threads",
          "from 0 to " + std::to_string(kMaxThreads), option_text(threads));
}

void validate_required_accuracy(double percent) {
  require(percent >= 0 && percent <= 100, "require-accuracy", "from 0 to 100",
          option_text(percent));
}

void validate(const LogOptions& options) {
  if (options.quiet && options.verbose) {
    throw UsageError("--quiet cannot be combined with --verbose; drop one of them");
  }
}

}  // namespace mnist
