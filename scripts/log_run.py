#!/usr/bin/env python3
"""Copies a run directory of mnist-train into MLflow or Weights & Biases.

    scripts/log_run.py mlflow runs/first --project digits    # MLFLOW_TRACKING_URI selects the server or store
    scripts/log_run.py wandb runs/first --project digits     # WANDB_MODE=offline writes into ./wandb

Options become parameters, each epoch becomes a step of every metric, and the run's files become artifacts.
"""

import argparse
import json
import pathlib
import tomllib

from metrics import read_epochs

ARTIFACTS = ("config.toml", "metrics.jsonl", "summary.json", "model.pt")


def flattened(values, prefix=""):
    """Yields (name, number) for each number in nested dicts; names are joined by slashes."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from flattened(value, f"{prefix}{name}/")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield prefix + name, value


def log_to_mlflow(name, project, options, epochs, artifacts):
    import mlflow
    mlflow.set_experiment(project)
    with mlflow.start_run(run_name=name):
        mlflow.log_params(options)
        for epoch in epochs:
            mlflow.log_metrics(dict(flattened(epoch)), step=epoch["epoch"])
        for path in artifacts:
            mlflow.log_artifact(str(path))


def log_to_wandb(name, project, options, epochs, artifacts):
    import wandb
    with wandb.init(project=project, name=name, config=options) as run:
        for epoch in epochs:
            run.log(dict(flattened(epoch)), step=epoch["epoch"])
        artifact = wandb.Artifact(name, type="run")
        for path in artifacts:
            artifact.add_file(str(path))
        run.log_artifact(artifact)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("to", choices=("mlflow", "wandb"))
    parser.add_argument("run", type=pathlib.Path, help="run directory, as given to mnist-train --run-dir")
    parser.add_argument("--project", default="mnist", help="MLflow's experiment or W&B's project")
    arguments = parser.parse_args()
    options = tomllib.loads((arguments.run / "config.toml").read_text())
    artifacts = [arguments.run / name for name in ARTIFACTS if (arguments.run / name).exists()]
    log = log_to_mlflow if arguments.to == "mlflow" else log_to_wandb
    log(arguments.run.resolve().name, arguments.project, options, read_epochs(arguments.run), artifacts)


if __name__ == "__main__":
    main()
