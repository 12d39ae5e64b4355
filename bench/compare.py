#!/usr/bin/env python3
"""Times one epoch of mnist-train and of each baseline, and prints one table of all configurations.

For each configuration (hidden layers, minibatch size, number of cores), the entries take turns in every round, each
in a process of its own, so that a machine that slows down slows all of them. Exits with 1 if an entry did not
learn, or if all of them failed.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import machine
import table
from entries import ROOT, entries

# Cores that other programs may keep busy, on average.
MAX_LOAD = 0.1


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "data/mnist")
    parser.add_argument("--epochs", type=int, default=4, help="epochs per run, at least 2; the first is discarded")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--limit", type=float, default=900, help="seconds after which a run is stopped and has failed")
    parser.add_argument("--batch", default="32", help="minibatch sizes, comma-separated")
    parser.add_argument("--hidden", nargs="+", default=["256,128"],
                        help="networks; 1024,512@64 has minibatch sizes of its own")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", help="core counts, comma-separated; 1,2 on the CPU, else all cores")
    parser.add_argument("--only", default="", help="only entries whose name contains one of these, comma-separated")
    parser.add_argument("--engines", default="fused,torch", help="engines of mnist-train, comma-separated")
    parser.add_argument("--force", action="store_true", help="measure even if other programs are running")
    parser.add_argument("--json", type=pathlib.Path, help="also write all measurements to this file")
    arguments = parser.parse_args()
    if arguments.epochs < 2:
        parser.error("--epochs must be at least 2: the first is discarded")
    if arguments.threads is None:
        arguments.threads = "1,2" if arguments.device == "cpu" else str(len(os.sched_getaffinity(0)))
    return arguments


def configurations(arguments):
    """Yields hidden layers, minibatch size and number of cores."""
    for network in arguments.hidden:
        hidden, _, batches = network.partition("@")
        for batch in (batches or arguments.batch).split(","):
            for cores in arguments.threads.split(","):
                yield hidden, int(batch), int(cores)


def run(command, environment, cores, limit):
    """Runs `command` on `cores`. Returns the results that table.py describes; None if it failed."""
    command = [*map(str, command), "--threads", str(len(cores))]
    # A kernel that OPENBLAS_CORETYPE forces can be slower than the one that OpenBLAS chooses.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    variables = {**inherited, **environment, "OMP_NUM_THREADS": str(len(cores))}
    is_ours = command[0].endswith("mnist-train")
    with tempfile.TemporaryDirectory() as directory:
        if is_ours:
            command += ["--run-dir", directory]
        start = time.monotonic()
        try:
            process = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=limit,
                                     preexec_fn=lambda: os.sched_setaffinity(0, cores))
        except (OSError, subprocess.TimeoutExpired) as error:
            print(f"    failed: {error}", file=sys.stderr)
            return None
        seconds = time.monotonic() - start
        if process.returncode != 0:
            print(f"    failed with {process.returncode}:\n{process.stderr[-2000:]}", file=sys.stderr)
            return None
        return (ours(pathlib.Path(directory)) if is_ours else baseline(process.stdout)) | {"process": seconds}


def ours(directory):
    """Reads the results of mnist-train from its run directory."""
    epochs = [json.loads(line) for line in (directory / "metrics.jsonl").read_text().splitlines()]
    return {"seconds": [epoch["seconds"] for epoch in epochs], "losses": [epoch["train_loss"] for epoch in epochs],
            "accuracy": json.loads((directory / "summary.json").read_text())["test_accuracy"]}


def baseline(output):
    """Parses the output of a baseline: a JSON line for each epoch, then one with the accuracy. Frameworks may print
    other lines."""
    *epochs, last = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return {"seconds": [epoch["seconds"] for epoch in epochs], "losses": [epoch["loss"] for epoch in epochs],
            "accuracy": last["accuracy"]}


def measure(arguments, configuration):
    """Returns a dict from each entry to its runs (see table.py)."""
    hidden, batch, threads = configuration
    available = sorted(os.sched_getaffinity(0))
    runs_of = {}
    for turn in range(arguments.rounds):
        for name, (command, environment) in entries(arguments).items():
            runs = runs_of.setdefault(name, [])
            if None in runs:
                continue  # it would fail again
            print(f"  {hidden}, batch {batch}, {threads} cores, round {turn + 1}: {name}", file=sys.stderr)
            before = {"load": machine.busy_cores(0.5),
                      "latency": machine.core_latency(arguments.build / "bench/core_latency", available)}
            if before["load"] > MAX_LOAD:
                print(f"    other programs keep {before['load']:.2f} cores busy", file=sys.stderr)
            command = [*command, "--data", arguments.data, "--epochs", arguments.epochs, "--batch", batch,
                       "--hidden", hidden]
            result = run(command, environment, available[:threads], arguments.limit)
            runs.append(result and result | before)
    return runs_of


def main():
    arguments = parse_arguments()
    load = 0 if arguments.force else machine.busy_cores()
    if load > MAX_LOAD:
        sys.exit(f"other programs keep {load:.2f} cores busy, and timings need an idle machine: stop them, or measure "
                 "beside them with --force")
    print(f"{machine.description()}\n{arguments.device}, {arguments.data}, {arguments.rounds} rounds of "
          f"{arguments.epochs} epochs\n\n{table.HEADER}", flush=True)
    measurements = []
    for configuration in configurations(arguments):
        runs_of = measure(arguments, configuration)
        print("\n".join(table.lines(configuration, runs_of)) + "\n", flush=True)
        measurements.append(dict(zip(("hidden", "batch", "cores"), configuration)) | {"runs": runs_of})
        if arguments.json:
            arguments.json.write_text(json.dumps({"machine": machine.description(), "measurements": measurements,
                                                  "arguments": {k: str(v) for k, v in vars(arguments).items()}},
                                                 indent=1) + "\n")
    print(table.FOOTNOTES)
    if any(table.rejected(measurement["runs"]) for measurement in measurements):
        sys.exit("some entries did not learn, see the table")
    if not any(table.complete(measurement["runs"]) for measurement in measurements):
        sys.exit("every run failed, see above")


if __name__ == "__main__":
    main()
