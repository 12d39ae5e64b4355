"""What a run asks of the file system: what it syncs and when, and what happens when any one call fails."""

import concurrent.futures
import errno
import fnmatch
import os
import pathlib
import shutil
import unittest
from typing import NamedTuple

import programs
from programs import SUBSET, ProgramTest

# A run that writes every kind of file, and their names except for the TensorBoard events.
FLAGS = ("--data", SUBSET, "--hidden", 8, "--epochs", 1, "--device", "cpu", "--threads", 1)
NAMES = {"config.toml", "metrics.jsonl", "checkpoint.safetensors", "checkpoint.previous.safetensors", "lock",
         "model.pt", "summary.json"}

# The calls that may fail in a run that ends well, with the files they concern, and why.
HARMLESS = {
    ("close", "*"): "what was written has been synced, and the descriptor is closed all the same",
    ("ftruncate", "lock"): "the PID in the lock file is only for messages",
    ("pwrite", "lock"): "the PID in the lock file is only for messages",
    ("unlink", "*.tmp-*"): "an empty file that shows that the directory is writable; the next step removes it",
    ("unlink", "checkpoint*.safetensors"): "of an earlier run; the first checkpoint replaces it",
}


class Operation(NamedTuple):
    call: str
    path: str
    old_path: str = ""  # of renames and links

    @property
    def name(self):
        return pathlib.Path(self.path).name


def read_operations(log):
    return [Operation(*line.split("\t")) for line in log.read_text().splitlines()]


def is_harmless(operation):
    return any(operation.call == call and fnmatch.fnmatch(operation.name, pattern) for call, pattern in HARMLESS)


class OperationsTest(ProgramTest):
    """A test of the file operations below a directory. To make them fail, subclasses define prepare(directory), and
    flags(directory), with which mnist-train then runs."""

    def log_of(self, name, *flags):
        """Runs mnist-train without failures; returns the file operations below the directory `name`."""
        log = self.tmp_dir / "calls"
        log.unlink(missing_ok=True)
        self.succeed("mnist-train", *flags, environment=programs.failing_calls(self.tmp_dir / name, os.devnull,
                                                                               CALL_LOG=log))
        return read_operations(log)

    def retries(self, number, calls):
        """Runs mnist-train with a failure in each operation of these calls but for retries; all must be retried.
        Returns the directory and the process."""
        directory = self.tmp_dir / f"{number}"
        self.prepare(directory)
        log, failed = self.tmp_dir / f"{number}.all", self.tmp_dir / f"{number}.failed"
        environment = programs.failing_calls(directory, failed, CALL_LOG=log, FAIL_EACH=",".join(calls),
                                             FAIL_ERRNO=number)
        process = self.succeed("mnist-train", *self.flags(directory), environment=environment)
        self.assertEqual(set(read_operations(failed)), {o for o in read_operations(log) if o.call in calls})
        return directory, process

    def fail_each(self, operations, number, check):
        """Repeats the run once for each operation, which fails with an errno; calls check(directory, process)."""
        def run(at):
            directory = self.tmp_dir / f"{at}"
            self.prepare(directory)
            log = self.tmp_dir / f"{at}.log"
            process = programs.run("mnist-train", *self.flags(directory),
                                   environment=programs.failing_calls(directory, log, FAIL_AT=at, FAIL_ERRNO=number))
            return directory, process, log.read_text() if log.exists() else ""

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for operation, (directory, process, failed) in zip(
                    operations.values(), pool.map(run, operations), strict=True):
                with self.subTest(operation=operation, error=errno.errorcode[number]):
                    self.assertEqual(failed.split("\t")[0].strip(), operation.call)
                    check(directory, process, operation)
                shutil.rmtree(directory)
                (self.tmp_dir / f"{directory.name}.log").unlink()


class Durability(OperationsTest):
    def operations(self):
        run = self.tmp_dir / "run"
        run.mkdir()
        return self.log_of("run", *FLAGS, "--run-dir", run, "--out", run / "model.pt"), str(run)

    def test_files_are_synced_before_their_renaming_and_the_directory_after(self):
        operations, directory = self.operations()
        linked = {operation.path for operation in operations if operation.call == "link"}
        renamed = []
        for i, (call, path, old_path) in enumerate(operations):
            if call != "rename":
                continue
            renamed.append(pathlib.Path(path).name)
            later = [o for o in operations[i + 1:] if o.call in ("fsync", "rename")]
            if old_path in linked:  # a second name of a file that has been synced
                self.assertIn(("fsync", directory, ""), later)
                continue
            with self.subTest(path=path):
                calls = [o.call for o in operations[:i] if o.path == old_path]
                self.assertIn("write", calls)
                self.assertIn("fsync", calls)
                self.assertNotIn("write", calls[calls.index("fsync"):])
                self.assertEqual(later[0], ("fsync", directory, ""))
        self.assertEqual(renamed, ["config.toml", "checkpoint.safetensors"][::-1] + [
            "checkpoint.previous.safetensors", "checkpoint.safetensors", "model.pt", "summary.json"])

    def test_appended_lines_and_events_are_synced(self):
        operations, _ = self.operations()
        appended = 0
        for i, (call, path, _) in enumerate(operations):
            if call == "write" and ("metrics.jsonl" in path or "events.out.tfevents." in path):
                appended += 1
                after = [o.call for o in operations[i + 1:] if o.path == path]
                self.assertEqual(after[0], "fsync", path)
        self.assertGreater(appended, 4)


class FailingCalls(OperationsTest):
    """Each file operation of a run fails in turn. An earlier, complete run has left its files in the directory."""

    def setUp(self):
        super().setUp()
        self.before = self.tmp_dir / "before"
        self.succeed("mnist-train", *self.flags(self.before))
        self.expected = (self.before / "model.pt").read_bytes()
        (self.before / "model.pt").write_bytes(b"old model")
        self.prepare(self.tmp_dir / "log")
        self.operations = self.log_of("log", *self.flags(self.tmp_dir / "log"))

    def prepare(self, directory):
        shutil.copytree(self.before, directory)

    @staticmethod
    def flags(directory):
        directory.mkdir(exist_ok=True)
        return (*FLAGS, "--run-dir", directory, "--out", directory / "model.pt")

    def check_each(self, number, calls, check):
        chosen = {at: o for at, o in enumerate(self.operations, 1) if calls is None or o.call in calls}
        self.assertGreater(len(chosen), 5)
        self.fail_each(chosen, number, check)

    def expect_success(self, directory, process):
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual((directory / "model.pt").read_bytes(), self.expected)
        self.assertEqual(len(programs.read_metrics(directory)), 1)

    def test_a_full_or_broken_disk_ends_the_run_and_keeps_the_old_model(self):
        for number, calls in ((errno.EIO, None), (errno.ENOSPC, ("mkostemp", "open", "write", "link", "fsync"))):
            def check(directory, process, operation):
                names = {path.name for path in directory.iterdir()}
                events = {name for name in names if name.startswith("events.out.tfevents.")}
                kept = {name for name in names if operation.call == "unlink" and ".tmp-" in name}
                self.assertLessEqual(names - events - kept, NAMES)
                if is_harmless(operation) and process.returncode == 0:
                    self.expect_success(directory, process)
                    return
                last = process.stderr.splitlines()[-1]
                if process.returncode == 2:  # it cannot tell whether the earlier run is complete
                    self.assertIn(operation.call, ("open", "read"))
                    self.assertIn("contains a checkpoint that cannot be read", last)
                    return
                self.assertEqual(process.returncode, 1, process.stderr)
                self.assertTrue(last.startswith("mnist-train: error: "), last)
                self.assertIn(str(directory), last)
                self.assertIn(os.strerror(number), last)
                self.assertEqual(process.stdout, "")
                written = "summary.json" in last or "was written, but its directory could not be synced" in last
                if not written:  # the summary is written after the model
                    self.assertEqual((directory / "model.pt").read_bytes(), b"old model")

            self.check_each(number, calls, check)

    def test_interrupted_calls_and_short_writes_are_retried(self):
        for number, calls in ((errno.EINTR, ("mkostemp", "open", "write", "fsync", "close")), (0, ("write",))):
            self.expect_success(*self.retries(number, calls))


class FailingReads(OperationsTest):
    """Each read of the data and of the run that is resumed fails in turn."""

    def setUp(self):
        super().setUp()
        self.before = self.tmp_dir / "before"
        shutil.copytree(SUBSET, self.before / "data")
        self.train(self.before, *FLAGS[2:], "--data", self.before / "data", "--run-dir", self.before / "run")
        self.prepare(self.tmp_dir / "log")
        operations = self.log_of("log", *self.flags(self.tmp_dir / "log"))
        self.reads = {at: o for at, o in enumerate(operations, 1) if o.call == "read"}
        self.assertEqual({o.name for o in self.reads.values()},
                         {"checkpoint.safetensors", "metrics.jsonl", *(path.name for path in SUBSET.iterdir())})
        self.expected = (self.tmp_dir / "log/model.pt").read_bytes()

    def train(self, directory, *flags):
        self.succeed("mnist-train", *flags, "--out", directory / "model.pt")

    def prepare(self, directory):
        shutil.copytree(self.before, directory)

    @staticmethod
    def flags(directory):
        return ("--resume", directory / "run", "--data", directory / "data", "--epochs", 2, "--out",
                directory / "model.pt")

    def test_a_failed_read_ends_the_run_and_changes_nothing(self):
        old = (self.before / "model.pt").read_bytes()

        def check(directory, process, operation):
            self.assertEqual(process.returncode, 1, process.stderr)
            last = process.stderr.splitlines()[-1]
            self.assertIn(f"{operation.name}: cannot be read: {os.strerror(errno.EIO)}", last)
            self.assertEqual((directory / "model.pt").read_bytes(), old)
            self.assertEqual((directory / "run/checkpoint.safetensors").read_bytes(),
                             (self.before / "run/checkpoint.safetensors").read_bytes())

        self.fail_each(self.reads, errno.EIO, check)

    def test_interrupted_and_short_reads_are_retried(self):
        for number in (errno.EINTR, 0):
            directory, _ = self.retries(number, ("read",))
            self.assertEqual((directory / "model.pt").read_bytes(), self.expected)


if __name__ == "__main__":
    unittest.main()
