// The images of the fused CPU engine: prepared ahead, by all threads together.
#include "engine/cpu/microbatch.hpp"

#include <algorithm>

#include "engine/cpu/layers.hpp"
#include "engine/cpu/pairwise.hpp"

namespace mnist {
namespace {

/// Examples of a microbatch, whose activations and gradients take 0.4 MB in the guide's network. On
/// an L2 cache of 512 KiB, minibatches of 512 and more are faster with 128 than with 64 or 256.
constexpr std::size_t kMicrobatch = 128;

}  // namespace

std::vector<CpuMicrobatch> microbatches_of(std::size_t step, std::size_t examples) {
  std::vector<CpuMicrobatch> microbatches;
  const std::size_t leaf = leaf_size(examples, kTile, kMicrobatch);
  for (std::size_t begin = 0; begin < examples;) {
    const std::size_t end_of_leaf = std::min(begin / leaf * leaf + leaf, examples);
    const std::size_t end = std::min(begin + kMicrobatch, end_of_leaf);
    microbatches.push_back({step, begin, end - begin, examples, begin / leaf, begin % leaf == 0,
                            end == end_of_leaf, end == examples});
    begin = end;
  }
  return microbatches;
}

CpuMicrobatches::CpuMicrobatches(const Dataset& dataset, const TrainOptions& options,
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

void CpuMicrobatches::start(const Steps& steps, std::int64_t first_step) {
  steps_ = steps;
  first_step_ = first_step;
  microbatches_.clear();
  std::size_t largest = 0;
  for (std::int64_t i = 0; i < steps.count(); ++i) {
    for (const CpuMicrobatch& part :
         microbatches_of(static_cast<std::size_t>(i), steps.minibatch(i).size())) {
      largest = std::max(largest, part.examples);
      microbatches_.push_back(part);
    }
  }
  if (largest <= largest_) return;
  largest_ = largest;
  const std::size_t tiles = (largest + kTile - 1) / kTile;
  for (CpuImages& images : images_) {
    images.pixels.assign(tiles * inputs_ * kTile, 0);
    images.masks.assign(tiles * inputs_, 0);
    images.labels.assign(largest, 0);
  }
  for (auto& distorted : distorted_) {
    if (!augmenters_.empty()) distorted.resize(largest * blank_image_.size());
  }
}

std::span<const std::int64_t> CpuMicrobatches::indices(std::size_t i) const {
  if (i >= microbatches_.size()) return {};
  const CpuMicrobatch& part = microbatches_[i];
  return steps_.minibatch(static_cast<std::int64_t>(part.step)).subspan(part.begin, part.examples);
}

void CpuMicrobatches::distort(int thread, std::size_t i) {
  if (augmenters_.empty()) return;
  const auto indices = this->indices(i);
  const std::size_t pixels = blank_image_.size();
  const Share share(indices.size(), 1, thread, threads_);
  for (std::size_t e = share.begin; e < share.end; ++e) {
    augmenters_[static_cast<std::size_t>(thread)](image(indices[e]), steps_.epoch, indices[e],
                                                  distorted_[i % 2].data() + e * pixels);
  }
}

void CpuMicrobatches::prepare(int thread, std::size_t i) {
  const auto indices = this->indices(i);
  if (indices.empty()) return;
  const CpuMicrobatch& part = microbatches_[i];
  CpuImages& target = images_[i % 2];
  const std::size_t pixels = blank_image_.size();
  if (thread == 0) {
    for (std::size_t e = 0; e < indices.size(); ++e) {
      target.labels[e] = dataset_.labels[static_cast<std::size_t>(indices[e])];
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
      dropout_.keep_units(first_step_ + static_cast<std::int64_t>(part.step),
                          part.begin / kTile + tile, share.begin, share.end, ours.data());
      keep = ours.data();
    }
    kernels_.transpose_pixels(images, share.begin, share.end, keep,
                              target.pixels.data() + tile * inputs_ * kTile,
                              target.masks.data() + tile * inputs_);
  }
}

void CpuMicrobatches::prefetch(int thread, std::size_t i) const {
  const std::size_t ahead = augmenters_.empty() ? 1 : 2;
  const auto indices = this->indices(i + ahead);
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
