// Restricts Highway's dispatch to one target.
#include "support/cpu_target.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>

#include "mnist/support/error.hpp"
#include "support/simd_targets.hpp"
// After simd_targets.hpp, which selects what it counts as generated.
#include <hwy/targets.h>

namespace mnist {
namespace {

std::string flag_name(std::int64_t target) {
  std::string name = instruction_set_name(hwy::TargetName(target));
  for (char& letter : name) letter = static_cast<char>(std::tolower(letter));
  return name;
}

}  // namespace

std::string instruction_set_name(std::string_view highway_name) {
  std::string name(highway_name == "AVX3" ? "AVX-512" : highway_name);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

void use_cpu_target(const std::string& name) {
  hwy::DisableTargets(0);
  std::string allowed;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (name == flag_name(target)) return hwy::DisableTargets(~target);
    allowed += ", " + flag_name(target);
  }
  if (name == "auto") return;
  throw UsageError("--cpu-target must be one of auto" + allowed +
                   " on this CPU and build, found '" + name + "'");
}

}  // namespace mnist
