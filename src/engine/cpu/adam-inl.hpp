// Weight gradients, kept in registers, and the Adam step that consumes them.
// Included by kernels.cpp once for each instruction set.

HWY_BEFORE_NAMESPACE();
namespace mnist {
namespace HWY_NAMESPACE {
/// The constants of an Adam step. The update is first / (root * root_factor + offset), so that the
/// learning rate costs no multiplication.
struct AdamVectors {
  explicit AdamVectors(const OptimizerStep& step)
      : root_factor(hn::Set(FloatTag(), step.root_scale / std::max(step.rate, kSmallestRate))),
        offset(hn::Set(FloatTag(), kAdamEpsilonF / std::max(step.rate, kSmallestRate))),
        clip(hn::Set(FloatTag(), step.clip)),
        l2_penalty(hn::Set(FloatTag(), step.l2_penalty)),
        decay(hn::Set(FloatTag(), step.decay)) {}

  static constexpr float kSmallestRate = 1e-30F;
  const Vector beta1 = hn::Set(FloatTag(), kBeta1F);
  const Vector gain1 = hn::Set(FloatTag(), kGain1F);
  const Vector beta2 = hn::Set(FloatTag(), kBeta2F);
  const Vector gain2 = hn::Set(FloatTag(), kGain2F);
  const Vector root_factor, offset, clip, l2_penalty, decay;
};

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2  // AVX2 and better: a better target is a lower number
// Estimates of at least 12 bits with one Newton step each: a relative error of about 1e-7, and
// several times as fast as the correctly rounded instructions.

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

/// What happens to a gradient: Adam without clipping and weight decay, Adam with them, storing it,
/// or summing its square.
enum class Use { kPlainAdam, kAdam, kStore, kSquare };

/// Adam on one vector of parameters.
template <Use kUse>
HWY_INLINE void adam(float* HWY_RESTRICT weights, float* HWY_RESTRICT first_moments,
                     float* HWY_RESTRICT second_moments, Vector gradient, const AdamVectors& step) {
  const FloatTag d;
  Vector weight = hn::Load(d, weights);
  if constexpr (kUse == Use::kAdam) {
    gradient = hn::MulAdd(step.l2_penalty, weight, hn::Mul(gradient, step.clip));
  }
  const Vector first =
      hn::MulAdd(step.beta1, hn::Load(d, first_moments), hn::Mul(step.gain1, gradient));
  const Vector second = hn::MulAdd(step.beta2, hn::Load(d, second_moments),
                                   hn::Mul(hn::Mul(step.gain2, gradient), gradient));
  const Vector divisor = hn::MulAdd(square_root(second), step.root_factor, step.offset);
  if constexpr (kUse == Use::kAdam) weight = hn::Mul(weight, step.decay);
  hn::Store(first, d, first_moments);
  hn::Store(second, d, second_moments);
  hn::Store(minus_quotient(first, divisor, weight), d, weights);
}

/// Adam on R vectors in a row, from `offset` of the slice.
template <Use kUse, std::size_t R>
HWY_INLINE void adam_row(const ParameterSlice& slice, std::size_t offset, const Vector* gradients,
                         const AdamVectors& step) {
  float* const HWY_RESTRICT weights = slice.weights + offset;
  float* const HWY_RESTRICT first = slice.first_moments + offset;
  float* const HWY_RESTRICT second = slice.second_moments + offset;
  for (std::size_t r = 0; r < R; ++r) {
    adam<kUse>(weights + r * kLanes, first + r * kLanes, second + r * kLanes, gradients[r], step);
  }
}

HWY_INLINE void add_square(float* squares, Vector gradient) {
  const FloatTag d;
  hn::StoreU(hn::MulAdd(gradient, gradient, hn::LoadU(d, squares)), d, squares);
}

/// Completes the gradient of weight row k, R vectors from `column`, and uses it.
template <Use kUse, bool kSums, std::size_t R>
HWY_INLINE void use_row(const ParameterSlice& slice, std::size_t k, std::size_t column,
                        Vector* gradients, const AdamVectors& step, const GradientUse& use) {
  const FloatTag d;
  const std::size_t offset = k * slice.columns + column;
  if constexpr (kSums) {
    for (std::size_t i = use.sums.size(); i-- > 0;) {
      const float* const sum = use.sums[i] + offset;
      for (std::size_t r = 0; r < R; ++r) {
        gradients[r] = hn::Add(hn::Load(d, sum + r * kLanes), gradients[r]);
      }
    }
  }
  if constexpr (kUse == Use::kStore) {
    float* const target = use.target + offset;
    for (std::size_t r = 0; r < R; ++r) hn::Store(gradients[r], d, target + r * kLanes);
  } else if constexpr (kUse == Use::kSquare) {
    float* const squares = slice.squares + k / slice.square_rows * slice.columns + column;
    for (std::size_t r = 0; r < R; ++r) add_square(squares + r * kLanes, gradients[r]);
  } else {
    adam_row<kUse, R>(slice, offset, gradients, step);
  }
}

template <Use kUse, bool kSums, std::size_t R, class Values>
HWY_INLINE void backward_weight_run(const LayerInputs& inputs, std::size_t begin, std::size_t end,
                                    Rows deltas, const ParameterSlice& slice, std::size_t column,
                                    const GradientUse& use, const AdamVectors& step,
                                    std::uint8_t* active) {
  const FloatTag d;
  for (std::size_t k = begin; k < end; k += 2) {
    Vector row0[R];
    Vector row1[R];
    for (std::size_t r = 0; r < R; ++r) row0[r] = row1[r] = hn::Zero(d);
    if (use.start != nullptr) {
      const float* const start = use.start + k * slice.columns + column;
      for (std::size_t r = 0; r < R; ++r) {
        row0[r] = hn::Load(d, start + r * kLanes);
        row1[r] = hn::Load(d, start + slice.columns + r * kLanes);
      }
    }
    for (std::size_t tile = 0; tile < inputs.tiles; ++tile) {
      const std::uint32_t* const masks = inputs.masks + tile * inputs.inputs;
      const Values value(inputs, tile);
      const float* const first = deltas.data + tile * kTile * deltas.stride + column;
      std::uint32_t bits = masks[k] | masks[k + 1];
      if (bits != 0) active[k / 2] = 1;
      for (; bits != 0; bits &= bits - 1) {
        const auto e = static_cast<std::size_t>(std::countr_zero(bits));
        const Vector x0 = hn::Set(d, value(k, e));
        const Vector x1 = hn::Set(d, value(k + 1, e));
        const float* const delta = first + e * deltas.stride;
        for (std::size_t r = 0; r < R; ++r) {
          const Vector factor = hn::Load(d, delta + r * kLanes);
          row0[r] = hn::MulAdd(x0, factor, row0[r]);
          row1[r] = hn::MulAdd(x1, factor, row1[r]);
        }
      }
    }
    if (kUse != Use::kStore && active[k / 2] == 0) continue;
    use_row<kUse, kSums, R>(slice, k, column, row0, step, use);
    use_row<kUse, kSums, R>(slice, k + 1, column, row1, step, use);
  }
}

/// backward_weight() without skipping zeros (see dense-inl.hpp), with the same sums.
template <Use kUse, bool kSums>
void dense_backward_weight(const LayerInputs& inputs, std::size_t begin, std::size_t end,
                           Rows deltas, const ParameterSlice& slice, const GradientUse& use,
                           const AdamVectors& step, std::uint8_t* active) {
  std::fill(active + begin / 2, active + end / 2, std::uint8_t{1});
  for_each_run<kDenseVectors>(0, slice.columns, [&]<std::size_t V>(std::size_t column) {
    for (std::size_t k = begin; k < end; k += kDenseRows) {
      const float* const start =
          use.start == nullptr ? nullptr : use.start + k * slice.columns + column;
      DenseSums<V> sums;
      dense_weight_gradient<V>(inputs, k, {deltas.data + column, deltas.stride}, start,
                               slice.columns, sums);
      for (std::size_t i = 0; i < kDenseRows; ++i) {
        use_row<kUse, kSums, V>(slice, k + i, column, sums.of[i], step, use);
      }
    }
  });
}

template <Use kUse, bool kSums>
void backward_weight_of(const LayerInputs& inputs, std::size_t begin, std::size_t end, Rows deltas,
                        const ParameterSlice& slice, const GradientUse& use, std::uint8_t* active) {
  const AdamVectors vectors(use.step == nullptr ? OptimizerStep{} : *use.step);
  if (inputs.dense) {
    dense_backward_weight<kUse, kSums>(inputs, begin, end, deltas, slice, use, vectors, active);
    return;
  }
  for_each_run(0, slice.columns, [&]<std::size_t R>(std::size_t column) {
    if (inputs.pixels != nullptr) {
      backward_weight_run<kUse, kSums, R, PixelValues>(inputs, begin, end, deltas, slice, column,
                                                       use, vectors, active);
    } else {
      backward_weight_run<kUse, kSums, R, ActivationValues>(inputs, begin, end, deltas, slice,
                                                            column, use, vectors, active);
    }
  });
}

void backward_weight(const LayerInputs& inputs, std::size_t begin, std::size_t end, Rows deltas,
                     const ParameterSlice& slice, const GradientUse& use, std::uint8_t* active) {
  const auto run = [&]<Use kUse>() {
    if (use.sums.empty()) {
      backward_weight_of<kUse, false>(inputs, begin, end, deltas, slice, use, active);
    } else {
      backward_weight_of<kUse, true>(inputs, begin, end, deltas, slice, use, active);
    }
  };
  if (use.target != nullptr) return run.template operator()<Use::kStore>();
  if (use.step == nullptr) {
    const std::size_t first = begin / slice.square_rows;
    const std::size_t last = (end - 1) / slice.square_rows;
    std::fill_n(slice.squares + first * slice.columns, (last + 1 - first) * slice.columns, 0.0F);
    return run.template operator()<Use::kSquare>();
  }
  const bool plain = use.step->clip == 1 && use.step->l2_penalty == 0 && use.step->decay == 1;
  if (plain) return run.template operator()<Use::kPlainAdam>();
  run.template operator()<Use::kAdam>();
}

void backward_bias(Rows deltas, std::size_t examples, std::size_t begin, std::size_t end,
                   const ParameterSlice& bias, const GradientUse& use) {
  const FloatTag d;
  const AdamVectors vectors(use.step == nullptr ? OptimizerStep{} : *use.step);
  for (std::size_t column = begin; column < end; column += kLanes) {
    Vector gradient = use.start == nullptr ? hn::Zero(d) : hn::Load(d, use.start + column);
    for (std::size_t e = 0; e < examples; ++e) {
      gradient = hn::Add(gradient, hn::Load(d, deltas.data + e * deltas.stride + column));
    }
    for (std::size_t i = use.sums.size(); i-- > 0;) {
      gradient = hn::Add(hn::Load(d, use.sums[i] + column), gradient);
    }
    if (use.target != nullptr) {
      hn::Store(gradient, d, use.target + column);
    } else if (use.step == nullptr) {
      hn::Store(hn::Mul(gradient, gradient), d, bias.squares + column);
    } else {
      adam<Use::kAdam>(bias.weights + column, bias.first_moments + column,
                       bias.second_moments + column, gradient, vectors);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist
HWY_AFTER_NAMESPACE();
