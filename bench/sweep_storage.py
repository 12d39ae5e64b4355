#!/usr/bin/env python3
"""Measures the storage of scripts/sweep.py with workers that simulate training.

    .venv/bin/python bench/sweep_storage.py --workers 25 50 100 --rounds 4

Starts PostgreSQL (Debian's package) on a temporary cluster, and then for each number of workers as many processes,
which take trials from the queue, report 15 epochs in --seconds, and tell the result, as sweep.py does. Prints a
Markdown table: trials per second and their ideal number, the latency of each operation, and the CPU time of the
server and of the workers per trial. --waiting adds trials that no worker takes, to measure a long queue.
"""

import argparse
import multiprocessing
import os
import pathlib
import resource
import statistics
import sys
import tempfile
import time
import types

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

import optuna  # noqa: E402
from services import PostgreSQL  # noqa: E402
from sweep.heartbeat import Heartbeat  # noqa: E402
from sweep.plan import choose_params  # noqa: E402
from sweep.queue import Queue, requeue  # noqa: E402
from sweep.storage import open_storage  # noqa: E402

EPOCHS = 15
OPERATIONS = ("take", "choose", "report", "tell")


def definition_of(trials):
    return {"vary": [], "range": [], "seeds": list(range(trials)), "sampler": "grid", "pruner": "none",
            "prune-after": 1, "trials": None}


def timed(latencies, operation, call, *arguments):
    start = time.monotonic()
    result = call(*arguments)
    latencies[operation].append(time.monotonic() - start)
    return result


def work(url, trials, arguments, begin, results):
    """One worker: puts its latencies, CPU seconds, and the times of its first and last trial into `results`."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    options = types.SimpleNamespace(storage=url, results=None, heartbeat=arguments.heartbeat)
    definition = definition_of(trials)
    queue = Queue(open_storage(options, requeue), "study", definition, arguments.heartbeat)
    latencies = {operation: [] for operation in OPERATIONS}
    begin.wait()
    cpu = time.process_time()
    start = time.monotonic()
    for _ in range(arguments.rounds):
        trial = timed(latencies, "take", queue.take)
        timed(latencies, "choose", choose_params, trial, definition)
        with Heartbeat(queue.storage, trial._trial_id, arguments.heartbeat):
            for epoch in range(1, EPOCHS + 1):
                time.sleep(arguments.seconds / EPOCHS)
                timed(latencies, "report", trial.report, 0.98, epoch)
        trial.set_user_attr("run", {"seconds": arguments.seconds})
        timed(latencies, "tell", queue.study.tell, trial.number, 0.98)
    results.put((latencies, time.process_time() - cpu, start, time.monotonic()))


def server_cpu(server):
    """Returns the CPU seconds of all processes of the server so far."""
    postmaster = int((server.data / "postmaster.pid").read_text().splitlines()[0])
    ticks = 0
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(path.parent.name) == postmaster:
            ticks += sum(map(int, fields[11:15]))  # with those of its ended children
        elif int(fields[1]) == postmaster:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(count, arguments):
    """Returns the cells of a row for `count` workers."""
    trials = count * arguments.rounds + arguments.waiting
    with tempfile.TemporaryDirectory(prefix="mnist-bench-") as directory:
        server = PostgreSQL(directory, max_connections=2 * count + 20, shared_buffers="'256MB'")
        try:
            options = types.SimpleNamespace(storage=server.url(), results=None, heartbeat=arguments.heartbeat)
            storage = open_storage(options, requeue)
            queue = Queue(storage, "study", definition_of(trials), arguments.heartbeat)
            for _ in range(arguments.waiting):
                queue.study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.WAITING))
            storage.engine.dispose()
            context = multiprocessing.get_context("fork")
            results, begin = context.Queue(), context.Barrier(count + 1)
            workers = [context.Process(target=work, args=(server.url(), trials, arguments, begin, results))
                       for _ in range(count)]
            for worker in workers:
                worker.start()
            begin.wait()
            before = server_cpu(server)
            answers = [results.get() for _ in workers]
            cpu = server_cpu(server) - before
            for worker in workers:
                worker.join()
        finally:
            server.stop()
    done = count * arguments.rounds
    span = max(answer[3] for answer in answers) - min(answer[2] for answer in answers)
    latencies = {operation: [value for answer in answers for value in answer[0][operation]]
                 for operation in OPERATIONS}
    cells = [str(count), str(trials), f"{done / span:.1f} of {count / arguments.seconds:.1f}"]
    for operation in OPERATIONS:
        values = sorted(latencies[operation])
        cells.append(f"{1000 * statistics.median(values):.0f} / {1000 * values[int(0.99 * (len(values) - 1))]:.0f}")
    return cells + [f"{1000 * cpu / done:.0f}", f"{1000 * sum(answer[1] for answer in answers) / done:.0f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=[25, 50, 100])
    parser.add_argument("--rounds", type=int, default=4, help="trials of each worker")
    parser.add_argument("--seconds", type=float, default=5, help="of a trial")
    parser.add_argument("--heartbeat", type=int, default=20)
    parser.add_argument("--waiting", type=int, default=0, help="further trials in the queue")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    columns = ["workers", "queue", "trials/s", "take, ms", "choose, ms", "report, ms", "tell, ms",
               "server CPU, ms a trial", "worker CPU, ms a trial"]
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|", flush=True)
    for count in arguments.workers:
        print(f"| {' | '.join(measure(count, arguments))} |", flush=True)


if __name__ == "__main__":
    main()
