#!/usr/bin/env python3
"""Trains a recipe over seeds and variations, several runs side by side, and prints a table.

    scripts/sweep.py --recipe recipes/mnist-quick.toml --seeds 0-4 --test
    scripts/sweep.py --recipe recipes/mnist-quick.toml --vary lr 0.001 0.002 --vary ema 0 0.999

Recipes are chosen by validation: without --test, 10,000 training images are held out and judge.
With --test a run trains on all images and the test set judges it. Finished runs are kept in
--results and are not done again, and runs that were cut off go on: so does a sweep that was killed.
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

ROOT = pathlib.Path(__file__).resolve().parents[1]
VALIDATION_EXAMPLES = "10000"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", help="TOML file with options of mnist-train")
    parser.add_argument("--seeds", default="0-2", help="FIRST-LAST, both included")
    parser.add_argument("--vary", nargs="+", action="append", default=[], metavar="X",
                        help="an option and the values to try; given twice, all combinations")
    parser.add_argument("--set", nargs=2, action="append", default=[], metavar=("OPTION", "VALUE"),
                        help="an option for all runs")
    parser.add_argument("--test", action="store_true", help="train on all images, judge by test")
    parser.add_argument("--gradients", action="store_true",
                        help="also the gradient norm of each layer's weights, at the end")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="runs side by side")
    parser.add_argument("--threads", type=int, default=1, help="of each run")
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "build" / "sweep")
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build" / "release" / "bin")
    return parser.parse_args()


def variants(arguments):
    """Each combination of the varied options, as a dict."""
    names = [words[0] for words in arguments.vary]
    for values in itertools.product(*(words[1:] for words in arguments.vary)):
        yield dict(zip(names, values))


def command_of(arguments, variant, seed, folder):
    command = [str(arguments.bin / "mnist-train")]
    if (folder / "checkpoint.safetensors").exists():
        return command + ["--resume", str(folder)]
    if arguments.recipe:
        command += ["--config", arguments.recipe]
    options = dict(arguments.set) | variant
    options |= {"seed": seed, "threads": arguments.threads}
    if not arguments.test:
        options["validation"] = VALIDATION_EXAMPLES
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    return command + ["--run-dir", str(folder), "--out", str(folder / "model.pt")]


def data_of(folder):
    """The data folder that a run was told to use, from the options that it wrote down."""
    import tomllib

    return tomllib.loads((folder / "config.toml").read_text())["data"]


def run(arguments, variant, seed):
    """The result of one run: from its file when it was done before."""
    recipe = pathlib.Path(arguments.recipe).read_text() if arguments.recipe else ""
    key = json.dumps([recipe, arguments.set, variant, seed, arguments.test], sort_keys=True)
    folder = arguments.results / hashlib.sha256(key.encode()).hexdigest()[:16]
    result_file = folder / "result.json"
    if result_file.exists():
        return json.loads(result_file.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    training = subprocess.run(command_of(arguments, variant, seed, folder), capture_output=True,
                              text=True, check=False)
    if training.returncode != 0:
        sys.exit(f"mnist-train failed for {variant}, seed {seed}: {training.stderr.strip()}")
    epochs = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    if arguments.test:
        judged = subprocess.run([str(arguments.bin / "mnist-eval"), "--model",
                                 str(folder / "model.pt"), "--data", data_of(folder), "--json"],
                                capture_output=True, text=True, check=True)
        accuracy = json.loads(judged.stdout)["accuracy"]
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
    spread = statistics.stdev(accuracies) if len(accuracies) > 1 else 0
    name = ", ".join(f"{option} {value}" for option, value in variant.items()) or "as it is"
    seconds = statistics.mean(result["seconds"] for result in results)
    loss = statistics.mean(result["train_loss"] for result in results)
    fitted = statistics.mean(result["train_accuracy"] for result in results)
    runs = " ".join(f"{accuracy:.2f}" for accuracy in accuracies)
    print(f"| {name} | {statistics.mean(accuracies):.2f} | {spread:.2f} | {runs} | {loss:.4f} | "
          f"{fitted:.2f} | {seconds:.1f} |", end="")
    if with_gradients:
        print(" " + " ".join(f"{norm:.2g}" for norm in results[0]["gradients"]) + " |", end="")
    print(flush=True)


def main():
    arguments = parse_arguments()
    first, _, last = arguments.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    judge = "test" if arguments.test else "validation"
    columns = [arguments.recipe or "defaults", f"{judge} accuracy, mean %", "spread", "each seed",
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
