"""A thread that records heartbeats of a trial's worker, and notices when the storage does not accept them."""

import threading
import time

from .storage import MISSED_HEARTBEATS, STORAGE_ERRORS


class Heartbeat:
    """Context manager: records a heartbeat of a trial every `interval` seconds.

    `lost` is set when the storage has not responded for so long that another worker may soon take the trial.
    """

    def __init__(self, storage, trial_id, interval):
        self.storage = storage
        self.trial_id = trial_id
        self.interval = interval
        self.lost = threading.Event()
        self.done = threading.Event()
        # A daemon thread, so that an unreachable storage does not keep the worker from exiting.
        self.thread = threading.Thread(target=self.beat, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join(self.interval)

    def beat(self):
        last_response = time.monotonic()
        while not self.done.wait(self.interval):
            try:
                self.storage.record_heartbeat(self.trial_id)
                last_response = time.monotonic()
            except STORAGE_ERRORS:
                if time.monotonic() - last_response > (MISSED_HEARTBEATS - 1) * self.interval:
                    self.lost.set()
                    return
        self.storage.remove_session()
