"""Finds the runs of scripts/experiments.sh and reads the datasets, for the guide's pictures."""

import functools
import json
import pathlib
import subprocess
import tomllib

import numpy

import idx
from metrics import read_epochs

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = ROOT / "build" / "release" / "bin"
RESULTS = ROOT / "build" / "experiments"
# Options that change neither what is trained nor on what.
IGNORED = {"seed", "threads", "out", "run-dir", "checkpoint-every", "no-test", "quiet"}


@functools.cache
def default_options():
    text = subprocess.run([BIN / "mnist-train", "--print-config"], check=True, capture_output=True,
                          text=True).stdout
    return tomllib.loads(text)


def relevant(options):
    return {name: value for name, value in options.items() if name not in IGNORED}


def find_runs(validation=10000, **options):
    """Returns the run directories with these options, and the defaults for all others, by seed.

    `options` are named as in TOML, with underscores. Exits if there is none.
    """
    changed = {name.replace("_", "-"): value for name, value in options.items()}
    wanted = relevant(default_options() | {"validation": validation} | changed)
    found = {}
    for summary in RESULTS.glob("*/summary.json"):
        config = tomllib.loads((summary.parent / "config.toml").read_text())
        if relevant(config) == wanted:
            found[config["seed"]] = summary.parent
    if not found:
        raise SystemExit(f"no run with {changed} in {RESULTS}; run scripts/experiments.sh")
    return [found[seed] for seed in sorted(found)]


def accuracy_of(run):
    """Returns the accuracy on held-out examples, or where there are none, on the test set, in percent."""
    summary = json.loads((run / "summary.json").read_text())
    held_out = summary["validation_accuracy"]
    return 100 * (summary["test_accuracy"] if held_out is None else held_out)


def accuracies(**options):
    return [accuracy_of(run) for run in find_runs(**options)]


def curve(run, key):
    """Returns the value of `key` in each epoch's metrics."""
    return [epoch[key] for epoch in read_epochs(run)]


def read_split(name="mnist", split="t10k"):
    """Returns images, u8 [count, 28, 28], and labels, u8 [count], of data/`name`."""
    def read_array(file):
        dimensions, payload = idx.read(ROOT / "data" / name, file)
        return numpy.frombuffer(bytearray(payload), numpy.uint8).reshape(dimensions)  # writable, for PyTorch

    return read_array(f"{split}-images-idx3-ubyte"), read_array(f"{split}-labels-idx1-ubyte")
