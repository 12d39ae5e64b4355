#!/usr/bin/env python3
"""Times one epoch of mnist-train and of each baseline, interleaved, and prints seconds and ratios.

The entries take turns in every round, so that a machine that slows down slows all of them. The figure
for an entry is the median over its epochs, without the first epoch of each run.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
BASELINES = ROOT / "bench/baselines"

# Name: (script, extra environment variables). All scripts take the flags of baselines/common.py; with
# --device cuda only the PyTorch ones run.
ON_GPU = "guide_loop.py", "resident.py"
PYTHON_BASELINES = {
    "guide: DataLoader, eager": ("guide_loop.py", {}),
    "PyTorch resident, fused Adam": ("resident.py", {}),
    "PyTorch resident, torch.compile": ("resident.py", {"BASELINE_COMPILE": "1"}),
    "JAX, jitted scan": ("jax_scan.py", {}),
    "scikit-learn MLPClassifier": ("sklearn_mlp.py", {}),
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "data/mnist")
    parser.add_argument("--epochs", type=int, default=4, help="epochs per run; the first is discarded")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--hidden", default="256,128")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", help="core counts, comma-separated, one table each; 1,2 on the CPU, else all cores")
    parser.add_argument("--only", default="", help="run only entries whose name contains one of these, comma-separated")
    parser.add_argument("--engines", default="fused,torch", help="engines of mnist-train, comma-separated")
    parser.add_argument("--json", type=pathlib.Path, help="also write all measurements to this file")
    arguments = parser.parse_args()
    if arguments.threads is None:
        arguments.threads = "1,2" if arguments.device == "cpu" else str(len(os.sched_getaffinity(0)))
    return arguments


def entries(arguments):
    """Maps each entry's name to its command and extra environment variables."""
    shared = ["--data", arguments.data, "--epochs", arguments.epochs, "--batch", arguments.batch,
              "--hidden", arguments.hidden]
    on_device = ["--device", arguments.device]
    found = {}
    for engine in arguments.engines.split(","):
        found[f"mnist-train, {engine}"] = (
            [arguments.build / "bin/mnist-train", "--engine", engine, *on_device, *shared], {})
    if arguments.device == "cpu":
        found["LibTorch C++ example"] = ([arguments.build / "bench/cpp_example", *shared], {})
    for name, (script, environment) in PYTHON_BASELINES.items():
        if script in ON_GPU:
            found[name] = ([sys.executable, BASELINES / script, *shared, *on_device], environment)
        elif arguments.device == "cpu":
            found[name] = ([sys.executable, BASELINES / script, *shared], environment)
    return {name: entry for name, entry in found.items() if any(part in name for part in arguments.only.split(","))}


def epochs_of(command, environment, threads):
    """Seconds of each epoch of one run, pinned to the first `threads` cores; empty if the run failed."""
    cores = sorted(os.sched_getaffinity(0))[:threads]
    command = [*map(str, command), "--threads", str(threads)]
    variables = os.environ | environment | {"OMP_NUM_THREADS": str(threads)}
    with tempfile.TemporaryDirectory() as directory:
        ours = command[0].endswith("mnist-train")
        if ours:
            command += ["--run-dir", directory, "--out", f"{directory}/model.pt"]
        process = subprocess.run(command, env=variables, capture_output=True, text=True,
                                 preexec_fn=lambda: os.sched_setaffinity(0, cores))
        if process.returncode != 0:
            print(f"{command[0]} failed:\n{process.stderr[-2000:]}", file=sys.stderr)
            return []
        text = (pathlib.Path(directory) / "metrics.jsonl").read_text() if ours else process.stdout
    return [json.loads(line)["seconds"] for line in text.splitlines()]


def measure(arguments, threads):
    """Maps each entry that ran to the seconds of its epochs, without the first epoch of each run."""
    seconds = {}
    for turn in range(arguments.rounds):
        for name, (command, environment) in entries(arguments).items():
            print(f"  {threads} cores, round {turn + 1}: {name}", file=sys.stderr)
            seconds.setdefault(name, []).extend(epochs_of(command, environment, threads)[1:])
    return {name: values for name, values in seconds.items() if values}


def print_table(seconds, threads, device):
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    ours = [name for name in medians if name.startswith("mnist-train")]
    baselines = [name for name in medians if not name.startswith("mnist-train")]
    best = min((medians[name] for name in baselines), default=float("nan"))
    print(f"\n{device}, {threads} core{'s' if threads > 1 else ''}, seconds per epoch")
    print(f"{'':34} {'median':>8} {'min':>8} {'max':>8}   " + "".join(f"{'x ' + n[13:]:>12}" for n in ours))
    for name, median in sorted(medians.items(), key=lambda item: item[1]):
        ratios = "".join(f"{median / medians[engine]:12.2f}" for engine in ours)
        print(f"{name:34} {median:8.3f} {min(seconds[name]):8.3f} {max(seconds[name]):8.3f}   {ratios}")
    for name in ours if baselines else []:
        print(f"{name}: {best / medians[name]:.2f} times as fast as the best baseline")


def main():
    arguments = parse_arguments()
    print(f"{platform.processor() or platform.machine()}, batch {arguments.batch}, hidden {arguments.hidden}, "
          f"{arguments.data}")
    figures = {}
    for threads in map(int, arguments.threads.split(",")):
        figures[threads] = measure(arguments, threads)
        if not figures[threads]:
            sys.exit("every run failed, see above")
        print_table(figures[threads], threads, arguments.device)
    if arguments.json:
        arguments.json.write_text(json.dumps({"arguments": {k: str(v) for k, v in vars(arguments).items()},
                                              "seconds": figures}, indent=1) + "\n")


if __name__ == "__main__":
    main()
