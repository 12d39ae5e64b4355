// MNIST_SHARE_FROM_BIN is the path from the directory of the programs to that of their data.
#include "cli/recipes.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "mnist/support/error.hpp"
#include "options/option_text.hpp"

namespace mnist {
namespace {

std::filesystem::path recipe_directory() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return program.parent_path() / MNIST_SHARE_FROM_BIN / "recipes";
}

}  // namespace

std::vector<std::string> recipe_names() {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(recipe_directory(), error)) {
    if (file.path().extension() == ".toml") names.push_back(file.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string recipe_path(const std::string& name) {
  const std::vector<std::string> names = recipe_names();
  if (names.empty()) {
    throw UsageError("--recipe " + name + ": there are no recipes in " +
                     recipe_directory().lexically_normal().string());
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  with_place("--recipe", [&] { return find_name(name, views); });
  return (recipe_directory() / (name + ".toml")).lexically_normal().string();
}

}  // namespace mnist
