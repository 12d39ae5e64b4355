// Reads the options back from CLI11 and prints them in each format, with its escaping.
#include "cli/option_documents.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <sstream>
#include <utility>

#include <CLI/CLI.hpp>

#include "mnist/support/error.hpp"
#include "mnist/support/version.hpp"

namespace mnist {
namespace {

/// How shells complete an option's value.
enum class ValueKind { kSwitch, kFile, kDirectory, kChoice, kOther };

/// One option. Positional arguments have an empty `name`.
struct Flag {
  std::string name;        ///< without dashes
  std::string short_name;  ///< one letter, or empty
  std::string value_name;
  std::string help;
  std::string group;
  std::string default_text;
  std::vector<std::string> choices;
  ValueKind kind = ValueKind::kOther;
};

ValueKind kind_of(const Flag& flag) {
  if (!flag.choices.empty()) return ValueKind::kChoice;
  if (flag.value_name.empty()) return ValueKind::kSwitch;
  if (flag.value_name == "FILE") return ValueKind::kFile;
  return flag.value_name == "DIR" ? ValueKind::kDirectory : ValueKind::kOther;
}

std::vector<Flag> flags_of(const CLI::App& app, const OptionChoices& choices) {
  std::vector<Flag> flags;
  for (const CLI::Option* option : app.get_options()) {
    Flag flag;
    if (option == app.get_help_all_ptr()) continue;  // -h, shown together with --help
    if (!option->get_positional()) flag.name = option->get_lnames().at(0);
    if (option == app.get_help_ptr()) flag.short_name = "h";
    if (option->get_type_size() != 0) flag.value_name = option->get_type_name();
    flag.help = option->get_description();
    flag.group = option->get_group();
    flag.default_text = option->get_default_str();
    const auto found = choices.find(flag.name);
    if (found != choices.end()) flag.choices = found->second;
    flag.kind = kind_of(flag);
    flags.push_back(std::move(flag));
  }
  return flags;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

/// `text` with some characters replaced by their escape sequences.
std::string escaped(const std::string& text, const std::map<char, std::string>& escapes) {
  std::string result;
  for (const char letter : text) {
    const auto found = escapes.find(letter);
    result += found == escapes.end() ? std::string(1, letter) : found->second;
  }
  return result;
}

/// The names of the groups, in order.
std::vector<std::string> groups_of(const std::vector<Flag>& flags) {
  std::vector<std::string> groups;
  for (const Flag& flag : flags) {
    if (std::find(groups.begin(), groups.end(), flag.group) == groups.end()) {
      groups.push_back(flag.group);
    }
  }
  return groups;
}

/// "mnist-predict [OPTION]... FILE...".
std::string usage(const CLI::App& app, const std::vector<Flag>& flags) {
  std::string text = app.get_name() + " [OPTION]...";
  for (const Flag& flag : flags) {
    if (flag.name.empty()) text += " " + flag.value_name + "...";
  }
  return text;
}

std::string exit_codes(const CLI::App& app) {
  const bool has_requirement = app.get_option_no_throw("--require-accuracy") != nullptr;
  return std::string("0 success, 1 failure, 2 usage, ") +
         (has_requirement ? "3 below the required accuracy, " : "") + "128+N signal N";
}

std::string help_entry(const Flag& flag) {
  constexpr std::size_t kWidth = 100;
  constexpr std::size_t kColumn = 28;
  std::string text = "  " + (flag.short_name.empty() ? "" : "-" + flag.short_name + ", ");
  text += flag.name.empty() ? flag.value_name + "..." : "--" + flag.name;
  if (!flag.name.empty() && !flag.value_name.empty()) text += " " + flag.value_name;
  const std::string line_break = "\n" + std::string(kColumn, ' ');
  text += text.size() + 2 > kColumn ? line_break : std::string(kColumn - text.size(), ' ');
  std::istringstream help(flag.help);
  std::vector<std::string> words{std::istream_iterator<std::string>(help), {}};
  if (!flag.default_text.empty()) words.push_back("[default: " + flag.default_text + "]");
  std::size_t column = kColumn;
  for (const std::string& word : words) {
    if (column > kColumn && column + 1 + word.size() > kWidth) {
      text += line_break;
      column = kColumn;
    }
    text += (column > kColumn ? " " : "") + word;
    column += word.size() + (column > kColumn ? 1 : 0);
  }
  return text + "\n";
}

/// With `all` false, only the first group and the help.
std::string help_text(const CLI::App& app, const std::vector<Flag>& flags, bool all) {
  std::string text = app.get_description() + "\n\nUsage: " + usage(app, flags) + "\n";
  const std::vector<std::string> groups = groups_of(flags);
  for (const std::string& group : groups) {
    if (!all && group != groups.front() && group != groups.back()) continue;
    text += "\n" + group + ":\n";
    for (const Flag& flag : flags) {
      if (flag.group == group) text += help_entry(flag);
    }
  }
  return text + "\nExamples:\n" + app.get_footer() + "\nExit codes: " + exit_codes(app) + ".\n";
}

std::string bash_completion(const CLI::App& app, const std::vector<Flag>& flags) {
  std::string all;
  std::string cases;
  for (const Flag& flag : flags) {
    if (flag.name.empty()) continue;
    all += (all.empty() ? "--" : " --") + flag.name;
    if (flag.kind == ValueKind::kSwitch) continue;
    cases += "    --" + flag.name + ") COMPREPLY=(";
    if (flag.kind == ValueKind::kFile) cases += "$(compgen -f -- \"$word\")";
    if (flag.kind == ValueKind::kDirectory) cases += "$(compgen -d -- \"$word\")";
    if (flag.kind == ValueKind::kChoice) {
      cases += "$(compgen -W '" + joined(flag.choices) + "' -- \"$word\")";
    }
    cases += "); return ;;\n";
  }
  std::string function = "_" + app.get_name();
  std::replace(function.begin(), function.end(), '-', '_');
  return "# bash completion for " + app.get_name() + "\n" + function + "() {\n" +
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}\n" +
         "  case $before in\n" + cases + "  esac\n  if [[ $word == -* ]]; then\n" +
         "    COMPREPLY=($(compgen -W '" + all + "' -- \"$word\"))\n  else\n" +
         "    COMPREPLY=($(compgen -f -- \"$word\"))\n  fi\n}\ncomplete -o filenames -F " +
         function + " " + app.get_name() + "\n";
}

std::string fish_completion(const CLI::App& app, const std::vector<Flag>& flags) {
  std::string text = "# fish completion for " + app.get_name() + "\n";
  for (const Flag& flag : flags) {
    if (flag.name.empty()) continue;
    text += "complete -c " + app.get_name() + " -l " + flag.name;
    if (!flag.short_name.empty()) text += " -s " + flag.short_name;
    if (flag.kind == ValueKind::kFile) text += " -r -F";
    if (flag.kind == ValueKind::kDirectory) text += " -x -a '(__fish_complete_directories)'";
    if (flag.kind == ValueKind::kChoice) text += " -x -a '" + joined(flag.choices) + "'";
    if (flag.kind == ValueKind::kOther) text += " -x";
    text += " -d '" + escaped(flag.help, {{'\\', "\\\\"}, {'\'', "\\'"}}) + "'\n";
  }
  return text;
}

std::string zsh_completion(const CLI::App& app, const std::vector<Flag>& flags) {
  // A single-quoted string cannot contain a quote: close it, add an escaped one, reopen it.
  const std::map<char, std::string> escapes{
      {'[', "\\["}, {']', "\\]"}, {':', "\\:"}, {'\\', "\\\\"}, {'\'', "'\\''"}};
  std::string text = "#compdef " + app.get_name() + "\n_arguments -s \\\n";
  for (const Flag& flag : flags) {
    std::string action = " ";
    if (flag.kind == ValueKind::kFile) action = "_files";
    if (flag.kind == ValueKind::kDirectory) action = "_files -/";
    if (flag.kind == ValueKind::kChoice) action = "(" + joined(flag.choices) + ")";
    std::string argument = "*";
    if (!flag.name.empty()) {
      argument = "--" + flag.name + "[" + escaped(flag.help, escapes) + "]";
    }
    if (flag.kind != ValueKind::kSwitch) argument += ":" + flag.value_name + ":" + action;
    text += "  '" + argument + "' \\\n";
  }
  return text + "  && return 0\n";
}

/// Escapes `text` for troff, with hyphens that can be copied as such.
std::string troff(const std::string& text) {
  const std::string result = escaped(text, {{'-', "\\-"}, {'\\', "\\e"}, {'\'', "\\(aq"}});
  return (result.starts_with('.') ? "\\&" : "") + result;
}

std::string man_entry(const Flag& flag) {
  std::string text = ".TP\n";
  if (flag.name.empty()) {
    text += "\\fI" + troff(flag.value_name) + "\\fR ...";
  } else {
    if (!flag.short_name.empty()) text += "\\fB\\-" + flag.short_name + "\\fR, ";
    text += "\\fB\\-\\-" + troff(flag.name) + "\\fR";
    if (!flag.value_name.empty()) text += " \\fI" + troff(flag.value_name) + "\\fR";
  }
  text += "\n" + troff(flag.help);
  if (!flag.choices.empty()) text += "; one of " + troff(joined(flag.choices));
  if (!flag.default_text.empty()) text += " (default: " + troff(flag.default_text) + ")";
  return text + ".\n";
}

/// Troff source for section 1; see man-pages(7).
std::string man_page(const CLI::App& app, const std::vector<Flag>& flags) {
  std::string title = app.get_name();
  for (char& letter : title) letter = static_cast<char>(std::toupper(letter));
  std::string text = ".TH " + troff(title) + " 1 \"\" \"mnist\\-trainer " + kVersion + "\"\n";
  text += ".SH NAME\n" + troff(app.get_name()) + " \\- " + troff(app.get_description()) + "\n";
  text += ".SH SYNOPSIS\n" + troff(usage(app, flags)) + "\n.SH OPTIONS\n";
  for (const std::string& group : groups_of(flags)) {
    text += ".SS " + troff(group) + "\n";
    for (const Flag& flag : flags) {
      if (flag.group == group) text += man_entry(flag);
    }
  }
  return text + ".SH EXAMPLES\n.nf\n" + troff(app.get_footer()) + ".fi\n.SH EXIT STATUS\n" +
         troff(exit_codes(app)) + ".\n";
}

}  // namespace

std::string option_document(const CLI::App& app, const OptionChoices& choices,
                            const std::string& kind) {
  if (kind == "markdown") return option_reference(app, choices);
  const std::vector<Flag> flags = flags_of(app, choices);
  if (kind == "bash") return bash_completion(app, flags);
  if (kind == "fish") return fish_completion(app, flags);
  if (kind == "zsh") return zsh_completion(app, flags);
  if (kind == "man") return man_page(app, flags);
  if (kind == "help") return help_text(app, flags, true);
  if (kind == "short help") return help_text(app, flags, false);
  throw UsageError("--generate: expected bash, fish, zsh, man or markdown, found '" + kind + "'");
}

}  // namespace mnist
