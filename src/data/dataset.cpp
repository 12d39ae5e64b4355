// Finds, loads, checks, truncates and splits datasets.
#include "mnist/data/dataset.hpp"

#include <algorithm>
#include <compare>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <utility>

#include <spdlog/fmt/fmt.h>
#include <zlib.h>

#include "mnist/data/idx.hpp"
#include "mnist/support/error.hpp"
#include "support/random.hpp"

namespace mnist {
namespace {

constexpr std::size_t kMaxClasses = 256;  // labels are u8

constexpr const char* kAdvice =
    "; fetch the data with scripts/fetch_data.sh, or pass its directory with --data";

/// A file of a directory, and what precedes MNIST's name for it: "emnist-letters", or nothing.
struct FoundFile {
  std::string dataset;
  std::string name;

  auto operator<=>(const FoundFile&) const = default;
};

/// Finds a file of a split, such as "train-images-idx3-ubyte" or "t10k-labels.idx1-ubyte.gz";
/// `kind` is "images" or "labels". EMNIST and QMNIST prefix the dataset's name and say "test"
/// instead of "t10k"; QMNIST's labels end in "idx2-int".
FoundFile find_file(const std::string& directory, Split split, const std::string& kind) {
  const std::string stem = (split == Split::kTrain ? "train-" : "t10k-") + kind;
  const std::string type = kind == "images" ? "idx3-ubyte" : "idx1-ubyte";
  const std::regex pattern(fmt::format(R"((?:(.*)-)?(?:{}{})[-.](?:{}{})(?:\.gz)?)", stem,
                                       split == Split::kTest ? "|test-" + kind : "", type,
                                       kind == "labels" ? "|idx2-int" : ""));
  std::set<FoundFile> found;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (std::smatch match; std::regex_match(name, match, pattern)) found.insert({match[1], name});
  }
  if (found.empty()) {
    throw Error(fmt::format("{0}: contains neither {1}-{2} nor {1}.{2}, raw or .gz{3}", directory,
                            stem, type, kAdvice));
  }
  const FoundFile& first = *found.begin();  // no prefix sorts first: MNIST's own names
  if (!first.dataset.empty() && first.dataset != found.rbegin()->dataset) {
    throw Error(directory + ": contains several datasets, such as " + first.name + " and " +
                found.rbegin()->name + "; give each its own directory");
  }
  return first;
}

/// How the contents of a dataset differ from MNIST's.
struct DatasetTraits {
  bool transposed = false;                  ///< images are stored column by column
  std::uint8_t first_label = 0;             ///< label of the first class
  std::string_view classes = "0123456789";  ///< one character per class
};

/// EMNIST (Cohen et al. 2017) differs from MNIST, other datasets do not.
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

std::uint32_t update_crc32(std::uint32_t start, const std::vector<std::uint8_t>& bytes) {
  return static_cast<std::uint32_t>(crc32_z(start, bytes.data(), bytes.size()));
}

std::vector<std::string> read_class_names(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> names;
  for (std::string line; names.size() <= kMaxClasses && std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  if (names.size() < 2 || names.size() > kMaxClasses) {
    throw Error(
        fmt::format("{}: names {} classes, expected 2 to 256, one per line", path, names.size()));
  }
  return names;
}

/// The names in classes.txt; without it, those of Fashion-MNIST if these are its labels, because
/// its files have the same names as MNIST's; otherwise one name for each character of `standard`.
std::vector<std::string> find_class_names(const std::string& directory,
                                          const std::vector<std::uint8_t>& labels,
                                          std::string_view standard) {
  constexpr std::uint32_t kFashionTrainLabels = 0x2ed6e46a;  // CRC-32
  constexpr std::uint32_t kFashionTestLabels = 0x242bc73f;
  const auto names_file = std::filesystem::path(directory) / "classes.txt";
  if (std::filesystem::exists(names_file)) return read_class_names(names_file.string());
  const std::uint32_t crc32 = update_crc32(0, labels);
  if (crc32 == kFashionTrainLabels || crc32 == kFashionTestLabels) {
    return {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
            "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  }
  std::vector<std::string> names;
  for (const char name : standard) names.emplace_back(1, name);
  return names;
}

IdxArray checked_u8(IdxArray array, const std::string& path, std::size_t rank, const char* what) {
  if (array.type != IdxType::kU8 || array.dimensions.size() != rank) {
    throw Error(fmt::format("{}: holds {} of rank {}, expected {}: u8 of rank {}", path,
                            type_name(array.type), array.dimensions.size(), what, rank));
  }
  return array;
}

/// Labels as u8 of rank 1. QMNIST's are rows of i32 whose first element is the class.
IdxArray read_labels(const std::string& path) {
  IdxArray array = read_idx(path);
  const bool extended =
      array.type == IdxType::kI32 && array.dimensions.size() == 2 && array.dimensions[1] > 0;
  if (!extended) return checked_u8(std::move(array), path, 1, "labels");
  IdxArray labels{IdxType::kU8, {array.dimensions[0]}, {}};
  for (std::uint64_t row = 0; row < array.dimensions[0]; ++row) {
    std::int32_t label = 0;
    std::memcpy(&label, array.bytes.data() + row * array.dimensions[1] * sizeof(label),
                sizeof(label));
    if (label < 0 || label > 255) {
      throw Error(fmt::format("{}: example {} has label {}, expected 0 to 255", path, row, label));
    }
    labels.bytes.push_back(static_cast<std::uint8_t>(label));
  }
  return labels;
}

void transpose_images(Dataset& dataset) {
  const auto rows = static_cast<std::size_t>(dataset.rows);
  const auto columns = static_cast<std::size_t>(dataset.columns);
  std::vector<std::uint8_t> image(rows * columns);
  for (std::size_t begin = 0; begin < dataset.images.size(); begin += image.size()) {
    std::copy_n(dataset.images.data() + begin, image.size(), image.data());
    for (std::size_t i = 0; i < image.size(); ++i) {
      dataset.images[begin + i % columns * rows + i / columns] = image[i];
    }
  }
  std::swap(dataset.rows, dataset.columns);
}

/// Shifts the labels so that the first class, labeled `first` in the file, becomes 0. Throws Error
/// for a label without a class.
void shift_labels(Dataset& dataset, std::size_t first, const std::string& path) {
  const std::size_t end = first + dataset.class_names.size();
  for (std::size_t i = 0; i < dataset.labels.size(); ++i) {
    std::uint8_t& label = dataset.labels[i];
    if (label < first || label >= end) {
      throw Error(fmt::format(
          "{}: example {} has label {}, expected {} to {}; if the data has other classes, list "
          "their names in a classes.txt next to it, one per line",
          path, i, label, first, end - 1));
    }
    label = static_cast<std::uint8_t>(label - first);
  }
}

}  // namespace

std::uint32_t Dataset::fingerprint() const {
  return update_crc32(update_crc32(0, images), labels);
}

Dataset load_dataset(const std::string& directory, Split split, Part part) {
  if (!std::filesystem::is_directory(directory)) {
    throw Error(directory + ": no such directory" + kAdvice);
  }
  const FoundFile image_file = find_file(directory, split, "images");
  const FoundFile label_file = find_file(directory, split, "labels");
  if (image_file.dataset != label_file.dataset) {
    throw Error(directory + ": " + image_file.name + " and " + label_file.name +
                " belong to different datasets");
  }
  const std::string image_path = std::filesystem::path(directory) / image_file.name;
  const std::string label_path = std::filesystem::path(directory) / label_file.name;
  IdxArray images = checked_u8(read_idx(image_path, part), image_path, 3, "images");
  IdxArray labels = read_labels(label_path);
  if (images.dimensions[0] != labels.dimensions[0]) {
    throw Error(fmt::format("{}: has {} labels, but {} has {} images", label_path,
                            labels.dimensions[0], image_path, images.dimensions[0]));
  }
  if (std::ranges::count(images.dimensions, 0U) > 0) throw Error(image_path + ": has no images");

  Dataset dataset;
  dataset.count = static_cast<std::int64_t>(images.dimensions[0]);
  dataset.rows = static_cast<std::int64_t>(images.dimensions[1]);
  dataset.columns = static_cast<std::int64_t>(images.dimensions[2]);
  dataset.images = std::move(images.bytes);
  dataset.first_image = static_cast<std::int64_t>(part.begin(images.dimensions[0]));
  dataset.labels = std::move(labels.bytes);
  const DatasetTraits traits = traits_of(image_file.dataset);
  if (traits.transposed) transpose_images(dataset);
  dataset.class_names = find_class_names(directory, dataset.labels, traits.classes);
  shift_labels(dataset, traits.first_label, label_path);
  return dataset;
}

void limit_examples(Dataset& dataset, std::int64_t count) {
  if (count == 0) return;
  if (count > dataset.count) {
    throw UsageError(fmt::format("--limit {} is more than the {} examples in the dataset", count,
                                 dataset.count));
  }
  const std::int64_t images = std::max<std::int64_t>(count - dataset.first_image, 0);
  const auto bytes = static_cast<std::size_t>(images * dataset.pixels());
  dataset.count = count;
  dataset.images.resize(std::min(dataset.images.size(), bytes));
  dataset.labels.resize(static_cast<std::size_t>(count));
}

ValidationSplit split_indices(std::int64_t count, std::int64_t validation, std::uint64_t seed) {
  const auto order = RandomStream(seed, RandomPurpose::kValidationSplit, 0).permutation(count);
  const auto boundary = order.begin() + validation;
  ValidationSplit split{{boundary, order.end()}, {order.begin(), boundary}};
  std::sort(split.training.begin(), split.training.end());
  std::sort(split.validation.begin(), split.validation.end());
  return split;
}

Dataset select_examples(const Dataset& dataset, std::span<const std::int64_t> indices) {
  Dataset selected{std::ssize(indices), dataset.rows, dataset.columns, {}, {}, dataset.class_names};
  selected.images.reserve(indices.size() * static_cast<std::size_t>(dataset.pixels()));
  selected.labels.reserve(indices.size());
  for (const std::int64_t index : indices) {
    const auto image = dataset.image(index);
    selected.images.insert(selected.images.end(), image.begin(), image.end());
    selected.labels.push_back(dataset.labels[static_cast<std::size_t>(index)]);
  }
  return selected;
}

}  // namespace mnist
