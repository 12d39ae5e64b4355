#!/usr/bin/env python3
"""Writes the first examples of an MNIST-shaped dataset as a smaller, gzip-compressed one."""

import argparse
import gzip
import math
import pathlib
import sys

import idx


def cut(dimensions, payload, count):
    """Returns the dimensions and bytes of the first `count` items."""
    if count > dimensions[0]:
        sys.exit(f"cut_subset.py: error: {count} examples were asked for, but the source has only {dimensions[0]}")
    return (count, *dimensions[1:]), payload[:count * math.prod(dimensions[1:])]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", metavar="SOURCE", type=pathlib.Path)
    parser.add_argument("target", metavar="TARGET", type=pathlib.Path)
    parser.add_argument("train", metavar="TRAIN_EXAMPLES", type=int)
    parser.add_argument("test", metavar="TEST_EXAMPLES", type=int)
    arguments = parser.parse_args()
    arguments.target.mkdir(parents=True, exist_ok=True)
    for split, count in (("train", arguments.train), ("t10k", arguments.test)):
        for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"):
            content = idx.encode(*cut(*idx.read(arguments.source, f"{split}-{kind}"), count))
            with open(arguments.target / f"{split}-{kind}.gz", "wb") as file:
                # No timestamp and no file name, so that the output is reproducible.
                with gzip.GzipFile("", "wb", 9, file, mtime=0) as stream:
                    stream.write(content)


if __name__ == "__main__":
    main()
