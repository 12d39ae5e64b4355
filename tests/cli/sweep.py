"""scripts/sweep.py prints tables, draws pictures, and explains what is wrong. Studies: tests/scaling/workers.py."""

import json
import re
import subprocess
import sys
import unittest

from programs import BIN, ROOT
from sweep_support import HAS_OPTUNA, SweepTest, rows_of


@unittest.skipUnless(HAS_OPTUNA, "needs optuna")
class Table(SweepTest):
    def test_prints_one_row_per_variant_with_its_mean(self):
        process = self.sweep("--vary", "lr", "0.001", "0.01", "--test")
        self.assertEqual(process.returncode, 0, process.stderr)
        rows = rows_of(process.stdout)
        self.assertEqual([row[0] for row in rows], ["lr 0.001", "lr 0.01"])
        for row in rows:
            first, second = map(float, row[4].split())
            self.assertAlmostEqual(float(row[1]), (first + second) / 2, delta=0.011)
            self.assertEqual(row[3], "2")
        summaries = [json.loads(path.read_text()) for path in self.tmp_dir.glob("results/*/summary.json")]
        self.assertEqual(sorted(f"{100 * summary['test_accuracy']:.2f}" for summary in summaries),
                         sorted(rows[0][4].split() + rows[1][4].split()))

    def test_compares_with_the_first_row_seed_by_seed(self):
        rows = rows_of(self.sweep("--vary", "lr", "0.001", "0.01", "--test", "--seeds", "0-2").stdout)
        pairs = list(zip(*(map(float, row[4].split()) for row in rows)))
        differences = [second - first for first, second in pairs]
        mean = sum(differences) / 3
        deviation = (sum((difference - mean) ** 2 for difference in differences) / 2) ** 0.5
        margin = 4.303 * deviation / 3**0.5  # Student's t, two degrees of freedom
        self.assertEqual(rows[0][5], "-")
        numbers = [float(word) for word in re.findall(r"[-+][\d.]+", rows[1][5])]
        for found, expected in zip(numbers, (mean, mean - margin, mean + margin), strict=True):
            self.assertAlmostEqual(found, expected, delta=0.03)

    def test_workers_of_a_launcher_train_on_their_own(self):
        """As with srun --ntasks 2 scripts/sweep.py --worker."""
        process = self.sweep("--seeds", "0", "--test",
                             environment={"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "2"})
        self.assertEqual(process.returncode, 0, process.stderr)

    def test_runs_are_shared_by_studies(self):
        self.assertEqual(self.sweep("--test").returncode, 0)
        (summary, _) = sorted(self.tmp_dir.glob("results/*/summary.json"))
        before = summary.stat().st_mtime_ns
        self.assertEqual(self.sweep("--test", "--seeds", "0-2").returncode, 0)
        self.assertEqual(summary.stat().st_mtime_ns, before)
        self.assertEqual(len(self.models()), 3)

    def test_table_and_picture_while_the_study_runs(self):
        arguments = ("--bin", self.install_stub(), "--seeds", "0-5", "--jobs", 1, "--vary", "ema", "0.5", "0.6")
        study = self.start(*arguments)
        self.wait_for(lambda: list(self.tmp_dir.glob("results/*/summary.json")), "a trial")
        picture = self.tmp_dir / "study.svg"
        wanted = ["study defaults", " complete", " running", " waiting"]

        def shown():
            self.table = self.sweep(*arguments, "--table", "--picture", picture)
            return all(word in self.table.stderr for word in wanted)
        self.wait_for(shown, "a table of a running study")
        self.assertIsNone(study.poll())
        self.assertIn("| ema 0.5 | 50.00 |", self.table.stdout)
        self.assertIn("ema", picture.read_text())

    def test_gradients(self):
        process = self.sweep("--bin", self.install_stub(), "--seeds", "0", "--set", "ema", "0.98", "--gradients")
        self.assertEqual(process.returncode, 0, process.stderr)
        # The stub also leaves a truncated last line of metrics.
        self.assertIn("| unchanged | 98.00 | - | 1 | 98.00 | - | 0.1000 | 97.00 | 20.0 | 1.5 |", process.stdout)


@unittest.skipUnless(HAS_OPTUNA, "needs optuna")
class Errors(SweepTest):
    def reject(self, code, words, *arguments, **options):
        process = self.sweep(*arguments, **options)
        self.assertEqual((process.returncode, process.stdout), (code, ""), process.stderr)
        self.assertEqual(process.stderr.count("\n"), 1, process.stderr)
        self.assertTrue(process.stderr.startswith("sweep.py: error: "), process.stderr)
        self.assertIn(words, process.stderr)

    def test_usage_errors_are_one_line(self):
        for words, *arguments in (
                ("--vary lr needs at least one value", "--vary", "lr"),
                ("lr is varied twice", "--vary", "lr", "1", "--vary", "lr", "2"),
                ("use --seeds", "--vary", "seed", "1"),
                ("expected FIRST-LAST", "--seeds", "a"),
                ("--range and --trials need --sampler random or tpe", "--range", "lr", "0", "1"),
                ("needs --trials N", "--sampler", "tpe", "--seeds", "0", "--vary", "lr", "1"),
                ("several in --seeds", "--sampler", "tpe", "--trials", "2", "--vary", "lr", "1"),
                ("the lowest value must be below", "--sampler", "random", "--trials", "2", "--range", "lr", "2", "1"),
                ("leave out --test", "--pruner", "median", "--test"),
                ("--jobs must be at least 1, found 0", "--jobs", "0"),
                ("recipes are in", "--recipe", "nowhere.toml"),
                ("expected postgresql://", "--storage", "redis://host"),
                ("did you mean --lr?", "--set", "lrr", "1"),
                ("--lr must be above 0", "--vary", "lr", "-1"),
                ("--bin", "--bin", self.tmp_dir),
                ("there is no study 'other' in the storage", "--study", "other", "--table"),
                ("unrecognized arguments: --nonsense", "--nonsense")):
            with self.subTest(words):
                self.reject(2, words, *arguments)

    def test_a_server_that_is_not_there(self):
        self.reject(1, "check that the server runs", "--storage", f"postgresql://me:secret@localhost:1/{'x' * 3}")

    def test_a_study_with_other_options(self):
        self.assertEqual(self.sweep("--test", "--study", "mine").returncode, 0)
        self.reject(2, "was created with another vary and test", "--study", "mine", "--vary", "lr", "0.1")

    def test_a_failing_trial_is_reported_and_tried_again(self):
        program = self.tmp_dir / "bin/mnist-train"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\ncase "$*" in *"seed 1"*) exec {BIN}/mnist-train --lr -1 ;; esac\n'
                           f'exec {BIN}/mnist-train "$@"\n')
        program.chmod(0o755)
        arguments = ("--bin", program.parent, "--test")
        process = self.sweep(*arguments)
        self.assertEqual(process.returncode, 1)
        self.assertIn("1 of 2 trials failed; the same command tries them again; the first: trial 1 (seed 1): "
                      "--lr must be above 0", process.stderr)
        self.assertEqual(len(rows_of(process.stdout)), 1)
        program.write_text(f'#!/bin/sh\nexec {BIN}/mnist-train "$@"\n')
        process = self.sweep(*arguments)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(rows_of(process.stdout)[0][3], "2")


class WithoutOptuna(SweepTest):
    def test_says_how_to_install_it(self):
        # Without the site-packages of this Python, and in a tree without a .venv.
        (self.tmp_dir / "scripts").mkdir()
        for name in ("sweep.py", "sweep", "metrics.py"):
            target = self.tmp_dir / "scripts" / name
            source = ROOT / "scripts" / name
            if source.is_dir():
                target.mkdir()
                for path in source.glob("*.py"):
                    (target / path.name).write_text(path.read_text())
            else:
                target.write_text(source.read_text())
        process = subprocess.run([sys.executable, "-S", self.tmp_dir / "scripts/sweep.py"], capture_output=True,
                                 text=True, check=False)
        self.assertEqual(process.returncode, 1)
        self.assertRegex(process.stderr, r"\Asweep.py: error: Optuna is missing; install it with: .*\n\Z")


if __name__ == "__main__":
    unittest.main()
