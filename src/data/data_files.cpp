// Searches a directory for the known file names.
#include "data/data_files.hpp"

#include <compare>
#include <filesystem>
#include <set>
#include <vector>

#include "mnist/support/error.hpp"

namespace mnist {
namespace {

constexpr const char* kAdvice =
    "; fetch the data with scripts/fetch_data.sh, or name its directory with --data";

/// All spellings of a file name without the dataset's name, MNIST's own first.
std::vector<std::string> file_names(Split split, const std::string& kind) {
  using Names = std::vector<std::string>;
  const Names prefixes = split == Split::kTrain ? Names{"train"} : Names{"t10k", "test"};
  const Names types = kind == "images" ? Names{"idx3-ubyte"} : Names{"idx1-ubyte", "idx2-int"};
  Names names;
  for (const std::string& prefix : prefixes) {
    for (const std::string& type : types) {
      for (const char* separator : {"-", "."}) {
        for (const char* compression : {"", ".gz"}) {
          names.push_back((prefix + "-").append(kind + separator).append(type + compression));
        }
      }
    }
  }
  return names;
}

/// A file of the directory, and what precedes its name: "emnist-letters", or nothing.
struct FoundFile {
  std::string dataset;
  std::string name;

  auto operator<=>(const FoundFile&) const = default;
};

FoundFile find_file(const std::string& directory, Split split, const std::string& kind) {
  const std::vector<std::string> names = file_names(split, kind);
  std::set<FoundFile> found;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string file = entry.path().filename().string();
    for (const std::string& name : names) {
      if (file == name) found.insert({"", file});
      if (!file.ends_with("-" + name)) continue;
      found.insert({file.substr(0, file.size() - name.size() - 1), file});
    }
  }
  if (found.empty()) {
    throw Error(directory + ": contains none of " + names[0] + ", " + names[1] + ", " + names[2] +
                ", " + names[3] + kAdvice);
  }
  const FoundFile& first = *found.begin();  // MNIST's own names win, as they have no prefix
  if (!first.dataset.empty() && first.dataset != found.rbegin()->dataset) {
    throw Error(directory + ": contains several datasets, such as " + first.name + " and " +
                found.rbegin()->name + "; give each its own directory");
  }
  return first;
}

}  // namespace

SplitFiles find_split_files(const std::string& directory, Split split) {
  if (!std::filesystem::is_directory(directory)) {
    throw Error(directory + ": no such directory" + kAdvice);
  }
  const FoundFile images = find_file(directory, split, "images");
  const FoundFile labels = find_file(directory, split, "labels");
  if (images.dataset != labels.dataset) {
    throw Error(directory + ": " + images.name + " and " + labels.name +
                " belong to different datasets");
  }
  const std::filesystem::path path(directory);
  return {(path / images.name).string(), (path / labels.name).string(), images.dataset};
}

DatasetTraits traits_of(const std::string& dataset) {
  constexpr std::string_view kByClass =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  // Without the lower-case letters that share a class with their capitals.
  constexpr std::string_view kMerged = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt";
  if (!dataset.starts_with("emnist")) return {};
  if (dataset == "emnist-letters") return {true, 1, kByClass.substr(10, 26)};
  if (dataset == "emnist-byclass") return {true, 0, kByClass};
  if (dataset == "emnist-balanced" || dataset == "emnist-bymerge") return {true, 0, kMerged};
  return {true, 0, kByClass.substr(0, 10)};
}

}  // namespace mnist
