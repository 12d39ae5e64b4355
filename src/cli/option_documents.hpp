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

/// Completions of `app` for bash, fish or zsh. Throws UsageError for any other `shell`.
std::string shell_completion(const CLI::App& app, const OptionChoices& choices,
                             const std::string& shell);

/// The man page of `app` for section 1, as troff source (see man-pages(7)).
std::string man_page(const CLI::App& app, const OptionChoices& choices);

}  // namespace mnist
