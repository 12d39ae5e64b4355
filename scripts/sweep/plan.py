"""What a study trains: its definition, its trials, and the command and run directory of each."""

import hashlib
import itertools
import json

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

VALIDATION_EXAMPLES = "10000"


def definition_of(arguments):
    """Returns what must be equal for two commands to work on the same study, as a dict for JSON."""
    return {"recipe": arguments.recipe.stem if arguments.recipe else "defaults",
            "recipe text": arguments.recipe.read_text() if arguments.recipe else "",
            "set": dict(arguments.set), "vary": arguments.vary, "range": arguments.range,
            "seeds": arguments.seeds, "test": arguments.test, "sampler": arguments.sampler,
            "trials": arguments.trials, "pruner": arguments.pruner, "prune-after": arguments.prune_after}


def digest(value):
    """Returns 16 hexadecimal digits that identify a value of JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def default_name(definition):
    return f"{definition['recipe']}-{digest(definition)}"


def search_space(definition):
    """Returns the distribution of each option that varies, in the order of the command line."""
    space = {name: CategoricalDistribution(values) for name, *values in definition["vary"]}
    for name, low, high, *log in definition["range"]:
        if low.lstrip("-").isdecimal() and high.lstrip("-").isdecimal():
            space[name] = IntDistribution(int(low), int(high), log=bool(log))
        else:
            space[name] = FloatDistribution(float(low), float(high), log=bool(log))
    return space


def combinations(definition, space):
    """Returns the combinations of options, as dicts, that are known before any result."""
    if definition["sampler"] == "grid":
        values = itertools.product(*(distribution.choices for distribution in space.values()))
        return [dict(zip(space, row)) for row in values]
    # The sampler's seed is fixed, so that every process gets the same ones.
    draws = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return [draws.ask(space).params for _ in range(definition["trials"])]


def planned_params(definition):
    """Returns the parameters of each trial: its options and its seed. None for TPE, which chooses at the start."""
    if definition["sampler"] == "tpe":
        return None
    rows = itertools.product(combinations(definition, search_space(definition)), definition["seeds"])
    return [options | {"seed": seed} for options, seed in rows]


def size_of(definition):
    """Returns the number of trials."""
    return definition["trials"] if definition["sampler"] == "tpe" else len(planned_params(definition))


def choose_params(trial, definition):
    """Asks the sampler for the options and the seed of a starting trial; a retry already has them."""
    space = search_space(definition)
    if definition["sampler"] != "tpe":
        space["seed"] = CategoricalDistribution(definition["seeds"])
    for name, distribution in space.items():
        if isinstance(distribution, CategoricalDistribution):
            trial.suggest_categorical(name, distribution.choices)
        elif isinstance(distribution, IntDistribution):
            trial.suggest_int(name, distribution.low, distribution.high, log=distribution.log)
        else:
            trial.suggest_float(name, distribution.low, distribution.high, log=distribution.log)


def options_of(trial):
    return {name: value for name, value in trial.params.items() if name != "seed"}


def seed_of(trial, definition):
    return trial.params.get("seed", definition["seeds"][0])


def run_options(definition, options, seed):
    """Returns the options of mnist-train, as a dict of strings; "" for a switch."""
    held_out = {} if definition["test"] else {"validation": VALIDATION_EXAMPLES, "no-test": ""}
    return held_out | definition["set"] | {name: str(value) for name, value in options.items()} | {"seed": str(seed)}


def directory_of(results, definition, options, seed):
    """Returns the run directory. Equal options have the same one, in every study and every retry."""
    return results / digest([definition["recipe text"], run_options(definition, options, seed)])


def command_of(arguments, definition, options, seed):
    """Returns the command that starts or resumes a run, or finds it complete."""
    command = [str(arguments.bin / "mnist-train")]
    if arguments.recipe:
        command += ["--config", str(arguments.recipe)]
    for name, value in run_options(definition, options, seed).items():
        command += [f"--{name}"] + ([value] if value else [])
    directory = directory_of(arguments.results, definition, options, seed)
    return command + ["--threads", str(arguments.threads), "--run-dir", str(directory), "--auto-resume", "--quiet"]
