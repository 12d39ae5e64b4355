"""The trials of a study: each is taken by one worker at a time, and again if its worker dies.

Trials are created one by one, when a worker finds none waiting, because every worker reads all waiting trials. The
position of a trial in the plan, its slot, follows from its number: Optuna numbers trials without gaps, and a retry,
which has its own number, names the trial that it repeats.
"""

import copy
import random
import time
import warnings

import optuna
from optuna.storages import RetryHeartbeatStaleTrialCallback
from optuna.trial import TrialState, create_trial

from .errors import UsageError
from .plan import planned_params, size_of
from .storage import MISSED_HEARTBEATS

# Attempts at one trial. Reached only if it keeps killing its workers.
MAX_ATTEMPTS = 100

warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)


def slots_of(trials):
    """Returns the slot of each trial by its number. `trials` are all of a study, by number."""
    slots, fresh = {}, 0
    for trial in trials:
        original = RetryHeartbeatStaleTrialCallback.retried_trial_number(trial)
        if original is None:
            slots[trial.number] = fresh
            fresh += 1
        else:
            slots[trial.number] = slots[original]
    return slots


def requeue(study, trial):
    """Queues another attempt at a trial that ended without a result."""
    again = copy.deepcopy(trial)
    again.user_attrs = {}
    RetryHeartbeatStaleTrialCallback(max_retry=MAX_ATTEMPTS)(study, again)


def is_settled(trial):
    """Whether no further attempt is needed: it has a result, was pruned, or has failed for good."""
    gave_up = len(RetryHeartbeatStaleTrialCallback.retry_history(trial)) >= MAX_ATTEMPTS
    return trial.state in (TrialState.COMPLETE, TrialState.PRUNED) or (
        trial.state == TrialState.FAIL and ("error" in trial.user_attrs or gave_up))


def settled_trials(study):
    """Returns the settled trial of each slot that has one: a result of any attempt, or the last one's failure."""
    trials = study.get_trials(deepcopy=False)
    slots = slots_of(trials)
    last = {slots[trial.number]: trial for trial in trials}
    results = {slots[trial.number]: trial for trial in trials
               if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)}
    size = size_of(study.user_attrs["definition"])
    return {slot: trial for slot, trial in (last | results).items() if is_settled(trial) and slot < size}


class PlanSampler(optuna.samplers.BaseSampler):
    """Gives a starting trial the parameters of its slot."""

    def __init__(self, params):
        self.params = params
        self.slot = None

    def infer_relative_search_space(self, study, trial):
        return {}

    def sample_relative(self, study, trial, search_space):
        return {}

    def sample_independent(self, study, trial, param_name, param_distribution):
        return self.params[self.slot][param_name]


class Queue:
    """The trials of one study, in its storage."""

    def __init__(self, storage, name, definition, heartbeat):
        self.storage = storage
        self.heartbeat = heartbeat
        self.size = size_of(definition)
        self.next_check = 0
        self.lost = {}
        params = planned_params(definition)
        sampler = optuna.samplers.TPESampler(constant_liar=True) if params is None else PlanSampler(params)
        self.study = optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True,
                                         sampler=sampler, pruner=make_pruner(definition))
        check_same(self.study, definition)
        self.study.set_user_attr("definition", definition)

    def take(self):
        """Returns a trial that this process now owns, or None if none is left."""
        self.requeue_stale()
        while True:
            trials = self.study.get_trials(deepcopy=False)
            slots = slots_of(trials)
            waiting = [trial for trial in trials if trial.state == TrialState.WAITING]
            if not waiting:
                if len(set(slots.values())) >= self.size:
                    return None
                self.study.add_trial(create_trial(state=TrialState.WAITING))
            # In order; but workers that start together and lose the first trial continue at random ones.
            for trial in waiting[:1] + random.sample(waiting[1:], len(waiting[1:])):
                if not self.claim(trial):
                    continue
                if slots[trial.number] < self.size and not is_superfluous(trial, trials, slots):
                    self.study.sampler.slot = slots[trial.number]
                    return optuna.trial.Trial(self.study, trial._trial_id)
                self.study.tell(trial.number, state=TrialState.FAIL)

    def claim(self, trial):
        """Sets a waiting trial running; returns False if another process was faster."""
        # The heartbeat first: a trial without any never counts as stale, even if its worker has died.
        self.storage.record_heartbeat(trial._trial_id)
        try:
            return self.storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING)
        except optuna.exceptions.UpdateFinishedTrialError:
            return False

    def give_back(self, trial):
        """Queues a trial again that this process has stopped."""
        requeue(self.study, self.study.tell(trial.number, state=TrialState.FAIL))

    def fail(self, trial, message):
        """Records that a trial cannot be finished."""
        trial.set_user_attr("error", message)
        self.study.tell(trial.number, state=TrialState.FAIL)

    def is_finished(self):
        return len(settled_trials(self.study)) == self.size

    def retry_failed(self):
        """Queues the failed trials again."""
        for trial in settled_trials(self.study).values():
            if trial.state == TrialState.FAIL:
                requeue(self.study, trial)

    def requeue_stale(self):
        """Queues the trials of dead workers again, once in a heartbeat interval."""
        if time.monotonic() > self.next_check:
            self.next_check = time.monotonic() + self.heartbeat
            optuna.storages.fail_stale_trials(self.study)

    def requeue_lost(self):
        """Queues trials again whose worker died after failing them, but before queuing the next attempt."""
        trials = self.study.get_trials(deepcopy=False)
        slots = slots_of(trials)
        last = {slots[trial.number]: trial for trial in trials if slots[trial.number] < self.size}
        settled = settled_trials(self.study)
        for slot, trial in last.items():
            if trial.state == TrialState.FAIL and slot not in settled:
                first_seen = self.lost.setdefault(trial.number, time.monotonic())
                if time.monotonic() - first_seen > MISSED_HEARTBEATS * self.heartbeat:
                    requeue(self.study, trial)


def is_superfluous(trial, trials, slots):
    """Whether a waiting trial is settled, running or waiting under another number: two processes queued it."""
    return any(slots[other.number] == slots[trial.number] and other.number != trial.number and
               (other.state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING) or
                (other.state == TrialState.WAITING and other.number < trial.number)) for other in trials)


def make_pruner(definition):
    after = definition["prune-after"]
    if definition["pruner"] == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=after)
    if definition["pruner"] == "asha":
        return optuna.pruners.SuccessiveHalvingPruner(min_resource=after)
    return optuna.pruners.NopPruner()


def check_same(study, definition):
    """Raises UsageError if the study was created with other options."""
    stored = study.user_attrs.get("definition", definition)
    changed = [name for name, value in definition.items() if stored.get(name) != value]
    if changed:
        raise UsageError(f"the study '{study.study_name}' was created with another {' and '.join(changed)}; repeat "
                         "the options of its first command, or choose another name with --study")
