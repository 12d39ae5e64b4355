// CPU count, CPU name and peak memory, for defaults and reports.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace mnist {

/// CPUs that cgroup quotas (v2 cpu.max, v1 cpu.cfs_quota_us) give this process: the smallest of its
/// cgroup and that cgroup's ancestors, rounded up; nullopt without a quota. `root` is the directory
/// that holds proc/ and sys/; tests pass their own.
std::optional<int> cgroup_cpu_limit(const std::string& root = "/");

/// Logical CPUs that this process may use: its affinity mask, at most cgroup_cpu_limit(); at least
/// 1. `root` is for the cgroup limit only.
int available_processors(const std::string& root = "/");

/// The same in physical cores: a core with two hardware threads counts once, because two threads of
/// arithmetic on it are no faster than one.
int available_cores(const std::string& root = "/");

/// The CPU's model name, such as "Intel(R) Xeon(R) Processor", or "unknown processor".
std::string processor_name();

/// Largest resident set size of this process so far, in bytes.
std::int64_t peak_memory_bytes();

}  // namespace mnist
