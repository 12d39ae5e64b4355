"""The command line of scripts/sweep.py and its checks, which need no Optuna."""

import argparse
import os
import pathlib

from .errors import UsageError

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Parser(argparse.ArgumentParser):
    """Reports a usage error in one line."""

    def error(self, message):
        raise UsageError(f"{message}; see scripts/sweep.py --help")


def make_parser(description):
    parser = Parser(prog="sweep.py", description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_study_options(parser.add_argument_group("what to train"))
    add_search_options(parser.add_argument_group("search"))
    add_execution_options(parser.add_argument_group("execution"))
    add_mode_options(parser.add_argument_group("mode and output"))
    return parser


def add_study_options(group):
    group.add_argument("--recipe", type=pathlib.Path, help="TOML file of mnist-train options")
    group.add_argument("--seeds", default=None, help="FIRST-LAST, inclusive (default: 0-2; with tpe: 0)")
    group.add_argument("--vary", nargs="+", action="append", default=[], metavar="X",
                       help="an option and its values to try; if repeated, all combinations")
    group.add_argument("--range", nargs="+", action="append", default=[], metavar="X",
                       help="an option, its lowest and highest value, and 'log' for a logarithmic scale; "
                            "needs --sampler random or tpe")
    group.add_argument("--set", nargs=2, action="append", default=[], metavar=("OPTION", "VALUE"),
                       help="an option value for all runs")
    group.add_argument("--test", action="store_true", help="train on all images and score on the test set")


def add_search_options(group):
    group.add_argument("--sampler", choices=("grid", "random", "tpe"), default="grid",
                       help="which combinations: all (grid), or --trials of them (default: grid)")
    group.add_argument("--trials", type=int, help="number of combinations that random or tpe tries")
    group.add_argument("--pruner", choices=("none", "median", "asha"), default="none",
                       help="stop unpromising runs early: those below the median of the others at the same epoch, "
                            "or by successive halving (default: none)")
    group.add_argument("--prune-after", type=int, default=1, metavar="N",
                       help="epochs before a run can be pruned (default: 1)")


def add_execution_options(group):
    group.add_argument("--study", metavar="NAME", help="default: the recipe's name and a digest of the options above")
    group.add_argument("--storage", metavar="URL",
                       help="postgresql://USER@HOST/DATABASE for several machines "
                            "(default: a SQLite file in --results)")
    group.add_argument("--results", type=pathlib.Path, default=ROOT / "build" / "sweep",
                       help="directory of the run directories (default: build/sweep)")
    group.add_argument("--bin", type=pathlib.Path, default=ROOT / "build" / "release" / "bin",
                       help="directory of mnist-train (default: build/release/bin)")
    group.add_argument("--jobs", type=int, default=os.cpu_count(), help="number of parallel runs (default: one per core)")
    group.add_argument("--threads", type=int, default=1, help="threads per run (default: 1)")
    group.add_argument("--heartbeat", type=int, default=20, metavar="SECONDS",
                       help="interval of a worker's heartbeats; after three intervals without one, its trial is "
                            "queued again (default: 20)")


def add_mode_options(group):
    group.add_argument("--worker", action="store_true",
                       help="run trials until all are finished, and print no table; for job schedulers")
    group.add_argument("--table", action="store_true", help="print the table of the study as it is now")
    group.add_argument("--picture", type=pathlib.Path, metavar="FILE",
                       help="draw the study as it is now into an SVG, PNG or PDF file")
    group.add_argument("--gradients", action="store_true",
                       help="a column with each layer's final weight gradient norm")


def parse_arguments(description):
    """Returns the checked command line; `seeds` is a list of integers. Raises UsageError."""
    arguments = make_parser(description).parse_args()
    only_shows = arguments.table or arguments.picture
    if only_shows and arguments.worker:
        raise UsageError("--worker neither prints nor draws; leave out --table and --picture")
    check_search(arguments)
    if arguments.seeds is None:
        arguments.seeds = "0" if arguments.sampler == "tpe" else "0-2"
    arguments.seeds = parse_seeds(arguments.seeds)
    if arguments.sampler == "tpe" and len(arguments.seeds) != 1:
        raise UsageError("--sampler tpe trains each combination with one seed, found several in --seeds; "
                         "compare the best combinations afterwards with --vary and several seeds")
    for name, least in (("jobs", 1), ("threads", 1), ("heartbeat", 1), ("prune_after", 1)):
        if getattr(arguments, name) < least:
            raise UsageError(f"--{name.replace('_', '-')} must be at least {least}, found {getattr(arguments, name)}")
    if arguments.recipe and not arguments.recipe.is_file():
        raise UsageError(f"--recipe {arguments.recipe}: no such file; recipes are in {ROOT / 'recipes'}")
    return arguments


def check_search(arguments):
    for words in arguments.vary:
        if len(words) < 2:
            raise UsageError(f"--vary {words[0]} needs at least one value")
    for words in arguments.range:
        check_range(words)
    names = [words[0] for words in arguments.vary + arguments.range]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{name} is varied twice; give all its values to one --vary or --range")
        if name == "seed":
            raise UsageError("seeds are not varied by --vary; use --seeds FIRST-LAST")
    if arguments.pruner != "none" and arguments.test:
        raise UsageError("--pruner compares accuracies on held-out examples; leave out --test")
    if arguments.sampler == "grid":
        if arguments.range or arguments.trials is not None:
            raise UsageError("--range and --trials need --sampler random or tpe")
        return
    if arguments.trials is None or arguments.trials < 1:
        raise UsageError(f"--sampler {arguments.sampler} needs --trials N, the number of combinations, at least 1")
    if not names:
        raise UsageError(f"--sampler {arguments.sampler} needs a --range or --vary to choose from")


def check_range(words):
    what = f"--range {' '.join(words)}"
    if len(words) not in (3, 4) or words[3:] not in ([], ["log"]):
        raise UsageError(f"{what}: expected an option, its lowest and highest value, and possibly 'log'")
    try:
        low, high = map(float, words[1:3])
    except ValueError:
        raise UsageError(f"{what}: expected two numbers, found {words[1]} and {words[2]}") from None
    if not low < high or (words[3:] and low <= 0):
        raise UsageError(f"{what}: the lowest value must be below the highest, and above 0 with 'log'")


def parse_seeds(text):
    """Returns the seeds of "3" or "0-4"."""
    first, dash, last = text.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()) or int(last or first) < int(first):
        raise UsageError(f"--seeds {text}: expected FIRST-LAST, for example 0-4, or one number")
    return list(range(int(first), int(last or first) + 1))
