"""A worker: takes trials until the study is finished, and trains each with mnist-train."""

import enum
import json
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import optuna

from metrics import read_epochs

from . import plan
from .errors import SweepError
from .heartbeat import Heartbeat
from .storage import STORAGE_ERRORS
from .table import name_of

# Seconds between two reads of a run's metrics.
POLL = 0.2
# Seconds that a worker waits for a storage that does not respond.
STORAGE_PATIENCE = 600
# Exit codes of mnist-train that leave a checkpoint: SIGHUP, SIGINT, SIGTERM.
STOPPED = (129, 130, 143)

Outcome = enum.Enum("Outcome", "COMPLETE PRUNED STOPPED LOST FAILED")


class Worker:
    def __init__(self, arguments, definition, queue):
        self.arguments = arguments
        self.definition = definition
        self.queue = queue
        self.stop = threading.Event()
        self.signal = None
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.on_signal)

    def on_signal(self, number, _):
        self.signal = number
        self.stop.set()

    def work(self):
        """Takes trials until all are finished; returns the exit code."""
        last_response = time.monotonic()
        while not self.stop.is_set():
            try:
                trial = self.queue.take()
                if trial:
                    self.run(trial)
                elif self.queue.is_finished():
                    return 0
                else:
                    # The rest are running in other workers, which may die.
                    self.queue.requeue_lost()
                    self.stop.wait(min(self.arguments.heartbeat / 4, 10))
                last_response = time.monotonic()
            except STORAGE_ERRORS as error:
                if time.monotonic() - last_response > STORAGE_PATIENCE:
                    raise SweepError(f"the storage has not responded for {STORAGE_PATIENCE} s: {error}; restart the "
                                     "worker when it does") from None
                say("the storage does not respond; waiting")
                self.stop.wait(min(self.arguments.heartbeat, 10))
        return 128 + self.signal

    def run(self, trial):
        """Trains one trial, and records its outcome in the storage."""
        plan.choose_params(trial, self.definition)
        options, seed = plan.options_of(trial), plan.seed_of(trial, self.definition)
        run = Run(plan.command_of(self.arguments, self.definition, options, seed),
                  plan.directory_of(self.arguments.results, self.definition, options, seed))
        name = f"trial {trial.number} ({name_of(options | {'seed': seed})})"
        try:
            with run, Heartbeat(self.queue.storage, trial._trial_id, self.arguments.heartbeat) as heartbeat:
                outcome = self.train(trial, run, heartbeat)
            self.tell(trial, run, outcome, name)
        except optuna.exceptions.UpdateFinishedTrialError:
            say(f"{name}: another worker has taken it over")

    def train(self, trial, run, heartbeat):
        """Runs mnist-train until it ends or must be stopped; reports each epoch."""
        prunes = self.definition["pruner"] != "none"
        reported = 0
        while True:
            ended = run.ended(POLL)
            epochs = run.epochs()[reported:]
            for epoch in epochs:
                if epoch["validation_accuracy"] is not None:
                    trial.report(100 * epoch["validation_accuracy"], epoch["epoch"])
            reported += len(epochs)
            if ended:
                if run.is_locked():
                    # By a run that has outlived its worker, or by a run of another study.
                    if self.stop.wait(1) or heartbeat.lost.is_set():
                        return Outcome.STOPPED
                    run.start()
                    continue
                return run.outcome()
            if heartbeat.lost.is_set():
                return Outcome.LOST
            if self.stop.is_set():
                return Outcome.STOPPED
            if prunes and epochs and trial.should_prune():
                return Outcome.PRUNED

    def tell(self, trial, run, outcome, name):
        if outcome == Outcome.COMPLETE:
            summary = run.summary()
            accuracy = 100 * summary["test_accuracy" if self.definition["test"] else "validation_accuracy"]
            trial.set_user_attr("run", result_of(run) | {"host": socket.gethostname()})
            self.queue.study.tell(trial.number, accuracy)
            say(f"{name}: {accuracy:.2f} %")
        elif outcome == Outcome.PRUNED:
            self.queue.study.tell(trial.number, state=optuna.trial.TrialState.PRUNED)
            say(f"{name}: pruned")
        elif outcome == Outcome.STOPPED:
            self.queue.give_back(trial)
            say(f"{name}: stopped; queued again")
        elif outcome == Outcome.FAILED:
            self.queue.fail(trial, run.error())
            say(f"{name}: {run.error()}")
        else:
            raise optuna.exceptions.StorageInternalError("no heartbeat could be recorded")


class Run:
    """One mnist-train. Leaving the context stops it, with a checkpoint, if it has not ended."""

    def __init__(self, command, directory):
        self.command = command
        self.directory = directory
        self.process = None
        self.messages = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()

    def start(self):
        self.messages = tempfile.TemporaryFile("w+", errors="replace")
        # In a session of its own: Ctrl-C in a terminal reaches it through the worker.
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=self.messages,
                                        start_new_session=True)

    def ended(self, seconds):
        """Waits up to `seconds`; returns whether the run has ended."""
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def epochs(self):
        try:
            return read_epochs(self.directory)
        except FileNotFoundError:
            return []

    def summary(self):
        return json.loads((self.directory / "summary.json").read_text())

    def error(self):
        self.messages.seek(0)
        lines = self.messages.read().replace("mnist-train: error: ", "").strip().splitlines()
        code = self.process.returncode
        return lines[-1] if lines else f"mnist-train: killed by signal {-code}" if code < 0 else f"exit code {code}"

    def is_locked(self):
        return self.process.returncode == 2 and "is locked by" in self.error()

    def outcome(self):
        if self.process.returncode == 0:
            return Outcome.COMPLETE
        return Outcome.STOPPED if self.process.returncode in STOPPED else Outcome.FAILED


def result_of(run):
    """Returns what the table shows of a complete run besides its accuracy."""
    epochs = run.epochs()
    last = epochs[-1]
    return {"directory": run.directory.name, "train_loss": last["train_loss"],
            "train_accuracy": 100 * last["train_accuracy"], "seconds": sum(epoch["seconds"] for epoch in epochs),
            "gradients": [norm for name, norm in last["gradient_norm"].items() if name.endswith("weight")]}


def say(text):
    print(text, file=sys.stderr, flush=True)
