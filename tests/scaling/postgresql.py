"""A study on four workers of two hosts, one of which is cut off and one of whose workers is killed.

The hosts are network namespaces, the storage is a PostgreSQL that this test starts.
"""

import importlib.util
import os
import random
import re
import signal
import subprocess
import sys
import time
import unittest

from programs import BIN, ROOT, SUBSET, ProgramTest
from services import Hosts, PostgreSQL, can_add_namespaces, children_of, wait_until

TRIALS = 8
HEARTBEAT = 2  # a trial is taken over after three times as long


@unittest.skipUnless(importlib.util.find_spec("optuna"), "needs optuna")
@unittest.skipUnless(importlib.util.find_spec("psycopg"), "needs psycopg")
@unittest.skipUnless(PostgreSQL.INITDB, "needs PostgreSQL")
@unittest.skipUnless(can_add_namespaces(), "needs permission to add network namespaces")
class TwoHosts(ProgramTest):
    def setUp(self):
        super().setUp()
        self.workers = []
        self.addCleanup(self.end_workers)
        self.hosts = Hosts(2)
        self.addCleanup(self.hosts.remove)
        self.server = PostgreSQL(self.tmp_dir)
        self.addCleanup(self.server.stop)
        seed = int(os.environ.get("MNIST_TEST_SEED", random.randrange(10**6)))
        print(f"repeat with MNIST_TEST_SEED={seed}")
        self.random = random.Random(seed)

    def command(self, results, *arguments):
        return [sys.executable, str(ROOT / "scripts/sweep.py"), "--bin", str(BIN), "--results",
                str(self.tmp_dir / results), "--seeds", f"0-{TRIALS // 2 - 1}", "--vary", "lr", "0.001", "0.002",
                "--set", "data", str(SUBSET), "--set", "validation", "400", "--set", "hidden", "256,256",
                "--set", "epochs", "12", *map(str, arguments)]

    def start_worker(self, host):
        log = open(self.tmp_dir / f"worker-{len(self.workers)}.log", "w+")
        self.addCleanup(log.close)
        command = self.hosts.command(host) + self.command(
            "disturbed", "--storage", self.server.url(self.hosts.gateway(host)), "--study", "digits",
            "--heartbeat", HEARTBEAT, "--worker")
        worker = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        worker.log = log
        self.workers.append(worker)
        return worker

    def end_workers(self):
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
            worker.wait()

    def messages(self):
        texts = []
        for number, worker in enumerate(self.workers):
            worker.log.seek(0)
            texts.append(f"worker {number}, exit code {worker.poll()}:\n{worker.log.read()}")
        return "\n".join(texts)

    def models(self, results):
        return {path.parent.name: path.read_bytes() for path in (self.tmp_dir / results).glob("*/model.pt")}

    def test_every_trial_finishes_once_with_the_bytes_of_an_undisturbed_study(self):
        undisturbed = subprocess.run(self.command("undisturbed"), capture_output=True, text=True, timeout=500)
        self.assertEqual(undisturbed.returncode, 0, undisturbed.stderr)
        expected = self.models("undisturbed")
        self.assertEqual(len(expected), TRIALS)

        for host in (0, 0, 1, 1):
            self.start_worker(host)
        running = lambda: len(list((self.tmp_dir / "disturbed").glob("*/metrics.jsonl"))) >= 4
        self.assertTrue(wait_until(running), self.messages())
        events = [self.kill_worker, self.cut_off_host]
        self.random.shuffle(events)
        for event in events:
            time.sleep(self.random.uniform(0, 2))
            event()
        for worker in self.workers[:3]:
            self.assertEqual(worker.wait(300), 0, self.messages())

        self.assertEqual(self.models("disturbed"), expected)
        import optuna
        url = self.server.url().replace("postgresql:", "postgresql+psycopg:")
        trials = optuna.load_study(study_name="digits", storage=url).trials
        complete = [tuple(trial.params.values()) for trial in trials if trial.state.name == "COMPLETE"]
        self.assertEqual(len(complete), TRIALS, self.messages())
        self.assertEqual(len(set(complete)), TRIALS, self.messages())
        # The killed worker's trial at least was taken over.
        self.assertIn("FAIL", [trial.state.name for trial in trials])
        self.assertEqual(self.accuracies("undisturbed"), self.accuracies(
            "disturbed", "--storage", self.server.url(), "--study", "digits"))

    def kill_worker(self):
        """Kills the last worker and its run, at once and for good."""
        for pid in [self.workers[3].pid, *children_of(self.workers[3].pid)]:
            os.kill(pid, signal.SIGKILL)

    def cut_off_host(self):
        """Cuts off the first host, until the others have taken its trials."""
        self.hosts.connect(0, up=False)
        time.sleep(6 * HEARTBEAT)
        self.hosts.connect(0, up=True)

    def accuracies(self, results, *arguments):
        table = subprocess.run(self.command(results, "--table", *arguments), capture_output=True, text=True, check=True)
        rows = re.findall(r"^\| (lr \S+) \| (.*)", table.stdout, re.MULTILINE)
        self.assertEqual(len(rows), 2)
        return [(name, cells.split(" | ")[:5]) for name, cells in rows]


if __name__ == "__main__":
    unittest.main()
