"""scripts/plot.py draws runs that mnist-train wrote."""

import importlib.util
import subprocess
import sys
import unittest

from programs import ROOT, SUBSET, ProgramTest


class Plot(ProgramTest):
    def plot(self, *arguments):
        return subprocess.run([sys.executable, ROOT / "scripts/plot.py", *arguments], capture_output=True,
                              text=True, cwd=self.folder, timeout=120)

    def run_folder(self, name, *flags):
        folder = self.folder / name
        self.succeed("mnist-train", "--data", SUBSET, "--hidden", 8, "--epochs", 2, "--device", "cpu",
                     "--out", self.folder / "m.pt", "--run-dir", folder, *flags)
        return folder

    @unittest.skipUnless(importlib.util.find_spec("matplotlib"), "matplotlib is not here")
    def test_draws_runs_side_by_side(self):
        runs = [self.run_folder("with", "--validation", 100), self.run_folder("without")]
        process = self.plot(*runs, "--out", "curves.svg")
        self.assertEqual(process.returncode, 0, process.stderr)
        svg = (self.folder / "curves.svg").read_text()
        for words in ("with, train", "with, validation", "without, train"):
            self.assertIn(f"<!-- {words} -->", svg)  # how matplotlib remarks on text that it draws
        self.assertNotIn("without, validation", svg)
        self.assertEqual(self.plot(runs[0]).stdout, "curves.png\n")
        self.assertTrue((self.folder / "curves.png").read_bytes().startswith(b"\x89PNG"))

    def test_names_what_is_missing(self):
        process = self.plot(self.folder)
        self.assertEqual(process.returncode, 1)
        self.assertIn("metrics.jsonl is not there", process.stderr)


if __name__ == "__main__":
    unittest.main()
