"""One run by several processes of MPI: the same bytes as one process, whatever interrupts it.

The processes share this machine. What they compute does not depend on where they run.
"""

import json
import os
import shutil
import signal
import struct
import subprocess
import time
import unittest
from pathlib import Path

import programs
from programs import BIN, SUBSET, ProgramTest
from services import children_of, wait_until

MPIRUN = shutil.which("mpirun")
# Everything that has a state or draws random numbers, with several leaves of 128 examples in a minibatch.
EVERYTHING = (
    "--data", SUBSET, "--hidden", "64,32", "--epochs", 6, "--batch", 700, "--schedule", "cosine", "--clip-norm", 0.5,
    "--ema", 0.9, "--dropout", "0.1,0.2", "--input-dropout", 0.1, "--label-smoothing", 0.05, "--rotation", 10,
    "--elastic", 0.8, "--validation", 0.2, "--patience", 2, "--lr", 0.01, "--device", "cpu",
)
# Long enough to be interrupted.
LONG = (*(240 if flag == 6 else 0 if flag == 2 else flag for flag in EVERYTHING), "--checkpoint-every", 3)


def has_mpi():
    """Whether mnist-train was built with MPI."""
    libraries = subprocess.run(["ldd", BIN / "mnist-train"], capture_output=True, text=True)
    return "libmpi" in libraries.stdout


def mpirun(count, *flags):
    """The command that trains with `count` processes."""
    return [MPIRUN, "--oversubscribe", "--allow-run-as-root", "-n", str(count), str(BIN / "mnist-train"),
            *map(str, flags)]


@unittest.skipUnless(MPIRUN and has_mpi(), "needs Open MPI")
class Processes(ProgramTest):
    def train(self, count, *flags, code=0):
        """Trains to the end with `count` processes; returns the process."""
        process = subprocess.run(mpirun(count, *flags), capture_output=True, text=True, timeout=500)
        self.assertEqual(process.returncode, code, process.stderr)
        return process

    def expected(self, *flags):
        """The bytes of the model that one process trains."""
        run_dir = self.tmp_dir / "expected"
        self.succeed("mnist-train", *flags, "--threads", 1, "--run-dir", run_dir)
        return (run_dir / "model.pt").read_bytes()

    def errors(self, process):
        """The lines of mnist-train's own errors. Open MPI 5 puts zero bytes between what it forwards."""
        lines = process.stderr.replace("\0", "").splitlines()
        return [line for line in lines if line.startswith("mnist-train: error:")]

    def test_any_number_of_processes_writes_the_same_bytes(self):
        expected = self.expected(*EVERYTHING)
        for count, threads in ((1, 2), (2, 1), (2, 2), (3, 1), (4, 1)):
            with self.subTest(processes=count, threads=threads):
                model = self.tmp_dir / f"{count}-{threads}.pt"
                self.train(count, *EVERYTHING, "--threads", threads, "--out", model)
                self.assertEqual(model.read_bytes(), expected)

    def test_minibatches_of_one_leaf_are_trained_by_all_processes(self):
        flags = ("--data", SUBSET, "--hidden", 16, "--epochs", 2, "--batch", 32, "--device", "cpu")
        expected = self.expected(*flags)
        process = self.train(2, *flags, "--out", self.tmp_dir / "two.pt")
        self.assertIn("--batch 32 keeps only 1 of 2 processes busy", process.stderr)
        self.assertEqual((self.tmp_dir / "two.pt").read_bytes(), expected)

    def test_the_torch_engine_agrees_within_rounding(self):
        flags = ("--data", SUBSET, "--hidden", 32, "--epochs", 2, "--batch", 65, "--device", "cpu", "--engine", "torch",
                 "--activation", "tanh", "--validation", 0.2, "--json")
        losses = []
        for count in (1, 3):
            process = self.train(count, *flags, "--out", self.tmp_dir / f"{count}.pt")
            losses.append(json.loads(process.stdout)["validation_loss"])
        self.assertAlmostEqual(losses[0], losses[1], delta=1e-4 * losses[0])

    def test_only_the_first_process_prints_and_writes(self):
        flags = ("--data", SUBSET, "--hidden", 16, "--epochs", 2, "--device", "cpu", "--json")
        process = self.train(3, *flags, "--run-dir", self.tmp_dir / "run")
        self.assertEqual(process.stdout.count("test_accuracy"), 1)
        self.assertEqual(len([line for line in process.stderr.splitlines() if line.startswith("epoch 1")]), 1,
                         process.stderr)
        self.assertEqual(len(programs.read_metrics(self.tmp_dir / "run")), 2)
        self.assertEqual(self.train(2, "--help").stdout.count("mnist-train --recipe"), 1)

    def test_processes_share_the_cores(self):
        flags = ("--data", SUBSET, "--hidden", 16, "--epochs", 1, "--device", "cpu", "--out", self.tmp_dir / "m.pt")
        environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
        count = os.cpu_count()
        # Otherwise mpirun gives each process a core of its own.
        command = [MPIRUN, "--bind-to", "none", *mpirun(count, *flags)[1:]]
        process = subprocess.run(command, capture_output=True, text=True, timeout=500, env=environment)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn(" 1 thread;", process.stderr)

    def interrupt(self, name, victim, signum):
        """Starts four processes, and sends a signal to `victim(mpirun)` after some checkpoints."""
        run_dir = self.tmp_dir / name
        process = subprocess.Popen(mpirun(4, *LONG, "--threads", 1, "--run-dir", run_dir), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        metrics = run_dir / "metrics.jsonl"
        self.assertTrue(wait_until(lambda: metrics.exists() and metrics.read_text().count("\n") >= 2, 120))
        started = children_of(process.pid)
        self.assertEqual(len(started), 4)
        os.kill(victim(process.pid, started), signum)
        _, messages = process.communicate(timeout=120)
        self.assertNotEqual(process.returncode, 0)
        # A process that outlives mpirun notices at its next exchange.
        self.assertTrue(wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in started), 120))
        self.assertFalse((run_dir / "model.pt").exists(), "the run was over before it was interrupted")
        return run_dir, process.returncode, messages

    def test_interrupted_runs_resume_to_the_same_bytes(self):
        expected = self.expected(*LONG)
        cases = {
            "a process is killed": (lambda launcher, started: started[2], signal.SIGKILL),
            "the first process is killed": (lambda launcher, started: started[0], signal.SIGKILL),
            "mpirun is killed": (lambda launcher, started: launcher, signal.SIGKILL),
            "mpirun is stopped": (lambda launcher, started: launcher, signal.SIGTERM),
            "a process is stopped": (lambda launcher, started: started[1], signal.SIGTERM),
        }
        for number, (what, (victim, signum)) in enumerate(cases.items()):
            with self.subTest(what):
                run_dir, code, messages = self.interrupt(f"run-{number}", victim, signum)
                if what in ("a process is killed", "the first process is killed"):
                    self.assertRegex(messages, r"process rank \d with PID")  # says mpirun
                if what == "a process is stopped":
                    self.assertEqual(code, 128 + signal.SIGTERM, messages)
                self.train(1 + number % 2, "--resume", run_dir)
                self.assertEqual((run_dir / "model.pt").read_bytes(), expected)

    def test_each_process_holds_a_part_of_the_images(self):
        """480,000 images of 376 MB: the subset 240 times."""
        data = self.tmp_dir / "data"
        data.mkdir()
        for kind, rank in (("images", 3), ("labels", 1)):
            header = struct.pack(f">BBBB{rank}I", 0, 0, 8, rank, 480000, *(28, 28)[:rank - 1])
            elements = programs.read_idx(SUBSET, f"train-{kind}", len(header))
            (data / f"train-{kind}-idx{rank}-ubyte").write_bytes(header + 240 * elements)
        flags = ("--data", data, "--no-test", "--hidden", 16, "--epochs", 1, "--batch", 1024, "--threads", 1,
                 "--validation", 0.01, "--device", "cpu")
        peaks = {count: self.peak_memory(count, *flags, "--out", self.tmp_dir / f"{count}.pt") for count in (1, 2, 4)}
        images = 376e6
        self.assertLess(peaks[2], peaks[1] - 0.6 * images / 2)
        self.assertLess(peaks[4], peaks[2] - 0.6 * images / 4)
        self.assertEqual((self.tmp_dir / "4.pt").read_bytes(), (self.tmp_dir / "1.pt").read_bytes())

    def peak_memory(self, count, *flags):
        """The most bytes that one of `count` processes had in memory."""
        launcher = subprocess.Popen(mpirun(count, *flags), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        peak = 0
        while launcher.poll() is None:
            for pid in children_of(launcher.pid):
                try:
                    status = (Path("/proc") / str(pid) / "status").read_text()
                except OSError:
                    continue  # it has just ended
                peak = max(peak, *(1024 * int(line.split()[1]) for line in status.splitlines()
                                   if line.startswith("VmHWM:")), 0)
            time.sleep(0.02)
        self.assertEqual(launcher.returncode, 0)
        return peak

    def test_an_error_of_all_processes_is_one_message(self):
        for flags, code, words in (
                (("--epochs", "0"), 2, "--epochs"),
                (("--data", self.tmp_dir / "missing"), 1, "missing"),
                (("--data", SUBSET, "--engine", "torch", "--profile", "--device", "cpu"), 2, "--profile"),
                (("--data", SUBSET, "--lr", 100, "--epochs", 50, "--activation", "identity", "--device", "cpu",
                  "--hidden", ",".join(["16"] * 20)), 1, "training diverged")):
            with self.subTest(words):
                process = self.train(3, *flags, "--out", self.tmp_dir / "m.pt", code=code)
                self.assertEqual(len(self.errors(process)), 1, process.stderr)
                self.assertIn(words, self.errors(process)[0])
                self.assertFalse((self.tmp_dir / "m.pt").exists())

    def test_auto_resume_trains_once(self):
        flags = ("--data", SUBSET, "--epochs", 2, "--hidden", 8, "--device", "cpu", "--run-dir", self.tmp_dir / "run",
                 "--auto-resume")
        first = self.train(2, *flags)
        second = self.train(3, *flags)
        self.assertIn("epoch 2/2", first.stderr)
        self.assertNotIn("epoch", second.stderr)
        self.assertIn("test accuracy", second.stdout)

    def test_an_error_of_other_processes_ends_all(self):
        """They find other data than the first one, as on a machine with another copy."""
        self.tmp_dir.chmod(0o755)
        shutil.copytree(SUBSET, self.tmp_dir / "a/data")
        shutil.copytree(programs.FASHION_SUBSET, self.tmp_dir / "b/data")
        # mpirun could start each in a directory of its own, but that of Open MPI 5.0.7 crashes.
        script = 'if [ "$OMPI_COMM_WORLD_RANK" = 0 ]; then cd a; else cd b; fi; exec "$0" "$@"'
        command = mpirun(3, "--data", "data", "--device", "cpu", "--out", self.tmp_dir / "m.pt")
        at = command.index(str(BIN / "mnist-train"))
        process = subprocess.run([*command[:at], "sh", "-c", script, *command[at:]], cwd=self.tmp_dir,
                                 capture_output=True, text=True, timeout=300)
        self.assertEqual(process.returncode, 1, process.stderr)
        self.assertEqual(len(self.errors(process)), 1, process.stderr)
        self.assertRegex(self.errors(process)[0], "process [12] on .+: data: its labels or image sizes differ from process 0")

    def test_the_exit_code_is_that_of_the_first_process(self):
        process = self.train(2, "--data", SUBSET, "--epochs", 1, "--hidden", 8, "--device", "cpu", "--out",
                             self.tmp_dir / "m.pt", "--require-accuracy", 99.9, code=3)
        self.assertEqual(len(self.errors(process)), 1, process.stderr)


class WithoutLauncher(ProgramTest):
    def test_a_launch_that_mpi_does_not_know_is_an_error(self):
        """Also without MPI: as if another MPI's launcher had started the program."""
        launches = [{"PMI_RANK": "0", "PMI_SIZE": "2"}, {"PMIX_RANK": "0", "SLURM_STEP_NUM_TASKS": "2"}]
        if not has_mpi():
            launches.append({"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "2"})
        for variables in launches:
            process = programs.run("mnist-train", "--data", SUBSET, environment=variables)
            self.assertEqual(process.returncode, 1, process.stderr)
            self.assertIn("error: started as 2 processes", process.stderr)

    def test_one_process_of_a_launch_is_an_ordinary_run(self):
        self.succeed("mnist-train", "--data", SUBSET, "--epochs", 1, "--hidden", 8, "--out", self.tmp_dir / "m.pt",
                     environment={"PMI_RANK": "0", "PMI_SIZE": "1"})


if __name__ == "__main__":
    unittest.main()
