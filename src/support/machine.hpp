// CPU count, CPU name and peak memory, for defaults and reports.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace mnist {

/// The most threads that a user may ask for.
inline constexpr int kMaxThreads = 1024;

/// CPUs that the cgroup quotas (v1 or v2) of this process allow, rounded up; nullopt without a
/// quota. `root` is the directory that holds proc/ and sys/; tests pass their own.
std::optional<int> cgroup_cpu_limit(const std::string& root = "/");

/// Logical CPUs that this process may use: its affinity mask, at most cgroup_cpu_limit(); at least
/// 1. `root` is for the cgroup limit only.
int available_processors(const std::string& root = "/");

/// The same in physical cores: two threads of arithmetic on one core are no faster than one.
int available_cores(const std::string& root = "/");

/// The CPU's model name, such as "Intel(R) Xeon(R) Processor", or "unknown processor".
std::string processor_name();

/// Largest resident set size of this process so far, in bytes.
std::int64_t peak_memory_bytes();

}  // namespace mnist
