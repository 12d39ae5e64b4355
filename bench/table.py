"""The table of bench/compare.py: one line for each entry of each configuration, the fastest first.

A run is a dict: "seconds" and "losses" of its epochs, the test "accuracy" after them, the seconds of the whole
"process" and, from just before it, the "latency" between the first two cores in ns (None if unknown) and the "load",
the number of busy cores. A run that failed is None."""

import statistics

OURS = "mnist-train, fused"
HEADER = (f"{'hidden':>11} {'batch':>5} {'cores':>5} {'latency':>8} {'load':>5}  {'entry':26} {'s/epoch':>8} "
          f"{'spread':>6} {'/ fused':>8} {'process':>9} {'accuracy':>8}")
FOOTNOTES = """
latency   of a cache line between the first two cores, one way, before a run; the median of the entry's runs
load      cores that other programs kept busy before a run; the highest of the entry's runs
s/epoch   median over all runs, without the first epoch of each
spread    half the range of those epochs, relative to the median
/ fused   s/epoch relative to mnist-train's fused engine; "rejected" if the entry did not learn what the others did
process   the entry's run from start to exit, median: start-up, reading data, all epochs, evaluation
accuracy  on the test set after the last epoch, mean over runs"""
# An entry did not learn if it gets more than this fraction of the test images wrong, or more than twice as many as
# the median entry. After a few epochs, initial weights and the order of examples make a smaller difference.
MAX_ERROR = 0.2
MAX_RELATIVE_ERROR = 2


def warm(runs):
    """Returns the seconds of all epochs but the first of each run, which includes compilation."""
    return [seconds for run in runs for seconds in run["seconds"][1:]]


def spread(values):
    """Returns half the range, relative to the median."""
    return (max(values) - min(values)) / 2 / statistics.median(values)


def complete(runs_of):
    """Returns the entries none of whose runs failed."""
    return {name: runs for name, runs in runs_of.items() if runs and None not in runs}


def errors_of(runs_of):
    """Returns a dict from each complete entry to the fraction of test images that it gets wrong."""
    return {name: 1 - statistics.mean(run["accuracy"] for run in runs) for name, runs in complete(runs_of).items()}


def rejected(runs_of):
    """Returns the names of the entries that did not learn."""
    errors = errors_of(runs_of)
    if not errors:
        return set()
    limit = min(MAX_ERROR, MAX_RELATIVE_ERROR * statistics.median(errors.values()))
    return {name for name, error in errors.items() if error > limit}


def lines(configuration, runs_of):
    """Returns the lines of one configuration, (hidden layers, minibatch size, cores), given each entry's runs."""
    hidden, batch, cores = configuration
    start = f"{hidden:>11} {batch:>5} {cores:>5} "
    medians = {name: statistics.median(warm(runs)) for name, runs in complete(runs_of).items()}
    errors = errors_of(runs_of)
    not_learned = rejected(runs_of)
    rows = []
    for name in sorted(medians, key=medians.get):
        runs = runs_of[name]
        latencies = [run["latency"] for run in runs if run["latency"] is not None]
        latency = f"{statistics.median(latencies):.0f} ns" if latencies else "-"
        ratio = f"{medians[name] / medians[OURS]:.2f}" if OURS in medians else "-"
        process = statistics.median(run["process"] for run in runs)
        rows.append(f"{start}{latency:>8} {max(run['load'] for run in runs):5.2f}  {name:26} {medians[name]:8.3f} "
                    f"{100 * spread(warm(runs)):4.0f} % {'rejected' if name in not_learned else ratio:>8} "
                    f"{process:7.2f} s {100 * (1 - errors[name]):6.2f} %")
    return rows + [f"{start}{'-':>8} {'-':>5}  {name:26} {'failed':>8}" for name in runs_of if name not in medians]
