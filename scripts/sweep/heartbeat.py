"""A thread that tells the storage that a trial's worker is alive, and stops the run when it cannot."""

import threading
import time

from .storage import MISSED_HEARTBEATS, STORAGE_ERRORS


class Heartbeat:
    """Context manager: records a heartbeat of a trial every `interval` seconds.

    `lost` is set when the storage has not answered for so long that another worker may soon take the trial.
    """

    def __init__(self, storage, trial_id, interval):
        self.storage = storage
        self.trial_id = trial_id
        self.interval = interval
        self.lost = threading.Event()
        self.done = threading.Event()
        # A daemon: it must not keep a worker alive that waits for a storage out of reach.
        self.thread = threading.Thread(target=self.beat, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join(self.interval)

    def beat(self):
        answered = time.monotonic()
        while not self.done.wait(self.interval):
            try:
                self.storage.record_heartbeat(self.trial_id)
                answered = time.monotonic()
            except STORAGE_ERRORS:
                if time.monotonic() - answered > (MISSED_HEARTBEATS - 1) * self.interval:
                    self.lost.set()
                    return
        self.storage.remove_session()
