#!/usr/bin/env python3
"""Draws terminal output as an SVG picture, such as the README's:

    mnist-train 2>&1 | scripts/terminal_picture.py "mnist-train" >docs/pictures/run.svg

The first argument is shown as the command. Epochs between the third and the last are left out.
"""

import argparse
import html
import re
import sys

LINE, CHARACTER, MARGIN = 19, 7.85, 18
STYLE = "font-family:ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:13px;white-space:pre"
BACKGROUND, TEXT, PROMPT, NUMBER = "#1e2430", "#d7dce5", "#7fb4ff", "#8fd694"


def shortened(lines):
    """Replaces the epochs from the fourth to the second to last with dots."""
    epochs = [line for line in lines if re.match(r"epoch +\d", line)]
    hidden = epochs[3:-1]
    for line in lines:
        if line not in hidden:
            yield line
        elif line == hidden[0]:
            yield "..."


def draw(command, lines):
    lines = [f"$ {command}", *shortened(lines)]
    width = round(max(map(len, lines)) * CHARACTER + 2 * MARGIN)
    height = LINE * len(lines) + 2 * MARGIN
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
           f'height="{height}" role="img" aria-label="{html.escape(command)} in a terminal">')
    yield f'<rect width="{width}" height="{height}" rx="8" fill="{BACKGROUND}"/>'
    for number, line in enumerate(lines):
        color = PROMPT if number == 0 else NUMBER if line.startswith("test accuracy") else TEXT
        yield (f'<text x="{MARGIN}" y="{MARGIN + LINE * number + 13}" fill="{color}" style="{STYLE}" '
               f'xml:space="preserve">{html.escape(line)}</text>')
    yield "</svg>"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", help="shown as the command that was typed")
    print("\n".join(draw(parser.parse_args().command, sys.stdin.read().splitlines())))
