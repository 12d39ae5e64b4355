"""The picture of a study: the accuracy by the values of each option, and all options as parallel coordinates."""

import math

from optuna.distributions import IntDistribution

from .errors import SweepError
from .plan import search_space
from .table import rows_of


def draw(study, path):
    """Writes the picture; the suffix of `path` selects the format. A line or a dot is a trial."""
    try:
        import matplotlib
    except ImportError:
        raise SweepError("matplotlib is missing; install it with: python3 -m pip install matplotlib") from None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    points = [(options, trial.value) for options, trials in rows_of(study) for trial in trials.values()]
    definition = study.user_attrs["definition"]
    space = search_space(definition)
    if not points or not space:
        raise SweepError(f"study '{study.study_name}' has no {'complete trial yet' if space else 'option that varies'}"
                         ", so there is nothing to draw")
    scored_on = "test" if definition["test"] else "validation"
    pyplot.rcParams["svg.hashsalt"] = "sweep"  # the same bytes for the same study
    figure, panels = pyplot.subplots(1, len(space) + 1, figsize=(3.2 * len(space) + 6, 4.2), layout="constrained",
                                     width_ratios=[1] * len(space) + [1.8])
    for axes, (name, distribution) in zip(panels, space.items()):
        draw_option(axes, name, distribution, points)
    panels[0].set_ylabel(f"{scored_on} accuracy, %")
    draw_parallel(pyplot, panels[-1], space, points)
    try:
        metadata = {"Date": None} if path.suffix == ".svg" else None
        figure.savefig(path, metadata=metadata)
    except (OSError, ValueError) as error:
        raise SweepError(f"--picture {path} cannot be written: {error}; name a file that ends in .svg, .png or "
                         ".pdf in an existing directory") from None


def draw_option(axes, name, distribution, points):
    """A dot for each trial: the value of one option, and the accuracy."""
    choices = getattr(distribution, "choices", None)
    places = [choices.index(options[name]) if choices else options[name] for options, _ in points]
    axes.plot(places, [accuracy for _, accuracy in points], "o", alpha=0.6)
    if choices:
        axes.set_xticks(range(len(choices)), choices)
        axes.margins(x=0.2)
    elif distribution.log:
        axes.set_xscale("log")
        axes.minorticks_off()
    elif isinstance(distribution, IntDistribution):
        axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_title(name)
    axes.grid(alpha=0.3)


def draw_parallel(pyplot, axes, space, points):
    """A line for each trial over all options and the accuracy, colored by the accuracy."""
    accuracies = [accuracy for _, accuracy in points]
    low, high = min(accuracies), max(accuracies)
    colors = pyplot.get_cmap("viridis")
    for options, accuracy in sorted(points, key=lambda point: point[1]):
        place = (accuracy - low) / (high - low) if high > low else 0.5
        heights = [height_of(space[name], options[name]) for name in space] + [place]
        axes.plot(range(len(heights)), heights, color=colors(place), alpha=0.7)
    axes.set_xticks(range(len(space) + 1), [*space, "accuracy"])
    axes.set_yticks([])
    for place, (name, distribution) in enumerate(space.items()):
        for value in getattr(distribution, "choices", None) or (distribution.low, distribution.high):
            axes.annotate(f"{value}", (place, height_of(distribution, value)), fontsize="small")
        axes.axvline(place, color="gray", alpha=0.4)
    axes.annotate(f"{low:.2f}", (len(space), 0), fontsize="small")
    axes.annotate(f"{high:.2f}", (len(space), 1), fontsize="small")
    axes.set_title("parallel coordinates")


def height_of(distribution, value):
    """Returns where a value is on its axis, from 0 to 1."""
    choices = getattr(distribution, "choices", None)
    if choices:
        return choices.index(value) / max(1, len(choices) - 1)
    scale = math.log if distribution.log else float
    return (scale(value) - scale(distribution.low)) / (scale(distribution.high) - scale(distribution.low))
