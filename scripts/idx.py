"""Reads and writes IDX files of u8, the format of MNIST, for the scripts in this directory."""

import gzip
import os
import struct


def read(directory, name):
    """Returns the dimensions and the bytes of `directory`/`name`, which may also be gzip, with the suffix .gz."""
    path = directory / name
    content = path.read_bytes() if path.exists() else gzip.decompress((directory / f"{name}.gz").read_bytes())
    rank = content[3]
    end = 4 + 4 * rank
    return struct.unpack(f">{rank}I", content[4:end]), content[end:]


def encode(dimensions, payload):
    """Returns an IDX file."""
    return bytes([0, 0, 8, len(dimensions)]) + struct.pack(f">{len(dimensions)}I", *dimensions) + payload


def write(path, dimensions, payload):
    """Replaces an IDX file atomically, so that an interrupted script leaves no truncated one."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(encode(dimensions, payload))
    os.replace(temporary, path)
