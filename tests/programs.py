"""Runs the project's programs in tests and reads datasets and run directories."""

import gzip
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = pathlib.Path(os.environ.get("MNIST_BIN", ROOT / "build/release/bin"))
TEST_BIN = pathlib.Path(os.environ.get("MNIST_TEST_BIN", ROOT / "build/release/tests"))
SUBSET = ROOT / "data/mnist-subset"
FASHION_SUBSET = ROOT / "data/fashion-mnist-subset"
# The full dataset if it has been fetched.
FULL = ROOT / "data/mnist" if (ROOT / "data/mnist/train-images-idx3-ubyte").exists() else SUBSET


def read_idx(directory, name, header):
    """Returns the bytes after the header of an IDX file, raw or gzip. Shares no code with scripts/idx.py, which
    writes files that tests read.
    """
    path = next(directory.glob(f"{name}*"))
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content)[header:]


def read_split(directory, split="t10k"):
    """Returns images, u8 [count, pixels], and labels, u8 [count], of a split as numpy arrays."""
    import numpy
    labels = numpy.frombuffer(read_idx(directory, f"{split}-labels", 8), numpy.uint8)
    images = numpy.frombuffer(read_idx(directory, f"{split}-images", 16), numpy.uint8)
    return images.reshape(len(labels), -1), labels


def read_metrics(run_dir):
    """Returns one dict per epoch of a run directory's metrics.jsonl."""
    return [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]


def split_safetensors(path):
    """Returns the header of a safetensors file, as a dict, and the bytes of its tensors."""
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:end]), content[end:]


def tensor_bytes(path):
    """Returns the numbers in a safetensors file without the names and metadata in its header."""
    return split_safetensors(path)[1]


def read_tensors(path):
    """Returns the tensors of a safetensors file by name, as numpy arrays of f32."""
    import numpy
    header, content = split_safetensors(path)
    header.pop("__metadata__", None)
    return {name: numpy.frombuffer(content[slice(*tensor["data_offsets"])], "<f4").reshape(tensor["shape"])
            for name, tensor in header.items()}


def torch_mlp(widths, activation="ReLU"):
    """Returns the nn.Sequential whose state dict mnist-train saves for these widths."""
    from torch import nn
    layers = [nn.Linear(widths[0], widths[1])]
    for inputs, outputs in zip(widths[1:], widths[2:]):
        layers += [getattr(nn, activation)(), nn.Linear(inputs, outputs)]
    return nn.Sequential(*layers)


def run(program, *flags, environment=None, **options):
    """Runs `program` to its end; returns the subprocess.CompletedProcess with its output as text."""
    variables = {k: v for k, v in os.environ.items() if k != "MNIST_DATA"} | (environment or {})
    return subprocess.run(
        [BIN / program, *map(str, flags)],
        capture_output=True, text=True, errors="surrogateescape", env=variables, timeout=300, **options,
    )


def start_training(*flags):
    """Starts mnist-train in the background."""
    return subprocess.Popen([BIN / "mnist-train", *map(str, flags)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, errors="surrogateescape")


def wait_for_first_epoch(process):
    """Reads the standard error of a training run until it reports an epoch; False if it never does."""
    return any(line.startswith("epoch") for line in process.stderr)


def failing_calls(directory, log, **failure):
    """Environment in which file operations below `directory` fail: tests/cli/failing_calls.cpp says how and which."""
    return {"LD_PRELOAD": str(TEST_BIN / "libfailing_calls.so"), "FAIL_UNDER": str(directory),
            "FAIL_LOG": str(log)} | {k: str(v) for k, v in failure.items()}


class ProgramTest(unittest.TestCase):
    """A test case with a temporary directory, helpers to run programs, and checks of their results."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="mnist-test-")
        self.addCleanup(directory.cleanup)
        self.tmp_dir = pathlib.Path(directory.name)

    def succeed(self, program, *flags, **options):
        """Runs a program that must exit with 0."""
        process = run(program, *flags, **options)
        self.assertEqual(process.returncode, 0, process.stderr)
        return process

    def fail_with(self, code, words, program, *flags, name=None, stdout="", **options):
        """Runs a program that must exit with `code`, this output, and one error line that contains `words`."""
        process = run(program, *flags, **options)
        self.assertEqual(process.returncode, code, process.stderr)
        self.assertEqual(process.stdout, stdout)
        self.assertIn(words, process.stderr)
        self.assertEqual(process.stderr.count("\n"), 1, process.stderr)
        self.assertTrue(process.stderr.startswith(f"{name or program}: error: "), process.stderr)
        return process

    def train_quickly(self, *flags, name="model.pt"):
        """Trains a small model on the subset for one epoch; returns the path of its file."""
        path = self.tmp_dir / name
        self.succeed("mnist-train", "--data", SUBSET, "--epochs", 1, "--hidden", "16",
                     "--device", "cpu", "--out", path, *flags)
        return path

    def evaluate(self, model, data=SUBSET, *flags):
        """Returns mnist-eval's JSON report of `model` on the test split of `data`."""
        report = self.succeed("mnist-eval", "--model", model, "--data", data, "--json", *flags)
        return json.loads(report.stdout)
