// Reads the options back from CLI11 and prints them in each format, with its escaping.
#include "cli/option_documents.hpp"

#include <algorithm>
#include <cctype>
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
    if (!option->get_positional()) flag.name = option->get_lnames().at(0);
    if (!option->get_snames().empty()) flag.short_name = option->get_snames()[0];
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

/// `text` with a backslash before each character in `special`.
std::string escaped(const std::string& text, const std::string& special) {
  std::string result;
  for (const char letter : text) {
    if (special.find(letter) != std::string::npos) result += '\\';
    result += letter;
  }
  return result;
}

/// The name of the program's completion function.
std::string function_name(const CLI::App& app) {
  std::string name = "_" + app.get_name();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
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
  const std::string function = function_name(app);
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
    text += " -d '" + escaped(flag.help, "\\'") + "'\n";
  }
  return text;
}

std::string zsh_completion(const CLI::App& app, const std::vector<Flag>& flags) {
  std::string text = "#compdef " + app.get_name() + "\n_arguments -s \\\n";
  for (const Flag& flag : flags) {
    std::string action = " ";
    if (flag.kind == ValueKind::kFile) action = "_files";
    if (flag.kind == ValueKind::kDirectory) action = "_files -/";
    if (flag.kind == ValueKind::kChoice) action = "(" + joined(flag.choices) + ")";
    std::string argument = flag.name.empty() ? "*" : "--" + flag.name;
    if (!flag.name.empty()) {
      // A single-quoted string cannot contain a quote: close it, add an escaped one, reopen it.
      std::string help;
      for (const char letter : escaped(flag.help, "[]:\\")) {
        help += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
      }
      argument += "[" + help + "]";
    }
    if (flag.kind != ValueKind::kSwitch) argument += ":" + flag.value_name + ":" + action;
    text += "  '" + argument + "' \\\n";
  }
  return text + "  && return 0\n";
}

/// Escapes `text` for troff, with hyphens that can be copied as such.
std::string troff(const std::string& text) {
  std::string result;
  for (const char letter : text) {
    if (letter == '-')
      result += "\\-";
    else if (letter == '\\')
      result += "\\e";
    else if (letter == '\'')
      result += "\\(aq";
    else
      result += letter;
  }
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

}  // namespace

std::string shell_completion(const CLI::App& app, const OptionChoices& choices,
                             const std::string& shell) {
  const std::vector<Flag> flags = flags_of(app, choices);
  if (shell == "bash") return bash_completion(app, flags);
  if (shell == "fish") return fish_completion(app, flags);
  if (shell == "zsh") return zsh_completion(app, flags);
  throw UsageError("--generate: expected bash, fish, zsh or man, found '" + shell + "'");
}

std::string man_page(const CLI::App& app, const OptionChoices& choices) {
  std::string title = app.get_name();
  for (char& letter : title) letter = static_cast<char>(std::toupper(letter));
  std::string text = ".TH " + troff(title) + " 1 \"\" \"mnist\\-trainer " + kVersion + "\"\n";
  text += ".SH NAME\n" + troff(app.get_name()) + " \\- " + troff(app.get_description()) + "\n";
  text += ".SH SYNOPSIS\n\\fB" + troff(app.get_name()) + "\\fR [\\fIoption\\fR]...";
  const std::vector<Flag> flags = flags_of(app, choices);
  for (const Flag& flag : flags) {
    if (flag.name.empty()) text += " \\fI" + troff(flag.value_name) + "\\fR...";
  }
  text += "\n.SH OPTIONS\n";
  std::string group;
  std::string help_entries;
  for (const Flag& flag : flags) {
    if (flag.group == "Help") {  // --help comes first in CLI11's list, last in what it prints
      help_entries += man_entry(flag);
      continue;
    }
    if (group != flag.group) text += ".SS " + troff(flag.group) + "\n";
    group = flag.group;
    text += man_entry(flag);
  }
  text += ".SS Help\n" + help_entries;
  return text +
         ".SH EXIT STATUS\n0 success, 1 failure, 2 usage, 3 below the required accuracy, "
         "128+N signal N.\n";
}

}  // namespace mnist
