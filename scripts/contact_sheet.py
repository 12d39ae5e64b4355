#!/usr/bin/env python3
"""Writes a contact sheet of a recipe's augmented images.

Each row shows one of the first training images: the original, then how epochs 1, 2, 3, ... distort
it. Needs a build with tests (scripts/test.sh makes one).
"""

import argparse
import pathlib
import struct
import subprocess
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "build" / "release" / "tests" / "contact_sheet"
ROWS, COLUMNS, SCALE = 8, 12, 2


def contact_sheet(recipe, rows, columns):
    """Returns the width, the height and the u8 pixels of the sheet of a recipe's file."""
    pgm = subprocess.run([PROGRAM, recipe, str(rows), str(columns)], check=True, cwd=ROOT,
                         stdout=subprocess.PIPE).stdout
    _, size, _, pixels = pgm.split(b"\n", 3)
    width, height = map(int, size.split())
    return width, height, pixels


def png(width, height, pixels):
    """Encodes an 8-bit grayscale PNG."""
    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    lines = b"".join(b"\0" + pixels[y * width : (y + 1) * width] for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b""))


def enlarged(width, pixels):
    rows = [pixels[i : i + width] for i in range(0, len(pixels), width)]
    wide = [bytes(value for value in row for _ in range(SCALE)) for row in rows]
    return b"".join(row for row in wide for _ in range(SCALE))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe", metavar="RECIPE", help="TOML file of mnist-train options")
    parser.add_argument("target", metavar="PNG", type=pathlib.Path, help="file to write")
    arguments = parser.parse_args()
    width, height, pixels = contact_sheet(arguments.recipe, ROWS, COLUMNS)
    arguments.target.write_bytes(png(width * SCALE, height * SCALE, enlarged(width, pixels)))


if __name__ == "__main__":
    main()
