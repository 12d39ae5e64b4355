"""What scripts/sweep.py does: work on a study, print its table, draw its picture."""

import signal
import subprocess
import sys

import optuna

from . import plan
from .errors import SweepError, UsageError
from .queue import Queue, requeue
from .storage import STORAGE_ERRORS, first_line, open_storage
from .table import failures_of, print_table, progress_of
from .worker import Worker, say


def run(arguments):
    """Returns the exit code."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    definition = plan.definition_of(arguments)
    name = arguments.study or plan.default_name(definition)
    storage = open_storage(arguments, requeue)
    try:
        if arguments.table or arguments.picture:
            return show(arguments, find_study(storage, name))
        if name not in optuna.get_all_study_names(storage):
            check_first_run(arguments, definition)
        queue = Queue(storage, name, definition, arguments.heartbeat)
        if arguments.worker:
            return Worker(arguments, definition, queue).work()
        return sweep(arguments, definition, queue, name)
    except STORAGE_ERRORS as error:
        raise SweepError(f"the storage failed: {first_line(error)}; rerun the command when it works again") from None


def find_study(storage, name):
    try:
        return optuna.load_study(storage=storage, study_name=name)
    except KeyError:
        known = ", ".join(optuna.get_all_study_names(storage)) or "none"
        raise UsageError(f"there is no study '{name}' in the storage; it has: {known}; name one with --study") from None


def check_first_run(arguments, definition):
    """Raises UsageError if mnist-train does not accept the options of the first trial."""
    space = plan.search_space(definition)
    options = {name: getattr(distribution, "low", None) if not hasattr(distribution, "choices") else
               distribution.choices[0] for name, distribution in space.items()}
    command = plan.command_of(arguments, definition, options, definition["seeds"][0])
    try:
        check = subprocess.run(command + ["--print-config"], capture_output=True, text=True, check=False)
    except OSError as error:
        raise UsageError(f"{command[0]} cannot be run: {error.strerror}; build it, or name its directory with "
                         "--bin") from None
    if check.returncode != 0:
        raise UsageError(check.stderr.strip().removeprefix("mnist-train: error: "))


def show(arguments, study):
    """Prints and draws a study as it is now."""
    say(progress_of(study))
    if arguments.picture:
        from .picture import draw
        draw(study, arguments.picture)
        print(arguments.picture)
    if arguments.table:
        print_table(study, arguments.gradients)
    return 0


def sweep(arguments, definition, queue, name):
    """Trains all trials, as the only worker or with --jobs of them, and prints the table."""
    queue.retry_failed()
    if not queue.is_finished():
        say(f"study {name}; run directories in {arguments.results}")
        code = Worker(arguments, definition, queue).work() if arguments.jobs == 1 else run_workers(arguments.jobs)
        if code != 0:
            return code
    print_table(queue.study, arguments.gradients)
    failures = failures_of(queue.study)
    if failures:
        raise SweepError(f"{len(failures)} of {queue.size} trials failed; the same command tries them again; "
                         f"the first: {failures[0]}")
    return 0


def run_workers(count):
    """Runs workers to their end; returns the highest exit code. Passes signals on to them."""
    received, workers = [], []

    def pass_on(number, _):
        received.append(number)
        for worker in workers:
            worker.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    for _ in range(count):
        # In sessions of their own: Ctrl-C in a terminal reaches each of them once, through this process.
        workers.append(subprocess.Popen([sys.executable, *sys.argv, "--worker"], start_new_session=True))
    for number in received:  # while they were started
        pass_on(number, None)
    codes = [worker.wait() for worker in workers]
    if received:
        return 128 + received[0]
    if any(code < 0 for code in codes):
        raise SweepError("a worker was killed; rerun the command to resume its trial")
    return max(codes)
