"""scripts/sweep.py prints a table and resumes after an interruption."""

import json
import subprocess
import sys
import unittest

from programs import BIN, ROOT, SUBSET, ProgramTest

# A mnist-train whose metrics.jsonl has one epoch and the start of a second.
STUB = """#!/bin/sh
while [ "$1" != --run-dir ]; do shift; done
printf '{"train_loss":0.1,"train_accuracy":0.97,"validation_accuracy":0.98,"gradient_norm":{},"seconds":1}\\n' \
  > "$2/metrics.jsonl"
printf '{"epoch":2,"train_lo' >> "$2/metrics.jsonl"
"""


class Sweep(ProgramTest):
    def sweep(self, *arguments):
        return subprocess.run(
            [sys.executable, ROOT / "scripts" / "sweep.py", "--bin", BIN, "--results", self.tmp_dir,
             "--seeds", "0-1", "--set", "data", SUBSET, "--set", "epochs", "1", "--set", "hidden", "16",
             *arguments],
            capture_output=True, text=True, check=False, timeout=300)

    def test_prints_one_row_per_variant_with_its_mean(self):
        process = self.sweep("--vary", "lr", "0.001", "0.01", "--test")
        self.assertEqual(process.returncode, 0, process.stderr)
        rows = [line.strip("| ").split(" | ") for line in process.stdout.splitlines()[2:]]
        self.assertEqual([row[0] for row in rows], ["lr 0.001", "lr 0.01"])
        for row in rows:
            first, second = map(float, row[3].split())
            self.assertAlmostEqual(float(row[1]), (first + second) / 2, delta=0.011)
        results = [json.loads(path.read_text()) for path in self.tmp_dir.glob("*/result.json")]
        self.assertEqual(len(results), 4)
        self.assertEqual({result["seed"] for result in results}, {0, 1})

    def test_finished_runs_are_not_repeated(self):
        self.assertEqual(self.sweep("--test").returncode, 0)
        changed = sorted(self.tmp_dir.glob("*/result.json"))[0]
        changed.write_text(json.dumps(json.loads(changed.read_text()) | {"accuracy": 12.34}))
        self.assertIn("12.34", self.sweep("--test").stdout)

    def test_an_interrupted_run_resumes(self):
        expected = self.sweep("--test").stdout
        run_dir = sorted(self.tmp_dir.glob("*"))[0]
        (run_dir / "result.json").unlink()
        (run_dir / "metrics.jsonl").unlink()
        # The checkpoint before the last one, from which the whole epoch is repeated.
        (run_dir / "checkpoint.previous.safetensors").rename(run_dir / "checkpoint.safetensors")
        process = self.sweep("--test")
        accuracy = lambda table: [row.split(" | ")[:4] for row in table.splitlines()[2:]]
        self.assertEqual(accuracy(process.stdout), accuracy(expected), process.stderr)

    def test_a_truncated_last_line_of_metrics_is_skipped(self):
        program = self.tmp_dir / "bin/mnist-train"
        program.parent.mkdir()
        program.write_text(STUB)
        program.chmod(0o755)
        process = self.sweep("--bin", program.parent)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertIn("| 98.00 98.00 |", process.stdout)

    def test_a_failing_run_is_reported(self):
        process = self.sweep("--set", "validation", "5", "--vary", "lr", "0.001", "-1", "--test")
        self.assertNotEqual(process.returncode, 0)
        self.assertIn("--lr must be above 0", process.stderr)


if __name__ == "__main__":
    unittest.main()
