// The arithmetic of the fused CPU engine, compiled once for each instruction set by Highway.
#include "mnist/engine/cpu_kernels.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

// Not built for: what lies between SSE4 and AVX2, and sets with vectors of unknown size, which
// cannot keep arrays of them in registers.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu_kernels.cpp"
// clang-format off: foreach_target.h includes this file again, and must come first.
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace mnist {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::CappedTag<float, kBlock>;
using Vector = hn::Vec<FloatTag>;

// Two rows of this many vectors, and what is computed with them, fit the registers.
#if HWY_TARGET == HWY_AVX2
constexpr std::size_t kMostVectors = 4;
#else
constexpr std::size_t kMostVectors = 8;
#endif

/// f32 of a pixel, 0 to 1, as a product with the same constant as the reference engine has.
struct PixelTable {
  PixelTable() {
    for (std::size_t i = 0; i < 256; ++i) {
      values[i] = static_cast<float>(i) * static_cast<float>(1.0 / 255);
    }
  }
  float values[256];
};
const PixelTable kPixelTable;

/// The value of input k in example e of a tile, from pixels.
struct PixelValues {
  PixelValues(const LayerInputs& inputs, std::size_t tile)
      : pixels(inputs.pixels + tile * inputs.inputs * kTile) {}
  float operator()(std::size_t k, std::size_t e) const {
    return kPixelTable.values[pixels[k * kTile + e]];
  }
  const std::uint8_t* pixels;
};

/// The same from the activations of the layer before.
struct ActivationValues {
  ActivationValues(const LayerInputs& inputs, std::size_t tile)
      : values(inputs.values + tile * kTile * inputs.value_stride), stride(inputs.value_stride) {}
  float operator()(std::size_t k, std::size_t e) const { return values[e * stride + k]; }
  const float* values;
  std::size_t stride;
};

/// Bits of the examples begin .. end - 1 that lie in a tile.
std::uint32_t tile_bits(std::size_t tile, std::size_t begin, std::size_t end) {
  const std::size_t first = tile * kTile;
  const auto below = [&](std::size_t example) -> std::uint64_t {
    const std::size_t count = std::clamp(example, first, first + kTile) - first;
    return (std::uint64_t{1} << count) - 1;
  };
  return static_cast<std::uint32_t>(below(end) & ~below(begin));
}

/// Cuts `columns` into runs of 8, 4, 2 or 1 vectors and calls work.template
/// operator()<run>(column).
template <class Work>
HWY_INLINE void for_each_run(std::size_t columns, const Work& work) {
  const std::size_t lanes = hn::Lanes(FloatTag());
  std::size_t column = 0;
  while (column < columns) {
    const std::size_t left = (columns - column) / lanes;
    if (left >= kMostVectors) {
      work.template operator()<kMostVectors>(column);
      column += kMostVectors * lanes;
    } else if (left >= 4) {
      work.template operator()<4>(column);
      column += 4 * lanes;
    } else if (left >= 2) {
      work.template operator()<2>(column);
      column += 2 * lanes;
    } else {
      work.template operator()<1>(column);
      column += lanes;
    }
  }
}

/// One tile, one run of R vectors of columns. Inputs go in pairs: neighbouring pixels are mostly
/// zero together, and a pair halves the loads and stores of the outputs.
template <std::size_t R, class Values>
HWY_INLINE void forward_run(const Values& value, const std::uint32_t* masks, std::uint32_t examples,
                            std::size_t inputs, const float* weights, std::size_t columns,
                            Rows outputs) {
  const FloatTag d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t k = 0; k < inputs; k += 2) {
    std::uint32_t bits = (masks[k] | masks[k + 1]) & examples;
    if (bits == 0) continue;
    Vector row0[R];
    Vector row1[R];
    for (std::size_t r = 0; r < R; ++r) {
      row0[r] = hn::Load(d, weights + k * columns + r * lanes);
      row1[r] = hn::Load(d, weights + (k + 1) * columns + r * lanes);
    }
    do {
      const auto e = static_cast<std::size_t>(std::countr_zero(bits));
      bits &= bits - 1;
      const Vector x0 = hn::Set(d, value(k, e));
      const Vector x1 = hn::Set(d, value(k + 1, e));
      float* const output = outputs.data + e * outputs.stride;
      for (std::size_t r = 0; r < R; ++r) {
        const Vector sum = hn::MulAdd(x0, row0[r], hn::Load(d, output + r * lanes));
        hn::Store(hn::MulAdd(x1, row1[r], sum), d, output + r * lanes);
      }
    } while (bits != 0);
  }
}

template <class Values>
void forward_of(const LayerInputs& inputs, std::size_t begin, std::size_t end,
                const ParameterSlice& slice, const float* bias, Rows outputs) {
  for (std::size_t e = begin; e < end; ++e) {
    std::copy(bias, bias + slice.columns, outputs.data + e * outputs.stride);
  }
  for (std::size_t tile = begin / kTile; tile * kTile < end; ++tile) {
    const Values value(inputs, tile);
    const std::uint32_t examples = tile_bits(tile, begin, end);
    float* const first = outputs.data + tile * kTile * outputs.stride;
    for_each_run(slice.columns, [&]<std::size_t R>(std::size_t column) {
      forward_run<R>(value, inputs.masks + tile * inputs.inputs, examples, inputs.inputs,
                     slice.weights + column, slice.columns, Rows{first + column, outputs.stride});
    });
  }
}

void forward(const LayerInputs& inputs, std::size_t begin, std::size_t end,
             const ParameterSlice& slice, const float* bias, Rows outputs) {
  if (inputs.pixels != nullptr) {
    forward_of<PixelValues>(inputs, begin, end, slice, bias, outputs);
  } else {
    forward_of<ActivationValues>(inputs, begin, end, slice, bias, outputs);
  }
}

void relu(Rows activations, std::size_t examples, std::size_t columns, std::uint32_t* masks,
          std::size_t mask_stride) {
  const FloatTag d;
  const hn::RebindToUnsigned<FloatTag> du;
  const std::size_t lanes = hn::Lanes(d);
  const Vector zero = hn::Zero(d);
  for (std::size_t first = 0; first < examples; first += kTile) {
    const std::size_t count = std::min(kTile, examples - first);
    for (std::size_t column = 0; column < columns; column += lanes) {
      auto bits = hn::Zero(du);
      for (std::size_t e = 0; e < count; ++e) {
        float* const place = activations.data + (first + e) * activations.stride + column;
        const Vector value = hn::Max(hn::Load(d, place), zero);
        hn::Store(value, d, place);
        const auto bit = hn::Set(du, std::uint32_t{1} << e);
        bits = hn::Or(bits, hn::IfThenElseZero(hn::RebindMask(du, hn::Gt(value, zero)), bit));
      }
      hn::StoreU(bits, du, masks + first / kTile * mask_stride + column);
    }
  }
}

std::size_t softmax_loss(Rows logits, std::size_t begin, std::size_t end,
                         const std::uint8_t* labels, const LossOptions& options, float* losses) {
  const FloatTag d;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t columns = (options.classes + kBlock - 1) / kBlock * kBlock;
  std::size_t correct = 0;
  for (std::size_t e = begin; e < end; ++e) {
    float* const row = logits.data + e * logits.stride;
    const std::size_t label = labels[e];
    const auto top = static_cast<std::size_t>(std::max_element(row, row + options.classes) - row);
    const float highest = row[top];
    const float own = row[label];
    Vector sums = hn::Zero(d);
    for (std::size_t c = 0; c < columns; c += lanes) {
      const Vector shifted = hn::Sub(hn::Load(d, row + c), hn::Set(d, highest));
      const auto is_class = hn::FirstN(d, options.classes - std::min(c, options.classes));
      const Vector exponential = hn::IfThenElseZero(is_class, hn::Exp(d, shifted));
      hn::Store(exponential, d, row + c);
      sums = hn::Add(sums, exponential);
    }
    const float sum = hn::GetLane(hn::SumOfLanes(d, sums));
    const Vector factor = hn::Set(d, options.scale / sum);
    for (std::size_t c = 0; c < columns; c += lanes) {
      hn::Store(hn::Mul(hn::Load(d, row + c), factor), d, row + c);
    }
    row[label] -= options.scale;
    losses[e] = std::log(sum) + highest - own;
    correct += top == label ? 1 : 0;
  }
  return correct;
}

/// Writes row k of all panels, one behind the other; returns how many floats they are.
HWY_INLINE std::size_t gather_row(const std::vector<WeightPanel>& panels, std::size_t k,
                                  float* target) {
  std::size_t size = 0;
  for (const WeightPanel& panel : panels) {
    const float* const row = panel.weights + k * panel.columns;
    std::copy(row, row + panel.columns, target + size);
    size += panel.columns;
  }
  return size;
}

void backward(const LayerInputs& inputs, std::size_t begin, std::size_t end,
              const std::vector<WeightPanel>& panels, Rows deltas, Rows below, float* scratch) {
  const FloatTag d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t e = 0; e < inputs.tiles * kTile; ++e) {
    float* const row = below.data + e * below.stride;
    std::fill(row + begin, row + end, 0.0F);
  }
  for (std::size_t k = begin; k < end; ++k) {
    const std::size_t size = gather_row(panels, k, scratch);
    for (std::size_t tile = 0; tile < inputs.tiles; ++tile) {
      const float* const first = deltas.data + tile * kTile * deltas.stride;
      float* const target = below.data + tile * kTile * below.stride + k;
      std::uint32_t bits = inputs.masks[tile * inputs.inputs + k];
      while (bits != 0) {
        // Up to four examples at once share the loads of the weights.
        std::size_t e[4];
        std::size_t count = 0;
        for (; count < 4 && bits != 0; ++count, bits &= bits - 1) {
          e[count] = static_cast<std::size_t>(std::countr_zero(bits));
        }
        for (std::size_t i = count; i < 4; ++i) e[i] = e[0];
        Vector sum0 = hn::Zero(d);
        Vector sum1 = hn::Zero(d);
        Vector sum2 = hn::Zero(d);
        Vector sum3 = hn::Zero(d);
        for (std::size_t j = 0; j < size; j += lanes) {
          const Vector weights = hn::Load(d, scratch + j);
          sum0 = hn::MulAdd(weights, hn::Load(d, first + e[0] * deltas.stride + j), sum0);
          sum1 = hn::MulAdd(weights, hn::Load(d, first + e[1] * deltas.stride + j), sum1);
          sum2 = hn::MulAdd(weights, hn::Load(d, first + e[2] * deltas.stride + j), sum2);
          sum3 = hn::MulAdd(weights, hn::Load(d, first + e[3] * deltas.stride + j), sum3);
        }
        target[e[0] * below.stride] = hn::GetLane(hn::SumOfLanes(d, sum0));
        if (count > 1) target[e[1] * below.stride] = hn::GetLane(hn::SumOfLanes(d, sum1));
        if (count > 2) target[e[2] * below.stride] = hn::GetLane(hn::SumOfLanes(d, sum2));
        if (count > 3) target[e[3] * below.stride] = hn::GetLane(hn::SumOfLanes(d, sum3));
      }
    }
  }
}

/// Adam's numbers, each in all lanes. The step is first / (root * root_factor + offset), so that
/// the learning rate costs no multiplication.
struct AdamVectors {
  explicit AdamVectors(const AdamStep& step)
      : beta1(hn::Set(FloatTag(), step.beta1)),
        beta2(hn::Set(FloatTag(), step.beta2)),
        root_factor(hn::Set(FloatTag(), step.root_scale / std::max(step.rate, kSmallestRate))),
        offset(hn::Set(FloatTag(), step.epsilon / std::max(step.rate, kSmallestRate))),
        l2_penalty(hn::Set(FloatTag(), step.l2_penalty)),
        keep(hn::Set(FloatTag(), step.keep)) {}

  static constexpr float kSmallestRate = 1e-30F;
  Vector beta1, beta2, root_factor, offset, l2_penalty, keep;
};

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
// Estimates of 12 bits or more with one Newton step each: right to about 1e-7, and several times as
// fast as the instructions that round correctly.

HWY_INLINE Vector square_root(Vector x) {
  const FloatTag d;
  const Vector reciprocal = hn::ApproximateReciprocalSqrt(hn::Max(x, hn::Set(d, 1e-30F)));
  const Vector root = hn::Mul(x, reciprocal);
  return hn::MulAdd(hn::NegMulAdd(root, root, x), hn::Mul(reciprocal, hn::Set(d, 0.5F)), root);
}

/// c - a / b.
HWY_INLINE Vector minus_quotient(Vector a, Vector b, Vector c) {
  const Vector reciprocal = hn::ApproximateReciprocal(b);
  const Vector correction = hn::NegMulAdd(b, reciprocal, hn::Set(FloatTag(), 2.0F));
  return hn::NegMulAdd(hn::Mul(a, reciprocal), correction, c);
}
#else
HWY_INLINE Vector square_root(Vector x) {
  return hn::Sqrt(x);
}
HWY_INLINE Vector minus_quotient(Vector a, Vector b, Vector c) {
  return hn::Sub(c, hn::Div(a, b));
}
#endif

/// Adam on one vector of parameters.
template <bool kDecay>
HWY_INLINE void adam(float* HWY_RESTRICT weights, float* HWY_RESTRICT first_moments,
                     float* HWY_RESTRICT second_moments, Vector gradient, const AdamVectors& step) {
  const FloatTag d;
  Vector weight = hn::Load(d, weights);
  if constexpr (kDecay) gradient = hn::MulAdd(step.l2_penalty, weight, gradient);
  const Vector first = hn::MulAdd(step.beta1, hn::Load(d, first_moments), gradient);
  const Vector second =
      hn::MulAdd(step.beta2, hn::Load(d, second_moments), hn::Mul(gradient, gradient));
  const Vector divisor = hn::MulAdd(square_root(second), step.root_factor, step.offset);
  if constexpr (kDecay) weight = hn::Mul(weight, step.keep);
  hn::Store(first, d, first_moments);
  hn::Store(second, d, second_moments);
  hn::Store(minus_quotient(first, divisor, weight), d, weights);
}

/// Adam on R vectors in a row, from `offset` of the slice.
template <bool kDecay, std::size_t R>
HWY_INLINE void adam_row(const ParameterSlice& slice, std::size_t offset, const Vector* gradients,
                         const AdamVectors& step) {
  const std::size_t lanes = hn::Lanes(FloatTag());
  float* const HWY_RESTRICT weights = slice.weights + offset;
  float* const HWY_RESTRICT first = slice.first_moments + offset;
  float* const HWY_RESTRICT second = slice.second_moments + offset;
  for (std::size_t r = 0; r < R; ++r) {
    adam<kDecay>(weights + r * lanes, first + r * lanes, second + r * lanes, gradients[r], step);
  }
}

HWY_INLINE void add_square(float* squares, Vector gradient) {
  const FloatTag d;
  hn::StoreU(hn::MulAdd(gradient, gradient, hn::LoadU(d, squares)), d, squares);
}

template <bool kDecay, std::size_t R, class Values>
HWY_INLINE void update_run(const LayerInputs& inputs, std::size_t begin, std::size_t end,
                           Rows deltas, const ParameterSlice& slice, std::size_t column,
                           const AdamVectors& step, std::uint8_t* touched, float* squares) {
  const FloatTag d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t k = begin; k < end; k += 2) {
    Vector row0[R];
    Vector row1[R];
    for (std::size_t r = 0; r < R; ++r) row0[r] = row1[r] = hn::Zero(d);
    for (std::size_t tile = 0; tile < inputs.tiles; ++tile) {
      const std::uint32_t* const masks = inputs.masks + tile * inputs.inputs;
      const Values value(inputs, tile);
      const float* const first = deltas.data + tile * kTile * deltas.stride + column;
      std::uint32_t bits = masks[k] | masks[k + 1];
      if (bits != 0) touched[k / 2] = 1;
      for (; bits != 0; bits &= bits - 1) {
        const auto e = static_cast<std::size_t>(std::countr_zero(bits));
        const Vector x0 = hn::Set(d, value(k, e));
        const Vector x1 = hn::Set(d, value(k + 1, e));
        const float* const delta = first + e * deltas.stride;
        for (std::size_t r = 0; r < R; ++r) {
          const Vector factor = hn::Load(d, delta + r * lanes);
          row0[r] = hn::MulAdd(x0, factor, row0[r]);
          row1[r] = hn::MulAdd(x1, factor, row1[r]);
        }
      }
    }
    if (touched[k / 2] == 0) continue;
    const std::size_t offset = k * slice.columns + column;
    adam_row<kDecay, R>(slice, offset, row0, step);
    adam_row<kDecay, R>(slice, offset + slice.columns, row1, step);
    if (squares == nullptr) continue;
    for (std::size_t r = 0; r < R; ++r) {
      add_square(squares + column + r * lanes, row0[r]);
      add_square(squares + column + r * lanes, row1[r]);
    }
  }
}

template <bool kDecay>
void update_of(const LayerInputs& inputs, std::size_t begin, std::size_t end, Rows deltas,
               const ParameterSlice& slice, const AdamStep& step, std::uint8_t* touched,
               float* squares) {
  const AdamVectors vectors(step);
  for_each_run(slice.columns, [&]<std::size_t R>(std::size_t column) {
    if (inputs.pixels != nullptr) {
      update_run<kDecay, R, PixelValues>(inputs, begin, end, deltas, slice, column, vectors,
                                         touched, squares);
    } else {
      update_run<kDecay, R, ActivationValues>(inputs, begin, end, deltas, slice, column, vectors,
                                              touched, squares);
    }
  });
}

void update(const LayerInputs& inputs, std::size_t begin, std::size_t end, Rows deltas,
            const ParameterSlice& slice, const AdamStep& step, std::uint8_t* touched,
            float* squares) {
  if (step.l2_penalty == 0 && step.keep == 1) {
    update_of<false>(inputs, begin, end, deltas, slice, step, touched, squares);
  } else {
    update_of<true>(inputs, begin, end, deltas, slice, step, touched, squares);
  }
}

void update_bias(Rows deltas, std::size_t examples, const ParameterSlice& bias,
                 const AdamStep& step, float* squares) {
  const FloatTag d;
  const AdamVectors vectors(step);
  for (std::size_t column = 0; column < bias.columns; column += hn::Lanes(d)) {
    Vector gradient = hn::Zero(d);
    for (std::size_t e = 0; e < examples; ++e) {
      gradient = hn::Add(gradient, hn::Load(d, deltas.data + e * deltas.stride + column));
    }
    adam<true>(bias.weights + column, bias.first_moments + column, bias.second_moments + column,
               gradient, vectors);
    if (squares != nullptr) add_square(squares + column, gradient);
  }
}

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
                      std::uint8_t* pixels, std::uint32_t* masks) {
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
      const auto values = hn::LoadU(d, pixels + pixel * kTile + half * kBlock);
      hn::StoreMaskBits(d, hn::Ne(values, hn::Zero(d)), bits);
      mask |= (std::uint32_t{bits[0]} | std::uint32_t{bits[1]} << 8) << (half * kBlock);
    }
    masks[pixel] = mask;
  }
}

const CpuKernels* kernels() {
  static const CpuKernels table{
      forward, relu,        softmax_loss,     backward,
      update,  update_bias, transpose_pixels, hwy::TargetName(HWY_TARGET)};
  return &table;
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mnist {

HWY_EXPORT(kernels);

const CpuKernels& best_cpu_kernels() {
  return *HWY_DYNAMIC_DISPATCH(kernels)();
}

std::vector<const CpuKernels*> all_cpu_kernels() {
  std::vector<const CpuKernels*> all;
  const std::int64_t targets = hwy::SupportedTargets() & HWY_TARGETS;
  for (std::int64_t rest = targets; rest != 0; rest &= rest - 1) {
    hwy::SetSupportedTargetsForTest(rest & -rest);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    all.push_back(&best_cpu_kernels());
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return all;
}

void flush_subnormals() {
#if defined(__x86_64__)
  constexpr unsigned kFlushToZero = 0x8000;
  constexpr unsigned kSubnormalsAreZero = 0x0040;
  _mm_setcsr(_mm_getcsr() | kFlushToZero | kSubnormalsAreZero);
#elif defined(__aarch64__)
  std::uint64_t control = 0;
  asm volatile("mrs %0, fpcr" : "=r"(control));
  asm volatile("msr fpcr, %0" ::"r"(control | (std::uint64_t{1} << 24)));
#endif
}

}  // namespace mnist
#endif  // HWY_ONCE
