// Loads, checks, limits and splits datasets.
#include "mnist/data/dataset.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <utility>

#include <zlib.h>

#include "data/data_files.hpp"
#include "mnist/data/idx.hpp"
#include "mnist/support/error.hpp"
#include "support/random.hpp"

namespace mnist {
namespace {

constexpr std::array<const char*, 10> kFashionClasses{
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
    "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
// CRC-32 of Fashion-MNIST's labels, as its files have the same names as MNIST's.
constexpr std::uint32_t kFashionTrainLabels = 0x2ed6e46a;
constexpr std::uint32_t kFashionTestLabels = 0x242bc73f;

constexpr std::size_t kMaxClasses = 256;  // labels are u8

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
    throw Error(path + ": names " + std::to_string(names.size()) +
                " classes, expected 2 to 256, one per line");
  }
  return names;
}

std::vector<std::string> find_class_names(const std::string& directory,
                                          const std::vector<std::uint8_t>& labels,
                                          const DatasetTraits& traits) {
  const auto names_file = std::filesystem::path(directory) / "classes.txt";
  if (std::filesystem::exists(names_file)) return read_class_names(names_file.string());
  const std::uint32_t crc32 = update_crc32(0, labels);
  if (crc32 == kFashionTrainLabels || crc32 == kFashionTestLabels) {
    return {kFashionClasses.begin(), kFashionClasses.end()};
  }
  std::vector<std::string> names;
  for (const char name : traits.classes) names.emplace_back(1, name);
  return names;
}

IdxArray checked_u8(IdxArray array, const std::string& path, std::size_t rank, const char* what) {
  if (array.type != IdxType::kU8 || array.dimensions.size() != rank) {
    throw Error(path + ": holds " + type_name(array.type) + " of rank " +
                std::to_string(array.dimensions.size()) + ", expected " + what + ": u8 of rank " +
                std::to_string(rank));
  }
  return array;
}

/// QMNIST's labels are rows of i32 whose first element is the class.
IdxArray read_labels(const std::string& path) {
  IdxArray array = read_idx(path);
  const bool extended = array.type == IdxType::kI32 && array.dimensions.size() == 2;
  if (!extended) return checked_u8(std::move(array), path, 1, "labels");
  IdxArray labels{IdxType::kU8, {array.dimensions[0]}, {}};
  for (std::uint64_t row = 0; row < array.dimensions[0] && array.dimensions[1] > 0; ++row) {
    std::int32_t label = 0;
    std::memcpy(&label, array.bytes.data() + row * array.dimensions[1] * sizeof(label),
                sizeof(label));
    if (label < 0 || label > std::numeric_limits<std::uint8_t>::max()) {
      throw Error(path + ": example " + std::to_string(row) + " has label " +
                  std::to_string(label) + ", expected 0 to 255");
    }
    labels.bytes.push_back(static_cast<std::uint8_t>(label));
  }
  labels.dimensions[0] = labels.bytes.size();
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

/// Makes labels that count from `first` count from 0.
void shift_labels(Dataset& dataset, std::uint8_t first, const std::string& path) {
  for (std::uint8_t& label : dataset.labels) {
    if (label < first) {
      throw Error(path + ": found label " + std::to_string(label) + ", expected at least " +
                  std::to_string(first));
    }
    label = static_cast<std::uint8_t>(label - first);
  }
}

void check_labels(const Dataset& dataset, const std::string& path) {
  const auto first_bad =
      std::find_if(dataset.labels.begin(), dataset.labels.end(),
                   [&](std::uint8_t label) { return label >= dataset.class_names.size(); });
  if (first_bad == dataset.labels.end()) return;
  throw Error(path + ": example " + std::to_string(first_bad - dataset.labels.begin()) +
              " has label " + std::to_string(*first_bad) + ", expected one below the " +
              std::to_string(dataset.class_names.size()) +
              " classes; for other classes, list their names in a classes.txt beside it, one per "
              "line");
}

}  // namespace

std::uint32_t Dataset::fingerprint() const {
  return update_crc32(update_crc32(0, images), labels);
}

Dataset load_dataset(const std::string& directory, Split split) {
  const SplitFiles files = find_split_files(directory, split);
  const DatasetTraits traits = traits_of(files.dataset);
  IdxArray images = checked_u8(read_idx(files.images), files.images, 3, "images");
  IdxArray labels = read_labels(files.labels);
  if (images.dimensions[0] != labels.dimensions[0]) {
    throw Error(files.labels + ": has " + std::to_string(labels.dimensions[0]) + " labels, but " +
                files.images + " has " + std::to_string(images.dimensions[0]) + " images");
  }
  if (images.bytes.empty()) throw Error(files.images + ": has no images");

  Dataset dataset;
  dataset.count = static_cast<std::int64_t>(images.dimensions[0]);
  dataset.rows = static_cast<std::int64_t>(images.dimensions[1]);
  dataset.columns = static_cast<std::int64_t>(images.dimensions[2]);
  dataset.images = std::move(images.bytes);
  dataset.labels = std::move(labels.bytes);
  if (traits.transposed) transpose_images(dataset);
  if (traits.first_label > 0) shift_labels(dataset, traits.first_label, files.labels);
  dataset.class_names = find_class_names(directory, dataset.labels, traits);
  check_labels(dataset, files.labels);
  return dataset;
}

void limit_examples(Dataset& dataset, std::int64_t count) {
  if (count == 0) return;
  if (count > dataset.count) {
    throw UsageError("--limit " + std::to_string(count) + " is more than the " +
                     std::to_string(dataset.count) + " examples in the dataset");
  }
  dataset.count = count;
  dataset.images.resize(static_cast<std::size_t>(count * dataset.pixels()));
  dataset.labels.resize(static_cast<std::size_t>(count));
}

ValidationSplit split_rows(std::int64_t count, std::int64_t validation, std::uint64_t seed) {
  const auto order = RandomStream(seed, RandomPurpose::kValidationSplit, 0).permutation(count);
  const auto boundary = order.begin() + validation;
  ValidationSplit split{{boundary, order.end()}, {order.begin(), boundary}};
  std::sort(split.training.begin(), split.training.end());
  std::sort(split.validation.begin(), split.validation.end());
  return split;
}

Dataset select_rows(const Dataset& dataset, std::span<const std::int64_t> indices) {
  Dataset selected{std::ssize(indices), dataset.rows, dataset.columns, {}, {}, dataset.class_names};
  selected.images.reserve(indices.size() * static_cast<std::size_t>(dataset.pixels()));
  selected.labels.reserve(indices.size());
  for (const std::int64_t index : indices) {
    const auto begin = dataset.images.begin() + index * dataset.pixels();
    selected.images.insert(selected.images.end(), begin, begin + dataset.pixels());
    selected.labels.push_back(dataset.labels[static_cast<std::size_t>(index)]);
  }
  return selected;
}

}  // namespace mnist
