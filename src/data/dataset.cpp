// A set of labelled images, resident in memory as the files have it.
#include "mnist/data/dataset.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include <zlib.h>

#include "mnist/data/idx.hpp"
#include "mnist/support/error.hpp"
#include "mnist/support/random.hpp"

namespace mnist {
namespace {

using ClassNames = std::array<const char*, 10>;
constexpr ClassNames kDigits{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
constexpr ClassNames kGarments{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                               "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

/// CRC-32 of the labels of the sets whose class names are known without a classes.txt.
struct KnownLabels {
  std::uint32_t checksum;
  const ClassNames* names;
};
constexpr std::array<KnownLabels, 4> kKnownLabels{{{0xba07e8ef, &kDigits},
                                                   {0xee8604d9, &kDigits},
                                                   {0x2ed6e46a, &kGarments},
                                                   {0x242bc73f, &kGarments}}};

constexpr std::size_t kMostClasses = 256;  // labels are u8

std::uint32_t checksum(std::uint32_t start, const std::vector<std::uint8_t>& bytes) {
  return static_cast<std::uint32_t>(crc32_z(start, bytes.data(), bytes.size()));
}

/// The first of the names under which the file may go, or Error with all of them.
std::string find_file(const std::string& folder, const std::string& stem,
                      const std::string& suffix) {
  if (!std::filesystem::is_directory(folder)) {
    throw Error(folder + ": there is no such folder; fetch the data with scripts/fetch_data.sh, " +
                "or name the folder with --data");
  }
  std::string tried;
  for (const char* separator : {"-", "."}) {
    for (const char* compression : {"", ".gz"}) {
      const std::string name = stem + separator + suffix + compression;
      const std::filesystem::path path = std::filesystem::path(folder) / name;
      if (std::filesystem::exists(path)) return path.string();
      tried += (tried.empty() ? "" : ", ") + name;
    }
  }
  throw Error(folder + ": has none of " + tried +
              "; fetch the data with scripts/fetch_data.sh, or name the folder with --data");
}

std::vector<std::string> read_class_names(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> names;
  for (std::string line; names.size() <= kMostClasses && std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  if (names.size() < 2 || names.size() > kMostClasses) {
    throw Error(path + ": names " + std::to_string(names.size()) +
                " classes, expected from 2 to 256, one a line");
  }
  return names;
}

std::vector<std::string> find_class_names(const std::string& folder,
                                          const std::vector<std::uint8_t>& labels) {
  const auto names_file = std::filesystem::path(folder) / "classes.txt";
  if (std::filesystem::exists(names_file)) return read_class_names(names_file.string());
  const std::uint32_t found = checksum(0, labels);
  for (const KnownLabels& known : kKnownLabels) {
    if (known.checksum == found) return {known.names->begin(), known.names->end()};
  }
  return {kDigits.begin(), kDigits.end()};
}

IdxArray read_u8(const std::string& path, std::size_t rank, const char* what) {
  IdxArray array = read_idx(path);
  if (array.type != IdxType::kU8 || array.dimensions.size() != rank) {
    throw Error(path + ": holds " + type_name(array.type) + " of rank " +
                std::to_string(array.dimensions.size()) + ", expected " + what + ": u8 of rank " +
                std::to_string(rank));
  }
  return array;
}

void check_labels(const Dataset& dataset, const std::string& path) {
  const auto first_bad =
      std::find_if(dataset.labels.begin(), dataset.labels.end(),
                   [&](std::uint8_t label) { return label >= dataset.class_names.size(); });
  if (first_bad == dataset.labels.end()) return;
  throw Error(path + ": label " + std::to_string(*first_bad) + " of example " +
              std::to_string(first_bad - dataset.labels.begin()) + " is not below the " +
              std::to_string(dataset.class_names.size()) +
              " classes; for a set with other classes, put their names into a classes.txt beside "
              "it, one a line");
}

}  // namespace

std::uint32_t Dataset::fingerprint() const {
  return checksum(checksum(0, images), labels);
}

Dataset load_dataset(const std::string& folder, Split split) {
  const std::string part = split == Split::kTrain ? "train" : "t10k";
  const std::string images_path = find_file(folder, part + "-images", "idx3-ubyte");
  const std::string labels_path = find_file(folder, part + "-labels", "idx1-ubyte");
  IdxArray images = read_u8(images_path, 3, "images");
  IdxArray labels = read_u8(labels_path, 1, "labels");
  if (images.dimensions[0] != labels.dimensions[0]) {
    throw Error(labels_path + ": has " + std::to_string(labels.dimensions[0]) + " labels, but " +
                images_path + " has " + std::to_string(images.dimensions[0]) + " images");
  }
  if (images.bytes.empty()) throw Error(images_path + ": has no images");

  Dataset dataset;
  dataset.count = static_cast<std::int64_t>(images.dimensions[0]);
  dataset.rows = static_cast<std::int64_t>(images.dimensions[1]);
  dataset.columns = static_cast<std::int64_t>(images.dimensions[2]);
  dataset.images = std::move(images.bytes);
  dataset.labels = std::move(labels.bytes);
  dataset.class_names = find_class_names(folder, dataset.labels);
  check_labels(dataset, labels_path);
  return dataset;
}

void limit_examples(Dataset& dataset, std::int64_t count) {
  if (count == 0) return;
  if (count > dataset.count) {
    throw UsageError("--limit " + std::to_string(count) + " is more than the " +
                     std::to_string(dataset.count) + " examples of the set");
  }
  dataset.count = count;
  dataset.images.resize(static_cast<std::size_t>(count * dataset.pixels()));
  dataset.labels.resize(static_cast<std::size_t>(count));
}

ValidationSplit split_rows(std::int64_t count, std::int64_t validation, std::uint64_t seed) {
  const auto order = RandomStream(seed, RandomPurpose::kValidationSplit, 0).permutation(count);
  const auto border = order.begin() + validation;
  ValidationSplit split{{border, order.end()}, {order.begin(), border}};
  std::sort(split.training.begin(), split.training.end());
  std::sort(split.validation.begin(), split.validation.end());
  return split;
}

Dataset select_rows(const Dataset& dataset, std::span<const std::int64_t> rows) {
  Dataset selected;
  selected.count = static_cast<std::int64_t>(rows.size());
  selected.rows = dataset.rows;
  selected.columns = dataset.columns;
  selected.class_names = dataset.class_names;
  selected.images.reserve(rows.size() * static_cast<std::size_t>(dataset.pixels()));
  selected.labels.reserve(rows.size());
  for (const std::int64_t row : rows) {
    const auto begin = dataset.images.begin() + row * dataset.pixels();
    selected.images.insert(selected.images.end(), begin, begin + dataset.pixels());
    selected.labels.push_back(dataset.labels[static_cast<std::size_t>(row)]);
  }
  return selected;
}

}  // namespace mnist
