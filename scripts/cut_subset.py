#!/usr/bin/env python3
"""Writes the first examples of an MNIST-shaped dataset as a smaller, gzip-compressed one."""

import argparse
import gzip
import pathlib
import struct
import sys


def read(directory: pathlib.Path, name: str) -> bytes:
    path = directory / name
    if path.exists():
        return path.read_bytes()
    return gzip.decompress((directory / f"{name}.gz").read_bytes())


def cut(content: bytes, count: int) -> bytes:
    """Returns an IDX file with the first `count` items of `content`, an IDX file of u8."""
    rank = content[3]
    dimensions = struct.unpack(f">{rank}I", content[4 : 4 + 4 * rank])
    item = 1
    for size in dimensions[1:]:
        item *= size
    if count > dimensions[0]:
        sys.exit(f"cannot take {count} examples: the source has {dimensions[0]}")
    payload = content[4 + 4 * rank :][: count * item]
    return content[:4] + struct.pack(f">{rank}I", count, *dimensions[1:]) + payload


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", metavar="SOURCE", type=pathlib.Path)
    parser.add_argument("target", metavar="TARGET", type=pathlib.Path)
    parser.add_argument("train", metavar="TRAIN_EXAMPLES", type=int)
    parser.add_argument("test", metavar="TEST_EXAMPLES", type=int)
    arguments = parser.parse_args()
    counts = {"train": arguments.train, "t10k": arguments.test}
    arguments.target.mkdir(parents=True, exist_ok=True)
    for part, count in counts.items():
        for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"):
            name = f"{part}-{kind}"
            with open(arguments.target / f"{name}.gz", "wb") as file:
                # No timestamp and no file name, so that the output is reproducible.
                with gzip.GzipFile("", "wb", 9, file, mtime=0) as stream:
                    stream.write(cut(read(arguments.source, name), count))


if __name__ == "__main__":
    main()
