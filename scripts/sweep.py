#!/usr/bin/env python3
"""Trains a recipe over seeds and option values, several runs in parallel, and prints a table.

    scripts/sweep.py --recipe recipes/mnist-quick.toml --seeds 0-4 --test
    scripts/sweep.py --recipe recipes/mnist-quick.toml --vary lr 0.001 0.002 --vary ema 0 0.999
    scripts/sweep.py --sampler tpe --trials 50 --pruner asha --range lr 0.0001 0.01 log --vary batch 32 64

Choose recipes by validation accuracy: without --test, 10,000 training images are held out and runs are
scored on them. With --test, runs train on all images and are scored on the test set.

A sweep is a study of Optuna. The same command starts it, resumes it, or, when it is finished, prints its
table: finished runs are kept in --results and interrupted ones resume. Any number of processes on any number
of machines work on one study if they are given the same command with --worker, a --storage that all reach,
and --results on a file system that all share: docs/scaling.md.

Exit codes: 0 success, 1 failure, 2 usage, 128+N signal N.
"""

import os
import pathlib
import sys

from sweep.arguments import ROOT, parse_arguments
from sweep.errors import SweepError


def find_optuna():
    """Restarts the script in the project's .venv if only that has Optuna."""
    try:
        import optuna  # noqa: F401
    except ImportError:
        python = ROOT / ".venv" / "bin" / "python"
        if any(ROOT.glob(".venv/lib/python3*/site-packages/optuna")) and pathlib.Path(sys.prefix) != ROOT / ".venv":
            os.execv(python, [str(python), *sys.argv])
        raise SweepError("Optuna is missing; install it with: python3 -m pip install optuna "
                         "(scripts/setup.sh --tests puts it into .venv)") from None


def hide_launch():
    """Hides the MPI launch that started this worker, if any, from mnist-train, so that each run is one process."""
    for name in list(os.environ):
        if name.startswith(("OMPI_", "PMI_", "PMIX_")):
            del os.environ[name]


def main():
    hide_launch()
    try:
        arguments = parse_arguments(__doc__)
        find_optuna()
        from sweep import commands
        return commands.run(arguments)
    except SweepError as error:
        print(f"sweep.py: error: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
