// Help, completions, man pages and docs/reference.md, generated from the command line itself.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace mnist {

/// The values of each enumeration option, by flag name without dashes.
using OptionChoices = std::map<std::string, std::vector<std::string>>;

/// The text of this `kind`: "help", or "short help" with the first group of options alone;
/// completions for "bash", "fish" or "zsh"; the man page, "man"; option_reference(), "markdown".
/// The footer of `app` holds its examples. Throws UsageError for any other `kind`.
std::string option_document(const CLI::App& app, const OptionChoices& choices,
                            const std::string& kind);

/// The section of docs/reference.md about `app`: a table of options for each group.
std::string option_reference(const CLI::App& app, const OptionChoices& choices);

}  // namespace mnist
