"""Runs that are killed or stopped at any moment and go on: the same bytes as if nothing had happened.

MNIST_KILLS and MNIST_STOPS say how many moments are tried; scripts/reliability.sh tries many.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

import programs
from programs import BIN, SUBSET, TEST_BIN, ProgramTest

KILLS = int(os.environ.get("MNIST_KILLS", 10))
STOPS = int(os.environ.get("MNIST_STOPS", 10))

# Everything that has a state or a random number of its own.
EVERYTHING = (
    "--data", SUBSET, "--hidden", "64,32", "--epochs", 8, "--batch", 16, "--schedule", "cosine", "--warmup", 0.1,
    "--optimizer", "adamw", "--weight-decay", 0.01, "--clip-norm", 1, "--ema", 0.99, "--dropout", "0.1,0.2",
    "--input-dropout", 0.1, "--label-smoothing", 0.05, "--rotation", 10, "--translation", 1, "--elastic", 0.8,
    "--flip", 0.1, "--erasing", 0.1, "--validation", 0.2, "--patience", 5, "--checkpoint-every", 7,
    "--device", "cpu", "--threads", 2,
)
# A short run that writes every kind of file.
FEW_STEPS = ("--data", SUBSET, "--limit", 1000, "--hidden", 8, "--epochs", 2, "--device", "cpu", "--threads", 1)


def start(*flags, **how):
    return subprocess.Popen([BIN / "mnist-train", *map(str, flags)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, errors="surrogateescape", **how)


class Resuming(ProgramTest):
    def uninterrupted(self, *flags):
        """What a run leaves when nothing happens to it, and the seconds that it took."""
        began = time.monotonic()
        folder = self.folder / "uninterrupted"
        self.succeed("mnist-train", *flags, "--run-dir", folder, "--out", self.folder / "expected.pt")
        return time.monotonic() - began

    def expect_the_same(self, folder, model):
        self.assertEqual(model.read_bytes(), (self.folder / "expected.pt").read_bytes())
        self.assertEqual(self.metrics(folder), self.metrics(self.folder / "uninterrupted"))
        self.assertEqual([path.name for path in folder.iterdir() if ".tmp-" in path.name], [])

    @staticmethod
    def metrics(folder):
        """All lines of metrics.jsonl without what is different each time: time and memory."""
        lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        for line in lines:
            for key in ("seconds", "images_per_second", "peak_memory_bytes"):
                del line[key]
        return lines

    def go_on(self, folder, model, flags):
        """Resumes, or starts again when there was no time for the first checkpoint."""
        if (folder / "checkpoint.safetensors").exists():
            process = programs.run("mnist-train", "--resume", folder, "--out", model)
        else:
            process = programs.run("mnist-train", *flags, "--run-dir", folder, "--out", model)
        self.assertEqual(process.returncode, 0, process.stderr)
        return process

    def interrupt(self, how, times, engine):
        flags = (*EVERYTHING, "--engine", engine)
        seconds = self.uninterrupted(*flags)
        generator = random.Random(time.time_ns())
        for trial in range(times):
            moment = generator.uniform(0, seconds)
            with self.subTest(engine=engine, moment=moment):
                folder, model = self.folder / f"{trial}", self.folder / f"{trial}.pt"
                process = start(*flags, "--run-dir", folder, "--out", model)
                time.sleep(moment)
                process.send_signal(how)
                process.communicate()
                self.check_end(process, how)
                if model.exists():  # it may have come to its end before the signal
                    self.assertEqual(model.read_bytes(), (self.folder / "expected.pt").read_bytes())
                self.go_on(folder, model, flags)
                self.expect_the_same(folder, model)
                shutil.rmtree(folder)

    def check_end(self, process, how):
        """0 when it was done already; death by the signal before the program watches for it."""
        self.assertIn(process.returncode, (0, -how, 128 + how))

    def test_killed_fused(self):
        self.interrupt(signal.SIGKILL, (KILLS + 1) // 2, "fused")

    def test_killed_autograd(self):
        self.interrupt(signal.SIGKILL, KILLS // 2, "autograd")

    def test_terminated_fused(self):
        self.interrupt(signal.SIGTERM, (STOPS + 1) // 2, "fused")

    def test_terminated_autograd(self):
        self.interrupt(signal.SIGTERM, STOPS // 2, "autograd")

    def interrupt_in_calls(self, how):
        """The signal comes just before a call on a file of the run: before some of them, or in the long form all."""
        flags = (*FEW_STEPS, "--checkpoint-every", 20)
        self.uninterrupted(*flags)
        for call in range(1, 1000, 1 if STOPS >= 50 else 17):
            folder, model, log = self.folder / "run", self.folder / "run/model.pt", self.folder / "log"
            folder.mkdir()
            process = programs.run("mnist-train", *flags, "--run-dir", folder, "--out", model, environment={
                "LD_PRELOAD": str(TEST_BIN / "libfailing_calls.so"), "FAIL_UNDER": str(folder), "FAIL_AT": str(call),
                "FAIL_SIGNAL": str(int(how)), "FAIL_LOG": str(log)})
            if not log.exists():
                self.assertEqual(process.returncode, 0, process.stderr)
                self.assertGreater(call, 40)
                return
            with self.subTest(signal=how, call=call, before=log.read_text()):
                self.check_end(process, how)
                if model.exists():
                    self.assertEqual(model.read_bytes(), (self.folder / "expected.pt").read_bytes())
                self.go_on(folder, model, flags)
                self.expect_the_same(folder, model)
            shutil.rmtree(folder)
            log.unlink()
        self.fail("there is no end to the calls")

    def test_killed_in_calls(self):
        self.interrupt_in_calls(signal.SIGKILL)

    def test_terminated_in_calls(self):
        self.interrupt_in_calls(signal.SIGTERM)

    def test_more_epochs_and_another_output(self):
        flags = ("--data", SUBSET, "--hidden", 16)
        folder = self.folder / "run"
        self.succeed("mnist-train", *flags, "--epochs", 2, "--run-dir", folder, "--out", self.folder / "two.pt")
        self.succeed("mnist-train", "--resume", folder, "--epochs", 4, "--out", self.folder / "four.pt")
        self.succeed("mnist-train", *flags, "--epochs", 4, "--out", self.folder / "expected.pt")
        self.assertEqual((self.folder / "four.pt").read_bytes(), (self.folder / "expected.pt").read_bytes())
        self.assertEqual([line["epoch"] for line in self.metrics(folder)], [1, 2, 3, 4])

    def test_another_engine_goes_on_with_the_same_moments(self):
        flags = ("--data", SUBSET, "--hidden", 16, "--device", "cpu", "--out", self.folder / "m.pt")
        self.succeed("mnist-train", *flags, "--epochs", 4, "--engine", "autograd", "--run-dir", self.folder / "whole")
        for first, second in (("fused", "autograd"), ("autograd", "fused")):
            folder = self.folder / first
            self.succeed("mnist-train", *flags, "--epochs", 2, "--engine", first, "--run-dir", folder)
            self.succeed("mnist-train", "--resume", folder, "--epochs", 4, "--engine", second)
            for line, expected in zip(self.metrics(folder), self.metrics(self.folder / "whole"), strict=True):
                self.assertAlmostEqual(line["train_loss"], expected["train_loss"], delta=1e-3)


class Stopping(ProgramTest):
    LONG = ("--data", SUBSET, "--epochs", 100000, "--device", "cpu")

    def stop(self, how, *flags):
        """The finished process, what it said, and the seconds from the signal to its end."""
        process = self.start_long(*flags)
        began = time.monotonic()
        process.send_signal(how)
        text = process.stderr.read()
        process.wait()
        return process, text, time.monotonic() - began

    def start_long(self, *flags):
        """A run in its second epoch, with no end in sight."""
        process = start(*self.LONG, *flags)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        for line in process.stderr:
            if line.startswith("epoch"):
                return process
        self.fail("it ended by itself")

    def test_says_how_to_go_on(self):
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            folder = self.folder / how.name
            process, text, seconds = self.stop(how, "--run-dir", folder, "--out", self.folder / "m.pt")
            self.assertEqual(process.returncode, 128 + how)
            self.assertIn(f"stopped; go on with: mnist-train --resume {folder}", text)
            self.assertFalse((self.folder / "m.pt").exists())
            print(f"{how.name}: {seconds:.3f} s from the signal to the end")

    def test_without_a_run_folder_no_half_model_appears(self):
        process, text, _ = self.stop(signal.SIGTERM, "--out", self.folder / "m.pt")
        self.assertEqual(process.returncode, 143)
        self.assertIn("stopped; no model was written", text)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_one_process_a_folder(self):
        folder = self.folder / "run"
        process = self.start_long("--run-dir", folder, "--out", self.folder / "m.pt")
        self.fail_with(2, "another process (number ", "mnist-train", *self.LONG, "--run-dir", folder,
                       "--out", self.folder / "n.pt")
        self.fail_with(2, "another process (number ", "mnist-train", "--resume", folder)
        process.kill()
        process.communicate()
        self.fail_with(2, "holds a run that has not come to its end", "mnist-train", *self.LONG, "--run-dir", folder,
                       "--out", self.folder / "n.pt")
        self.succeed("mnist-train", "--resume", folder, "--epochs", 100000, "--print-config")


class Refusing(ProgramTest):
    def setUp(self):
        super().setUp()
        self.run_folder = self.folder / "run"
        self.data = self.folder / "data"
        shutil.copytree(SUBSET, self.data)
        self.succeed("mnist-train", "--data", self.data, "--hidden", 16, "--epochs", 2, "--run-dir", self.run_folder,
                     "--out", self.folder / "m.pt")
        self.checkpoint = self.run_folder / "checkpoint.safetensors"

    def test_flags_that_change_the_mathematics(self):
        for flag, value in (("--lr", 0.01), ("--batch", 64), ("--seed", 3), ("--hidden", "16,16"), ("--ema", 0.9),
                            ("--rotation", 5), ("--limit", 100), ("--epochs", 1)):
            self.fail_with(2, f"{flag} {value} ", "mnist-train", "--resume", self.run_folder, flag, value)
        config = self.folder / "c.toml"
        config.write_text("epochs = 9\n")
        self.fail_with(2, "--config cannot be combined with --resume", "mnist-train", "--resume", self.run_folder,
                       "--config", config)

    def test_another_folder(self):
        self.fail_with(2, "cannot be combined with --resume, which continues in", "mnist-train", "--resume", self.run_folder,
                       "--run-dir", self.folder / "other")

    def test_other_data(self):
        for file in programs.FASHION_SUBSET.glob("*.gz"):
            shutil.copy(file, self.data)
        self.fail_with(1, "holds other data than the training was begun with", "mnist-train",
                       "--resume", self.run_folder)

    def test_damage_names_the_one_before(self):
        content = bytearray(self.checkpoint.read_bytes())
        content[-1] ^= 1
        self.checkpoint.write_bytes(content)
        process = self.fail_with(1, "its checksum does not agree", "mnist-train", "--resume", self.run_folder)
        previous = self.run_folder / "checkpoint.previous.safetensors"
        self.assertIn(f"go on with --resume {previous}", process.stderr)
        self.succeed("mnist-train", "--resume", previous, "--out", self.folder / "again.pt")
        self.assertEqual((self.folder / "again.pt").read_bytes(), (self.folder / "m.pt").read_bytes())

    def test_nothing_there(self):
        self.fail_with(2, "there is no ", "mnist-train", "--resume", self.folder / "none")

    def test_python_can_look_inside(self):
        try:
            from safetensors import safe_open
        except ImportError:
            self.skipTest("needs the Python package safetensors")
        with safe_open(self.checkpoint, framework="np") as file:
            self.assertEqual(set(file.keys()), {f"{kind}.{layer}.{name}" for layer in (0, 2)
                                                for kind in ("model", "first_moment", "second_moment")
                                                for name in ("weight", "bias")})
            facts = json.loads(file.metadata()["mnist"])["facts"]
            self.assertEqual(facts["progress"]["epoch"], 3)
            self.assertEqual(file.get_tensor("model.0.weight").shape, (16, 784))
            moments = file.get_tensor("second_moment.0.weight") * facts["second_moment_scale"]
            self.assertTrue(0 < moments.max() < 1)


if __name__ == "__main__":
    unittest.main()
