// The instruction set that our SIMD code runs on.
#pragma once

#include <string>
#include <string_view>

namespace mnist {

/// The common name of one of Highway's targets: "AVX-512" for "AVX3".
std::string instruction_set_name(std::string_view highway_name);

/// From now on, all our SIMD code in this process uses the instruction set `name`, such as "avx2";
/// "auto" is the best that this CPU has. Throws UsageError that lists those available.
void use_cpu_target(const std::string& name);

}  // namespace mnist
