"""The table of a study: one row for each combination of options, from the storage."""

import statistics

from optuna.trial import TrialState

from .plan import options_of, seed_of, size_of
from .queue import settled_trials

# Quantiles of Student's t for a 95 % confidence interval, from 1 degree of freedom.
STUDENT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
           2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042]


def rows_of(study):
    """Returns [(options, {seed: complete trial})] in the order of the plan; of TPE, the best first."""
    definition = study.user_attrs["definition"]
    rows = {}
    for _, trial in sorted(settled_trials(study).items()):
        if trial.state == TrialState.COMPLETE:
            options = options_of(trial)
            rows.setdefault(tuple(options.items()), {})[seed_of(trial, definition)] = trial
    result = [(dict(options), dict(sorted(trials.items()))) for options, trials in rows.items()]
    if definition["sampler"] != "grid":
        result.sort(key=lambda row: statistics.mean(trial.value for trial in row[1].values()), reverse=True)
    return result


def print_table(study, with_gradients):
    definition = study.user_attrs["definition"]
    scored_on = "test" if definition["test"] else "validation"
    columns = [definition["recipe"], f"{scored_on} accuracy, mean %", "spread", "n", "each seed",
               "against the first row", "training loss", "training accuracy, %", "seconds"]
    columns += ["gradient norms, first layer first"] if with_gradients else []
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|")
    rows = rows_of(study)
    for options, trials in rows:
        cells = cells_of(options, trials) + ([gradients_of(trials)] if with_gradients else [])
        cells[5:5] = ["-" if trials is rows[0][1] else comparison(rows[0][1], trials)]
        print(f"| {' | '.join(cells)} |", flush=True)


def cells_of(options, trials):
    accuracies = [trial.value for trial in trials.values()]
    runs = [trial.user_attrs["run"] for trial in trials.values()]
    mean = {key: statistics.mean(run[key] for run in runs) for key in ("train_loss", "train_accuracy", "seconds")}
    spread = f"{statistics.stdev(accuracies):.2f}" if len(accuracies) > 1 else "-"
    return [name_of(options), f"{statistics.mean(accuracies):.2f}", spread, str(len(accuracies)),
            " ".join(f"{accuracy:.2f}" for accuracy in accuracies), f"{mean['train_loss']:.4f}",
            f"{mean['train_accuracy']:.2f}", f"{mean['seconds']:.1f}"]


def name_of(options):
    words = (f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
             for name, value in options.items())
    return ", ".join(words) or "unchanged"


def gradients_of(trials):
    first = next(iter(trials.values()))
    return " ".join(f"{norm:.2g}" for norm in first.user_attrs["run"]["gradients"])


def comparison(first, trials):
    """Returns the mean difference to the first row over the seeds of both, with its 95 % confidence interval."""
    differences = [trial.value - first[seed].value for seed, trial in trials.items() if seed in first]
    if not differences:
        return "-"
    mean = statistics.mean(differences)
    freedom = len(differences) - 1
    if freedom == 0:
        return f"{mean:+.2f}"
    quantile = STUDENT[freedom - 1] if freedom <= len(STUDENT) else 1.96 + 2.4 / freedom
    margin = quantile * statistics.stdev(differences) / len(differences) ** 0.5
    return f"{mean:+.2f} ({mean - margin:+.2f} to {mean + margin:+.2f})"


def progress_of(study):
    """Returns one line: how many trials are in which state."""
    states = [trial.state for trial in settled_trials(study).values()]
    running = len(study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)))
    counts = {"complete": states.count(TrialState.COMPLETE), "pruned": states.count(TrialState.PRUNED),
              "failed": states.count(TrialState.FAIL), "running": running,
              "waiting": max(0, size_of(study.user_attrs["definition"]) - len(states) - running)}
    return f"study {study.study_name}: {', '.join(f'{count} {word}' for word, count in counts.items() if count)}"


def failures_of(study):
    """Returns one line for each trial that failed for good."""
    return [f"trial {trial.number} ({name_of(trial.params)}): {trial.user_attrs.get('error', 'its workers died')}"
            for _, trial in sorted(settled_trials(study).items()) if trial.state == TrialState.FAIL]
