"""Runs scripts/sweep.py in tests, with mnist-train or with a program that pretends to train."""

import importlib.util
import os
import subprocess
import sys
import time

from programs import BIN, ROOT, SUBSET, ProgramTest

sys.path.insert(0, str(ROOT / "scripts"))
HAS_OPTUNA = importlib.util.find_spec("optuna") is not None

# A mnist-train that writes 20 epochs, of which each takes a tenth of a second and has the accuracy that --ema
# gives, and a truncated last line. It logs that it was stopped.
STUB = f"""#!{sys.executable}
import json, pathlib, signal, sys, time
options = dict(zip(sys.argv[1::1], sys.argv[2::1]))
run_dir = pathlib.Path(options["--run-dir"])
if "--print-config" in sys.argv:
    sys.exit()
def stop(*_):
    (run_dir / "stopped").touch()
    sys.exit(143)
signal.signal(signal.SIGTERM, stop)
run_dir.mkdir(parents=True, exist_ok=True)
accuracy = float(options["--ema"])
with open(run_dir / "metrics.jsonl", "w") as metrics:
    for epoch in range(1, 21):
        print(json.dumps(dict(epoch=epoch, train_loss=0.1, train_accuracy=0.97, validation_accuracy=accuracy,
                              gradient_norm=dict(weight=1.5), seconds=1)), file=metrics, flush=True)
        time.sleep(0.1)
    print('{{"epoch":2,"train_lo', end="", file=metrics)
(run_dir / "summary.json").write_text(json.dumps(dict(validation_accuracy=accuracy)))
"""
# A second of training or more, in 12 epochs.
LONGER = ("--set", "validation", "400", "--set", "hidden", "256,256", "--set", "epochs", "12")


class SweepTest(ProgramTest):
    """A test case that runs sweep.py on the subset."""

    def command(self, *arguments, results="results"):
        return [sys.executable, ROOT / "scripts" / "sweep.py", "--bin", BIN, "--results", self.tmp_dir / results,
                "--jobs", "1", "--seeds", "0-1", "--set", "data", SUBSET, "--set", "epochs", "1", "--set", "hidden", "16",
                *map(str, arguments)]

    def sweep(self, *arguments, environment=None, **options):
        return subprocess.run(self.command(*arguments, **options), capture_output=True, text=True, check=False,
                              timeout=300, env={**os.environ, **(environment or {})})

    def start(self, *arguments, **options):
        """Starts a sweep in the background, in its own process group."""
        process = subprocess.Popen(self.command(*arguments, **options), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def models(self, results="results"):
        """Returns the bytes of each model by the name of its run directory."""
        return {path.parent.name: path.read_bytes() for path in (self.tmp_dir / results).glob("*/model.pt")}

    def wait_for(self, condition, what):
        deadline = time.monotonic() + 120
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"waited for {what}")
            time.sleep(0.05)

    def wait_for_epoch(self, results="results"):
        """Waits until a run has finished an epoch; returns its directory."""
        runs = lambda: [path.parent for path in (self.tmp_dir / results).glob("*/metrics.jsonl")
                        if "\n" in path.read_text()]
        self.wait_for(runs, "an epoch")
        return runs()[0]

    def trials(self):
        import optuna
        storage = f"sqlite:///{self.tmp_dir}/results/studies.sqlite"
        (name,) = optuna.get_all_study_names(storage)
        return optuna.load_study(study_name=name, storage=storage).trials

    def install_stub(self):
        """Returns the directory of a mnist-train that only pretends to train."""
        program = self.tmp_dir / "bin/mnist-train"
        program.parent.mkdir()
        program.write_text(STUB)
        program.chmod(0o755)
        return program.parent


def rows_of(table):
    return [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
