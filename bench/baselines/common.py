"""Shared by the baselines: command-line flags, the dataset, and the JSON lines that compare.py reads."""

import argparse
import gzip
import json
import pathlib
import time

import numpy as np


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=pathlib.Path, default="data/mnist")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--hidden", default="256,128")
    parser.add_argument("--device", default="cpu", help="cpu or cuda; PyTorch baselines only")
    parser.add_argument("--compile", metavar="MODE", help="compile with torch.compile; resident.py only")
    arguments = parser.parse_args()
    arguments.widths = [784, *map(int, arguments.hidden.split(",")), 10]
    return arguments


def read_idx(directory, name):
    """Reads an IDX file of u8, raw or gzip, into an array. The baselines share no code with the project."""
    path = directory / name
    content = path.read_bytes() if path.exists() else gzip.decompress((directory / f"{name}.gz").read_bytes())
    rank = content[3]
    sizes = np.frombuffer(content, ">u4", rank, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(sizes)


def load(directory, split="train"):
    """Returns the images of a split, f32 [n, 784] from 0 to 1, and its labels, i64 [n]."""
    images = read_idx(directory, f"{split}-images-idx3-ubyte")
    labels = read_idx(directory, f"{split}-labels-idx1-ubyte")
    return images.reshape(len(images), -1).astype(np.float32) / 255, labels.astype(np.int64)


def minibatches(order, size):
    """Splits a permutation into a matrix of whole minibatches and, if examples remain, one of a short one:
    frameworks that compile for fixed shapes need one call for each."""
    whole = len(order) // size * size
    parts = order[:whole].reshape(-1, size), order[whole:].reshape(1, -1)
    return [part for part in parts if part.size]


class EpochTimer:
    """Times a `with` block as one epoch and prints its seconds and mean loss as one JSON line."""

    def __enter__(self):
        self.start = time.perf_counter()
        self.loss = None
        return self

    def __exit__(self, *failure):
        if failure[0] is None:
            print(json.dumps({"seconds": time.perf_counter() - self.start, "loss": self.loss}), flush=True)


def print_accuracy(directory, predict):
    """Prints the test accuracy as one JSON line: compare.py rejects entries that do not learn. `predict` maps
    images, f32 [n, 784], to digits [n]. Called after the last epoch, so that it is not timed."""
    images, labels = load(directory, "t10k")
    correct = np.asarray(predict(images)) == labels
    print(json.dumps({"accuracy": correct.mean()}), flush=True)
