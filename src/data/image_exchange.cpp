// Every process knows what the others need, so that only images are sent.
#include "data/image_exchange.hpp"

#include <algorithm>

#include <zlib.h>

#include "mnist/support/error.hpp"

namespace mnist {

ImageExchange::ImageExchange(const Dataset& dataset, Communicator& processes)
    : dataset_(dataset),
      processes_(processes),
      pixels_(static_cast<std::size_t>(dataset.pixels())),
      first_images_(static_cast<std::size_t>(processes.size())),
      places_(static_cast<std::size_t>(dataset.count)) {
  first_images_[static_cast<std::size_t>(processes.rank())] =
      static_cast<double>(dataset.first_image);
  processes.sum(first_images_);
}

std::size_t ImageExchange::owner(std::int64_t example) const {
  const auto next = std::ranges::upper_bound(first_images_, static_cast<double>(example));
  return static_cast<std::size_t>(next - first_images_.begin()) - 1;
}

void ImageExchange::fetch(std::span<const std::vector<std::int64_t>> wanted) {
  const auto rank = static_cast<std::size_t>(processes_.rank());
  std::vector<std::size_t> sent_offsets{0};
  sent_.clear();
  for (const auto& examples : wanted) {
    for (const std::int64_t example : examples) {
      if (owner(example) != rank) continue;
      const auto image = dataset_.image(example);
      sent_.insert(sent_.end(), image.begin(), image.end());
    }
    sent_offsets.push_back(sent_.size());
  }
  std::vector<std::vector<std::int64_t>> from(wanted.size());
  for (const std::int64_t example : wanted[rank]) from[owner(example)].push_back(example);
  std::vector<std::size_t> received_offsets{0};
  std::uint32_t place = 0;
  for (const auto& examples : from) {
    for (const std::int64_t example : examples) {
      places_[static_cast<std::size_t>(example)] = place++;
    }
    received_offsets.push_back(place * pixels_);
  }
  received_.resize(place * pixels_);
  processes_.all_to_all({reinterpret_cast<std::byte*>(sent_.data()), sent_offsets},
                        {reinterpret_cast<std::byte*>(received_.data()), received_offsets});
}

Part part_of(const Communicator& processes) {
  return {static_cast<std::uint64_t>(processes.rank()),
          static_cast<std::uint64_t>(processes.size())};
}

void check_same_data(const Dataset& dataset, Communicator& processes) {
  std::vector<std::uint8_t> own = dataset.labels;
  own.push_back(static_cast<std::uint8_t>(dataset.rows));
  own.push_back(static_cast<std::uint8_t>(dataset.columns));
  std::vector<std::uint8_t> first = own;
  processes.broadcast(first);
  if (first == own) return;
  throw Error(
      "its labels or image sizes differ from process 0's; give every process the same data");
}

std::uint32_t fingerprint(const Dataset& dataset, Communicator& processes) {
  // Doubles hold 32 bits exactly.
  const auto rank = static_cast<std::size_t>(processes.rank());
  const auto size = static_cast<std::size_t>(processes.size());
  std::vector<double> parts(2 * size);
  parts[rank] = static_cast<double>(crc32_z(0, dataset.images.data(), dataset.images.size()));
  parts[size + rank] = static_cast<double>(dataset.images.size());
  processes.sum(parts);
  uLong crc = 0;
  for (std::size_t p = 0; p < size; ++p) {
    crc = crc32_combine(crc, static_cast<uLong>(parts[p]), static_cast<z_off_t>(parts[size + p]));
  }
  return static_cast<std::uint32_t>(crc32_z(crc, dataset.labels.data(), dataset.labels.size()));
}

Dataset select_examples(const Dataset& dataset, const std::vector<std::int64_t>& indices,
                        Communicator& processes) {
  if (processes.size() == 1) return select_examples(dataset, indices);
  ImageExchange exchange(dataset, processes);
  std::vector<std::vector<std::int64_t>> wanted(static_cast<std::size_t>(processes.size()));
  wanted[0] = indices;
  exchange.fetch(wanted);
  Dataset selected{std::ssize(indices), dataset.rows, dataset.columns, {}, {}, dataset.class_names};
  for (const std::int64_t index : indices) {
    selected.labels.push_back(dataset.labels[static_cast<std::size_t>(index)]);
    if (processes.rank() > 0) continue;
    const std::uint8_t* const image = exchange.image(index);
    selected.images.insert(selected.images.end(), image, image + dataset.pixels());
  }
  return selected;
}

}  // namespace mnist
