"""Full disks, limits, unusual environments and unusual data: the programs work or fail cleanly."""

import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import unittest

import programs
from programs import BIN, SUBSET, ProgramTest

FLAGS = ("--data", SUBSET, "--hidden", "8", "--epochs", 1, "--device", "cpu")
LARGE = ("--data", SUBSET, "--hidden", "2048,2048", "--epochs", 1, "--device", "cpu", "--limit", 32, "--no-test")


class Limits(ProgramTest):
    def limited(self, kind, value, flags=FLAGS):
        return programs.run("mnist-train", *flags, "--threads", 1, "--out", self.tmp_dir / "m.pt",
                            preexec_fn=lambda: resource.setrlimit(kind, (value, value)))

    @staticmethod
    def starts_within(limit):
        return programs.run("mnist-train", "--help", preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_AS, (limit, limit))).returncode == 0

    def test_a_file_size_limit_is_an_error(self):
        process = self.limited(resource.RLIMIT_FSIZE, 1000)
        self.assertEqual(process.returncode, 1, process.stderr)
        self.assertIn("m.pt: cannot be written: writing failed: File too large", process.stderr)
        self.assertEqual(list(self.tmp_dir.iterdir()), [])

    def test_running_out_of_file_descriptors_does_not_abort(self):
        process = self.limited(resource.RLIMIT_NOFILE, 3)
        self.assertNotEqual(process.returncode, 0)
        self.assertGreaterEqual(process.returncode, 0, "died from a signal")

    def test_too_few_threads_are_an_error(self):
        command = ["mnist-train", *FLAGS, "--threads", 8, "--out", self.tmp_dir / "m.pt"]
        if os.getuid() == 0:  # whom the limit does not bind
            user = ("--reuid=54321", "--regid=54321", "--clear-groups")
            if subprocess.run(["setpriv", *user, "test", "-x", BIN / "mnist-train"]).returncode != 0:
                self.skipTest("needs programs that other users can run")
            self.tmp_dir.chmod(0o777)
            command[:1] = [shutil.which("setpriv"), *user, BIN / "mnist-train"]
        process = programs.run(*command, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NPROC, (1, 1)))
        self.assertEqual(process.returncode, 1, process.stderr)
        self.assertRegex(process.stderr, "mnist-train: error: only 1 of 8 threads could be started: "
                                         "Resource temporarily unavailable; use fewer with --threads\n$")

    def test_running_out_of_memory_is_an_error(self):
        """Searches for the least memory that suffices. Below it, the program reports an error and does not abort."""
        enough, too_little = 16 << 30, 64 << 20
        self.assertEqual(self.limited(resource.RLIMIT_AS, enough, LARGE).returncode, 0)
        self.assertNotEqual(self.limited(resource.RLIMIT_AS, too_little, LARGE).returncode, 0)
        seen = set()
        while enough - too_little > 16 << 20:
            limit = (enough + too_little) // 2
            process = self.limited(resource.RLIMIT_AS, limit, LARGE)
            seen.add(process.returncode)
            with self.subTest(megabytes=limit >> 20):
                # 127: too little memory for the loader. -6: too little for LibTorch before main, where nothing can be
                # caught.
                allowed = (0, 1, 127) if self.starts_within(limit) else (127, -signal.SIGABRT)
                self.assertIn(process.returncode, allowed, process.stderr)
                if process.returncode == 1:
                    self.assertIn("mnist-train: error: out of memory; try a smaller", process.stderr)
            enough, too_little = (limit, too_little) if process.returncode == 0 else (enough, limit)
        self.assertIn(1, seen)


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

    def comma_locale(self):
        """Compiles a locale with decimal commas; returns the environment that selects it."""
        source = self.tmp_dir / "source"
        source.write_text('LC_NUMERIC\ndecimal_point ","\nthousands_sep "."\ngrouping 3;3\nEND LC_NUMERIC\n')
        if shutil.which("localedef") is None:
            self.skipTest("needs localedef")
        subprocess.run(["localedef", "-c", "-i", source, "-f", "UTF-8", self.tmp_dir / "comma.UTF-8"],
                       capture_output=True)  # it warns about the categories that are left out, and exits with 1
        environment = {"LOCPATH": str(self.tmp_dir), "LC_ALL": "", "LC_NUMERIC": "comma.UTF-8"}
        shown = subprocess.run([sys.executable, "-c", "import locale; locale.setlocale(locale.LC_ALL, ''); "
                                "print(locale.localeconv()['decimal_point'])"], env=os.environ | environment,
                               capture_output=True, text=True)
        self.assertEqual(shown.stdout, ",\n", "the locale has no effect")
        return environment

    def test_a_locale_with_decimal_commas_changes_nothing(self):
        environment = self.comma_locale()
        written = {}
        for name, variables in (("C", {"LC_ALL": "C"}), ("comma", environment)):
            run = self.tmp_dir / name
            run.mkdir()
            flags = (*FLAGS, "--lr", "0.002", "--verbose")
            process = self.succeed("mnist-train", *flags, "--run-dir", run, "--out", run / "m.pt",
                                   environment=variables)
            self.assertRegex(process.stderr, r"loss \d\.\d{4}  accuracy \d\d\.\d\d %")
            files = {name: (run / name).read_text().replace(str(run), "") for name in ("config.toml", "metrics.jsonl")}
            files["metrics.jsonl"] = re.sub(r'"(seconds|images_per_second|peak_memory_bytes)":[\d.e+-]+', "",
                                            files["metrics.jsonl"])
            written[name] = (process.stdout.replace(str(run), ""), (run / "m.pt").read_bytes(), files)
        self.assertEqual(written["comma"], written["C"])

    def test_a_read_only_directory_is_rejected(self):
        locked = self.tmp_dir / "locked"
        locked.mkdir(mode=0o500)
        command = ["mnist-train", *FLAGS, "--out", locked / "m.pt"]
        if os.access(locked, os.W_OK):  # root, who may write anywhere with this capability
            command[:1] = [shutil.which("setpriv"), "--bounding-set=-dac_override", BIN / "mnist-train"]
        process = programs.run(*command)
        self.assertEqual(process.returncode, 2, process.stderr)
        self.assertRegex(process.stderr, r"\Amnist-train: error: .*Permission denied.*\n\Z")

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
    """Degenerate datasets, for which accuracy means little but training must work."""

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
