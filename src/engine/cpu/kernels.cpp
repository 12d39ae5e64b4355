// The arithmetic of the fused CPU engine, compiled once for each instruction set by Highway.
#include "engine/cpu/kernels.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "engine/cpu/pairwise.hpp"
#include "mnist/support/pixel.hpp"
#include "support/aligned.hpp"
#include "support/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/kernels.cpp"
// clang-format off: foreach_target.h includes this file again and comes first; the others build on
// one another.
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
#include "engine/cpu/vectors-inl.hpp"
#include "engine/cpu/dense-inl.hpp"
#include "engine/cpu/products-inl.hpp"
#include "engine/cpu/adam-inl.hpp"
#include "engine/cpu/elements-inl.hpp"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace mnist {
namespace HWY_NAMESPACE {

const CpuKernels* kernels() {
  static const CpuKernels table{prefers_dense,
                                linear_forward,
                                add_partial_sums,
                                relu,
                                softmax_loss,
                                backward_input,
                                backward_weight,
                                backward_bias,
                                transpose_pixels,
                                kMaxVectors * kLanes,
                                hwy::TargetName(HWY_TARGET)};
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
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    all.push_back(&best_cpu_kernels());
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return all;
}

std::vector<float> pixel_values(float scale) {
  std::vector<float> values(256);
  for (std::size_t byte = 0; byte < values.size(); ++byte) {
    values[byte] = static_cast<float>(byte) * static_cast<float>(1 / kMaxPixel) * scale;
  }
  return values;
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
