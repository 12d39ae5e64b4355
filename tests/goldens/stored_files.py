"""Files written by earlier versions of mnist-train stay readable: model.pt, model.safetensors and
checkpoint.safetensors.

The checkpoint is of a run after its first epoch, the models are of the same run after its second.
`stored_files.py --write` replaces the files, which only a new format justifies: say so in the commit.
"""

import pathlib
import shutil
import struct
import sys
import tempfile
import unittest

import programs
from programs import ProgramTest

FOLDER = pathlib.Path(__file__).parent
# Every set of tensors that a checkpoint may have, and a few options of each type.
FLAGS = ("--data", "data", "--hidden", 8, "--batch", 10, "--epochs", 1, "--optimizer", "adamw", "--weight-decay", 0.01,
         "--ema", 0.9, "--dropout", 0.1, "--schedule", "step", "--validation", 0.2, "--patience", 5, "--device", "cpu",
         "--engine", "fused", "--threads", 1, "--run-dir", "run", "--out", "model.pt")


def write_data(directory):
    """Writes a dataset of 4x4 images."""
    directory.mkdir()
    for split, count in (("train", 100), ("t10k", 30)):
        images = bytes((17 * i + 31 * p) % 256 for i in range(count) for p in range(16))
        (directory / f"{split}-images-idx3-ubyte").write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, count, 4, 4) + images)
        (directory / f"{split}-labels-idx1-ubyte").write_bytes(
            struct.pack(">4BI", 0, 0, 8, 1, count) + bytes(i % 10 for i in range(count)))


def resume(directory, out):
    process = programs.run("mnist-train", "--resume", "run", "--epochs", 2, "--out", out, cwd=directory)
    assert process.returncode == 0, process.stderr


def write_files():
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        write_data(directory / "data")
        process = programs.run("mnist-train", *FLAGS, cwd=directory)
        assert process.returncode == 0, process.stderr
        shutil.copy(directory / "run/checkpoint.safetensors", FOLDER)
        resume(directory, FOLDER / "model.pt")
        resume(directory, FOLDER / "model.safetensors")


class StoredFiles(ProgramTest):
    def setUp(self):
        super().setUp()
        write_data(self.tmp_dir / "data")

    def test_mnist_eval_reads_both_models(self):
        reports = [self.evaluate(FOLDER / f"model.{suffix}", self.tmp_dir / "data") for suffix in ("pt", "safetensors")]
        for report in reports:
            del report["model"]
        self.assertEqual(reports[0], reports[1])
        self.assertEqual(reports[0]["examples"], 30)

    def test_pytorch_reads_the_same_numbers(self):
        try:
            import torch
        except ImportError:
            self.skipTest("needs the Python package torch")
        expected = programs.read_tensors(FOLDER / "model.safetensors")
        found = torch.load(FOLDER / "model.pt", weights_only=True)
        self.assertEqual(list(found), list(expected))
        for name, tensor in found.items():
            self.assertEqual(tensor.tolist(), expected[name].tolist())

    def test_the_checkpoint_resumes_to_the_stored_model(self):
        (self.tmp_dir / "run").mkdir()
        shutil.copy(FOLDER / "checkpoint.safetensors", self.tmp_dir / "run")
        resume(self.tmp_dir, self.tmp_dir / "model.safetensors")
        found = programs.read_tensors(self.tmp_dir / "model.safetensors")
        for name, expected in programs.read_tensors(FOLDER / "model.safetensors").items():
            # Other instruction sets round differently.
            self.assertLess(abs(found[name] - expected).max(), 1e-5, name)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write_files()
    else:
        unittest.main()
