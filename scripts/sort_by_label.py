#!/usr/bin/env python3
"""Copies a dataset with its training images sorted by label: scripts/sort_by_label.py SOURCE TARGET.

For the guide's experiment on the order of examples. SOURCE has uncompressed IDX files.
"""

import argparse
import pathlib
import shutil

import numpy

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
IMAGES_HEADER, LABELS_HEADER = 16, 8  # bytes


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("target", type=pathlib.Path)
    arguments = parser.parse_args()
    source, target = arguments.source, arguments.target
    target.mkdir(parents=True, exist_ok=True)
    images, labels = (source / IMAGES).read_bytes(), (source / LABELS).read_bytes()
    label_array = numpy.frombuffer(labels, numpy.uint8, offset=LABELS_HEADER)
    pixels = numpy.frombuffer(images, numpy.uint8, offset=IMAGES_HEADER).reshape(len(label_array), -1)
    order = numpy.argsort(label_array, kind="stable")
    (target / IMAGES).write_bytes(images[:IMAGES_HEADER] + pixels[order].tobytes())
    (target / LABELS).write_bytes(labels[:LABELS_HEADER] + label_array[order].tobytes())
    for test in source.glob("t10k-*"):
        shutil.copy(test, target)


if __name__ == "__main__":
    main()
