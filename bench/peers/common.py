"""What all peers share: their flags, the data, and the line that they print for each epoch."""

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
    parser.add_argument("--device", default="cpu", help="of the PyTorch peers: cpu or cuda")
    arguments = parser.parse_args()
    arguments.widths = [784, *map(int, arguments.hidden.split(",")), 10]
    return arguments


def read_idx(folder, name):
    """An IDX file of u8, raw or gzip, as an array."""
    path = folder / name
    content = path.read_bytes() if path.exists() else gzip.decompress((folder / f"{name}.gz").read_bytes())
    rank = content[3]
    sizes = np.frombuffer(content, ">u4", rank, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(sizes)


def training_set(folder):
    """Images as u8 [n, 784] and labels as u8 [n]."""
    images = read_idx(folder, IMAGES)
    return images.reshape(len(images), -1).copy(), read_idx(folder, LABELS).copy()


class EpochTimer:
    """Prints one JSON object an epoch: its seconds and its mean loss."""

    def __enter__(self):
        self.start = time.perf_counter()
        self.loss = None
        return self

    def __exit__(self, *failure):
        if failure[0] is None:
            print(json.dumps({"seconds": time.perf_counter() - self.start, "loss": self.loss}), flush=True)
