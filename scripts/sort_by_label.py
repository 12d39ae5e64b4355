#!/usr/bin/env python3
"""Copies a dataset with its training images sorted by label: scripts/sort_by_label.py SOURCE TARGET.

For the guide's experiment on the order of examples. SOURCE has IDX files, raw or gzip; those in TARGET are raw.
"""

import argparse
import pathlib

import idx


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    arguments = parser.parse_args()
    arguments.target.mkdir(parents=True, exist_ok=True)
    for split in ("t10k", "train"):
        labels, images = f"{split}-labels-idx1-ubyte", f"{split}-images-idx3-ubyte"
        label_dimensions, label_bytes = idx.read(arguments.source, labels)
        image_dimensions, pixels = idx.read(arguments.source, images)
        if split == "train":
            size = len(pixels) // len(label_bytes)
            order = sorted(range(len(label_bytes)), key=label_bytes.__getitem__)  # stable
            pixels = b"".join(pixels[i * size:(i + 1) * size] for i in order)
            label_bytes = bytes(sorted(label_bytes))
        idx.write(arguments.target / images, image_dimensions, pixels)
        idx.write(arguments.target / labels, label_dimensions, label_bytes)


if __name__ == "__main__":
    main()
