"""bench/compare.py and its table, with a fake mnist-train."""

import json
import subprocess
import sys
import unittest

from programs import ROOT, ProgramTest

sys.path.insert(0, str(ROOT / "bench"))
import machine  # noqa: E402
import table  # noqa: E402

# Writes what mnist-train writes to --run-dir. The engine `torch` is slower and guesses.
FAKE_TRAINER = """#!{python}
import json, pathlib, sys
flags = dict(zip(sys.argv[1::2], sys.argv[2::2]))
run_dir = pathlib.Path(flags["--run-dir"])
slow = flags["--engine"] == "torch"
with (run_dir / "metrics.jsonl").open("w") as file:
    for epoch in range(int(flags["--epochs"])):
        seconds = 9.0 if epoch == 0 else int(flags["--batch"]) / 100 * (1 + slow) / int(flags["--threads"])
        print(json.dumps({{"seconds": seconds, "train_loss": 0.1}}), file=file)
(run_dir / "summary.json").write_text(json.dumps({{"test_accuracy": 0.098 if slow else 0.978}}))
"""


def run(*seconds, accuracy=0.98, latency=40.0, load=0.0, process=12.0):
    """A run whose first epoch is slow."""
    return {"seconds": [9.0, *seconds], "losses": [0.1] * (1 + len(seconds)), "accuracy": accuracy,
            "latency": latency, "load": load, "process": process}


class Table(unittest.TestCase):
    def test_the_first_epoch_of_each_run_does_not_count(self):
        self.assertEqual(table.warm([run(1.0, 3.0), run(2.0)]), [1.0, 3.0, 2.0])

    def test_the_spread_is_half_the_range_relative_to_the_median(self):
        self.assertAlmostEqual(table.spread([1.8, 2.0, 2.4]), 0.15)

    def test_entries_that_learn_less_than_most_are_rejected(self):
        usual = {name: [run(1.0, accuracy=accuracy)] for name, accuracy in zip("abcd", (0.975, 0.98, 0.98, 0.982))}
        for accuracy, names in ((0.965, set()), (0.955, {"e"}), (0.098, {"e"})):
            with self.subTest(accuracy=accuracy):
                self.assertEqual(table.rejected(usual | {"e": [run(1.0, accuracy=accuracy)]}), names)

    def test_an_entry_that_guesses_is_rejected_even_if_it_is_alone(self):
        self.assertEqual(table.rejected({"a": [run(1.0, accuracy=0.098)]}), {"a"})
        self.assertEqual(table.rejected({"a": [None]}), set())

    def test_a_line_has_the_state_of_the_machine_and_the_ratio(self):
        runs_of = {"JAX": [run(1.0, 1.1, latency=50.0, load=0.25), run(1.2, latency=90.0, process=13.0)],
                   "broken": [run(1.0), None], "mnist-train, fused": [run(0.5)], "wrong": [run(2.0, accuracy=0.1)]}
        cells = [line.split() for line in table.lines(("256,128", 32, 2), runs_of)]
        start = ["256,128", "32", "2"]
        self.assertEqual(cells, [
            [*start, "40", "ns", "0.00", "mnist-train,", "fused", "0.500", "0", "%", "1.00", "12.00", "s", "98.00", "%"],
            [*start, "70", "ns", "0.25", "JAX", "1.100", "9", "%", "2.20", "12.50", "s", "98.00", "%"],
            [*start, "40", "ns", "0.00", "wrong", "2.000", "0", "%", "rejected", "12.00", "s", "10.00", "%"],
            [*start, "-", "-", "broken", "failed"]])

    def test_columns_are_aligned(self):
        lines = table.lines(("2048,2048", 4096, 16), {"PyTorch, resident tensors": [run(100.0, latency=None)]})
        self.assertEqual(len(lines[0]), len(table.HEADER))


class Machine(unittest.TestCase):
    def test_stolen_time_counts_as_busy_and_waiting_for_disks_as_idle(self):
        before = "cpu 10 0 0 100 0 0 0 0 0 0\ncpu0 1\ncpu1 1\nintr 1\n"
        after = "cpu 60 5 5 200 20 0 0 20 0 0\ncpu0 1\ncpu1 1\nintr 1\n"
        self.assertAlmostEqual(machine.busy_between(before, after), 2 * 80 / 200)
        self.assertEqual(machine.busy_between(before, before), 0)


class Compare(ProgramTest):
    def setUp(self):
        super().setUp()
        program = self.tmp_dir / "bin/mnist-train"
        program.parent.mkdir()
        program.write_text(FAKE_TRAINER.format(python=sys.executable))
        program.chmod(0o755)

    def compare(self, *flags, force=True):
        command = [sys.executable, ROOT / "bench/compare.py", "--build", self.tmp_dir, "--only", "mnist-train",
                   "--rounds", "1", "--threads", "1", *(["--force"] if force else []), *flags]
        return subprocess.run(command, capture_output=True, text=True, timeout=300)

    def test_one_table_has_all_configurations(self):
        report = self.tmp_dir / "report.json"
        process = self.compare("--engines", "fused", "--batch", "32,100", "--hidden", "16", "8,8@50", "--json", report)
        self.assertEqual(process.returncode, 0, process.stderr)
        rows = [line.split() for line in process.stdout.splitlines() if "mnist-train, fused" in line]
        self.assertEqual([(row[0], row[1], row[-8]) for row in rows],
                         [("16", "32", "0.320"), ("16", "100", "1.000"), ("8,8", "50", "0.500")])
        measurements = json.loads(report.read_text())["measurements"]
        self.assertEqual([measurement["hidden"] for measurement in measurements], ["16", "16", "8,8"])
        self.assertEqual(measurements[0]["runs"]["mnist-train, fused"][0]["seconds"], [9.0, 0.32, 0.32, 0.32])

    def test_an_entry_that_does_not_learn_is_rejected(self):
        process = self.compare()
        self.assertEqual(process.returncode, 1)
        self.assertIn("did not learn", process.stderr)
        self.assertRegex(process.stdout, r"mnist-train, torch .* rejected .* 9\.80 %")

    def test_failed_entries_are_listed(self):
        process = self.compare("--only", "fused,C++ example")
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertRegex(process.stdout, r"LibTorch C\+\+ example +failed")
        process = self.compare("--only", "C++ example")
        self.assertEqual(process.returncode, 1)
        self.assertIn("every run failed", process.stderr)

    def test_it_refuses_to_measure_beside_other_programs(self):
        with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as other:
            try:
                process = self.compare(force=False)
            finally:
                other.kill()
        self.assertEqual((process.returncode, process.stdout), (1, ""))
        self.assertRegex(process.stderr, "other programs keep .* cores busy")


if __name__ == "__main__":
    unittest.main()
