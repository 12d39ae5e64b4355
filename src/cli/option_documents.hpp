// What other programs want to know of a command line: completions for shells, and man pages. Made
// from the command line itself, so that they cannot disagree with it.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace mnist {

/// The values that an option may take, by the option's name without its dashes.
using OptionChoices = std::map<std::string, std::vector<std::string>>;

/// Completions of `app` for `shell`: bash, fish or zsh. Throws UsageError for another.
std::string shell_completion(const CLI::App& app, const OptionChoices& choices,
                             const std::string& shell);

/// The man page of `app`, in section 1, as troff source with the man macros (man-pages(7)).
std::string man_page(const CLI::App& app, const OptionChoices& choices);

}  // namespace mnist
