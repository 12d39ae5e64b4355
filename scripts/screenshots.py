#!/usr/bin/env python3
"""Takes the README's pictures of a report and of the drawing page: .venv/bin/python scripts/screenshots.py.

Trains with the recipe mnist-augmented, holding out 5,000 images for the curves. Needs the programs in
build/release/bin, data/mnist, and Chromium (scripts/setup.sh --tests --browser).
"""

import argparse
import base64
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = ROOT / "build/release/bin"
PICTURES = ROOT / "docs/pictures"
# In fractions of the canvas.
THREE = [(0.35, 0.22), (0.5, 0.15), (0.64, 0.22), (0.65, 0.36), (0.52, 0.46), (0.66, 0.54), (0.7, 0.68),
         (0.6, 0.81), (0.46, 0.84), (0.34, 0.77)]

sys.path.insert(0, str(ROOT / "tests"))
import browser  # noqa: E402  (of the tests)


def run(directory, command):
    program, *arguments = command.split()
    subprocess.run([BIN / program, *arguments], check=True, cwd=directory, stdout=subprocess.DEVNULL)


def take_picture(path, name, width, points=()):
    """Opens the page at `path` and saves all of it, not only what fits the window; first draws through `points`."""
    try:
        page = browser.start(width=width, height=600)
    except unittest.SkipTest as error:
        sys.exit(f"screenshots.py {error}")
    try:
        page.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
        page.get(path.as_uri())
        if points:
            browser.draw(page, points)
        height = page.execute_script("return Math.ceil(document.body.getBoundingClientRect().bottom)")
        picture = page.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}})
        (PICTURES / name).write_bytes(base64.b64decode(picture["data"]))
    finally:
        page.quit()


def main():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with tempfile.TemporaryDirectory() as directory:
        work = pathlib.Path(directory)
        # Pages show the paths that they were made with.
        (work / "data").symlink_to(ROOT / "data")
        (work / "model.pt").symlink_to("runs/first/model.pt")
        run(work, "mnist-train --recipe mnist-augmented --validation 5000 --run-dir runs/first")
        run(work, "mnist-eval --model model.pt --run-dir runs/first --report report.html")
        run(work, "mnist-export --model model.pt --to html --out drawing.html")
        take_picture(work / "report.html", "report.png", 1000)
        take_picture(work / "drawing.html", "drawing.png", 720, THREE)


if __name__ == "__main__":
    main()
