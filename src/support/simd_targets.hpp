// The instruction sets that Highway does not compile our kernels for. Include it before Highway.
#pragma once

// SVE and RISC-V vectors have no size at compile time, so arrays of them cannot stay in registers;
// this includes SVE_256 and SVE2_128, whose C++ types are the same. SSSE3, AVX3_DL and two targets
// that older versions of Highway do not define, AVX3_ZEN4 and AVX3_SPR, would only repeat the code
// of their neighbors.
#define MNIST_AVX3_ZEN4_AND_SPR ((1LL << 6) | (1LL << 4))
#define HWY_DISABLED_TARGETS                                                              \
  (HWY_SSSE3 | HWY_AVX3_DL | MNIST_AVX3_ZEN4_AND_SPR | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | \
   HWY_SVE2_128 | HWY_RVV)
