// A labeled image dataset, held in memory as u8.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mnist/data/split.hpp"
#include "mnist/support/part.hpp"
#include "mnist/support/pixel.hpp"

namespace mnist {

/// Images and labels of one split. Pixels stay u8, 0 to kMaxPixel: 47 MB for MNIST's training
/// split. In a run of several processes, each holds all labels but only a part of the images.
struct Dataset {
  std::int64_t count = 0;
  std::int64_t rows = 0;             ///< image height in pixels
  std::int64_t columns = 0;          ///< image width in pixels
  std::vector<std::uint8_t> images;  ///< [count, rows, columns], or a part of them
  std::vector<std::uint8_t> labels;  ///< [count], each below class_names.size()
  std::vector<std::string> class_names;
  std::int64_t first_image = 0;  ///< the example that `images` starts with

  std::int64_t pixels() const { return rows * columns; }
  std::int64_t classes() const { return static_cast<std::int64_t>(class_names.size()); }

  /// The image of an example, u8 [rows, columns]; it must be one of those in `images`.
  std::span<const std::uint8_t> image(std::int64_t index) const {
    const auto size = static_cast<std::size_t>(pixels());
    return std::span(images).subspan(static_cast<std::size_t>(index - first_image) * size, size);
  }

  /// CRC-32 over images and labels, to tell datasets apart.
  std::uint32_t fingerprint() const;
};

/// Reads one split of the dataset in `directory`, raw or gzip: MNIST or a dataset in its format
/// (Fashion-MNIST, KMNIST, EMNIST, QMNIST). EMNIST's images are transposed so that they are
/// upright, and its labels shifted to start from 0.
///
/// Class names come from `directory`/classes.txt, one per line; without it, Fashion-MNIST is
/// detected by its labels' checksum and EMNIST's character sets by file name; all others have
/// classes 0 to 9.
///
/// `images` is the part of the images to load; labels are always loaded.
///
/// Throws Error that names the file: missing, damaged, images other than u8 of rank 3, labels other
/// than u8 of rank 1 or i32 of rank 2, different numbers of images and labels, no examples, or a
/// label without a class.
Dataset load_dataset(const std::string& directory, Split split, Part images = {});

/// Keeps the first `count` examples; 0 keeps all. Throws UsageError when there are fewer.
void limit_examples(Dataset& dataset, std::int64_t count);

/// Indices of the examples to train on and of those to validate on.
struct ValidationSplit {
  std::vector<std::int64_t> training;    ///< ascending
  std::vector<std::int64_t> validation;  ///< ascending
};

/// Holds out `validation` of `count` examples, 0 <= validation <= count, chosen by `seed` alone.
ValidationSplit split_indices(std::int64_t count, std::int64_t validation, std::uint64_t seed);

/// Copies the examples at `indices`, in that order.
Dataset select_examples(const Dataset& dataset, std::span<const std::int64_t> indices);

}  // namespace mnist
