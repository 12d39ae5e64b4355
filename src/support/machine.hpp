// The machine that this process runs on: CPUs, names and peak memory, for defaults and reports.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mnist {

/// The most threads that a user may ask for.
inline constexpr int kMaxThreads = 1024;

/// CPUs that the cgroup quotas (v1 or v2) of this process allow, rounded up; nullopt without a
/// quota. `root` is the directory that holds proc/ and sys/; tests pass their own.
std::optional<int> cgroup_cpu_limit(const std::string& root = "/");

/// The numbers of the logical CPUs in the affinity mask of this process, ascending; at least one.
std::vector<std::size_t> allowed_processors();

/// Logical CPUs that this process may use: allowed_processors(), at most cgroup_cpu_limit(); at
/// least 1. `root` is for the cgroup limit only.
int available_processors(const std::string& root = "/");

/// The same in physical cores: two threads of arithmetic on one core are no faster than one.
int available_cores(const std::string& root = "/");

/// The CPU's model name, such as "Intel(R) Xeon(R) Processor", or "unknown processor".
std::string processor_name();

/// The host name, or "localhost" if it has none.
std::string host_name();

/// Largest resident set size of this process so far, in bytes.
std::int64_t peak_memory_bytes();

}  // namespace mnist
