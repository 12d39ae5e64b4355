// The rows of an option table, and the flags and checks that several programs share.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>

#include "mnist/support/log_options.hpp"
#include "options/option_text.hpp"

namespace mnist {

/// What an option may change.
enum class OptionScope {
  kLearning,  ///< what is learned; model files store these options alone, so that the same training
              ///< gives the same bytes everywhere
  kOutcome,   ///< the outcome in some other way: the data, the rounding, the files
  kRuntime,   ///< only how the program runs and what it prints
};

/// Everything about an option except its value.
struct OptionInfo {
  std::string name;        ///< the flag without its dashes, and the key in TOML
  std::string value_name;  ///< placeholder in --help, such as "DIR"; empty for a switch
  std::string help;
  std::string group;
  OptionScope scope = OptionScope::kRuntime;
  std::string environment = {};  ///< environment variable that sets the default

  std::string flag() const { return "--" + name; }
  bool is_switch() const { return value_name.empty(); }
};

/// Selects a program's table: `Self` is `Options` or const `Options`.
template <class Self, class Options>
concept OptionsOf = std::same_as<std::remove_const_t<Self>, Options>;

inline const OptionInfo kModelOption{"model", "FILE", "model file, .pt or .safetensors", "Input"};
/// mnist-train shows it in a group of its own.
inline OptionInfo data_option(const std::string& group) {
  return {"data",
          "DIR",
          "directory with the four IDX files, raw or gzip",
          group,
          OptionScope::kOutcome,
          "MNIST_DATA"};
}
inline const OptionInfo kDeviceOption{"device", "NAME", "auto, cpu, cuda or cuda:N", "Hardware",
                                      OptionScope::kOutcome};
inline const OptionInfo kThreadsOption{
    "threads", "N", "CPU threads; 0: OMP_NUM_THREADS, else up to one per core, at most 8",
    "Hardware"};

/// A function row(member, name, value_name, help) that calls visit(member, OptionInfo) for a row of
/// one group and scope.
template <class Visitor>
auto option_rows(Visitor& visit, const std::string& group,
                 OptionScope scope = OptionScope::kRuntime) {
  return [&visit, group, scope](auto& value, const std::string& name, const std::string& value_name,
                                const std::string& help) {
    visit(value, OptionInfo{name, value_name, help, group, scope});
  };
}

/// Calls visit(member, OptionInfo) for each option, in the order of --help.
template <class Self, class Visitor>
void for_each_log_option(Self& log, Visitor&& visit) {
  const auto row = option_rows(visit, "Logging");
  row(log.color, "color", "WHEN", "auto, always or never");
  row(log.quiet, "quiet", "", "show only warnings and errors");
  row(log.verbose, "verbose", "", "also show debug messages");
  row(log.log_file, "log-file", "FILE", "append messages with timestamps to this file");
}

/// Throws UsageError with `message` if `invalid`.
void reject_if(bool invalid, const std::string& message);

/// Throws UsageError "--FLAG must be RULE, found FOUND" unless `allowed`.
void require(bool allowed, const std::string& flag, const std::string& rule,
             const std::string& found);

template <class Number>
void require_range(Number value, std::type_identity_t<Number> low,
                   std::type_identity_t<Number> high, const std::string& flag) {
  require(value >= low && value <= high, flag,
          "from " + option_text(low) + " to " + option_text(high), option_text(value));
}

// Each throws UsageError that names the flag, the value found and the values allowed.
void require_name(const std::string& name, const std::string& flag, const std::string& kind);
void validate_device(const std::string& device);
void validate(const LogOptions& options);

}  // namespace mnist
