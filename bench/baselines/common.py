"""Shared by the baselines: command-line flags, data loading, and the JSON line printed per epoch."""

import argparse
import gzip
import json
import pathlib
import time

import numpy as np

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--hidden", default="256,128")
    parser.add_argument("--device", default="cpu", help="cpu or cuda; PyTorch baselines only")
    arguments = parser.parse_args()
    arguments.widths = [784, *map(int, arguments.hidden.split(",")), 10]
    return arguments


def read_idx(directory, name):
    """Reads an IDX file of u8, raw or gzip, into an array."""
    path = directory / name
    content = path.read_bytes() if path.exists() else gzip.decompress((directory / f"{name}.gz").read_bytes())
    rank = content[3]
    sizes = np.frombuffer(content, ">u4", rank, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(sizes)


def training_set(directory):
    """Returns images, u8 [n, 784], and labels, u8 [n]."""
    images = read_idx(directory, IMAGES)
    return images.reshape(len(images), -1).copy(), read_idx(directory, LABELS).copy()


class EpochTimer:
    """Times a `with` block as one epoch and prints its seconds and mean loss as one JSON line."""

    def __enter__(self):
        self.start = time.perf_counter()
        self.loss = None
        return self

    def __exit__(self, *failure):
        if failure[0] is None:
            print(json.dumps({"seconds": time.perf_counter() - self.start, "loss": self.loss}), flush=True)
