// Asks Linux: sched(7), cgroups(7), sysfs and /proc.
#include "support/machine.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>
#include <sched.h>
#include <set>
#include <sstream>
#include <string_view>
#include <sys/resource.h>
#include <unistd.h>

namespace mnist {
namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// The CPU quota of one cgroup, rounded up; nullopt if it has none or does not exist.
std::optional<int> cpu_quota(const std::string& cgroup, bool version2) {
  // "QUOTA PERIOD" in microseconds. Without a quota, it is "max" in version 2 and -1 in version 1.
  std::istringstream numbers(version2 ? first_line(cgroup + "/cpu.max")
                                      : first_line(cgroup + "/cpu.cfs_quota_us") + " " +
                                            first_line(cgroup + "/cpu.cfs_period_us"));
  std::int64_t quota = 0;
  std::int64_t period = 0;
  if (!(numbers >> quota >> period) || quota <= 0 || period <= 0) return std::nullopt;
  const std::int64_t cpus = quota / period + (quota % period != 0 ? 1 : 0);
  return static_cast<int>(std::min<std::int64_t>(cpus, std::numeric_limits<int>::max()));
}

int limited(std::size_t count, const std::string& root) {
  return std::min(static_cast<int>(count), cgroup_cpu_limit(root).value_or(CPU_SETSIZE));
}

}  // namespace

std::optional<int> cgroup_cpu_limit(const std::string& root) {
  std::optional<int> limit;
  std::ifstream cgroups(root + "/proc/self/cgroup");
  // Each line is HIERARCHY:CONTROLLERS:PATH; version 2 has one hierarchy without named controllers.
  for (std::string line; std::getline(cgroups, line);) {
    std::istringstream fields(line.substr(line.find(':') + 1));
    std::string controllers;
    std::string path;
    std::getline(std::getline(fields, controllers, ':'), path);
    const bool version2 = controllers.empty();
    if (!version2 && ("," + controllers + ",").find(",cpu,") == std::string::npos) continue;
    const std::string mount = root + "/sys/fs/cgroup" + (version2 ? "" : "/cpu");
    // In a container the path may be the host's, and the mount point the container's own cgroup:
    // cgroups that do not exist here have no quota, and the mount point is always the last.
    for (;; path.resize(path.rfind('/'))) {
      const auto quota = cpu_quota(mount + path, version2);
      if (quota) limit = std::min(*quota, limit.value_or(*quota));
      if (path.rfind('/') == std::string::npos) break;
    }
  }
  return limit;
}

std::vector<std::size_t> allowed_processors() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(0, sizeof(mask), &mask) != 0) return {0};
  std::vector<std::size_t> processors;
  for (std::size_t processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (CPU_ISSET(processor, &mask) != 0) processors.push_back(processor);
  }
  return processors;
}

int available_processors(const std::string& root) {
  return limited(allowed_processors().size(), root);
}

int available_cores(const std::string& root) {
  std::set<std::string> cores;
  for (const std::size_t processor : allowed_processors()) {
    const std::string siblings =
        first_line("/sys/devices/system/cpu/cpu" + std::to_string(processor) +
                   "/topology/thread_siblings_list");
    // Without topology files, each logical CPU counts as a core.
    cores.insert(siblings.empty() ? std::to_string(processor) : siblings);
  }
  return limited(cores.size(), root);
}

std::string processor_name() {
  constexpr std::string_view kKey = "model name\t: ";
  std::ifstream description("/proc/cpuinfo");
  for (std::string line; std::getline(description, line);) {
    if (line.starts_with(kKey)) return line.substr(kKey.size());
  }
  return "unknown processor";
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  return name.data();
}

std::int64_t peak_memory_bytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;  // Linux counts in KiB
}

}  // namespace mnist
