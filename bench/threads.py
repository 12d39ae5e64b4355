#!/usr/bin/env python3
"""Models how much faster threads make a training step of the fused CPU engine: bench/threads.py [--check].

Measured on one thread: the phases of a step, by mnist-train --profile. Computed as the engine does: which thread owns
which units (layers.cpp, pairwise.hpp), and what it reads of the others. Assumed: what a cache line takes from core to
core, and how many are in flight. Not modeled: other programs, and caches, memory and clock rates that cores share.
Needs no more than one core; --check compares the model with two threads, on an otherwise idle machine.
"""

import argparse
import functools
import pathlib
import subprocess
import tempfile

import machine

ROOT = pathlib.Path(__file__).resolve().parents[1]
PIXELS = 784
TILE, MICROBATCH = 32, 128  # examples
FLOATS = 16  # of a cache line
RUNS = {"256,128": (32, 128, 512), "512,256": (256,)}  # minibatches for each pair of hidden layers


def divide_up(dividend, divisor):
    return -(-dividend // divisor)


def leaf_of(units):
    """Units that are not shared out: leaf_size() in pairwise.hpp."""
    return max(32, divide_up(divide_up(units, 16), FLOATS) * FLOATS)


def shares(count, unit, threads):
    """What each thread owns, as (begin, end): Share in layers.cpp."""
    units = divide_up(count, unit)
    ends = [min(units * (thread + 1) // threads * unit, count) for thread in range(threads)]
    return list(zip([0, *ends], ends))


def sizes(*partition):
    return [end - begin for begin, end in shares(*partition)]


def nodes(units, threads):
    """How many partial sums over its own units each thread computes: pairwise_nodes() in pairwise.hpp."""
    counts = []
    for begin, end in shares(divide_up(units, leaf_of(units)), 1, threads):
        counts.append(0)
        while begin < end:
            size = 1 << ((end - begin).bit_length() - 1)
            while begin % size:
                size //= 2
            begin += size
            counts[-1] += 1
    return counts


class Steps:
    """The phases of steps of any network, each in microseconds: the smallest of several runs."""

    def __init__(self, arguments):
        self.arguments = arguments

    @functools.cache
    def phases(self, hidden, batch, threads=1):
        arguments = self.arguments
        with tempfile.TemporaryDirectory() as folder:
            command = ["taskset", "-c", ",".join(map(str, range(threads))), arguments.program, "--data", arguments.data,
                       "--limit", str(arguments.limit), "--epochs", "1", "--hidden", hidden, "--batch", str(batch),
                       "--threads", str(threads), "--device", "cpu", "--no-test", "--profile", "--out",
                       pathlib.Path(folder) / "model.pt"]
            runs = [read_phases(subprocess.run(command, check=True, capture_output=True, text=True))
                    for _ in range(arguments.rounds)]
        return {name: min(run[name] for run in runs) for name in runs[0]}


def read_phases(process):
    """Each phase's mean over the threads."""
    _, table = (process.stdout + process.stderr).split("microseconds per step", 1)
    phases = {}
    for line in table.splitlines()[2:]:
        name, times = line[:37].strip(), line[37:].split()
        phases[name] = sum(map(float, times)) / len(times)
        if name == "all":
            return phases
    raise ValueError("mnist-train --profile printed no table of phases")


class Model:
    """A step of a network with two hidden layers on minibatches of `batch`."""

    def __init__(self, steps, hidden, batch):
        self.steps, self.hidden, self.batch = steps, hidden, batch
        self.widths = tuple(map(int, hidden.split(",")))
        self.all = steps.phases(hidden, batch)
        # The network's last layer alone: that of a network with one hidden layer as wide as its second.
        self.last = steps.phases(str(self.widths[1]), batch)

    def first_layer(self, units):
        """A thread that owns `units` of the first layer does there what it would do in a network with no others: on
        narrower slices, with less work for each pixel that is found, but with more of the weights in its cache."""
        if units == 0:
            return 0
        phases = self.all if units == self.widths[0] else self.steps.phases(str(units), self.batch)
        return phases["first layer, forward"] + phases["first layer, gradients and Adam"]

    def inner(self, name, units, last_units):
        """A phase of the other layers: rows of the second layer's weights, and rows of the last layer's."""
        last = min(self.last[name], self.all[name])
        return (self.all[name] - last) * units / self.widths[0] + last * last_units / self.widths[1]

    def microseconds(self, threads, latency, in_flight):
        """A step takes as long as its slowest thread takes between one barrier and the next."""
        first, second = (sizes(width, leaf_of(width), threads) for width in self.widths)
        images = sizes(PIXELS, FLOATS, threads)
        intervals = []
        for thread, (units, last_units) in enumerate(zip(first, second)):
            forward = "other layers, forward"
            work = (self.first_layer(units) + self.inner(forward, units, 0)
                    + self.inner("gradients of units", units, 0)
                    + self.inner("other layers, gradients and Adam", units, last_units),
                    self.inner(forward, 0, last_units),
                    self.all["loss"] + self.all["next images"] * images[thread] / PIXELS
                    + self.inner("gradients of units", 0, last_units))
            lines = self.lines(thread, threads, last_units, images[thread])
            intervals.append([time + count * latency / in_flight / 1e3 for time, count in zip(work, lines)])
        # Each barrier passes a counter through all threads, then a flag back to all at once.
        barriers = 3 * divide_up(self.batch, MICROBATCH) * (threads + 1) * latency / 1e3 if threads > 1 else 0
        return sum(map(max, zip(*intervals))) + barriers

    def lines(self, thread, threads, last_units, pixels):
        """The cache lines that a thread reads of others in a step, in each interval between barriers."""
        parts = divide_up(self.batch, MICROBATCH)
        examples = self.batch / parts
        tiles = divide_up(int(examples), TILE)
        foreign = [sum(counts) - counts[thread] for counts in (nodes(width, threads) for width in self.widths)]
        owned = sizes(self.widths[0], leaf_of(self.widths[0]), threads)[thread]
        gradients = examples * (self.widths[1] - last_units) / FLOATS
        images = tiles * (PIXELS - pixels) * (TILE / 4 + 1) / FLOATS  # a byte for each pixel, and masks
        partial_sums = foreign[0] * examples * last_units / FLOATS
        masks = tiles * (sum(self.widths) - owned - last_units) / FLOATS
        return [parts * count for count in (images + gradients, partial_sums, foreign[1] * examples + masks)]


def print_shares(threads):
    print("the largest part that one thread has, of an even part:")
    print("units | " + " | ".join(map(str, threads)))
    for units in sorted({int(width) for hidden in RUNS for width in hidden.split(",")}):
        print(f"{units} | " + " | ".join(f"{max(sizes(units, leaf_of(units), n))} ({units / n:.0f})" for n in threads))


def print_speedups(arguments, latencies):
    steps = Steps(arguments)
    print(f"\nnetwork | minibatch | latency | 1 thread | speedup: {' | '.join(map(str, arguments.threads))}"
          + (" | measured: 2" if arguments.check else ""))
    measured = ""
    for hidden, batches in RUNS.items():
        for batch in batches:
            model = Model(steps, hidden, batch)
            one = model.microseconds(1, 0, 1)
            if arguments.check:
                measured = f" | {steps.phases(hidden, batch)['all'] / steps.phases(hidden, batch, 2)['all']:.2f}"
            for latency in latencies:
                speedups = [one / model.microseconds(n, latency, arguments.in_flight) for n in arguments.threads]
                print(f"784-{hidden.replace(',', '-')}-10 | {batch} | {latency:.0f} ns | {one:.0f} us | "
                      + " | ".join(f"{speedup:.2f}" for speedup in speedups) + measured, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/bin/mnist-train")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "data/mnist")
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 3, 4, 5, 8, 16])
    parser.add_argument("--latency", type=float, nargs="+", default=[40, 100, 200],
                        help="nanoseconds that a cache line takes from core to core; see bench/core_latency.cpp")
    parser.add_argument("--in-flight", type=float, default=10, help="cache lines that a core waits for at a time")
    parser.add_argument("--limit", type=int, default=12800, help="examples of a run")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each network, of which the fastest counts")
    parser.add_argument("--check", action="store_true", help="measure two threads and the latency, too")
    arguments = parser.parse_args()
    latencies = arguments.latency
    if arguments.check:
        latency = machine.core_latency(ROOT / "build/release/bench/core_latency", [0, 1])
        if latency is None:
            parser.error("--check needs two cores and build/release/bench/core_latency, which bench/run.sh builds")
        latencies = [latency]
    print_shares(arguments.threads)
    print_speedups(arguments, latencies)


if __name__ == "__main__":
    main()
