// A set of labelled images, resident in memory as the files have it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mnist/data/split.hpp"

namespace mnist {

/// Images and labels of one split. Pixels stay u8 (0 to 255): 47 MB for all of MNIST.
struct Dataset {
  std::int64_t count = 0;
  std::int64_t rows = 0;             ///< height of an image, in pixels
  std::int64_t columns = 0;          ///< width of an image, in pixels
  std::vector<std::uint8_t> images;  ///< [count, rows, columns]
  std::vector<std::uint8_t> labels;  ///< [count], each below class_names.size()
  std::vector<std::string> class_names;

  std::int64_t pixels() const { return rows * columns; }
  std::int64_t classes() const { return static_cast<std::int64_t>(class_names.size()); }

  /// CRC-32 over images and labels: tells whether two data sets are the same.
  std::uint32_t fingerprint() const;
};

/// Reads one split of the set in `folder`, raw or gzip: MNIST, or one of its family (see
/// set_files.hpp for names and differences). EMNIST's images come out upright, its labels from 0.
///
/// Class names: one a line in `folder`/classes.txt; else those of MNIST and Fashion-MNIST, told by
/// a checksum of the labels; else EMNIST's characters, by the files' names; else 0 to 9.
///
/// Throws Error that names the file: missing (with the names tried), damaged, images that are not
/// u8 of rank 3 or labels that are neither u8 of rank 1 nor i32 of rank 2, counts that differ, no
/// examples, a label that has no class.
Dataset load_dataset(const std::string& folder, Split split);

/// Keeps the first `count` examples; 0 keeps all. Throws UsageError when there are fewer.
void limit_examples(Dataset& dataset, std::int64_t count);

/// The rows of a data set, parted into those to train on and those to validate with.
struct ValidationSplit {
  std::vector<std::int64_t> training;    ///< ascending
  std::vector<std::int64_t> validation;  ///< ascending
};

/// Holds `validation` of `count` rows out, chosen by `seed` alone.
ValidationSplit split_rows(std::int64_t count, std::int64_t validation, std::uint64_t seed);

/// A data set of the named rows, in their order.
Dataset select_rows(const Dataset& dataset, std::span<const std::int64_t> rows);

}  // namespace mnist
