// The minibatches of the fused CPU engine: prepared ahead, by all threads together.
#include "engine/cpu/minibatch.hpp"

#include <algorithm>

#include "engine/cpu/layers.hpp"

namespace mnist {

CpuMinibatches::CpuMinibatches(const Dataset& dataset, const TrainOptions& options,
                               const CpuKernels& kernels, std::size_t inputs, int threads)
    : dataset_(dataset),
      kernels_(kernels),
      inputs_(inputs),
      threads_(threads),
      dropout_(options.dropout_of(0), options.seed, 0),
      pixel_values_(mnist::pixel_values(dropout_.scale())),
      blank_image_(static_cast<std::size_t>(dataset.pixels())) {
  if (options.augment.any()) {
    const Augmenter augmenter(options.augment, dataset.rows, dataset.columns, options.seed);
    augmenters_.assign(static_cast<std::size_t>(threads), augmenter);
  }
  keep_.assign(static_cast<std::size_t>(threads), AlignedVector<std::uint32_t>(inputs));
}

void CpuMinibatches::start(const Steps& steps, std::int64_t first_step) {
  steps_ = steps;
  first_step_ = first_step;
  const auto batch = std::min(static_cast<std::size_t>(steps.batch), steps.indices.size());
  if (batch <= minibatches_[0].labels.size()) return;
  const std::size_t tiles = (batch + kTile - 1) / kTile;
  for (CpuMinibatch& minibatch : minibatches_) {
    minibatch.pixels.assign(tiles * inputs_ * kTile, 0);
    minibatch.masks.assign(tiles * inputs_, 0);
    minibatch.labels.assign(batch, 0);
  }
  for (auto& distorted : distorted_) {
    if (!augmenters_.empty()) distorted.resize(batch * blank_image_.size());
  }
}

void CpuMinibatches::distort(int thread, std::size_t i) {
  if (augmenters_.empty()) return;
  const auto indices = steps_.minibatch(static_cast<std::int64_t>(i));
  const std::size_t pixels = blank_image_.size();
  const Share share(indices.size(), 1, thread, threads_);
  for (std::size_t e = share.begin; e < share.end; ++e) {
    augmenters_[static_cast<std::size_t>(thread)](image(indices[e]), steps_.epoch, indices[e],
                                                  distorted_[i % 2].data() + e * pixels);
  }
}

void CpuMinibatches::prepare(int thread, std::size_t i) {
  const auto indices = steps_.minibatch(static_cast<std::int64_t>(i));
  CpuMinibatch& minibatch = minibatches_[i % 2];
  const std::size_t pixels = blank_image_.size();
  const std::int64_t step = first_step_ + static_cast<std::int64_t>(i);
  if (thread == 0) {
    minibatch.indices = indices;
    minibatch.step = step;
    for (std::size_t e = 0; e < indices.size(); ++e) {
      minibatch.labels[e] = dataset_.labels[static_cast<std::size_t>(indices[e])];
    }
  }
  const Share share(pixels, kBlock, thread, threads_);
  for (std::size_t tile = 0; tile * kTile < indices.size(); ++tile) {
    const std::uint8_t* images[kTile];
    for (std::size_t e = 0; e < kTile; ++e) {
      const std::size_t place = tile * kTile + e;
      if (place >= indices.size()) {
        images[e] = blank_image_.data();
      } else if (!augmenters_.empty()) {
        images[e] = distorted_[i % 2].data() + place * pixels;
      } else {
        images[e] = image(indices[place]);
      }
    }
    const std::uint32_t* keep = nullptr;
    if (dropout_.on()) {
      auto& ours = keep_[static_cast<std::size_t>(thread)];
      dropout_.keep_units(step, tile, share.begin, share.end, ours.data());
      keep = ours.data();
    }
    kernels_.transpose_pixels(images, share.begin, share.end, keep,
                              minibatch.pixels.data() + tile * inputs_ * kTile,
                              minibatch.masks.data() + tile * inputs_);
  }
}

void CpuMinibatches::prefetch(int thread, std::size_t i) const {
  const std::size_t ahead = augmenters_.empty() ? 1 : 2;
  const auto indices = steps_.minibatch(static_cast<std::int64_t>(i + ahead));
  const Share share(blank_image_.size(), kBlock, thread, threads_);
  constexpr std::size_t kCacheLine = 64;
  constexpr int kForReading = 0;
  constexpr int kSecondLevel = 2;
  constexpr std::size_t kMaxPrefetched = 512;  // more would push one another out again
  for (const std::int64_t index : indices.first(std::min(indices.size(), kMaxPrefetched))) {
    for (std::size_t pixel = share.begin; pixel < share.end; pixel += kCacheLine) {
      __builtin_prefetch(image(index) + pixel, kForReading, kSecondLevel);
    }
  }
}

}  // namespace mnist
