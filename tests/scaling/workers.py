"""Studies of scripts/sweep.py: searches, and workers that are stopped, killed, or in each other's way."""

import json
import multiprocessing
import os
import signal
import subprocess
import unittest

from sweep_support import HAS_OPTUNA, LONGER, SweepTest, rows_of


@unittest.skipUnless(HAS_OPTUNA, "needs optuna")
class Search(SweepTest):
    def test_random_search_tries_each_combination_with_every_seed(self):
        process = self.sweep("--test", "--sampler", "random", "--trials", 2, "--range", "lr", "0.001", "0.01", "log")
        rows = rows_of(process.stdout)
        self.assertEqual([row[3] for row in rows], ["2", "2"], process.stderr)
        self.assertGreaterEqual(float(rows[0][1]), float(rows[1][1]))
        for row in rows:
            self.assertTrue(0.001 <= float(row[0].removeprefix("lr ")) <= 0.01, row)

    def test_tpe_stays_within_the_ranges(self):
        process = self.sweep("--seeds", 0, "--test", "--sampler", "tpe", "--trials", 3, "--vary", "batch", 16, 32,
                             "--range", "warmup", 0, 1, "--set", "epochs", 2)
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(len(self.trials()), 3)
        for trial in self.trials():
            self.assertIn(trial.params["batch"], ("16", "32"))
            self.assertIn(trial.params["warmup"], (0, 1))

    def test_a_pruned_run_is_stopped(self):
        for pruner in ("median", "asha"):
            with self.subTest(pruner):
                results = self.tmp_dir / pruner
                process = self.sweep("--bin", self.tmp_dir / "bin" if results.parent.joinpath("bin").exists() else
                                     self.install_stub(), "--results", results, "--seeds", "0-4", "--jobs", 1,
                                     "--pruner", pruner, "--vary", "ema", "0.9", "0.5")
                self.assertEqual(process.returncode, 0, process.stderr)
                self.assertEqual(process.stderr.count("pruned"), 5, process.stderr)
                self.assertEqual(len(list(results.glob("*/stopped"))), 5)
                self.assertEqual([row[0] for row in rows_of(process.stdout)], ["ema 0.9"])


@unittest.skipUnless(HAS_OPTUNA, "needs optuna")
class Interruptions(SweepTest):
    def test_a_stopped_sweep_leaves_resumable_trials(self):
        self.sweep(*LONGER, results="undisturbed")
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name):
                sweep = self.start(*LONGER, results=number.name)
                run_dir = self.wait_for_epoch(number.name)
                sweep.send_signal(number)
                _, messages = sweep.communicate(timeout=60)
                self.assertEqual(sweep.returncode, 128 + number, messages)
                self.assertIn("stopped; queued again", messages)
                self.assertFalse((run_dir / "summary.json").exists())
                process = self.sweep(*LONGER, results=number.name)
                self.assertEqual(process.returncode, 0, process.stderr)
                self.assertEqual(self.models(number.name), self.models("undisturbed"))

    def test_another_worker_takes_over_from_a_killed_one(self):
        self.sweep(*LONGER, results="undisturbed")
        arguments = (*LONGER, "--heartbeat", 1, "--worker")
        first = self.start(*arguments)
        run_dir = self.wait_for_epoch()
        first.kill()
        os.kill(int((run_dir / "lock").read_text()), signal.SIGKILL)
        second = self.sweep(*arguments)
        self.assertEqual(second.returncode, 0, second.stderr)
        self.assertEqual(self.models(), self.models("undisturbed"))
        states = sorted(trial.state.name for trial in self.trials())
        self.assertEqual(states, ["COMPLETE", "COMPLETE", "FAIL"])

    def test_two_workers_do_not_write_one_run_directory(self):
        self.sweep(*LONGER, "--seeds", "0", results="undisturbed")
        first = self.start(*LONGER, "--seeds", 0, "--study", "first", "--worker")
        run_dir = self.wait_for_epoch()
        owner = int((run_dir / "lock").read_text())
        os.kill(owner, signal.SIGSTOP)
        second = self.start(*LONGER, "--seeds", 0, "--study", "second", "--worker")
        with self.assertRaises(subprocess.TimeoutExpired):
            second.wait(8)
        os.kill(owner, signal.SIGCONT)
        for worker in (first, second):
            _, messages = worker.communicate(timeout=120)
            self.assertEqual(worker.returncode, 0, messages)
        self.assertEqual(self.models(), self.models("undisturbed"))
        epochs = [json.loads(line)["epoch"] for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
        self.assertEqual(epochs, list(range(1, 13)))

    def test_each_trial_is_taken_once(self):
        from sweep.arguments import parse_seeds
        definition = {"vary": [], "range": [], "seeds": parse_seeds("0-39"), "sampler": "grid", "pruner": "none",
                      "prune-after": 1, "trials": None}
        context = multiprocessing.get_context("fork")
        taken = context.Queue()
        workers = [context.Process(target=take_all, args=(self.tmp_dir, definition, taken)) for _ in range(4)]
        for worker in workers:
            worker.start()
        slots = [slot for _ in workers for slot in taken.get(timeout=200)]
        for worker in workers:
            worker.join()
        self.assertEqual(sorted(slots), list(range(40)))


def take_all(directory, definition, taken):
    """Takes the trials of a study until none is waiting; puts the list of their slots into the queue `taken`."""
    import types

    import optuna
    from sweep.queue import Queue, requeue
    from sweep.storage import open_storage
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    arguments = types.SimpleNamespace(storage=None, results=directory, heartbeat=60)
    queue = Queue(open_storage(arguments, requeue), "study", definition, 60)
    slots = []
    while trial := queue.take():
        slots.append(queue.study.sampler.slot)
    taken.put(slots)


if __name__ == "__main__":
    unittest.main()
