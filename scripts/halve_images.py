#!/usr/bin/env python3
"""Copies a dataset with its images at half the size: scripts/halve_images.py SOURCE TARGET.

Each pixel is the mean of a square of 2 x 2, rounded half up. The data of recipes/mnist-tiny.toml is made with it:
a network whose images have 14 x 14 pixels needs a quarter of the weights in its first layer. SOURCE has IDX files,
raw or gzip; those in TARGET are raw.
"""

import argparse
import pathlib
import sys

import idx


def halved(dimensions, pixels):
    """Returns the dimensions and pixels of images [count, rows, columns] with even sides at half the size."""
    count, rows, columns = dimensions
    if rows % 2 or columns % 2:
        sys.exit(f"halve_images.py: error: images of {rows} x {columns} pixels cannot be halved; both "
                 "sides must be even")
    half = bytearray()
    for begin in range(0, len(pixels), 2 * columns):
        top, bottom = pixels[begin:begin + columns], pixels[begin + columns:begin + 2 * columns]
        squares = zip(top[::2], top[1::2], bottom[::2], bottom[1::2])
        half += bytes((a + b + c + d + 2) // 4 for a, b, c, d in squares)
    return (count, rows // 2, columns // 2), half


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.target.mkdir(parents=True, exist_ok=True)
    for split in ("train", "t10k"):
        labels, images = f"{split}-labels-idx1-ubyte", f"{split}-images-idx3-ubyte"
        idx.write(arguments.target / labels, *idx.read(arguments.source, labels))
        idx.write(arguments.target / images, *halved(*idx.read(arguments.source, images)))


if __name__ == "__main__":
    main()
