"""Runs that are killed or stopped at any moment resume to the same bytes as uninterrupted ones.

MNIST_KILLS and MNIST_STOPS are the numbers of random moments to try; scripts/reliability.sh tries many.
"""

import json
import os
import random
import shutil
import signal
import time
import unittest

import programs
from programs import SUBSET, ProgramTest, start_training

KILLS = int(os.environ.get("MNIST_KILLS", 10))
STOPS = int(os.environ.get("MNIST_STOPS", 10))

# Every option that has a state or draws random numbers.
EVERYTHING = (
    "--data", SUBSET, "--limit", 500, "--hidden", "64,32", "--epochs", 6, "--batch", 16, "--schedule", "cosine",
    "--warmup", 0.1, "--optimizer", "adamw", "--weight-decay", 0.01, "--clip-norm", 1, "--ema", 0.99,
    "--dropout", "0.1,0.2", "--input-dropout", 0.1, "--label-smoothing", 0.05, "--rotation", 10, "--translation", 1,
    "--elastic", 0.8, "--flip", 0.1, "--erasing", 0.1, "--validation", 0.2, "--patience", 5, "--checkpoint-every", 7,
    "--device", "cpu", "--threads", 2,
)
# A short run that writes every kind of file.
FEW_STEPS = ("--data", SUBSET, "--limit", 1000, "--hidden", 8, "--epochs", 2, "--device", "cpu", "--threads", 1)


class Resuming(ProgramTest):
    def uninterrupted(self, *flags):
        """Trains without interruption to have files to compare with; returns the seconds it took."""
        began = time.monotonic()
        run_dir = self.tmp_dir / "uninterrupted"
        self.succeed("mnist-train", *flags, "--run-dir", run_dir, "--out", self.tmp_dir / "expected.pt")
        return time.monotonic() - began

    def expect_the_same(self, run_dir, model):
        self.assertEqual(model.read_bytes(), (self.tmp_dir / "expected.pt").read_bytes())
        self.assertEqual(self.metrics(run_dir), self.metrics(self.tmp_dir / "uninterrupted"))
        self.assertEqual([path.name for path in run_dir.iterdir() if ".tmp-" in path.name], [])

    @staticmethod
    def metrics(run_dir):
        """Returns the metrics of all epochs without those that vary between runs: time and memory."""
        epochs = programs.read_metrics(run_dir)
        for epoch in epochs:
            for key in ("seconds", "images_per_second", "peak_memory_bytes"):
                del epoch[key]
        return epochs

    def finish(self, run_dir, model, flags):
        """Resumes the run, or restarts it if it was interrupted before its first checkpoint."""
        if (run_dir / "checkpoint.safetensors").exists():
            process = programs.run("mnist-train", "--resume", run_dir, "--out", model)
        else:
            process = programs.run("mnist-train", *flags, "--run-dir", run_dir, "--out", model)
        self.assertEqual(process.returncode, 0, process.stderr)
        return process

    def interrupt(self, signum, times, engine):
        flags = (*EVERYTHING, "--engine", engine)
        seconds = self.uninterrupted(*flags)
        generator = random.Random(time.time_ns())
        ends = []
        for trial in range(times):
            moment = seconds * (trial + generator.random()) / times
            with self.subTest(engine=engine, moment=moment):
                run_dir, model = self.tmp_dir / f"{trial}", self.tmp_dir / f"{trial}.pt"
                process = start_training(*flags, "--run-dir", run_dir, "--out", model)
                time.sleep(moment)
                process.send_signal(signum)
                process.communicate()
                self.check_end(process, signum)
                ends.append(process.returncode)
                if model.exists():  # the run may have finished before the signal
                    self.assertEqual(model.read_bytes(), (self.tmp_dir / "expected.pt").read_bytes())
                self.finish(run_dir, model, flags)
                self.expect_the_same(run_dir, model)
                shutil.rmtree(run_dir)
        self.assertTrue(any(ends), "no signal arrived during a run")

    def check_end(self, process, signum):
        """The run finished, died before it installed its signal handler, or handled the signal."""
        self.assertIn(process.returncode, (0, -signum, 128 + signum))

    def test_killed_fused(self):
        self.interrupt(signal.SIGKILL, (KILLS + 1) // 2, "fused")

    def test_killed_torch(self):
        self.interrupt(signal.SIGKILL, KILLS // 2, "torch")

    def test_terminated_fused(self):
        self.interrupt(signal.SIGTERM, (STOPS + 1) // 2, "fused")

    def test_terminated_torch(self):
        self.interrupt(signal.SIGTERM, STOPS // 2, "torch")

    def interrupt_in_calls(self, signum):
        """Sends the signal just before a file operation of the run, for a sample of them or, in the long form, all."""
        flags = (*FEW_STEPS, "--checkpoint-every", 20)
        self.uninterrupted(*flags)
        for call in range(1, 1000, 1 if STOPS >= 50 else 17):
            run_dir, model, log = self.tmp_dir / "run", self.tmp_dir / "run/model.pt", self.tmp_dir / "log"
            run_dir.mkdir()
            process = programs.run("mnist-train", *flags, "--run-dir", run_dir, "--out", model,
                                   environment=programs.failing_calls(run_dir, log, FAIL_AT=call,
                                                                      FAIL_SIGNAL=int(signum)))
            if not log.exists():
                self.assertEqual(process.returncode, 0, process.stderr)
                self.assertGreater(call, 40)
                return
            with self.subTest(signal=signum, call=call, before=log.read_text()):
                self.check_end(process, signum)
                if model.exists():
                    self.assertEqual(model.read_bytes(), (self.tmp_dir / "expected.pt").read_bytes())
                self.finish(run_dir, model, flags)
                self.expect_the_same(run_dir, model)
            shutil.rmtree(run_dir)
            log.unlink()
        self.fail("more than 1000 calls")

    def test_killed_before_file_operations(self):
        self.interrupt_in_calls(signal.SIGKILL)

    def test_terminated_before_file_operations(self):
        self.interrupt_in_calls(signal.SIGTERM)

    def test_resumes_with_more_epochs_and_another_output(self):
        flags = ("--data", SUBSET, "--hidden", 16)
        run_dir = self.tmp_dir / "run"
        self.succeed("mnist-train", *flags, "--epochs", 2, "--run-dir", run_dir, "--out", self.tmp_dir / "two.pt")
        self.succeed("mnist-train", "--resume", run_dir, "--epochs", 4, "--out", self.tmp_dir / "four.pt")
        self.succeed("mnist-train", *flags, "--epochs", 4, "--out", self.tmp_dir / "expected.pt")
        self.assertEqual((self.tmp_dir / "four.pt").read_bytes(), (self.tmp_dir / "expected.pt").read_bytes())
        self.assertEqual([line["epoch"] for line in self.metrics(run_dir)], [1, 2, 3, 4])

    def test_resumes_with_another_engine(self):
        flags = ("--data", SUBSET, "--hidden", 16, "--device", "cpu", "--out", self.tmp_dir / "m.pt")
        self.succeed("mnist-train", *flags, "--epochs", 4, "--engine", "torch", "--run-dir", self.tmp_dir / "whole")
        for first, second in (("fused", "torch"), ("torch", "fused")):
            run_dir = self.tmp_dir / first
            self.succeed("mnist-train", *flags, "--epochs", 2, "--engine", first, "--run-dir", run_dir)
            self.succeed("mnist-train", "--resume", run_dir, "--epochs", 4, "--engine", second)
            for line, expected in zip(self.metrics(run_dir), self.metrics(self.tmp_dir / "whole"), strict=True):
                self.assertAlmostEqual(line["train_loss"], expected["train_loss"], delta=1e-3)


class AutoResume(ProgramTest):
    def setUp(self):
        super().setUp()
        self.data = self.tmp_dir / "data"
        shutil.copytree(SUBSET, self.data)
        self.run_dir = self.tmp_dir / "run"

    def command(self, *flags):
        return ("--data", self.data, "--auto-resume", "--run-dir", self.run_dir, *flags)

    def state(self):
        """Returns each file of the run directory, with its content and the time of its last change."""
        return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in self.run_dir.iterdir()}

    def test_one_command_repeated_after_kills_trains_to_the_same_bytes(self):
        flags = (*EVERYTHING[2:], "--engine", "fused")
        began = time.monotonic()
        self.succeed("mnist-train", "--data", self.data, *flags, "--run-dir", self.tmp_dir / "uninterrupted",
                     "--out", self.tmp_dir / "expected.pt")
        seconds = time.monotonic() - began
        generator = random.Random(time.time_ns())
        kills = 0
        for _ in range(KILLS):
            process = start_training(*self.command(*flags))
            time.sleep(generator.uniform(0, seconds))
            process.kill()
            _, text = process.communicate()
            self.assertIn(process.returncode, (0, -signal.SIGKILL), text)
            kills += process.returncode != 0
        self.assertGreater(kills, 0)
        self.succeed("mnist-train", *self.command(*flags))
        self.assertEqual((self.run_dir / "model.pt").read_bytes(), (self.tmp_dir / "expected.pt").read_bytes())
        epochs = [epoch["epoch"] for epoch in programs.read_metrics(self.run_dir)]
        self.assertEqual(epochs, list(range(1, len(epochs) + 1)))

    def test_a_complete_run_is_only_reported(self):
        flags = self.command("--hidden", 8, "--epochs", 1)
        first = self.succeed("mnist-train", *flags)
        before = self.state()
        shutil.rmtree(self.data)  # not needed any more
        again = self.succeed("mnist-train", *flags)
        self.assertEqual((again.stdout, again.stderr), (first.stdout, ""))
        shown = self.succeed("mnist-train", *flags, "--json", "--threads", 1, "--color", "never")
        self.assertEqual(json.loads(shown.stdout), json.loads(before["summary.json"][0]))
        self.fail_with(3, "below the required 99.9 %", "mnist-train", *flags, "--require-accuracy", 99.9,
                       stdout=first.stdout)
        self.assertEqual(self.state(), before)

    def test_other_options_are_rejected_with_both_values(self):
        words = ("--epochs is 7, the run has {}, --lr is 0.01, the run has 0.001; repeat the options of the run, or "
                 "use another --run-dir")
        self.succeed("mnist-train", *self.command("--hidden", 8, "--epochs", 1))
        self.fail_with(2, words.format(1), "mnist-train", *self.command("--hidden", 8, "--epochs", 7, "--lr", 0.01))
        self.run_dir = self.tmp_dir / "unfinished"
        unfinished = start_training(*self.command("--hidden", 8, "--epochs", 100000))
        self.assertTrue(programs.wait_for_first_epoch(unfinished))
        unfinished.kill()
        unfinished.communicate()
        self.fail_with(2, words.format(100000), "mnist-train",
                       *self.command("--hidden", 8, "--epochs", 7, "--lr", 0.01))

    def test_a_run_that_was_extended_is_complete_again(self):
        self.succeed("mnist-train", *self.command("--hidden", 8, "--epochs", 1))
        self.succeed("mnist-train", "--resume", self.run_dir, "--epochs", 2)
        before = self.state()
        self.succeed("mnist-train", *self.command("--hidden", 8, "--epochs", 2))
        self.assertEqual(self.state(), before)


class Stopping(ProgramTest):
    LONG = ("--data", SUBSET, "--epochs", 100000, "--device", "cpu")

    def stop(self, signum, *flags):
        """Signals a run; returns its process, standard error, and the seconds from the signal to its exit."""
        process = self.start_long(*flags)
        began = time.monotonic()
        process.send_signal(signum)
        text = process.stderr.read()
        process.wait()
        return process, text, time.monotonic() - began

    def start_long(self, *flags):
        """Starts an endless run and waits for its first epoch."""
        process = start_training(*self.LONG, *flags)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        self.assertTrue(programs.wait_for_first_epoch(process), "the run ended by itself")
        return process

    def test_a_stopped_run_prints_how_to_resume(self):
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            run_dir = self.tmp_dir / signum.name
            process, text, seconds = self.stop(signum, "--run-dir", run_dir, "--out", self.tmp_dir / "m.pt")
            self.assertEqual(process.returncode, 128 + signum)
            self.assertIn(f"stopped; to resume: mnist-train --resume {run_dir}", text)
            self.assertFalse((self.tmp_dir / "m.pt").exists())
            print(f"{signum.name}: {seconds:.3f} s from the signal to the exit")

    def test_a_stop_without_a_run_directory_writes_no_model(self):
        process, text, _ = self.stop(signal.SIGTERM, "--out", self.tmp_dir / "m.pt")
        self.assertEqual(process.returncode, 143)
        self.assertIn("stopped; no model was written", text)
        self.assertEqual(list(self.tmp_dir.iterdir()), [])

    def test_a_run_directory_belongs_to_one_process(self):
        run_dir = self.tmp_dir / "run"
        process = self.start_long("--run-dir", run_dir, "--out", self.tmp_dir / "m.pt")
        self.fail_with(2, "is locked by process ", "mnist-train", *self.LONG, "--run-dir", run_dir,
                       "--out", self.tmp_dir / "n.pt")
        self.fail_with(2, "is locked by process ", "mnist-train", "--resume", run_dir)
        process.kill()
        process.communicate()
        self.fail_with(2, "contains an unfinished run", "mnist-train", *self.LONG, "--run-dir", run_dir,
                       "--out", self.tmp_dir / "n.pt")
        self.succeed("mnist-train", "--resume", run_dir, "--epochs", 100000, "--print-config")


class RejectedResumes(ProgramTest):
    def setUp(self):
        super().setUp()
        self.run_dir = self.tmp_dir / "run"
        self.data = self.tmp_dir / "data"
        shutil.copytree(SUBSET, self.data)
        self.succeed("mnist-train", "--data", self.data, "--hidden", 16, "--epochs", 2, "--run-dir", self.run_dir,
                     "--out", self.tmp_dir / "m.pt")
        self.checkpoint = self.run_dir / "checkpoint.safetensors"

    def test_flags_that_would_change_the_result_are_rejected(self):
        for flag, value in (("--lr", 0.01), ("--batch", 64), ("--seed", 3), ("--hidden", "16,16"), ("--ema", 0.9),
                            ("--rotation", 5), ("--limit", 100), ("--epochs", 1)):
            self.fail_with(2, f"{flag} {value} ", "mnist-train", "--resume", self.run_dir, flag, value)
        config = self.tmp_dir / "c.toml"
        config.write_text("epochs = 9\n")
        self.fail_with(2, "--config cannot be combined with --resume", "mnist-train", "--resume", self.run_dir,
                       "--config", config)

    def test_another_run_directory_is_rejected(self):
        self.fail_with(2, "cannot be combined with --resume, which continues in", "mnist-train", "--resume", self.run_dir,
                       "--run-dir", self.tmp_dir / "other")

    def test_other_data_is_rejected(self):
        for file in programs.FASHION_SUBSET.glob("*.gz"):
            shutil.copy(file, self.data)
        self.fail_with(1, "has different data than the run started with", "mnist-train",
                       "--resume", self.run_dir)

    def test_a_damaged_checkpoint_is_rejected_with_the_name_of_the_previous_one(self):
        content = bytearray(self.checkpoint.read_bytes())
        content[-1] ^= 1
        self.checkpoint.write_bytes(content)
        process = self.fail_with(1, "its checksum does not match", "mnist-train", "--resume", self.run_dir)
        previous = self.run_dir / "checkpoint.previous.safetensors"
        self.assertIn(f"use --resume {previous}", process.stderr)
        self.succeed("mnist-train", "--resume", previous, "--out", self.tmp_dir / "again.pt")
        self.assertEqual((self.tmp_dir / "again.pt").read_bytes(), (self.tmp_dir / "m.pt").read_bytes())

    def test_a_missing_run_directory_is_rejected(self):
        self.fail_with(2, "does not exist", "mnist-train", "--resume", self.tmp_dir / "none")

    def test_checkpoints_can_be_read_from_python(self):
        try:
            from safetensors import safe_open
        except ImportError:
            self.skipTest("needs the Python package safetensors")
        with safe_open(self.checkpoint, framework="np") as file:
            self.assertEqual(set(file.keys()), {f"{kind}.{layer}.{name}" for layer in (0, 2)
                                                for kind in ("model", "first_moment", "second_moment")
                                                for name in ("weight", "bias")})
            record = json.loads(file.metadata()["mnist"])["facts"]
            self.assertEqual(record["progress"]["epoch"], 3)
            self.assertEqual(file.get_tensor("model.0.weight").shape, (16, 784))
            moments = file.get_tensor("second_moment.0.weight")
            self.assertTrue(0 < moments.max() < 1)


if __name__ == "__main__":
    unittest.main()
