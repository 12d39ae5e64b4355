// The checks that several programs share.
#include "options/shared_options.hpp"

#include "mnist/support/error.hpp"

namespace mnist {

void reject_if(bool invalid, const std::string& message) {
  if (invalid) throw UsageError(message);
}

void require(bool allowed, const std::string& flag, const std::string& rule,
             const std::string& found) {
  reject_if(!allowed, "--" + flag + " must be " + rule + ", found " + found);
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

void validate(const LogOptions& options) {
  reject_if(options.quiet && options.verbose,
            "--quiet cannot be combined with --verbose; drop one of them");
}

}  // namespace mnist
