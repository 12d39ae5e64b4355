// The instruction sets that Highway does not compile our kernels for. Include it before Highway.
#pragma once

// SVE and RISC-V vectors have no size at compile time, so arrays of them cannot stay in registers;
// this includes SVE_256 and SVE2_128, whose C++ types are the same. SSSE3 and AVX3_DL would only
// repeat the code of their neighbors.
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
