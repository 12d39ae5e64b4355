// Shell completions and man pages, generated from the command line itself.
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

/// Completions of `app` for the shell `kind` (bash, fish or zsh), or its man page ("man"). Throws
/// UsageError for any other `kind`.
std::string option_document(const CLI::App& app, const OptionChoices& choices,
                            const std::string& kind);

}  // namespace mnist
