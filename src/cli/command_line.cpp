// One CLI11 option per table row; CLI11's own errors are reworded.
#include "cli/command_line.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include <CLI/CLI.hpp>

#include "cli/option_documents.hpp"
#include "mnist/support/error.hpp"
#include "mnist/support/version.hpp"
#include "options/option_text.hpp"
#include "options/toml.hpp"
#include "options/train_option_table.hpp"
#include "support/files.hpp"

namespace mnist {
namespace {

/// Parses `text` into an option; errors start with `name`, the flag or environment variable.
template <class Value>
void parse_named(const std::string& name, std::string_view text, Value& value) {
  try {
    parse_option(text, value);
  } catch (const UsageError& error) {
    throw UsageError(name + ": " + error.what());
  }
}

template <class Options>
void bind_options(CLI::App& app, Options& options, OptionChoices& choices) {
  for_each_option(options, [&](auto& value, const OptionInfo& info) {
    using Value = std::decay_t<decltype(value)>;
    const std::string flag = std::string("--") + info.name;
    CLI::Option* option = nullptr;
    if constexpr (std::is_enum_v<Value>) {
      choices[info.name].assign(kEnumNames<Value>.begin(), kEnumNames<Value>.end());
    }
    if constexpr (std::is_same_v<Value, bool>) {
      option = app.add_flag(flag, value, info.help);
    } else if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
      option = app.add_option(info.name, value, info.help)->type_name(info.value_name);
    } else {
      option = app.add_option_function<std::string>(
          flag, [flag, &value](const std::string& text) { parse_named(flag, text, value); },
          info.help);
      option->type_name(info.value_name)->default_str(option_text(value));
    }
    option->group(info.group);
    if (*info.environment != '\0') {
      option->description(std::string(info.help) + " (environment: " + info.environment + ")");
    }
  });
}

template <class Options>
void read_environment(Options& options) {
  for_each_option(options, [](auto& value, const OptionInfo& info) {
    if constexpr (!std::is_same_v<std::decay_t<decltype(value)>, std::vector<std::string>>) {
      const char* text = *info.environment == '\0' ? nullptr : std::getenv(info.environment);
      if (text != nullptr && *text != '\0') parse_named(info.environment, text, value);
    }
  });
}

UsageError unknown_argument(const CLI::App& app) {
  const std::vector<std::string> unknown = app.remaining();
  const auto flag = std::find_if(unknown.begin(), unknown.end(),
                                 [](const std::string& text) { return text.starts_with('-'); });
  if (flag == unknown.end()) return UsageError("unexpected argument '" + unknown.at(0) + "'");
  const std::string typed = flag->substr(0, flag->find('='));
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back(name);
  }
  const std::size_t dashes = std::min(typed.find_first_not_of('-'), typed.size());
  return UsageError("unknown option " + typed + did_you_mean(typed.substr(dashes), names, "--"));
}

UsageError wrong_value_count(std::string_view message) {
  const std::string flag(message.substr(0, message.find(':')));
  if (message.ends_with("missing")) return UsageError(flag + " needs a value");
  if (message.starts_with(flag + ": At Most 1")) {
    return UsageError(flag + " is given more than once");
  }
  return UsageError(std::string(message));
}

/// Runs CLI11's parser; true for --help.
bool parse(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return true;
  } catch (const CLI::ExtrasError&) {
    throw unknown_argument(app);
  } catch (const CLI::ArgumentMismatch& error) {
    throw wrong_value_count(error.what());
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
  return false;
}

/// Flags that are not in the option tables.
struct CommonFlags {
  std::string config;
  std::string resume;
  std::string generate;
  bool print_config = false;
  bool version = false;
};

/// A command line, and the values that its enumeration options take.
struct BoundApp {
  std::unique_ptr<CLI::App> app;
  OptionChoices choices;
};

/// The whole command line, in the order in which help shows it.
template <class Options>
BoundApp bind_app(Options& options, CommonFlags& flags) {
  BoundApp bound{std::make_unique<CLI::App>(Options::kDescription, Options::kProgram), {}};
  CLI::App& app = *bound.app;
  bind_options(app, options, bound.choices);
  const auto add = [&](const char* flag, std::string& value, const char* value_name,
                       const char* group, const char* help) {
    app.add_option(flag, value, help)->type_name(value_name)->group(group);
  };
  if (std::is_same_v<Options, TrainOptions>) {
    const char* const group = "Configuration";
    add("--config", flags.config, "FILE", group,
        "read options from a TOML file; flags override them");
    add("--resume", flags.resume, "DIR", group,
        "resume the run in this directory; --epochs may be raised");
    app.add_flag("--print-config", flags.print_config, "print the options as TOML and exit")
        ->group(group);
  }
  app.set_help_flag("-h,--help", "print this help and exit")->group("Help");
  app.add_flag("--version", flags.version, "print version information and exit")->group("Help");
  add("--generate", flags.generate, "KIND", "Help",
      "print shell completions (bash, fish or zsh) or the man page and exit");
  bound.choices["generate"] = {"bash", "fish", "zsh", "man"};
  app.get_formatter()->column_width(34);
  return bound;
}

/// Parses the flags; returns the text that they ask for instead of work, if any.
std::optional<std::string> parse_flags(const BoundApp& bound, int argc, const char* const* argv,
                                       const CommonFlags& flags, const VersionText& version) {
  if (parse(*bound.app, argc, argv)) return bound.app->help();
  if (flags.version) {
    return std::string("mnist-trainer ") + kVersion + " (" + kRevision + "), " + version() + "\n";
  }
  if (flags.generate.empty()) return std::nullopt;
  return option_document(*bound.app, bound.choices, flags.generate);
}

std::string read_config(const std::string& path) {
  constexpr std::uint64_t kMaxConfigSize = 1 << 20;
  try {
    const std::vector<std::uint8_t> bytes = read_whole_file(path, kMaxConfigSize);
    return {bytes.begin(), bytes.end()};
  } catch (const Error& error) {
    throw UsageError(std::string("--config: ") + error.what());
  }
}

}  // namespace

template <class Options>
CommandLine parse_command_line(int argc, const char* const* argv, const VersionText& version,
                               Options& options) {
  read_environment(options);
  CommonFlags flags;
  const BoundApp bound = bind_app(options, flags);
  if (const auto text = parse_flags(bound, argc, argv, flags, version)) return {false, *text};
  validate(options);
  return {};
}
template CommandLine parse_command_line(int, const char* const*, const VersionText&, EvalOptions&);
template CommandLine parse_command_line(int, const char* const*, const VersionText&,
                                        PredictOptions&);
template CommandLine parse_command_line(int, const char* const*, const VersionText&,
                                        ExportOptions&);

CommandLine parse_command_line(int argc, const char* const* argv, const VersionText& version,
                               TrainOptions& options, const StoredRuns& stored_runs) {
  read_environment(options);
  CommonFlags flags;
  {
    // This first pass only finds --config and --resume, whose options the flags override.
    TrainOptions ignored = options;
    const BoundApp bound = bind_app(ignored, flags);
    if (const auto text = parse_flags(bound, argc, argv, flags, version)) return {false, *text};
  }
  if (!flags.config.empty() && !flags.resume.empty()) {
    throw UsageError(
        "--config cannot be combined with --resume, which takes the options from the checkpoint");
  }
  if (!flags.config.empty()) read_toml(read_config(flags.config), flags.config, options);
  if (!flags.resume.empty()) {
    options = stored_runs.load(flags.resume);
    options.resume = flags.resume;
  }
  const TrainOptions before_flags = options;
  const BoundApp bound = bind_app(options, flags);
  parse(*bound.app, argc, argv);
  if (!flags.resume.empty()) {
    stored_runs.check(before_flags, options);
    if (options.run_dir != before_flags.run_dir) {
      throw UsageError("--run-dir " + options.run_dir +
                       " cannot be combined with --resume, which continues in " +
                       before_flags.run_dir +
                       "; to fork the run, copy that directory and resume the copy");
    }
  }
  validate(options);
  if (flags.print_config) return {false, to_toml(options)};
  return {};
}

}  // namespace mnist
