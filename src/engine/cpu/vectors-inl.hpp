// Vectors, the values that go into a layer, and runs of columns: what all CPU kernels share.
// Included by kernels.cpp once for each instruction set.

HWY_BEFORE_NAMESPACE();
namespace mnist {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::CappedTag<float, kBlock>;
using Vector = hn::Vec<FloatTag>;

// Two rows of this many vectors, and what is computed with them, fit the registers.
#if HWY_TARGET == HWY_AVX2
constexpr std::size_t kMaxVectors = 4;
#else
constexpr std::size_t kMaxVectors = 8;
#endif

/// The value of input k in example e of a tile, from pixels.
struct PixelValues {
  PixelValues(const LayerInputs& inputs, std::size_t tile)
      : pixels(inputs.pixels + tile * inputs.inputs * kTile), values(inputs.pixel_values) {}
  float operator()(std::size_t k, std::size_t e) const { return values[pixels[k * kTile + e]]; }
  const std::uint8_t* pixels;
  const float* values;
};

/// The same from the activations of the layer before.
struct ActivationValues {
  ActivationValues(const LayerInputs& inputs, std::size_t tile)
      : values(inputs.values + tile * kTile * inputs.value_stride), stride(inputs.value_stride) {}
  float operator()(std::size_t k, std::size_t e) const { return values[e * stride + k]; }
  const float* values;
  std::size_t stride;
};

/// Cuts columns begin .. end - 1 into runs of 8, 4, 2 or 1 vectors and calls work.template
/// operator()<run>(column).
template <class Work>
HWY_INLINE void for_each_run(std::size_t begin, std::size_t end, const Work& work) {
  const std::size_t lanes = hn::Lanes(FloatTag());
  std::size_t column = begin;
  const auto runs_of = [&]<std::size_t R>() {
    for (; column + R * lanes <= end; column += R * lanes) work.template operator()<R>(column);
  };
  runs_of.template operator()<kMaxVectors>();
  if constexpr (kMaxVectors > 4) runs_of.template operator()<4>();
  runs_of.template operator()<2>();
  runs_of.template operator()<1>();
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist
HWY_AFTER_NAMESPACE();
