"""Failures of the disk, memory, terminal and data: the programs fail cleanly."""

import errno
import os
import resource
import shutil
import struct
import subprocess
import unittest

import programs
from programs import BIN, SUBSET, ProgramTest

# A run that writes every kind of file, and their names except for the TensorBoard events.
FLAGS = ("--data", SUBSET, "--hidden", "8", "--epochs", 1, "--device", "cpu")
NAMES = {"config.toml", "metrics.jsonl", "checkpoint.safetensors", "checkpoint.previous.safetensors", "lock",
         "model.pt", "summary.json"}


class FailingCalls(ProgramTest):
    """Each file operation of a run fails in turn."""

    def run_with_failure(self, call, number):
        directory = self.tmp_dir / "run"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        (directory / "model.pt").write_bytes(b"old model")
        (directory / "config.toml").write_bytes(b"old config")
        log = self.tmp_dir / "log"
        log.unlink(missing_ok=True)
        process = programs.run("mnist-train", *FLAGS, "--run-dir", directory, "--out", directory / "model.pt",
                               environment=programs.failing_call(directory, call, log, FAIL_ERRNO=number))
        return directory, process, log.read_text() if log.exists() else None

    def check_each_failure(self, number, check):
        """Fails the first call, then the second, and so on to the last; calls check(directory, process, call)."""
        for call in range(1, 200):
            directory, process, failed = self.run_with_failure(call, number)
            if failed is None:
                self.assertGreater(call, 20)
                return
            with self.subTest(call=call, failed=failed, error=errno.errorcode.get(number)):
                names = {path.name for path in directory.iterdir()}
                events = {name for name in names if name.startswith("events.out.tfevents.")}
                self.assertLessEqual(names - events, NAMES)
                check(directory, process, failed)
        self.fail("more than 200 calls")

    def test_a_full_or_broken_disk_ends_the_run_and_keeps_the_old_model(self):
        for number in (errno.ENOSPC, errno.EIO):
            def check(directory, process, failed):
                if process.returncode == 0:  # harmless: the PID in the lock file, close after fsync
                    self.assertIn(failed, ("write", "close"))
                    return
                self.assertEqual(process.returncode, 1, process.stderr)
                last = process.stderr.splitlines()[-1]
                self.assertTrue(last.startswith("mnist-train: error: "), last)
                self.assertIn(str(directory), last)
                self.assertIn(os.strerror(number), last)
                self.assertEqual(process.stdout, "")
                after_the_model = "summary.json" in last  # which is written last
                if not after_the_model and "was written, but its directory could not be synced" not in last:
                    self.assertEqual((directory / "model.pt").read_bytes(), b"old model")

            self.check_each_failure(number, check)

    def test_interrupted_calls_and_short_writes_are_retried(self):
        interruptible = ("mkostemp", "open", "write", "fsync", "close")
        for number, calls in ((errno.EINTR, interruptible), (0, ("write",))):
            def check(directory, process, failed):
                if failed in calls:
                    self.assertEqual(process.returncode, 0, process.stderr)
                    self.assertGreater((directory / "model.pt").stat().st_size, 1000)

            self.check_each_failure(number, check)


class Limits(ProgramTest):
    def limited(self, kind, value, *flags):
        return programs.run("mnist-train", *FLAGS, *flags, "--out", self.tmp_dir / "m.pt",
                            preexec_fn=lambda: resource.setrlimit(kind, (value, value)))

    def test_a_file_size_limit_is_an_error(self):
        process = self.limited(resource.RLIMIT_FSIZE, 1000)
        self.assertEqual(process.returncode, 1, process.stderr)
        self.assertIn("m.pt: cannot be written: writing failed: File too large", process.stderr)
        self.assertEqual(list(self.tmp_dir.iterdir()), [])

    def test_running_out_of_file_descriptors_does_not_abort(self):
        process = self.limited(resource.RLIMIT_NOFILE, 3)
        self.assertNotEqual(process.returncode, 0)
        self.assertGreaterEqual(process.returncode, 0, "died from a signal")

    def test_running_out_of_memory_is_an_error(self):
        """Whatever the limit, the program succeeds or reports an error; it never aborts."""
        for limit in (8 << 30, 1500 << 20, 1200 << 20, 1000 << 20, 800 << 20, 600 << 20):
            with self.subTest(megabytes=limit >> 20):
                process = self.limited(resource.RLIMIT_AS, limit, "--threads", 8)
                self.assertIn(process.returncode, (0, 1, 127), process.stderr)
                if process.returncode != 0:
                    self.assertNotEqual(process.stderr, "")


class FullDisk(ProgramTest):
    """A small tmpfs, mounted in a private namespace, runs out of space."""

    def on_disk(self, kilobytes, command):
        script = f'mount -t tmpfs -o size={kilobytes}k none "$1" && cd "$1" && {command}'
        return subprocess.run(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh",
                               self.tmp_dir], capture_output=True, text=True)

    def setUp(self):
        super().setUp()
        if shutil.which("unshare") is None or self.on_disk(64, "true").returncode != 0:
            self.skipTest("needs permission to mount a tmpfs in a user namespace")

    def test_the_old_model_survives(self):
        train = f'"{BIN}/mnist-train" --data "{SUBSET}" --limit 100 --epochs 1 --device cpu --out model.pt'
        # The disk holds the first model (25 KB) but not the second one (430 KB) next to it.
        process = self.on_disk(256, f"{train} --hidden 8 && cp model.pt /dev/stdout | sha256sum && "
                                    f"{train} --hidden 128; echo exit $?; sha256sum <model.pt; ls")
        lines = process.stdout.splitlines()
        sums = [line for line in lines if line.endswith("  -")]
        self.assertEqual(len(sums), 2, process.stderr)
        self.assertEqual(sums[0], sums[1])
        self.assertIn("exit 1", lines)
        self.assertEqual(lines[-1], "model.pt", "no leftovers next to the model")
        self.assertIn("model.pt: cannot be written: writing failed: No space left on device", process.stderr)

    def test_a_run_resumes_once_the_disk_has_space(self):
        train = f'"{BIN}/mnist-train" --data "{SUBSET}" --limit 500 --hidden 64 --epochs 3 --device cpu --out m.pt'
        process = self.on_disk(900, f"{train} --run-dir run; echo exit $?; ls run | grep -c tmp; "
                                    f'mount -o remount,size=20m . && "{BIN}/mnist-train" --resume run >/dev/null; '
                                    f"echo exit $?; sha256sum <m.pt; {train} >/dev/null; sha256sum <m.pt")
        lines = process.stdout.splitlines()
        self.assertEqual(lines[:3], ["exit 1", "0", "exit 0"], process.stderr)
        self.assertEqual(lines[3], lines[4])
        self.assertIn("No space left on device", process.stderr)


class Surroundings(ProgramTest):
    def test_a_closed_standard_output_is_an_error(self):
        script = f'exec "{BIN}/mnist-train" --data "{SUBSET}" --hidden 8 --epochs 1 --out "{self.tmp_dir}/m.pt" >&-'
        process = subprocess.run(["sh", "-c", script], stderr=subprocess.PIPE, text=True)
        self.assertEqual(process.returncode, 1)
        self.assertIn("standard output cannot be written: Bad file descriptor", process.stderr)
        self.succeed("mnist-eval", "--model", self.tmp_dir / "m.pt", "--data", SUBSET)

    def test_a_locale_with_decimal_commas_changes_nothing(self):
        model = self.train_quickly("--lr", "0.002").read_bytes()
        again = self.tmp_dir / "b.pt"
        self.succeed("mnist-train", "--data", SUBSET, "--epochs", 1, "--hidden", "16", "--device", "cpu", "--lr",
                     "0.002", "--out", again, environment={"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"})
        self.assertEqual(again.read_bytes(), model)

    def test_a_read_only_directory_is_rejected(self):
        locked = self.tmp_dir / "locked"
        locked.mkdir(mode=0o500)
        if os.access(locked, os.W_OK):
            self.skipTest("this user can write anywhere")
        self.fail_with(2, "Permission denied", "mnist-train", *FLAGS, "--out", locked / "m.pt")

    def test_data_files_may_change_during_a_run(self):
        """Images are read once, at the start."""
        data = self.tmp_dir / "data"
        shutil.copytree(SUBSET, data)
        expected = self.tmp_dir / "expected.pt"
        flags = ("--data", data, "--hidden", 32, "--epochs", 40, "--device", "cpu")
        self.succeed("mnist-train", *flags, "--out", expected)
        process = programs.start_training(*flags, "--out", self.tmp_dir / "m.pt")
        self.assertTrue(programs.wait_for_first_epoch(process))
        for file in data.iterdir():
            os.truncate(file, 10)
        process.communicate()
        self.assertEqual(process.returncode, 0)
        self.assertEqual((self.tmp_dir / "m.pt").read_bytes(), expected.read_bytes())


class OddData(ProgramTest):
    """Degenerate data sets, for which accuracy means little but training must work."""

    def write(self, directory, split, labels):
        directory.mkdir(exist_ok=True)
        images = bytes((17 * i + 31 * p) % 256 for i in range(len(labels)) for p in range(16))
        (directory / f"{split}-images-idx3-ubyte").write_bytes(
            struct.pack(">4B3I", 0, 0, 8, 3, len(labels), 4, 4) + images)
        (directory / f"{split}-labels-idx1-ubyte").write_bytes(
            struct.pack(">4BI", 0, 0, 8, 1, len(labels)) + bytes(labels))

    def test_trains_on_degenerate_data_sets(self):
        for name, train, test in (("one class", [3] * 50, [3] * 10), ("one example", [7], [7]),
                                  ("one class in the test set", list(range(10)) * 5, [4] * 10)):
            with self.subTest(name):
                data = self.tmp_dir / name
                self.write(data, "train", train)
                self.write(data, "t10k", test)
                for engine in ("fused", "torch"):
                    model = self.tmp_dir / f"{name}.pt"
                    self.succeed("mnist-train", "--data", data, "--hidden", 8, "--epochs", 30, "--batch", 64,
                                 "--engine", engine, "--device", "cpu", "--out", model)
                    process = self.succeed("mnist-eval", "--model", model, "--data", data, "--json")
                    self.assertNotIn("nan", process.stdout.lower())


if __name__ == "__main__":
    unittest.main()
