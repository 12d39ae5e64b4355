#!/usr/bin/env python3
"""Draws the guide's pictures into docs/pictures/guide: scripts/guide_pictures.py [NAME ...].

Needs the results of scripts/experiments.sh, which calls it, and matplotlib. NAME.en.svg is for docs/guide.md,
NAME.ru.svg for docs/guide.ru.md.
"""

import argparse
import sys

from guide_charts import CHARTS
from guide_images import IMAGES
from guide_runs import ROOT
from guide_style import Picture

TARGET = ROOT / "docs" / "pictures" / "guide"


def main():
    drawings = {draw.__name__: draw for draw in (*CHARTS, *IMAGES)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a picture; default: all")
    for name in parser.parse_args().names or drawings:
        if name not in drawings:
            sys.exit(f"unknown picture '{name}'; expected {', '.join(drawings)}")
        for language in ("en", "ru"):
            picture = Picture(language)
            drawings[name](picture)
            picture.save(TARGET / f"{name}.{language}.svg")
        print(name, flush=True)


if __name__ == "__main__":
    main()
