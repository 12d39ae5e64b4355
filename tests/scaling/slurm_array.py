"""A job array of Slurm works on a study; its tasks are preempted and queued again.

Slurm is started by this test, with two CPUs and examples/cluster/sweep.sbatch.
"""

import importlib.util
import os
import re
import subprocess
import sys
import unittest

import slurm
from programs import BIN, ROOT, SUBSET, ProgramTest
from services import wait_until


@unittest.skipUnless(importlib.util.find_spec("optuna"), "needs optuna")
@unittest.skipUnless(slurm.is_installed(), "needs Slurm and munge")
@unittest.skipUnless(os.geteuid() == 0, "needs root, as whom Slurm runs its jobs")
class Preemption(ProgramTest):
    def setUp(self):
        super().setUp()
        self.cluster = slurm.Slurm(self.tmp_dir)
        self.addCleanup(self.cluster.stop)
        self.cluster.environment["PYTHON"] = sys.executable

    def options(self, results):
        return ["--bin", BIN, "--results", self.tmp_dir / results, "--seeds", "0-3", "--heartbeat", "5", "--set",
                "data", SUBSET, "--set", "validation", "400", "--set", "hidden", "256,256", "--set", "epochs", "75"]

    def submit(self, *arguments):
        """Submits a job; returns its number."""
        process = self.cluster.call("sbatch", "--parsable", *arguments, cwd=ROOT)
        self.assertEqual(process.returncode, 0, process.stderr)
        return process.stdout.strip()

    def states(self, job):
        return self.cluster.call("squeue", "--noheader", "--array", "--format=%T", "--jobs", job).stdout.split()

    def models(self, results):
        return {path.parent.name: path.read_bytes() for path in (self.tmp_dir / results).glob("*/model.pt")}

    def messages(self):
        return "\n".join(f"{path.name}:\n{path.read_text()}" for path in self.tmp_dir.glob("*.log"))

    def test_preempted_tasks_resume_to_the_same_bytes(self):
        undisturbed = subprocess.run([sys.executable, ROOT / "scripts/sweep.py", *self.options("undisturbed")],
                                     capture_output=True, text=True, timeout=500)
        self.assertEqual(undisturbed.returncode, 0, undisturbed.stderr)

        workers = self.submit("--array=1-2", f"--output={self.tmp_dir}/worker-%a.log",
                              ROOT / "examples/cluster/sweep.sbatch", *self.options("array"))
        self.assertTrue(wait_until(lambda: len(list((self.tmp_dir / "array").glob("*/metrics.jsonl"))) >= 2),
                        self.messages() + self.cluster.logs())
        urgent = self.submit("--partition=urgent", "--ntasks=2", f"--output={self.tmp_dir}/urgent.log",
                             "--wrap", "sleep 3")
        self.assertTrue(wait_until(lambda: not self.states(urgent)), self.messages() + self.cluster.logs())
        self.assertTrue(wait_until(lambda: not self.states(workers), 240), self.messages() + self.cluster.logs())

        logs = [(self.tmp_dir / f"worker-{number}.log").read_text() for number in (1, 2)]
        # A worker that is told to stop just when its trial is complete has nothing to give back.
        self.assertIn("stopped; queued again", "".join(logs))
        self.assertEqual(self.models("array"), self.models("undisturbed"), self.messages())
        finished = sorted(int(seed) for log in logs for seed in re.findall(r"\(seed (\d)\): \d+\.\d+ %", log))
        self.assertEqual(finished, [0, 1, 2, 3], self.messages())

    def test_cancelled_tasks_are_not_queued_again(self):
        workers = self.submit("--array=1-2", f"--output={self.tmp_dir}/worker-%a.log",
                              ROOT / "examples/cluster/sweep.sbatch", *self.options("array"))
        self.assertTrue(wait_until(lambda: list((self.tmp_dir / "array").glob("*/metrics.jsonl"))),
                        self.messages() + self.cluster.logs())
        self.cluster.call("scancel", workers)
        self.assertTrue(wait_until(lambda: not self.states(workers), 60), self.messages() + self.cluster.logs())
        self.assertIn("queued again", self.messages())


if __name__ == "__main__":
    unittest.main()
