"""scripts/plot.py plots runs of mnist-train."""

import importlib.util
import json
import subprocess
import sys
import unittest

from programs import ROOT, SUBSET, ProgramTest


class Plot(ProgramTest):
    def plot(self, *arguments):
        return subprocess.run([sys.executable, ROOT / "scripts/plot.py", *arguments], capture_output=True,
                              text=True, cwd=self.tmp_dir, timeout=120)

    def train(self, name, *flags):
        run_dir = self.tmp_dir / name
        self.succeed("mnist-train", "--data", SUBSET, "--hidden", 8, "--epochs", 2, "--device", "cpu",
                     "--out", self.tmp_dir / "m.pt", "--run-dir", run_dir, *flags)
        return run_dir

    @unittest.skipUnless(importlib.util.find_spec("matplotlib"), "needs matplotlib")
    def test_draws_runs_side_by_side(self):
        runs = [self.train("with", "--validation", 100), self.train("without")]
        process = self.plot(*runs, "--out", "curves.svg")
        self.assertEqual(process.returncode, 0, process.stderr)
        svg = (self.tmp_dir / "curves.svg").read_text()
        for words in ("with, train", "with, validation", "without, train"):
            self.assertIn(f"<!-- {words} -->", svg)  # matplotlib writes each text as a comment, too
        self.assertNotIn("without, validation", svg)
        self.assertEqual(self.plot(runs[0]).stdout, "curves.png\n")
        self.assertTrue((self.tmp_dir / "curves.png").read_bytes().startswith(b"\x89PNG"))

    @unittest.skipUnless(importlib.util.find_spec("matplotlib"), "needs matplotlib")
    def test_a_truncated_last_line_is_skipped(self):
        epoch = {"epoch": 1, "train_loss": 0.5, "train_accuracy": 0.9, "validation_loss": None,
                 "validation_accuracy": None, "learning_rate": 0.001}
        (self.tmp_dir / "metrics.jsonl").write_text(json.dumps(epoch) + '\n{"epoch":2,"train_lo')
        process = self.plot(self.tmp_dir)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertTrue((self.tmp_dir / "curves.png").is_file())

    def test_missing_metrics_are_an_error(self):
        process = self.plot(self.tmp_dir)
        self.assertEqual(process.returncode, 1)
        self.assertIn("metrics.jsonl does not exist", process.stderr)


if __name__ == "__main__":
    unittest.main()
