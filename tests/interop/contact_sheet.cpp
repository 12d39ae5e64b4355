// Writes a contact sheet of augmented training images to stdout as a PGM. Each row shows one of the
// first images: the original, then how epochs 1, 2, 3, ... distort it.
//
// usage: contact_sheet CONFIG ROWS COLUMNS (CONFIG is TOML with the data and augmentation options)
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>

#include "augment/augmenter.hpp"
#include "mnist/data/dataset.hpp"
#include "mnist/train/schedule.hpp"
#include "options/toml.hpp"

namespace mnist {
namespace {

void write_sheet(const TrainOptions& options, std::int64_t rows, std::int64_t columns) {
  const Dataset set = load_dataset(options.data, Split::kTrain);
  Augmenter augment(options.augment, set.rows, set.columns, options.seed);
  const std::int64_t width = columns * set.columns;
  std::string sheet(static_cast<std::size_t>(rows * set.rows * width), '\0');
  std::vector<std::uint8_t> image(static_cast<std::size_t>(set.pixels()));
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::uint8_t* const original = set.images.data() + row * set.pixels();
    for (std::int64_t epoch = 0; epoch < columns; ++epoch) {
      image.assign(original, original + set.pixels());
      if (epoch > 0) {
        augment(original, epoch, row, image.data(), augment_strength(options, epoch));
      }
      for (std::int64_t y = 0; y < set.rows; ++y) {
        const auto line = image.begin() + y * set.columns;
        std::copy(line, line + set.columns,
                  sheet.begin() + (row * set.rows + y) * width + epoch * set.columns);
      }
    }
  }
  std::cout << "P5\n" << width << ' ' << rows * set.rows << "\n255\n" << sheet;
}

}  // namespace
}  // namespace mnist

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  try {
    std::ifstream file(argv[1]);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    mnist::TrainOptions options;
    mnist::read_toml(text, argv[1], options);
    mnist::write_sheet(options, std::atoll(argv[2]), std::atoll(argv[3]));
  } catch (const std::exception& error) {
    std::cerr << "contact_sheet: error: " << error.what() << '\n';
    return 1;
  }
}
