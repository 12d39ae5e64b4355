// What all CPU kernels share: vectors, the values of inputs, and runs of columns.
// Included by kernels.cpp once for each instruction set.

HWY_BEFORE_NAMESPACE();
namespace mnist {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::CappedTag<float, kBlock>;
using Vector = hn::Vec<FloatTag>;
constexpr std::size_t kLanes = hn::MaxLanes(FloatTag());  // no target has vectors of variable size

// Two rows of this many vectors, and what is computed with them, fit the registers.
#if HWY_TARGET == HWY_AVX2
constexpr std::size_t kMaxVectors = 4;
#else
constexpr std::size_t kMaxVectors = 8;
#endif

// Vector registers of the instruction set.
#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX3  // a better target is a lower number
constexpr std::size_t kRegisters = 16;
#else
constexpr std::size_t kRegisters = 32;
#endif

/// The value of input k in example e of a tile, from pixels.
struct PixelValues {
  PixelValues(const LayerInputs& inputs, std::size_t tile)
      : pixels(inputs.pixels + tile * inputs.inputs * kTile), values(inputs.pixel_values) {}
  float operator()(std::size_t k, std::size_t e) const { return values[pixels[k * kTile + e]]; }
  const std::uint8_t* pixels;
  const float* values;
};

/// The same, from the activations of the previous layer.
struct ActivationValues {
  ActivationValues(const LayerInputs& inputs, std::size_t tile)
      : values(inputs.values + tile * kTile * inputs.value_stride), stride(inputs.value_stride) {}
  float operator()(std::size_t k, std::size_t e) const { return values[e * stride + k]; }
  const float* values;
  std::size_t stride;
};

/// Cuts columns begin .. end - 1 into runs of kMost, kMost / 2 ... 1 vectors and calls
/// work.template operator()<run>(column).
template <std::size_t kMost = kMaxVectors, class Work>
HWY_INLINE void for_each_run(std::size_t begin, std::size_t end, const Work& work) {
  const std::size_t width = kMost * kLanes;
  for (; begin + width <= end; begin += width) work.template operator()<kMost>(begin);
  if constexpr (kMost > 1) for_each_run<kMost / 2>(begin, end, work);
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist
HWY_AFTER_NAMESPACE();
