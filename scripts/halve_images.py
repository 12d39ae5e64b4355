#!/usr/bin/env python3
"""Copies a dataset with its images at half the size: scripts/halve_images.py SOURCE TARGET.

Each pixel is the mean of a square of 2 x 2, rounded half up. The data of recipes/mnist-tiny.toml is made with it:
a network whose images have 14 x 14 pixels needs a quarter of the weights in its first layer. SOURCE has IDX files,
raw or gzip; those in TARGET are raw.
"""

import argparse
import os
import pathlib
import struct

from cut_subset import read


def halved(content):
    """The IDX file `content`, u8 [images, rows, columns] with even sides, with images of half the size."""
    count, rows, columns = struct.unpack(">3I", content[4:16])
    if rows % 2 or columns % 2:
        raise SystemExit(f"halve_images.py: error: images of {rows} x {columns} pixels cannot be halved; both sides "
                         "must be even")
    pixels = content[16:]
    half = bytearray()
    for begin in range(0, len(pixels), 2 * columns):
        top, bottom = pixels[begin:begin + columns], pixels[begin + columns:begin + 2 * columns]
        squares = zip(top[::2], top[1::2], bottom[::2], bottom[1::2])
        half += bytes((a + b + c + d + 2) // 4 for a, b, c, d in squares)
    return content[:4] + struct.pack(">3I", count, rows // 2, columns // 2) + half


def write(path, content):
    """Replaces the file at once, so that an interruption leaves no half of one."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.target.mkdir(parents=True, exist_ok=True)
    for split in ("train", "t10k"):
        labels, images = f"{split}-labels-idx1-ubyte", f"{split}-images-idx3-ubyte"
        write(arguments.target / labels, read(arguments.source, labels))
        write(arguments.target / images, halved(read(arguments.source, images)))


if __name__ == "__main__":
    main()
