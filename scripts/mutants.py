#!/usr/bin/env python3
"""Applies the patches of tests/mutants one by one to a copy of the tree and runs the tests of the module
that each one breaks. A mutant that no test catches survives, and the script exits with 1, unless its patch
explains why.

A patch begins with a line that says what it breaks and which tests (a regex for ctest) should catch it:

    # a short write counts as a whole one; tests: ^support/

The tests "^fuzz/TARGET" are two minutes of fuzzing. A second line, "# survives: REASON", may explain why no
test can. Copies and builds are in build/mutants. Most patches need no LibTorch; those whose tests run
mnist-train or begin with "libtorch/" do.

    scripts/mutants.py                     all mutants
    scripts/mutants.py train- data-idx     those whose names begin with one of these
"""

import argparse
import concurrent.futures
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PATCHES = PROJECT / "tests/mutants"
WORK = PROJECT / "build/mutants"
# Python tests that need only the programs without LibTorch.
WITHOUT_LIBTORCH = {"architecture/layering", "cli/untrusted"}
PROGRAMS = ["mnist-predict", "mnist-export", "contact_sheet", "failing_calls"]
LIBTORCH_PROGRAMS = ["mnist-train", "mnist-eval", "reference_steps"]
FUZZ_SECONDS = 120


class Mutant:
    """A patch and its first lines' description of it."""

    def __init__(self, path):
        self.path = path
        self.name = path.stem
        lines = path.read_text().splitlines()
        head = re.fullmatch(r"# (.+); tests: (\S+)", lines[0])
        if not head:
            sys.exit(f"{path}: its first line must be '# WHAT IT BREAKS; tests: REGEX', found '{lines[0]}'")
        self.what, self.tests = head.groups()
        explained = re.fullmatch(r"# survives: (.+)", lines[1])
        self.survives = explained.group(1) if explained else None
        self.files = re.findall(r"^\+\+\+ b/(\S+)", path.read_text(), re.MULTILINE)


def test_targets(regex):
    """Returns the build targets that the tests need, and the build they belong to."""
    folder, _, rest = regex.lstrip("^").rpartition("/")
    if folder == "fuzz":
        return [f"{rest}_fuzzer"], "asan"
    if (PROJECT / "tests" / folder / f"{rest}.py").exists():
        if f"{folder}/{rest}" in WITHOUT_LIBTORCH:
            return PROGRAMS, "release"
        return PROGRAMS + LIBTORCH_PROGRAMS, "libtorch"
    if folder == "libtorch" or folder.startswith("libtorch/"):
        return ["libtorch_tests"], "libtorch"
    folders = sorted({str(test.parent.relative_to(PROJECT / "tests")) for test in PROJECT.glob("tests/**/*_test.cpp")})
    folders.remove("engine/torch")  # a part of libtorch_tests
    inside = [name for name in folders if name == folder or (not rest and name.startswith(f"{folder}/"))]
    if not inside:
        sys.exit(f"no tests are called '{regex}'; name a directory of tests/, libtorch, or a file such as cli/train")
    return [name.replace("/", "_") + "_tests" for name in inside], "release"


class Workspace:
    """A copy of the tree with its builds. One mutant at a time is applied to it."""

    def __init__(self, number, jobs):
        self.folder = WORK / str(number)
        self.tree = self.folder / "tree"
        self.jobs = str(jobs)
        self.environment = dict(os.environ, CCACHE_BASEDIR=str(self.tree), CCACHE_NOHASHDIR="1")
        self.configured = set()
        self.log = self.folder / "log"
        self.copy_tree()

    def copy_tree(self):
        """Updates the copy; unchanged files keep their modification times, so that little is rebuilt."""
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                cwd=PROJECT, check=True, capture_output=True, text=True).stdout
        wanted = {name for name in listed.split("\0") if name and (PROJECT / name).is_file()}
        for name in wanted:
            self.copy(name)
        for path in list(self.tree.rglob("*")):
            name = str(path.relative_to(self.tree))
            if path.is_file() and name not in wanted and not name.startswith(("build/", ".venv", "data/mnist/")):
                path.unlink()
        for name in (".venv", "data/mnist"):
            if (PROJECT / name).exists() and not (self.tree / name).exists():
                (self.tree / name).symlink_to(PROJECT / name)

    def copy(self, name):
        source, target = PROJECT / name, self.tree / name
        if target.exists() and source.read_bytes() == target.read_bytes():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        shutil.copymode(source, target)

    def run(self, *command):
        """Runs a command, with its output in the log; returns whether it succeeded."""
        with open(self.log, "a") as log:
            log.write(f"$ {' '.join(command)}\n")
            log.flush()
            return subprocess.run(command, cwd=self.tree, env=self.environment, stdout=log,
                                  stderr=subprocess.STDOUT).returncode == 0

    def build(self, tests):
        targets, build = test_targets(tests)
        folder = self.tree / "build" / build
        if folder not in self.configured:
            # The flags of scripts/test.sh, so that ccache has most objects already.
            preset = "asan" if build == "asan" else "release"
            if not self.run("cmake", "--preset", preset, "-B", str(folder), "-DMNIST_WITH_CUDA=OFF",
                            f"-DMNIST_WITH_LIBTORCH={'ON' if build == 'libtorch' else 'OFF'}", "-DMNIST_WERROR=ON"):
                sys.exit(f"CMake configuration failed, see {self.log}")
            self.configured.add(folder)
        return folder if self.run("cmake", "--build", str(folder), "-j", self.jobs, "--target", *targets) else None

    def pass_tests(self, folder, tests, fuzz_seconds=FUZZ_SECONDS):
        if tests.startswith("^fuzz/"):
            return self.run(f"{folder}/bin/{tests.removeprefix('^fuzz/')}_fuzzer", f"-max_total_time={fuzz_seconds}")
        return self.run("ctest", "--test-dir", str(folder), "-R", tests, "-j", self.jobs, "--stop-on-failure",
                        "--no-tests=error", "--output-on-failure")

    def failure(self):
        """Returns the name of the last test that failed, or what the fuzzer found."""
        log = self.log.read_text(errors="replace")
        found = re.findall(r"^\s+\d+ - (\S+).* \(", log, re.MULTILINE) or re.findall(r"runtime error: .*", log)
        return found[-1] if found else "?"

    def check_baseline(self, tests):
        """Checks that the tests exist and pass without a mutant: otherwise they would kill every one."""
        folder = self.build(tests)
        if not folder or not self.pass_tests(folder, tests, fuzz_seconds=2):
            sys.exit(f"the tests {tests} do not pass without a mutant, see {self.log}")

    def try_mutant(self, mutant):
        """Returns the outcome for the mutant, in a word or two, and a detail to print."""
        self.log = self.folder / f"{mutant.name}.log"
        self.log.unlink(missing_ok=True)
        if not self.run("patch", "-p1", "--fuzz=2", "--force", "--no-backup-if-mismatch", "-r", "-",
                        "-i", str(mutant.path)):
            return "does not apply", f"see {self.log}"
        folder = self.build(mutant.tests)
        if not folder:
            return "does not build", f"see {self.log}"
        if self.pass_tests(folder, mutant.tests):
            return "survived", mutant.what
        return "killed", f"by {self.failure()}"

    def restore(self, mutant):
        for name in mutant.files:
            self.copy(name)


def try_all(mutants, jobs):
    """Yields (mutant, outcome, detail, seconds) as they are done, on `jobs` workspaces."""
    workspaces = queue.SimpleQueue()
    for number in range(jobs):
        workspaces.put(Workspace(number, max(1, (os.cpu_count() or 1) // jobs)))
    passing = set()
    lock = threading.Lock()

    def try_one(mutant):
        workspace = workspaces.get()
        try:
            with lock:
                if mutant.tests not in passing:
                    workspace.check_baseline(mutant.tests)
                    passing.add(mutant.tests)
            start = time.monotonic()
            outcome, detail = workspace.try_mutant(mutant)
            return mutant, outcome, detail, time.monotonic() - start
        finally:
            workspace.restore(mutant)
            workspaces.put(workspace)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        running = [pool.submit(try_one, mutant) for mutant in sorted(mutants, key=lambda m: (m.tests, m.name))]
        try:
            for done in concurrent.futures.as_completed(running):
                yield done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="prefixes of patch names; default: all")
    parser.add_argument("--jobs", type=int, default=1, help="number of mutants to try at once, each in its own copy")
    parser.add_argument("--list", action="store_true", help="list the mutants and what they break")
    options = parser.parse_args()
    mutants = [Mutant(path) for path in sorted(PATCHES.glob("*.patch"))]
    if options.names:
        mutants = [mutant for mutant in mutants if mutant.name.startswith(tuple(options.names))]
    if not mutants:
        sys.exit(f"no mutant's name begins with {' or '.join(options.names)}; --list shows all of them")
    if options.list:
        for mutant in mutants:
            print(f"{mutant.name:30} {mutant.tests:20} {mutant.what}")
        return 0

    counts, failures = {}, 0
    for mutant, outcome, detail, seconds in try_all(mutants, options.jobs):
        expected = "survived" if mutant.survives else "killed"
        if outcome == "survived" and mutant.survives:
            detail += f" ({mutant.survives})"
        if outcome == "killed" and mutant.survives:
            detail += ", although its patch says that it survives"
        if outcome != expected:
            failures += 1
        counts[outcome] = counts.get(outcome, 0) + 1
        print(f"{outcome if outcome == expected else outcome.upper():15} {mutant.name:30} {seconds:5.1f} s  {detail}",
              flush=True)
    print(f"{len(mutants)} mutants: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
