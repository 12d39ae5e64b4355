// CPU counts from affinity and from cgroup quotas, the latter in trees of fake files.
#include "support/machine.hpp"

#include <filesystem>
#include <fstream>
#include <sched.h>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "test_support.hpp"

namespace mnist {
namespace {

TEST(Machine, HasNoMoreCoresThanProcessors) {
  EXPECT_GE(available_cores(), 1);
  EXPECT_LE(available_cores(), available_processors());
}

TEST(Machine, CountsOnlyWhereThisProcessMayRun) {
  cpu_set_t all;
  ASSERT_EQ(::sched_getaffinity(0, sizeof(all), &all), 0);
  std::size_t first = 0;
  while (CPU_ISSET(first, &all) == 0) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(::sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(allowed_processors(), std::vector<std::size_t>{first});
  EXPECT_EQ(available_processors(), 1);
  EXPECT_EQ(available_cores(), 1);
  ::sched_setaffinity(0, sizeof(all), &all);
}

/// A root directory with the cgroup files that a test writes.
class CgroupLimit : public ::testing::Test {
 protected:
  void write(std::string_view path, std::string_view text) {
    const std::filesystem::path file = root_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  int limit() const { return cgroup_cpu_limit(root_.path()).value_or(0); }

  TemporaryDirectory root_;
};

TEST_F(CgroupLimit, IsAbsentWithoutCgroupsOrQuota) {
  EXPECT_FALSE(cgroup_cpu_limit(root_.path()).has_value());
  write("proc/self/cgroup", "0::/job\n");
  EXPECT_FALSE(cgroup_cpu_limit(root_.path()).has_value());
  for (const char* text : {"max 100000\n", "", "0 100000\n", "100000 0\n", "nonsense\n"}) {
    write("sys/fs/cgroup/job/cpu.max", text);
    EXPECT_FALSE(cgroup_cpu_limit(root_.path()).has_value()) << text;
  }
}

TEST_F(CgroupLimit, RoundsUpTheQuotaOfVersion2) {
  write("proc/self/cgroup", "0::/job\n");
  write("sys/fs/cgroup/job/cpu.max", "200000 100000\n");
  EXPECT_EQ(limit(), 2);
  write("sys/fs/cgroup/job/cpu.max", "250000 100000\n");
  EXPECT_EQ(limit(), 3);
  write("sys/fs/cgroup/job/cpu.max", "1000 100000\n");
  EXPECT_EQ(limit(), 1);
}

TEST_F(CgroupLimit, IsTheSmallestOfTheCgroupAndItsAncestors) {
  write("proc/self/cgroup", "0::/a/b/c\n");
  write("sys/fs/cgroup/a/b/c/cpu.max", "800000 100000\n");
  write("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  write("sys/fs/cgroup/a/cpu.max", "300000 100000\n");
  EXPECT_EQ(limit(), 3);
  write("sys/fs/cgroup/cpu.max", "200000 100000\n");
  EXPECT_EQ(limit(), 2);
}

TEST_F(CgroupLimit, ReadsTheCpuControllerOfVersion1) {
  write("proc/self/cgroup", "5:cpuset:/other\n4:cpu,cpuacct:/docker/id\n1:name=systemd:/\n0::/\n");
  write("sys/fs/cgroup/cpu/docker/id/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu/docker/id/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limit(), 0);
  write("sys/fs/cgroup/cpu/docker/id/cpu.cfs_quota_us", "150000\n");
  EXPECT_EQ(limit(), 2);
  write("sys/fs/cgroup/cpu/other/cpu.cfs_quota_us", "50000\n");
  write("sys/fs/cgroup/cpu/other/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limit(), 2);
}

TEST_F(CgroupLimit, IsFoundWhereAContainerMountsItsOwnCgroup) {
  write("proc/self/cgroup", "4:cpu,cpuacct:/docker/id\n");  // a path of the host
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "400000\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limit(), 4);
}

TEST_F(CgroupLimit, BoundsBothCounts) {
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_EQ(available_processors(root_.path()), 1);
  EXPECT_EQ(available_cores(root_.path()), 1);
}

TEST(Machine, PeakMemoryOnlyGrows) {
  const std::int64_t before = peak_memory_bytes();
  EXPECT_GT(before, 0);
  EXPECT_GE(peak_memory_bytes(), before);
}

}  // namespace
}  // namespace mnist
