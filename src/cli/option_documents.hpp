// Help, shell completions and man pages, generated from the command line itself.
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
/// completions for "bash", "fish" or "zsh"; the man page, "man". The footer of `app` holds its
/// examples. Throws UsageError for any other `kind`.
std::string option_document(const CLI::App& app, const OptionChoices& choices,
                            const std::string& kind);

}  // namespace mnist
