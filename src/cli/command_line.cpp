// One CLI11 option per table row; CLI11's own errors are reworded.
#include "cli/command_line.hpp"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <optional>

#include <CLI/CLI.hpp>

#include "cli/option_documents.hpp"
#include "cli/recipes.hpp"
#include "mnist/support/error.hpp"
#include "mnist/support/version.hpp"
#include "options/option_differences.hpp"
#include "options/option_text.hpp"
#include "options/toml.hpp"
#include "options/train_option_table.hpp"
#include "train/run_dir.hpp"

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

template <class Value>
constexpr bool kIsPositional = std::is_same_v<Value, std::vector<std::string>>;

template <class Options>
void read_environment(Options& options) {
  for_each_option(options, [](auto& value, const OptionInfo& info) {
    if constexpr (!kIsPositional<std::decay_t<decltype(value)>>) {
      const char* text = *info.environment == '\0' ? nullptr : std::getenv(info.environment);
      if (text != nullptr && *text != '\0') parse_named(info.environment, text, value);
    }
  });
}

/// A command line, and the values that its enumeration options take.
struct BoundApp {
  std::unique_ptr<CLI::App> app;
  OptionChoices choices;
};

/// Adds a flag for each row of the table; its default is the value in `options`.
template <class Options>
void add_table(BoundApp& bound, const Options& options) {
  for_each_option(options, [&](const auto& value, const OptionInfo& info) {
    using Value = std::decay_t<decltype(value)>;
    const std::string flag = std::string("--") + info.name;
    CLI::Option* option = nullptr;
    if constexpr (std::is_enum_v<Value>) {
      bound.choices[info.name].assign(kEnumNames<Value>.begin(), kEnumNames<Value>.end());
    }
    if constexpr (std::is_same_v<Value, bool>) {
      option = bound.app->add_flag(flag);
    } else if constexpr (kIsPositional<Value>) {
      option = bound.app->add_option(info.name)->type_name(info.value_name);
      option->expected(CLI::detail::expected_max_vector_size);  // one or more
    } else {
      option = bound.app->add_option(flag)->type_name(info.value_name);
      option->default_str(option_text(value));
    }
    const bool has_variable = *info.environment != '\0';
    option->group(info.group)
        ->description(
            std::string(info.help) +
            (has_variable ? std::string(" [environment: ") + info.environment + "]" : ""));
  });
}

/// Adds the flags that are not in a table: sources of options, and requests to print text.
template <class Options>
void add_other_flags(BoundApp& bound) {
  CLI::App& app = *bound.app;
  const auto add = [&](const char* flag, const char* value_name, const char* group,
                       const std::string& help) {
    CLI::Option* option = *value_name == '\0' ? app.add_flag(flag) : app.add_option(flag);
    if (*value_name != '\0') option->type_name(value_name);
    option->group(group)->description(help);
  };
  if (std::is_same_v<Options, TrainOptions>) {
    bound.choices["recipe"] = recipe_names();
    add("--recipe", "NAME", "Start here", "options of a recipe; flags override them");
    const char* const group = "Configuration";
    add("--config", "FILE", group, "options from a TOML file; flags override them");
    add("--resume", "DIR", group, "resume the run in this directory; --epochs may be raised");
    add("--auto-resume", "", group,
        "start the run in --run-dir, resume it, or, if it is complete, print its summary");
    add("--print-config", "", group, "print the options as TOML and exit");
  }
  app.set_help_flag("--help", "print all options and exit; -h prints the main ones");
  app.get_help_ptr()->group("Help");
  app.set_help_all_flag("-h");
  add("--version", "", "Help", "print version information and exit");
  add("--generate", "KIND", "Help",
      "print shell completions (bash, fish or zsh), a man page (man) or Markdown (markdown) and "
      "exit");
  bound.choices["generate"] = {"bash", "fish", "zsh", "man", "markdown"};
}

template <class Options>
BoundApp make_app(const Options& options) {
  BoundApp bound{std::make_unique<CLI::App>(Options::kDescription, Options::kProgram), {}};
  bound.app->footer(Options::kExamples);
  add_table(bound, options);
  add_other_flags<Options>(bound);
  return bound;
}

/// The value of a flag, "true" for a switch; empty if it is not given.
std::string given(const CLI::App& app, const std::string& flag) {
  const std::vector<std::string>& values = app.get_option(flag)->results();
  return values.empty() ? "" : values.back();
}

/// Sets the options whose flags are given.
template <class Options>
void apply_flags(const CLI::App& app, Options& options) {
  for_each_option(options, [&](auto& value, const OptionInfo& info) {
    if constexpr (kIsPositional<std::decay_t<decltype(value)>>) {
      value = app.get_option(info.name)->results();
    } else {
      const std::string flag = std::string("--") + info.name;
      if (app.get_option(flag)->count() > 0) parse_named(flag, given(app, flag), value);
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

/// Runs CLI11's parser; returns the text to print if the flags ask for text instead of a run.
std::optional<std::string> parse(const BoundApp& bound, int argc, const char* const* argv,
                                 const VersionText& version) {
  CLI::App& app = *bound.app;
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return option_document(app, bound.choices, "help");
  } catch (const CLI::CallForAllHelp&) {
    return option_document(app, bound.choices, "short help");
  } catch (const CLI::ExtrasError&) {
    throw unknown_argument(app);
  } catch (const CLI::ArgumentMismatch& error) {
    throw wrong_value_count(error.what());
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
  if (!given(app, "--version").empty()) {
    return std::string("mnist-trainer ") + kVersion + " (" + kRevision + "), " + version() + "\n";
  }
  const std::string kind = given(app, "--generate");
  if (kind.empty()) return std::nullopt;
  return option_document(app, bound.choices, kind);
}

/// Throws UsageError if more than one of `flags` is given.
void refuse_together(const CLI::App& app, std::initializer_list<const char*> flags) {
  std::string first;
  for (const char* flag : flags) {
    if (given(app, flag).empty()) continue;
    if (!first.empty()) {
      throw UsageError(first + " cannot be combined with " + flag + "; drop one of them");
    }
    first = flag;
  }
}

/// Sets the options from --config, --recipe or --resume.
void read_stored_options(const CLI::App& app, TrainOptions& options) {
  refuse_together(app, {"--config", "--recipe", "--resume"});
  refuse_together(app, {"--auto-resume", "--resume"});
  const std::string config = given(app, "--config");
  const std::string recipe = given(app, "--recipe");
  const std::string resume = given(app, "--resume");
  if (!config.empty()) read_toml_file(config, options);
  if (!recipe.empty()) read_toml_file(recipe_path(recipe), options);
  if (!resume.empty()) options = load_checkpoint(resume).options;
  options.resume = resume;
  options.auto_resume = given(app, "--auto-resume") == "true";
}

}  // namespace

template <class Options>
CommandLine parse_command_line(int argc, const char* const* argv, const VersionText& version,
                               Options& options) {
  constexpr bool kTrains = std::is_same_v<Options, TrainOptions>;
  read_environment(options);
  const BoundApp bound = make_app(options);
  if (const auto text = parse(bound, argc, argv, version)) return {false, *text};
  if constexpr (kTrains) read_stored_options(*bound.app, options);
  const Options before_flags = options;
  apply_flags(*bound.app, options);
  if constexpr (kTrains) {
    if (!options.resume.empty()) check_resumable(before_flags, options);
  }
  validate(options);
  if constexpr (kTrains) {
    if (!given(*bound.app, "--print-config").empty()) return {false, to_toml(options)};
  }
  return {};
}
template CommandLine parse_command_line(int, const char* const*, const VersionText&, TrainOptions&);
template CommandLine parse_command_line(int, const char* const*, const VersionText&, EvalOptions&);
template CommandLine parse_command_line(int, const char* const*, const VersionText&,
                                        PredictOptions&);
template CommandLine parse_command_line(int, const char* const*, const VersionText&,
                                        ExportOptions&);

}  // namespace mnist
