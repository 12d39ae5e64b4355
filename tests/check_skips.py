"""Lists the skipped tests in a JUnit file of CTest with their reasons: check_skips.py FILE. Exits
with 1 if one of them was skipped for a reason other than those below."""

import re
import sys
import xml.etree.ElementTree

# What scripts/setup.sh cannot install, and what only runs on request or with a network.
ALLOWED = ("needs a GPU", "this machine has a", "needs a LibTorch with CUDA",
           "needs a CPU with two instruction sets", "set MNIST_TEST_PACKAGES=1", "needs wandb",
           "needs kubernetes-validate", "needs Open MPI", "needs PostgreSQL", "needs Slurm and munge",
           "needs arm-none-eabi-gcc and qemu-system-arm",
           "needs permission to mount", "needs permission to add network namespaces", "needs root, as whom Slurm",
           "needs programs that other users can run", "the full set has not been fetched")
# As GoogleTest, unittest and files that need a Python package print them.
REASONS = re.compile(r": Skipped\n(.+)|skipped ['\"](.+)['\"]$|^(.+): skipped$", re.MULTILINE)


def skipped_tests(path):
    """Yields (name, reason) for each reason that a skipped test printed."""
    for test in xml.etree.ElementTree.parse(path).iter("testcase"):
        if test.get("status") != "notrun" and test.find("skipped") is None:
            continue
        found = REASONS.findall(test.findtext("system-out") or "")
        for reason in {"".join(groups) for groups in found} or {"gives no reason"}:
            yield test.get("name"), reason


def main(path):
    refused = 0
    for name, reason in sorted(skipped_tests(path)):
        allowed = reason.startswith(ALLOWED)
        refused += not allowed
        print(f"{'skipped' if allowed else 'SKIPPED, which is not allowed here'}: {name}: {reason}")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
