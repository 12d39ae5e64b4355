// The options of a program as Markdown, for docs/reference.md.
#include <algorithm>

#include <CLI/CLI.hpp>

#include "cli/option_documents.hpp"

namespace mnist {
namespace {

/// `text` as the content of a table cell: pipes separate cells, and Markdown takes <...> for HTML.
std::string cell(const std::string& text) {
  std::string result;
  for (const char letter : text) {
    if (letter == '|') result += "\\|";
    if (letter == '<') result += "&lt;";
    if (letter != '|' && letter != '<') result += letter;
  }
  return result;
}

/// The values of an enumeration option, unless its help already lists them.
std::string values_text(const std::vector<std::string>& values, const std::string& help) {
  const bool listed = std::all_of(values.begin(), values.end(), [&](const std::string& value) {
    return help.find(value) != std::string::npos;
  });
  if (listed) return "";
  std::string text = ": ";
  for (const std::string& value : values)
    text += (&value == &values.front() ? "`" : ", `") + value + "`";
  return text;
}

std::string table_row(const CLI::Option& option, const OptionChoices& choices) {
  std::string flag;
  if (!option.get_positional()) flag += "--" + option.get_lnames().at(0);
  const std::string value_name = option.get_type_size() == 0 ? "" : option.get_type_name();
  if (!value_name.empty()) flag += (flag.empty() ? "" : " ") + value_name;
  if (option.get_positional()) flag += "...";
  const std::string help = option.get_description();
  const auto found =
      option.get_lnames().empty() ? choices.end() : choices.find(option.get_lnames()[0]);
  const std::string values = found == choices.end() ? "" : values_text(found->second, help);
  const std::string standard = option.get_default_str();
  return "| `" + flag + "` | " + (standard.empty() ? "" : "`" + cell(standard) + "` ") + "| " +
         cell(help) + values + " |\n";
}

}  // namespace

std::string option_reference(const CLI::App& app, const OptionChoices& choices) {
  std::vector<std::string> groups;
  std::string usage = "    " + app.get_name() + " [option]...";
  for (const CLI::Option* option : app.get_options()) {
    if (option == app.get_help_all_ptr()) continue;  // -h, which the help of --help explains
    if (option->get_positional()) usage += " " + option->get_type_name() + "...";
    const std::string& group = option->get_group();
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  }
  // CLI11 creates --help first, and help texts show it last.
  std::stable_partition(groups.begin(), groups.end(),
                        [](const std::string& group) { return group != "Help"; });
  std::string text =
      "## " + app.get_name() + "\n\n" + app.get_description() + "\n\n" + usage + "\n";
  for (const std::string& group : groups) {
    text += "\n### " + group + "\n\n| option | default | meaning |\n|---|---|---|\n";
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_group() == group && option != app.get_help_all_ptr())
        text += table_row(*option, choices);
    }
  }
  return text;
}

}  // namespace mnist
