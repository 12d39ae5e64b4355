// The rows of an option table, and the flags and checks that several programs share.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>

#include "mnist/support/log_options.hpp"

namespace mnist {

/// Whether an option changes the trained parameters, or only where and how the program runs. Model
/// files store the former alone, so that the same training gives the same bytes everywhere.
enum class OptionScope { kLearning, kRuntime };

/// Everything about an option except its value.
struct OptionInfo {
  const char* name;        ///< the flag without its dashes, and the key in TOML
  const char* value_name;  ///< placeholder in --help, such as "DIR"; empty for a switch
  const char* help;
  const char* group;
  OptionScope scope = OptionScope::kRuntime;
  const char* environment = "";  ///< environment variable that sets the default, or ""
};

/// Selects a program's table: `Self` is `Options` or const `Options`.
template <class Self, class Options>
concept OptionsOf = std::same_as<std::remove_const_t<Self>, Options>;

inline constexpr OptionInfo kModelOption{"model", "FILE", "model file, .pt or .safetensors",
                                         "Input"};
/// mnist-train shows it in a group of its own.
constexpr OptionInfo data_option(const char* group) {
  return {"data",
          "DIR",
          "directory with the four IDX files, raw or gzip",
          group,
          OptionScope::kRuntime,
          "MNIST_DATA"};
}
inline constexpr OptionInfo kDeviceOption{"device", "NAME", "auto, cpu, cuda or cuda:N",
                                          "Hardware"};
inline constexpr OptionInfo kThreadsOption{"threads", "N", "CPU threads; 0 is automatic",
                                           "Hardware"};

/// Calls visit(member, OptionInfo) for each option, in the order of --help.
template <class Self, class Visitor>
void for_each_log_option(Self& log, Visitor&& visit) {
  const char* const group = "Logging";
  visit(log.color, OptionInfo{"color", "WHEN", "auto, always or never", group});
  visit(log.quiet, OptionInfo{"quiet", "", "show only warnings and errors", group});
  visit(log.verbose, OptionInfo{"verbose", "", "also show debug messages", group});
  visit(log.log_file,
        OptionInfo{"log-file", "FILE", "append messages with timestamps to this file", group});
}

/// Throws UsageError "--FLAG must be RULE, found FOUND" unless `allowed`.
void require(bool allowed, const std::string& flag, const std::string& rule,
             const std::string& found);

// Each throws UsageError that names the flag, the value found and the values allowed.
void require_name(const std::string& name, const std::string& flag, const std::string& kind);
void validate_device(const std::string& device);
void validate_threads(std::int64_t threads);
void validate_required_accuracy(double percent);
void validate(const LogOptions& options);

}  // namespace mnist
