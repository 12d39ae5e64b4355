"""Runs the project's programs for tests, and finds data for them."""

import gzip
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
# The full set when it has been fetched.
FULL = ROOT / "data/mnist" if (ROOT / "data/mnist/train-images-idx3-ubyte").exists() else SUBSET


def read_idx(folder, name, header):
    """What follows the header of an IDX file of `folder`, raw or gzip, as bytes."""
    path = next(folder.glob(f"{name}*"))
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content)[header:]


def test_set(folder):
    """Images, u8 [count, rows * columns], and labels of a folder's test split, as numpy arrays."""
    import numpy
    labels = numpy.frombuffer(read_idx(folder, "t10k-labels", 8), numpy.uint8)
    images = numpy.frombuffer(read_idx(folder, "t10k-images", 16), numpy.uint8)
    return images.reshape(len(labels), -1), labels


def run(program, *flags, environment=None, **how):
    """The finished process of `program`, with what it wrote as text."""
    variables = {k: v for k, v in os.environ.items() if k != "MNIST_DATA"} | (environment or {})
    return subprocess.run(
        [BIN / program, *map(str, flags)],
        capture_output=True, text=True, errors="surrogateescape", env=variables, timeout=300, **how,
    )


class ProgramTest(unittest.TestCase):
    """A test in a folder of its own, with shorthands for what a program must do."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mnist-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def succeed(self, program, *flags, **how):
        process = run(program, *flags, **how)
        self.assertEqual(process.returncode, 0, process.stderr)
        return process

    def fail_with(self, code, words, program, *flags, **how):
        """Expects this exit code, nothing on standard output, and one line with `words`."""
        process = run(program, *flags, **how)
        self.assertEqual(process.returncode, code, process.stderr)
        self.assertEqual(process.stdout, "")
        self.assertIn(words, process.stderr)
        self.assertEqual(process.stderr.count("\n"), 1, process.stderr)
        self.assertTrue(process.stderr.startswith(f"{program}: error: "), process.stderr)
        return process

    def train_quickly(self, *flags, name="model.pt"):
        """A small model trained on the subset; the path of its file."""
        path = self.folder / name
        self.succeed("mnist-train", "--data", SUBSET, "--epochs", 1, "--hidden", "16",
                     "--device", "cpu", "--out", path, *flags)
        return path
