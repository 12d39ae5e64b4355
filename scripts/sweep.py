#!/usr/bin/env python3
"""Trains a recipe over seeds and option values, several runs in parallel, and prints a table.

    scripts/sweep.py --recipe recipes/mnist-quick.toml --seeds 0-4 --test
    scripts/sweep.py --recipe recipes/mnist-quick.toml --vary lr 0.001 0.002 --vary ema 0 0.999

Choose recipes by validation accuracy: without --test, 10,000 training images are held out and runs are
scored on them. With --test, runs train on all images and are scored on the test set. Finished runs are
cached in --results and interrupted runs resume, so a killed sweep can simply be started again.
"""

import argparse
import concurrent.futures
import hashlib
import itertools
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tomllib

from metrics import read_epochs

ROOT = pathlib.Path(__file__).resolve().parents[1]
VALIDATION_EXAMPLES = "10000"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", help="TOML file of mnist-train options")
    parser.add_argument("--seeds", default="0-2", help="FIRST-LAST, inclusive")
    parser.add_argument("--vary", nargs="+", action="append", default=[], metavar="X",
                        help="an option and its values to try; if repeated, all combinations")
    parser.add_argument("--set", nargs=2, action="append", default=[], metavar=("OPTION", "VALUE"),
                        help="an option value for all runs")
    parser.add_argument("--test", action="store_true", help="train on all images and score on the test set")
    parser.add_argument("--gradients", action="store_true",
                        help="also print each layer's final weight gradient norm")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="number of parallel runs")
    parser.add_argument("--threads", type=int, default=1, help="threads per run")
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "build" / "sweep")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build" / "release" / "bin")
    return parser.parse_args()


def variants(arguments):
    """Yields each combination of the varied options as a dict."""
    names = [words[0] for words in arguments.vary]
    for values in itertools.product(*(words[1:] for words in arguments.vary)):
        yield dict(zip(names, values))


def command_of(arguments, variant, seed, directory):
    command = [str(arguments.bin / "mnist-train")]
    if (directory / "checkpoint.safetensors").exists():
        return command + ["--resume", str(directory)]
    if arguments.recipe:
        command += ["--config", arguments.recipe]
    options = dict(arguments.set) | variant
    options |= {"seed": seed, "threads": arguments.threads}
    if not arguments.test:
        options["validation"] = VALIDATION_EXAMPLES
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    return command + ["--run-dir", str(directory), "--out", str(directory / "model.pt")]


def data_of(directory):
    """Returns the data directory from a run's config.toml."""
    return tomllib.loads((directory / "config.toml").read_text())["data"]


def run(arguments, variant, seed):
    """Returns the result of one run, from the cache if the run is finished."""
    recipe = pathlib.Path(arguments.recipe).read_text() if arguments.recipe else ""
    key = json.dumps([recipe, arguments.set, variant, seed, arguments.test], sort_keys=True)
    directory = arguments.results / hashlib.sha256(key.encode()).hexdigest()[:16]
    result_file = directory / "result.json"
    if result_file.exists():
        return json.loads(result_file.read_text())
    directory.mkdir(parents=True, exist_ok=True)
    training = subprocess.run(command_of(arguments, variant, seed, directory), capture_output=True,
                              text=True, check=False)
    if training.returncode != 0:
        sys.exit(f"mnist-train failed for {variant}, seed {seed}: {training.stderr.strip()}")
    epochs = read_epochs(directory)
    if arguments.test:
        evaluation = subprocess.run([str(arguments.bin / "mnist-eval"), "--model",
                                     str(directory / "model.pt"), "--data", data_of(directory), "--json"],
                                    capture_output=True, text=True, check=True)
        accuracy = json.loads(evaluation.stdout)["accuracy"]
    else:
        accuracy = epochs[-1]["validation_accuracy"]
    result = {"options": variant, "seed": seed, "accuracy": 100 * accuracy,
              "train_loss": epochs[-1]["train_loss"], "train_accuracy": 100 * epochs[-1]["train_accuracy"],
              "gradients": [norm for name, norm in epochs[-1]["gradient_norm"].items()
                            if name.endswith("weight")],
              "seconds": sum(epoch["seconds"] for epoch in epochs)}
    unfinished = result_file.with_suffix(".tmp")
    unfinished.write_text(json.dumps(result))
    unfinished.rename(result_file)
    return result


def print_row(variant, results, with_gradients):
    accuracies = [result["accuracy"] for result in results]
    spread = f"{statistics.stdev(accuracies):.2f}" if len(accuracies) > 1 else "-"
    name = ", ".join(f"{option} {value}" for option, value in variant.items()) or "unchanged"
    seconds = statistics.mean(result["seconds"] for result in results)
    loss = statistics.mean(result["train_loss"] for result in results)
    fitted = statistics.mean(result["train_accuracy"] for result in results)
    runs = " ".join(f"{accuracy:.2f}" for accuracy in accuracies)
    print(f"| {name} | {statistics.mean(accuracies):.2f} | {spread} | {runs} | {loss:.4f} | "
          f"{fitted:.2f} | {seconds:.1f} |", end="")
    if with_gradients:
        print(" " + " ".join(f"{norm:.2g}" for norm in results[0]["gradients"]) + " |", end="")
    print(flush=True)


def main():
    arguments = parse_arguments()
    first, _, last = arguments.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    scored_on = "test" if arguments.test else "validation"
    columns = [arguments.recipe or "defaults", f"{scored_on} accuracy, mean %", "spread", "each seed",
               "training loss", "training accuracy, %", "seconds"]
    columns += ["gradient norms, first layer first"] if arguments.gradients else []
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|", flush=True)
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        pending = [(variant, [pool.submit(run, arguments, variant, seed) for seed in seeds])
                   for variant in variants(arguments)]
        try:
            for variant, futures in pending:
                print_row(variant, [future.result() for future in futures],
                          arguments.gradients)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


if __name__ == "__main__":
    main()
