"""Every option of mnist-train, set alone, changes what it should, with each engine.

Options that act on learning change the trained parameters. The others change what their test below
checks, and leave the parameters alone. An option without an entry fails the test.
"""

import concurrent.futures
import json
import os
import re
import tomllib
import unittest

import programs
from programs import FASHION_SUBSET, SUBSET, ProgramTest

BASE = {"data": SUBSET, "limit": 200, "hidden": 8, "epochs": 2, "batch": 16, "device": "cpu", "threads": 1}

# Options that act on learning: values that must give parameters different from the defaults' and from each other's,
# and the flags that all of these runs have because the option has no effect without them.
LEARNING = {
    "data": [({}, FASHION_SUBSET)],
    "limit": [({}, 150)],
    "validation": [({}, 0.25, 40)],
    "hidden": [({}, 9, "8,8", "none")],
    "activation": [({}, "tanh", "sigmoid", "identity")],
    "init": [({}, "he")],
    "epochs": [({}, 3)],
    "batch": [({}, 8)],
    "order": [({}, "fixed")],
    "lr": [({}, 0.002)],
    "schedule": [({"step-epochs": 1}, "step", "cosine", "one-cycle")],
    "warmup": [({}, 1, 0.25)],
    "step-epochs": [({"schedule": "step"}, 1)],
    "step-factor": [({"schedule": "step", "step-epochs": 1}, 0.5)],
    "optimizer": [({"weight-decay": 0.1}, "adamw")],
    "weight-decay": [({}, 0.1), ({"optimizer": "adamw"}, 0.1)],
    "clip-norm": [({}, 0.1)],
    "ema": [({}, 0.9)],
    "patience": [({"validation": 0.25, "lr": 0.05, "epochs": 30}, 1)],
    "seed": [({}, 1, 2**63)],
    "label-smoothing": [({}, 0.1)],
    "dropout": [({}, 0.5)],
    "input-dropout": [({}, 0.2)],
    "rotation": [({}, 20)],
    "translation": [({}, 2)],
    "scaling": [({}, 0.2)],
    "shear": [({}, 20)],
    "elastic": [({}, 1)],
    "elastic-smoothness": [({"elastic": 1}, 8)],
    "flip": [({}, 0.5)],
    "erasing": [({}, 0.5)],
    "fade-augment": [({"rotation": 20}, 0.5)],
}
# The fused engine rejects activations other than ReLU; tests/cli/train.py has the message.
NOT_FUSED = {"activation"}


def command_line(options):
    """The flags that set `options`; switches have the value True."""
    return [text for name, value in options.items()
            for text in ([f"--{name}"] if value is True else [f"--{name}", value])]


# Where the flags are tested that are no options of a run: they select options, or print something and exit.
TESTED_ELSEWHERE = {
    "config": "cli/train", "recipe": "cli/train", "resume": "cli/resume", "auto-resume": "cli/resume",
    "print-config": "cli/train", "generate": "cli/documents", "help": "cli/documents", "version": "cli/train",
}


class WiringTest(ProgramTest):
    def train(self, options, name="model.safetensors", **run_options):
        """Trains with `options` in addition to BASE; returns the process and the path of the model."""
        model = self.tmp_dir / name
        process = programs.run("mnist-train", *command_line(BASE | {"out": model} | options), **run_options)
        return process, model

    def parameters(self, options):
        """The bytes of the trained parameters."""
        name = "-".join(f"{key}={value}".replace("/", "_") for key, value in options.items())
        process, model = self.train(options, f"{name}.safetensors")
        self.assertEqual(process.returncode, 0, f"{options}: {process.stderr}")
        return programs.tensor_bytes(model)


class LearningOptions(WiringTest):
    def check_learning_options(self, engine):
        cases = [(option, context, values) for option, entries in LEARNING.items() for context, *values in entries
                 if engine != "fused" or option not in NOT_FUSED]
        runs = {}  # the options of each run, and its parameters
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            def start(options):
                key = tuple(sorted((name, str(value)) for name, value in options.items()))
                if key not in runs:
                    runs[key] = pool.submit(self.parameters, options)
                return runs[key]

            started = [(option, values, [start({"engine": engine} | context | change)
                                         for change in ({}, *({option: value} for value in values))])
                       for option, context, values in cases]
        for option, values, results in started:
            with self.subTest(engine=engine, option=option, values=values):
                self.assertEqual(len({result.result() for result in results}), 1 + len(values))

    def test_options_act_on_the_fused_engine(self):
        self.check_learning_options("fused")

    def test_options_act_on_the_torch_engine(self):
        self.check_learning_options("torch")

    def test_every_option_has_an_entry(self):
        runtime = {name.removeprefix("test_runtime_").replace("_", "-") for name in dir(FusedRuntimeOptions)
                   if name.startswith("test_runtime_")}
        self.assertEqual(set(LEARNING) & runtime, set())
        printed = self.succeed("mnist-train", "--print-config").stdout
        self.assertEqual(set(tomllib.loads(printed)), set(LEARNING) | runtime)
        flags = re.findall(r"^ +(?:-\w, *)?--([a-z-]+)", self.succeed("mnist-train", "--help").stdout, re.MULTILINE)
        self.assertEqual(set(flags), set(LEARNING) | runtime | set(TESTED_ELSEWHERE))


class RuntimeOptions:
    """Options that leave the parameters alone, with `engine`."""

    engine: str

    def start(self, changed, name="model.safetensors", **run_options):
        return self.train({"engine": self.engine} | changed, name, **run_options)

    def same_parameters(self, changed, code=0):
        """Trains with and without options that must not change the parameters; returns both processes."""
        before, expected = self.start({}, "before.safetensors")
        after, model = self.start(changed, "after.safetensors")
        self.assertEqual((before.returncode, after.returncode), (0, code), after.stderr)
        self.assertEqual(programs.tensor_bytes(changed.get("out", model)), programs.tensor_bytes(expected))
        return before, after

    def test_runtime_device(self):
        process, model = self.start({"device": "cuda"}, environment={"CUDA_VISIBLE_DEVICES": ""})
        self.assertEqual(process.returncode, 1)
        self.assertIn("--device cuda is not available", process.stderr)
        self.assertFalse(model.exists())

    def test_runtime_engine(self):
        self.assertIn(f"{self.engine} on cpu", self.start({})[0].stderr)

    def test_runtime_threads(self):
        before, after = self.same_parameters({"threads": 2})
        self.assertIn("1 thread;", before.stderr)
        self.assertIn("2 threads;", after.stderr)

    def test_runtime_out(self):
        path = self.tmp_dir / "elsewhere.safetensors"
        self.same_parameters({"out": path})
        self.assertFalse((self.tmp_dir / "after.safetensors").exists())

    def test_runtime_run_dir(self):
        run_dir = self.tmp_dir / "run"
        self.same_parameters({"run-dir": run_dir})
        names = {path.name for path in run_dir.iterdir() if not path.name.startswith("events.out.tfevents.")}
        self.assertEqual(names, {"config.toml", "metrics.jsonl", "checkpoint.safetensors",
                                 "checkpoint.previous.safetensors", "lock", "summary.json"})

    def test_runtime_checkpoint_every(self):
        """In minibatches and in seconds; an epoch has 50 minibatches, of which the first chunk has 16."""
        plain = {"batch": 4, "run-dir": self.tmp_dir / "run", "verbose": True}
        saved = lambda every: self.start(
            plain | ({"checkpoint-every": every} if every else {})
        )[0].stderr.count("checkpoint.safetensors at step ")
        self.assertEqual(saved(None), 3)  # before the first step and after each epoch
        self.assertEqual(saved(20), 7)  # also at steps 20, 40, 70 and 90
        self.assertGreater(saved("1e-9s"), 3)
        self.assertEqual(saved("86400s"), 3)

    def test_runtime_no_test(self):
        before, after = self.same_parameters({"no-test": True})
        self.assertIn("test accuracy", before.stdout)
        self.assertNotIn("test accuracy", after.stdout)

    def test_runtime_json(self):
        _, after = self.same_parameters({"json": True})
        self.assertEqual(json.loads(after.stdout)["data"]["training_examples"], 200)

    def test_runtime_require_accuracy(self):
        _, after = self.same_parameters({"require-accuracy": 100}, code=3)
        self.assertIn("is below the required 100 %", after.stderr)

    def test_runtime_color(self):
        red = "\x1b[1;31merror:"
        self.assertNotIn(red, self.start({"require-accuracy": 100})[0].stderr)
        self.assertIn(red, self.start({"require-accuracy": 100, "color": "always"})[0].stderr)

    def test_runtime_quiet(self):
        _, after = self.same_parameters({"quiet": True})
        self.assertEqual(after.stderr, "")

    def test_runtime_verbose(self):
        before, after = self.same_parameters({"verbose": True})
        self.assertNotIn("gradient norms", before.stderr)
        self.assertIn("gradient norms", after.stderr)

    def test_runtime_log_file(self):
        self.same_parameters({"log-file": self.tmp_dir / "log"})
        self.assertIn("mnist-train info: epoch 2/2", (self.tmp_dir / "log").read_text())


class FusedRuntimeOptions(RuntimeOptions, WiringTest):
    engine = "fused"

    def test_runtime_profile(self):
        before, after = self.same_parameters({"profile": True})
        self.assertNotIn("microseconds per step", before.stderr)
        self.assertIn("microseconds per step, 26 steps", after.stderr)

    def test_runtime_cpu_target(self):
        """Each instruction set of this CPU gives parameters of its own; without the option, the best one is taken."""
        error = self.start({"cpu-target": "?"})[0].stderr
        names = re.search("one of auto, (.*) on this CPU", error).group(1).split(", ")
        if len(names) < 2:
            self.skipTest("needs a CPU with two instruction sets")
        trained = {}
        for name in (None, *names):
            process, model = self.start({"cpu-target": name} if name else {}, f"{name}.safetensors")
            self.assertEqual(process.returncode, 0, process.stderr)
            trained[name] = programs.tensor_bytes(model)
            if name:
                self.assertRegex(process.stderr.lower(), rf"fused on cpu \({name}")
        self.assertEqual(len(set(trained.values())), len(names))


class TorchRuntimeOptions(RuntimeOptions, WiringTest):
    engine = "torch"

    def test_runtime_profile(self):
        self.assertIn("--profile needs the fused engine on a CPU", self.start({"profile": True})[0].stderr)

    def test_runtime_cpu_target(self):
        self.assertIn("--cpu-target needs the fused engine on a CPU", self.start({"cpu-target": "sse4"})[0].stderr)


if __name__ == "__main__":
    unittest.main()
