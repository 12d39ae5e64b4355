// How the sets of the MNIST family name their files, and in what they differ from MNIST.
#include "data/data_files.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "mnist/support/error.hpp"

namespace mnist {
namespace {

constexpr const char* kAdvice =
    "; fetch the data with scripts/fetch_data.sh, or name the folder with --data";

/// Every spelling of the end of a file's name, MNIST's own first.
std::vector<std::string> endings_of(Split split, const std::string& kind) {
  const std::vector<std::string> parts = split == Split::kTrain
                                             ? std::vector<std::string>{"train"}
                                             : std::vector<std::string>{"t10k", "test"};
  const std::vector<std::string> types = kind == "images"
                                             ? std::vector<std::string>{"idx3-ubyte"}
                                             : std::vector<std::string>{"idx1-ubyte", "idx2-int"};
  std::vector<std::string> endings;
  for (const std::string& part : parts) {
    for (const std::string& type : types) {
      for (const char* separator : {"-", "."}) {
        for (const char* compression : {"", ".gz"}) {
          std::string ending = part;
          ending.append("-").append(kind).append(separator).append(type).append(compression);
          endings.push_back(std::move(ending));
        }
      }
    }
  }
  return endings;
}

/// Names of the folder's files that are one of `endings` with something in front, such as
/// "emnist-letters-"; as pairs of that and the name.
std::set<std::pair<std::string, std::string>> prefixed(const std::string& folder,
                                                       const std::vector<std::string>& endings) {
  std::set<std::pair<std::string, std::string>> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    for (const std::string& ending : endings) {
      if (!name.ends_with("-" + ending)) continue;
      found.emplace(name.substr(0, name.size() - ending.size() - 1), name);
    }
  }
  return found;
}

/// The name of the file, and of its set.
std::pair<std::string, std::string> find(const std::string& folder, Split split,
                                         const std::string& kind) {
  const std::vector<std::string> endings = endings_of(split, kind);
  for (const std::string& ending : endings) {
    if (std::filesystem::exists(std::filesystem::path(folder) / ending)) return {"", ending};
  }
  const auto found = prefixed(folder, endings);
  if (found.empty()) {
    std::string tried;
    // MNIST's own names; those of the other sets follow the same pattern.
    for (std::size_t i = 0; i < 4; ++i) tried += (i == 0 ? "" : ", ") + endings[i];
    throw Error(folder + ": has none of " + tried + kAdvice);
  }
  if (found.begin()->first != found.rbegin()->first) {
    throw Error(folder + ": holds several sets, " + found.begin()->second + " and " +
                found.rbegin()->second + " among them; give each a folder of its own");
  }
  return *found.begin();
}

}  // namespace

SetFiles find_set_files(const std::string& folder, Split split) {
  if (!std::filesystem::is_directory(folder)) {
    throw Error(folder + ": there is no such folder" + kAdvice);
  }
  const auto [set, images] = find(folder, split, "images");
  const auto [set_of_labels, labels] = find(folder, split, "labels");
  if (set != set_of_labels) {
    throw Error(folder + ": " + images + " and " + labels + " are of different sets");
  }
  const std::filesystem::path path(folder);
  return {(path / images).string(), (path / labels).string(), set};
}

SetTraits traits_of(const std::string& set) {
  constexpr std::string_view kByClass =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  // Lower-case letters that look like their capitals share a class with them.
  constexpr std::string_view kMerged = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt";
  if (!set.starts_with("emnist")) return {};
  if (set == "emnist-letters") return {true, 1, kByClass.substr(10, 26)};
  if (set == "emnist-byclass") return {true, 0, kByClass};
  if (set == "emnist-balanced" || set == "emnist-bymerge") return {true, 0, kMerged};
  return {true, 0, kByClass.substr(0, 10)};
}

}  // namespace mnist
