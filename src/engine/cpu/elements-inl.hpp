// Elementwise kernels: transposed pixels, ReLU with its masks, softmax and its loss.
// Included by kernels.cpp once for each instruction set.

HWY_BEFORE_NAMESPACE();
namespace mnist {
namespace HWY_NAMESPACE {
/// A block of 16 images by 16 pixels: four rounds of interleaving transpose it.
HWY_INLINE void transpose_block(const std::uint8_t* const* images, std::size_t pixel,
                                std::uint8_t* target) {
  const hn::Full128<std::uint8_t> d;
  hn::Vec<decltype(d)> rows[kBlock];
  hn::Vec<decltype(d)> next[kBlock];
  for (std::size_t i = 0; i < kBlock; ++i) rows[i] = hn::LoadU(d, images[i] + pixel);
  for (int round = 0; round < 4; ++round) {
    for (std::size_t i = 0; i < kBlock / 2; ++i) {
      next[2 * i] = hn::InterleaveLower(d, rows[i], rows[i + kBlock / 2]);
      next[2 * i + 1] = hn::InterleaveUpper(d, rows[i], rows[i + kBlock / 2]);
    }
    for (std::size_t i = 0; i < kBlock; ++i) rows[i] = next[i];
  }
  for (std::size_t i = 0; i < kBlock; ++i) hn::StoreU(rows[i], d, target + i * kTile);
}

void transpose_pixels(const std::uint8_t* const* images, std::size_t begin, std::size_t end,
                      const std::uint32_t* keep, std::uint8_t* pixels, std::uint32_t* masks) {
  std::size_t pixel = begin;
  for (; pixel + kBlock <= end; pixel += kBlock) {
    transpose_block(images, pixel, pixels + pixel * kTile);
    transpose_block(images + kBlock, pixel, pixels + pixel * kTile + kBlock);
  }
  for (; pixel < end; ++pixel) {
    for (std::size_t e = 0; e < kTile; ++e) pixels[pixel * kTile + e] = images[e][pixel];
  }
  const hn::Full128<std::uint8_t> d;
  for (pixel = begin; pixel < end; ++pixel) {
    std::uint8_t bits[16] = {};  // StoreMaskBits may write more than it needs
    std::uint32_t mask = 0;
    for (std::size_t half = 0; half < 2; ++half) {
      std::uint8_t* const place = pixels + pixel * kTile + half * kBlock;
      auto values = hn::LoadU(d, place);
      if (keep != nullptr) {
        const std::uint32_t kept = keep[pixel] >> (half * kBlock);
        // LoadMaskBits may read more than it needs.
        const std::uint8_t kept_bits[16] = {static_cast<std::uint8_t>(kept),
                                            static_cast<std::uint8_t>(kept >> 8)};
        values = hn::IfThenElseZero(hn::LoadMaskBits(d, kept_bits), values);
        hn::StoreU(values, d, place);
      }
      hn::StoreMaskBits(d, hn::Ne(values, hn::Zero(d)), bits);
      mask |= (std::uint32_t{bits[0]} | std::uint32_t{bits[1]} << 8) << (half * kBlock);
    }
    masks[pixel] = mask;
  }
}

void relu(Rows activations, std::size_t examples, std::size_t columns, const Kept& kept,
          std::uint32_t* masks, std::size_t mask_stride) {
  const FloatTag d;
  const hn::RebindToUnsigned<FloatTag> du;
  const Vector zero = hn::Zero(d);
  const Vector scale = hn::Set(d, kept.scale);
  for (std::size_t first = 0; first < examples; first += kTile) {
    const std::size_t count = std::min(kTile, examples - first);
    for (std::size_t column = 0; column < columns; column += kLanes) {
      const std::size_t place_of_masks = first / kTile * mask_stride + column;
      const auto keep = kept.masks == nullptr ? hn::Set(du, ~std::uint32_t{0})
                                              : hn::LoadU(du, kept.masks + place_of_masks);
      auto bits = hn::Zero(du);
      for (std::size_t e = 0; e < count; ++e) {
        float* const place = activations.data + (first + e) * activations.stride + column;
        const auto bit = hn::Set(du, std::uint32_t{1} << e);
        const auto is_kept = hn::RebindMask(d, hn::TestBit(keep, bit));
        const Vector active = hn::Mul(hn::Max(hn::Load(d, place), zero), scale);
        const Vector value = hn::IfThenElseZero(is_kept, active);
        hn::Store(value, d, place);
        bits = hn::Or(bits, hn::IfThenElseZero(hn::RebindMask(du, hn::Gt(value, zero)), bit));
      }
      for (std::size_t e = count; e < kTile; ++e) {  // dense products read them
        hn::Store(zero, d, activations.data + (first + e) * activations.stride + column);
      }
      hn::StoreU(bits, du, masks + place_of_masks);
    }
  }
}

std::size_t softmax_loss(Rows logits, std::size_t examples, const std::uint8_t* labels,
                         const LossOptions& options, float* losses) {
  const FloatTag d;
  const std::size_t columns = round_up(options.classes, kBlock);
  const auto classes = static_cast<float>(options.classes);
  const float spread = options.scale * options.smoothing / classes;
  std::size_t correct = 0;
  for (std::size_t e = 0; e < examples; ++e) {
    float* const row = logits.data + e * logits.stride;
    const std::size_t label = labels[e];
    const auto top = static_cast<std::size_t>(std::max_element(row, row + options.classes) - row);
    const float highest = row[top];
    const float own = row[label];
    const float mean =
        spread == 0 ? 0.0F : std::accumulate(row, row + options.classes, 0.0F) / classes;
    Vector sums = hn::Zero(d);
    for (std::size_t c = 0; c < columns; c += kLanes) {
      const Vector shifted = hn::Sub(hn::Load(d, row + c), hn::Set(d, highest));
      const auto is_class = hn::FirstN(d, options.classes - std::min(c, options.classes));
      const Vector exponential = hn::IfThenElseZero(is_class, hn::Exp(d, shifted));
      hn::Store(exponential, d, row + c);
      sums = hn::Add(sums, exponential);
    }
    const float sum = hn::GetLane(hn::SumOfLanes(d, sums));
    const Vector factor = hn::Set(d, options.scale / sum);
    for (std::size_t c = 0; c < columns; c += kLanes) {
      hn::Store(hn::Mul(hn::Load(d, row + c), factor), d, row + c);
    }
    for (std::size_t c = 0; spread != 0 && c < options.classes; ++c) row[c] -= spread;
    row[label] -= options.scale * (1 - options.smoothing);
    losses[e] = std::log(sum) + highest - (1 - options.smoothing) * own - options.smoothing * mean;
    correct += top == label ? 1 : 0;
  }
  return correct;
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist
HWY_AFTER_NAMESPACE();
