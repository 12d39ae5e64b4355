"""The machine that benchmarks run on: what it is, how busy it is, and how far apart its cores are."""

import pathlib
import subprocess
import time

CPU = pathlib.Path("/sys/devices/system/cpu")
STAT = pathlib.Path("/proc/stat")
INSTRUCTION_SETS = {"avx2": "AVX2", "avx512f": "AVX-512", "amx_tile": "AMX"}


def description():
    """Returns one line: the processor's name, its SIMD instruction sets, and the caches of its first core."""
    fields = {}
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    flags = fields.get("flags", "").split()
    sets = [name for flag, name in INSTRUCTION_SETS.items() if flag in flags]
    return "; ".join([fields.get("model name", "unknown processor"), *sets, *caches()])


def caches():
    """Yields each cache as "L2 512K (cores 0)", with the cores that share it."""
    for index in sorted((CPU / "cpu0/cache").glob("index*")):
        level, kind, size, cores = ((index / name).read_text().strip()
                                    for name in ("level", "type", "size", "shared_cpu_list"))
        if kind != "Instruction":
            yield f"L{level} {size} (cores {cores})"


def busy_cores(seconds=1):
    """Returns the number of busy cores, averaged over `seconds`."""
    before = STAT.read_text()
    time.sleep(seconds)
    return busy_between(before, STAT.read_text())


def busy_between(before, after):
    """Returns the number of busy cores between two readings of /proc/stat. Includes stolen time: a host that gives a
    core of this machine to another one disturbs measurements just as much."""
    ticks = []
    for text in (before, after):
        user, nice, system, idle, waiting, *others = map(int, text.splitlines()[0].split()[1:9])
        ticks.append((user + nice + system + sum(others), idle + waiting))
    (busy, idle), (busy_then, idle_then) = ticks
    cores = sum(line.startswith("cpu") for line in after.splitlines()) - 1
    return cores * (busy_then - busy) / max(1, busy_then - busy + idle_then - idle)


def core_latency(program, cores):
    """Returns the nanoseconds that a cache line takes from the first of `cores` to the second (core_latency.cpp). None
    with one core, if the program is not built, or if other programs keep its two threads from running at once."""
    if len(cores) < 2 or not program.exists():
        return None
    try:
        process = subprocess.run([program, *map(str, cores[:2])], capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return None
    return float(process.stdout) if process.returncode == 0 else None
