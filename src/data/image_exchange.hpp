// Redistributes images among the processes of a run.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mnist/data/dataset.hpp"
#include "mnist/distributed/communicator.hpp"

namespace mnist {

/// Sends images to the processes that need them, after each process has loaded a part of a dataset.
class ImageExchange {
 public:
  /// Both arguments must outlive it. Collective.
  ImageExchange(const Dataset& dataset, Communicator& processes);

  /// Sends the images of examples `wanted[p]`, all different, to process p. Collective: all
  /// processes must pass the same lists.
  void fetch(std::span<const std::vector<std::int64_t>> wanted);

  /// An image that this process received in the last fetch().
  const std::uint8_t* image(std::int64_t example) const {
    return received_.data() + places_[static_cast<std::size_t>(example)] * pixels_;
  }

 private:
  /// The rank of the process that has loaded an image.
  std::size_t owner(std::int64_t example) const;

  const Dataset& dataset_;
  Communicator& processes_;
  const std::size_t pixels_;
  std::vector<double> first_images_;  ///< of each process
  std::vector<std::uint8_t> sent_;
  std::vector<std::uint8_t> received_;
  std::vector<std::uint32_t> places_;  ///< [count]: number of the image in received_
};

/// The part of the images that a process loads.
Part part_of(const Communicator& processes);

/// Throws Error if the labels, or the number or size of the images, differ from those of process 0.
/// Collective.
void check_same_data(const Dataset& dataset, Communicator& processes);

/// Dataset::fingerprint() of the whole dataset, of which each process has loaded a part.
/// Collective.
std::uint32_t fingerprint(const Dataset& dataset, Communicator& processes);

/// select_examples() from the whole dataset, of which each process has loaded a part. Only process
/// 0 gets images. Collective.
Dataset select_examples(const Dataset& dataset, const std::vector<std::int64_t>& indices,
                        Communicator& processes);

}  // namespace mnist
