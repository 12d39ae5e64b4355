"""Reads the metrics of a run, for the scripts in this directory."""

import json


def read_epochs(run):
    """Returns one dict per epoch from the metrics.jsonl of run directory `run`.

    A killed run can leave a truncated last line, which is skipped.
    """
    lines = (run / "metrics.jsonl").read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]
