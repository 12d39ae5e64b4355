// Recipes: files of options that are installed with the programs.
#pragma once

#include <string>
#include <vector>

namespace mnist {

/// The recipes that belong to the running program, sorted. They are found from its own path, in the
/// build directory or wherever it was installed.
std::vector<std::string> recipe_names();

/// The TOML file of a recipe. Throws UsageError that lists the available names.
std::string recipe_path(const std::string& name);

}  // namespace mnist
