// One CLI11 option per table row; CLI11's own errors are reworded.
#include "cli/command_line.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <system_error>
#include <utility>

#include <CLI/CLI.hpp>

#include "cli/option_documents.hpp"
#include "mnist/support/error.hpp"
#include "mnist/support/version.hpp"
#include "options/option_differences.hpp"
#include "options/option_text.hpp"
#include "options/toml.hpp"
#include "options/train_option_table.hpp"
#include "support/bytes.hpp"
#include "train/run_dir.hpp"

namespace mnist {
namespace {

/// The installed recipes, or those of the build directory. MNIST_SHARE_FROM_BIN is the path from
/// the directory of the programs to that of their data.
std::filesystem::path recipe_directory() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return (program.parent_path() / MNIST_SHARE_FROM_BIN / "recipes").lexically_normal();
}

std::vector<std::string> recipe_names() {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(recipe_directory(), error)) {
    if (file.path().extension() == ".toml") names.push_back(file.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// The TOML file of a recipe. Throws UsageError that lists the available names.
std::string recipe_path(const std::string& name) {
  const std::vector<std::string> names = recipe_names();
  if (names.empty()) {
    throw UsageError("--recipe " + name + ": there are no recipes in " +
                     recipe_directory().string());
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  with_source<UsageError>("--recipe", [&] { return find_name(name, views); });
  return recipe_directory() / (name + ".toml");
}

template <class Value>
constexpr bool kIsPositional = std::is_same_v<Value, std::vector<std::string>>;

template <class Options>
void read_environment(Options& options) {
  for_each_option(options, [](auto& value, const OptionInfo& info) {
    if constexpr (!kIsPositional<std::decay_t<decltype(value)>>) {
      const char* text = std::getenv(info.environment.c_str());  // null for ""
      if (text == nullptr || *text == '\0') return;
      with_source<UsageError>(info.environment, [&] { parse_option(text, value); });
    }
  });
}

template <class Enum>
std::vector<std::string> names_of() {
  return {kEnumNames<Enum>.begin(), kEnumNames<Enum>.end()};
}

/// Adds the flags of mnist-train that say where other options come from.
void add_option_sources(std::vector<DocumentedOption>& options) {
  const std::string main_group = options.front().group;
  const auto main_end =
      std::find_if(options.begin(), options.end(),
                   [&](const DocumentedOption& option) { return option.group != main_group; });
  DocumentedOption recipe{
      {"recipe", "NAME", "options of a recipe; flags override them", main_group}};
  recipe.choices = recipe_names();
  options.insert(main_end, recipe);
  const std::string group = "Configuration";
  options.insert(
      options.end(),
      {{{"config", "FILE", "options from a TOML file; flags override them", group}},
       {{"resume", "DIR", "resume the run in this directory; --epochs may be raised", group}},
       {{"auto-resume", "",
         "start the run in --run-dir, resume it, or, if it is complete, print its summary", group}},
       {{"print-config", "", "print the options as TOML and exit", group}}});
}

/// The command line of a program; the values in `options` are its defaults.
template <class Options>
DocumentedProgram describe(const Options& options) {
  DocumentedProgram program{Options::kProgram, Options::kDescription, Options::kExamples, {}};
  for_each_option(options, [&](const auto& value, const OptionInfo& info) {
    using Value = std::decay_t<decltype(value)>;
    DocumentedOption option{info};
    if (!info.environment.empty()) option.help += " [environment: " + info.environment + "]";
    option.is_positional = kIsPositional<Value>;
    if constexpr (std::is_enum_v<Value>) option.choices = names_of<Value>();
    if constexpr (!kIsPositional<Value>) {
      if (!option.is_switch()) option.default_text = option_text(value);
    }
    program.options.push_back(std::move(option));
  });
  if (std::is_same_v<Options, TrainOptions>) add_option_sources(program.options);
  const std::string group = "Help";
  program.options.insert(
      program.options.end(),
      {{{"help", "", "print all options and exit; -h prints the main ones", group}},
       {{"version", "", "print version information and exit", group}},
       {{"generate", "KIND",
         "print shell completions (bash, fish or zsh), a man page (man) or Markdown (markdown) and "
         "exit",
         group}}});
  program.options.back().choices = names_of<DocumentKind>();
  return program;
}

void add_flags(CLI::App& app, const std::vector<DocumentedOption>& options) {
  app.set_help_flag("--help");
  app.set_help_all_flag("-h");
  for (const DocumentedOption& option : options) {
    if (option.name == "help") continue;
    if (option.is_positional) {
      app.add_option(option.name)->expected(CLI::detail::expected_max_vector_size);  // one or more
    } else if (option.is_switch()) {
      app.add_flag(option.flag());
    } else {
      app.add_option(option.flag());
    }
  }
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
      const std::string flag = info.flag();
      if (app.get_option(flag)->count() == 0) return;
      with_source<UsageError>(flag, [&] { parse_option(given(app, flag), value); });
    }
  });
}

UsageError unknown_argument(const std::vector<std::string>& unknown,
                            const std::vector<DocumentedOption>& options) {
  const auto flag = std::find_if(unknown.begin(), unknown.end(),
                                 [](const std::string& text) { return text.starts_with('-'); });
  if (flag == unknown.end()) return UsageError("unexpected argument '" + unknown.at(0) + "'");
  const std::string typed = flag->substr(0, flag->find('='));
  std::vector<std::string> names;
  for (const DocumentedOption& option : options) {
    if (!option.is_positional) names.push_back(option.name);
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
std::optional<std::string> parse(CLI::App& app, const DocumentedProgram& program,
                                 Arguments arguments, VersionText version) {
  add_flags(app, program.options);
  try {
    app.parse(static_cast<int>(arguments.size()), arguments.data());
  } catch (const CLI::CallForHelp&) {
    return help_text(program, /*brief=*/false);
  } catch (const CLI::CallForAllHelp&) {
    return help_text(program, /*brief=*/true);
  } catch (const CLI::ExtrasError&) {
    throw unknown_argument(app.remaining(), program.options);
  } catch (const CLI::ArgumentMismatch& error) {
    throw wrong_value_count(error.what());
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
  if (!given(app, "--version").empty()) return program_version() + ", " + version() + "\n";
  const std::string kind_name = given(app, "--generate");
  if (kind_name.empty()) return std::nullopt;
  DocumentKind kind{};
  with_source<UsageError>("--generate", [&] { parse_option(kind_name, kind); });
  return document_text(program, kind);
}

/// Throws UsageError if more than one of `flags` is given.
void reject_together(const CLI::App& app, std::initializer_list<const char*> flags) {
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
  reject_together(app, {"--config", "--recipe", "--resume"});
  reject_together(app, {"--auto-resume", "--resume"});
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
std::optional<std::string> parse_command_line(Arguments arguments, VersionText version,
                                              Options& options) {
  constexpr bool kTrains = std::is_same_v<Options, TrainOptions>;
  read_environment(options);
  CLI::App app;
  if (auto text = parse(app, describe(options), arguments, version)) return text;
  if constexpr (kTrains) read_stored_options(app, options);
  const Options before_flags = options;
  apply_flags(app, options);
  if constexpr (kTrains) {
    if (!options.resume.empty()) check_resumable(before_flags, options);
  }
  validate(options);
  if constexpr (kTrains) {
    if (!given(app, "--print-config").empty()) return to_toml(options);
  }
  return std::nullopt;
}
template std::optional<std::string> parse_command_line(Arguments, VersionText, TrainOptions&);
template std::optional<std::string> parse_command_line(Arguments, VersionText, EvalOptions&);
template std::optional<std::string> parse_command_line(Arguments, VersionText, PredictOptions&);
template std::optional<std::string> parse_command_line(Arguments, VersionText, ExportOptions&);

}  // namespace mnist
