// One function per format, each with its escaping.
#include "cli/option_documents.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>
#include <map>
#include <sstream>

#include <spdlog/fmt/fmt.h>

#include "mnist/support/version.hpp"
#include "support/text.hpp"

namespace mnist {
namespace {

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
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

/// "--data DIR", "--json" or "FILE...".
std::string synopsis(const DocumentedOption& option) {
  if (option.is_positional) return option.value_name + "...";
  return option.flag() + (option.is_switch() ? "" : " " + option.value_name);
}

/// "mnist-predict [OPTION]... FILE...".
std::string usage(const DocumentedProgram& program) {
  std::string text = program.name + " [OPTION]...";
  for (const DocumentedOption& option : program.options) {
    if (option.is_positional) text += " " + synopsis(option);
  }
  return text;
}

std::string exit_codes(const DocumentedProgram& program) {
  const bool has_requirement =
      std::any_of(program.options.begin(), program.options.end(),
                  [](const DocumentedOption& option) { return option.name == "require-accuracy"; });
  return std::string("0 success, 1 failure, 2 usage, ") +
         (has_requirement ? "3 below the required accuracy, " : "") + "128+N signal N";
}

std::string help_entry(const DocumentedOption& option) {
  constexpr std::size_t kWidth = 100;
  constexpr std::size_t kColumn = 28;
  const std::string short_flag =
      option.short_name().empty() ? "" : "-" + option.short_name() + ", ";
  std::istringstream help(option.help);
  std::vector<std::string> words{std::istream_iterator<std::string>(help), {}};
  if (!option.default_text.empty()) words.push_back("[default: " + option.default_text + "]");

  std::string text;
  std::string line = "  " + short_flag + synopsis(option);
  if (line.size() + 2 > kColumn) {
    text = line + "\n";
    line.clear();
  }
  line.resize(kColumn - 1, ' ');
  for (const std::string& word : words) {
    if (line.size() + 1 + word.size() > kWidth) {
      text += line + "\n";
      line.assign(kColumn - 1, ' ');
    }
    line += " " + word;
  }
  return text + line + "\n";
}

/// How a shell completes the values of options; "{{choices}}" stands for the names of an
/// enumeration.
struct ValueCompletion {
  std::string_view file;
  std::string_view directory;
  std::string_view choice;
  std::string_view other;
};

std::string value_completion(const DocumentedOption& option, const ValueCompletion& shell) {
  if (!option.choices.empty()) {
    return fill_template(shell.choice, {{"choices", joined(option.choices)}});
  }
  if (option.value_name == "FILE") return std::string(shell.file);
  return std::string(option.value_name == "DIR" ? shell.directory : shell.other);
}

std::string bash_completion(const DocumentedProgram& program) {
  constexpr std::string_view kTemplate = R"(# bash completion for {{program}}
{{function}}() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  case $before in
{{cases}}  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W '{{flags}}' -- "$word"))
  else
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -o filenames -F {{function}} {{program}}
)";
  constexpr ValueCompletion kValues{
      .file = R"($(compgen -f -- "$word"))",
      .directory = R"($(compgen -d -- "$word"))",
      .choice = R"($(compgen -W '{{choices}}' -- "$word"))",
      .other = "",
  };
  std::vector<std::string> flags;
  std::string cases;
  for (const DocumentedOption& option : program.options) {
    if (option.is_positional) continue;
    flags.push_back(option.flag());
    if (option.is_switch()) continue;
    cases += fmt::format("    --{}) COMPREPLY=({}); return ;;\n", option.name,
                         value_completion(option, kValues));
  }
  const std::string function = "_" + escaped(program.name, {{'-', "_"}});
  return fill_template(kTemplate, {{"program", program.name},
                                   {"function", function},
                                   {"cases", cases},
                                   {"flags", joined(flags)}});
}

std::string fish_completion(const DocumentedProgram& program) {
  constexpr ValueCompletion kValues{
      .file = " -r -F",
      .directory = " -x -a '(__fish_complete_directories)'",
      .choice = " -x -a '{{choices}}'",
      .other = " -x",
  };
  std::string text = "# fish completion for " + program.name + "\n";
  for (const DocumentedOption& option : program.options) {
    if (option.is_positional) continue;
    text += fmt::format("complete -c {} -l {}", program.name, option.name);
    if (!option.short_name().empty()) text += " -s " + option.short_name();
    if (!option.is_switch()) text += value_completion(option, kValues);
    text += " -d '" + escaped(option.help, {{'\\', "\\\\"}, {'\'', "\\'"}}) + "'\n";
  }
  return text;
}

std::string zsh_completion(const DocumentedProgram& program) {
  constexpr ValueCompletion kValues{
      .file = "_files", .directory = "_files -/", .choice = "({{choices}})", .other = " "};
  // A single-quoted string cannot contain a quote: close it, add an escaped one, reopen it.
  const std::map<char, std::string> escapes{
      {'[', "\\["}, {']', "\\]"}, {':', "\\:"}, {'\\', "\\\\"}, {'\'', "'\\''"}};
  std::string text = "#compdef " + program.name + "\n_arguments -s \\\n";
  for (const DocumentedOption& option : program.options) {
    std::string argument = "*";
    if (!option.is_positional) {
      argument = fmt::format("--{}[{}]", option.name, escaped(option.help, escapes));
    }
    if (!option.is_switch()) {
      argument += ":" + option.value_name + ":" + value_completion(option, kValues);
    }
    text += "  '" + argument + "' \\\n";
  }
  return text + "  && return 0\n";
}

/// Escapes `text` for troff, with hyphens that can be copied as such.
std::string troff(const std::string& text) {
  const std::string result = escaped(text, {{'-', "\\-"}, {'\\', "\\e"}, {'\'', "\\(aq"}});
  return (result.starts_with('.') ? "\\&" : "") + result;
}

std::string man_entry(const DocumentedOption& option) {
  std::string text = ".TP\n";
  if (option.is_positional) {
    text += "\\fI" + troff(option.value_name) + "\\fR ...";
  } else {
    if (!option.short_name().empty()) text += "\\fB\\-" + option.short_name() + "\\fR, ";
    text += "\\fB\\-\\-" + troff(option.name) + "\\fR";
    if (!option.is_switch()) text += " \\fI" + troff(option.value_name) + "\\fR";
  }
  text += "\n" + troff(option.help);
  if (!option.choices.empty()) text += "; one of " + troff(joined(option.choices));
  if (!option.default_text.empty()) text += " (default: " + troff(option.default_text) + ")";
  return text + ".\n";
}

/// Troff source for section 1; see man-pages(7).
std::string man_page(const DocumentedProgram& program) {
  constexpr std::string_view kTemplate = R"(.TH {{title}} 1 "" "mnist\-trainer {{version}}"
.SH NAME
{{name}} \- {{description}}
.SH SYNOPSIS
{{usage}}
.SH OPTIONS
{{options}}.SH EXAMPLES
.nf{{examples}}.fi
.SH EXIT STATUS
{{exit_codes}}.
)";
  std::string title = program.name;
  for (char& letter : title) letter = static_cast<char>(std::toupper(letter));
  std::string options;
  std::string group;
  for (const DocumentedOption& option : program.options) {
    if (option.group != group) options += ".SS " + troff(option.group) + "\n";
    group = option.group;
    options += man_entry(option);
  }
  return fill_template(kTemplate, {{"title", troff(title)},
                                   {"version", kVersion},
                                   {"name", troff(program.name)},
                                   {"description", troff(program.description)},
                                   {"usage", troff(usage(program))},
                                   {"options", options},
                                   {"examples", troff(program.examples)},
                                   {"exit_codes", troff(exit_codes(program))}});
}

std::string markdown_row(const DocumentedOption& option) {
  // Pipes separate cells, and Markdown takes <...> for HTML.
  const auto cell = [](const std::string& text) {
    return escaped(text, {{'|', "\\|"}, {'<', "&lt;"}});
  };
  const bool help_lists_choices = std::all_of(
      option.choices.begin(), option.choices.end(),
      [&](const std::string& choice) { return option.help.find(choice) != std::string::npos; });
  const std::string choices =
      help_lists_choices ? "" : fmt::format(": `{}`", fmt::join(option.choices, "`, `"));
  const std::string default_cell =
      option.default_text.empty() ? "" : "`" + cell(option.default_text) + "` ";
  return fmt::format("| `{}` | {}| {}{} |\n", synopsis(option), default_cell, cell(option.help),
                     choices);
}

std::string markdown_section(const DocumentedProgram& program) {
  std::string text =
      fmt::format("## {}\n\n{}\n\n    {}\n", program.name, program.description, usage(program));
  std::string group;
  for (const DocumentedOption& option : program.options) {
    if (option.group != group) {
      text +=
          fmt::format("\n### {}\n\n| option | default | meaning |\n|---|---|---|\n", option.group);
    }
    group = option.group;
    text += markdown_row(option);
  }
  return text;
}

}  // namespace

std::string help_text(const DocumentedProgram& program, bool brief) {
  std::string text = fmt::format("{}\n\nUsage: {}\n", program.description, usage(program));
  const std::string& first = program.options.front().group;
  const std::string& last = program.options.back().group;
  std::string group;
  for (const DocumentedOption& option : program.options) {
    if (brief && option.group != first && option.group != last) continue;
    if (option.group != group) text += "\n" + option.group + ":\n";
    group = option.group;
    text += help_entry(option);
  }
  return text +
         fmt::format("\nExamples:{}\nExit codes: {}.\n", program.examples, exit_codes(program));
}

std::string document_text(const DocumentedProgram& program, DocumentKind kind) {
  // In the order of DocumentKind.
  constexpr std::array kFormats{bash_completion, fish_completion, zsh_completion, man_page,
                                markdown_section};
  return kFormats.at(static_cast<std::size_t>(kind))(program);
}

}  // namespace mnist
