#!/usr/bin/env python3
"""Plots the training curves of one or more runs into a PNG, SVG or PDF file.

    scripts/plot.py runs/first
    scripts/plot.py runs/first runs/second --out curves.svg

RUN is a directory that mnist-train wrote with --run-dir. Needs matplotlib.
"""

import argparse
import pathlib
import sys

from metrics import read_epochs

# Title, keys of metrics.jsonl with their line styles, and scale factor of each panel.
PANELS = [
    ("loss", {"train_loss": "-", "validation_loss": "--"}, 1),
    ("accuracy, %", {"train_accuracy": "-", "validation_accuracy": "--"}, 100),
    ("learning rate", {"learning_rate": "-"}, 1),
]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=pathlib.Path, metavar="RUN")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("curves.png"),
                        help="file to write; its suffix selects the format")
    return parser.parse_args()


def draw(axes, runs, keys, factor):
    for number, (name, epochs) in enumerate(runs):
        for key, style in keys.items():
            points = [(e["epoch"], factor * e[key]) for e in epochs if e[key] is not None]
            if points:
                label = f"{name}, {key.split('_')[0]}" if len(keys) > 1 else name
                axes.plot(*zip(*points), style, color=f"C{number}", label=label)


def main():
    arguments = parse_arguments()
    try:
        import matplotlib
    except ImportError:
        sys.exit("plot.py: matplotlib is missing; install it with: .venv/bin/pip install matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    runs = []
    for run in arguments.runs:
        try:
            runs.append((run.name or str(run), read_epochs(run)))
        except (FileNotFoundError, NotADirectoryError) as error:
            sys.exit(f"plot.py: {error.filename} does not exist; "
                     "give a directory that mnist-train --run-dir wrote")
    figure, panels = pyplot.subplots(1, len(PANELS), figsize=(15, 4.5), layout="constrained")
    for axes, (title, keys, factor) in zip(panels, PANELS):
        draw(axes, runs, keys, factor)
        axes.set(title=title, xlabel="epoch")
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
    panels[0].set_yscale("log")
    panels[1].legend(fontsize="small")
    figure.savefig(arguments.out)
    print(arguments.out)


if __name__ == "__main__":
    main()
