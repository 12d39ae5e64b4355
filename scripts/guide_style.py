"""The look of the guide's pictures: one style of axes, and labels in two languages."""

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot, ticker

BLUE, RED, GREEN, VIOLET, GRAY = "#0072B2", "#D55E00", "#009E73", "#9B5DB5", "#7A7A7A"
COLORS = [BLUE, RED, GREEN, VIOLET, "#B8860B", GRAY, "#333333"]
INK, PAPER = "#2B2B2B", "#FCFCFA"

pyplot.rcParams.update({
    # An opaque, light background keeps pictures readable on dark pages.
    "figure.facecolor": PAPER, "axes.facecolor": PAPER, "savefig.facecolor": PAPER,
    "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
    "axes.edgecolor": "#9A9A9A", "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.color": "#E4E4E0", "axes.axisbelow": True,
    "axes.titlesize": 10, "axes.labelsize": 9.5, "xtick.labelsize": 9, "ytick.labelsize": 9,
    "legend.fontsize": 9, "legend.frameon": False, "lines.linewidth": 1.6, "lines.markersize": 4,
    "font.family": ["sans-serif"], "font.sans-serif": ["DejaVu Sans"],
    # Text stays text, and equal input gives equal bytes.
    "svg.fonttype": "none", "svg.hashsalt": "guide",
})


class Picture:
    """One picture in one language, "en" or "ru"."""

    def __init__(self, language):
        self.language = language
        self.figure = None

    def say(self, english, russian):
        return english if self.language == "en" else russian

    def number(self, value, form="{:,g}"):
        """The number as text, with a minus sign and the language's separators: −1,875.5 or −1 875,5."""
        text = f"{value:.5f}".rstrip("0") if 0 < value < 1e-4 else form.format(value)
        text = text.replace("-", "\u2212")
        if self.language == "ru":
            text = text.replace(",", "\u00a0").replace(".", ",")
        return text

    def axes(self, columns=1, height=2.9, **options):
        """Creates the figure, as wide as a page; returns its axes, an array if there are several."""
        self.figure, axes = pyplot.subplots(1, columns, figsize=(7, height), layout="constrained", **options)
        return axes

    def label(self, axes, title="", x="", y="", integers=False):
        axes.set(title=title, xlabel=x, ylabel=y)
        form = ticker.FuncFormatter(lambda value, _: self.number(value))
        for axis in (axes.xaxis, axes.yaxis):
            if not isinstance(axis.get_major_formatter(), (ticker.NullFormatter, ticker.FixedFormatter)):
                axis.set_major_formatter(form)
            if axis.get_scale() == "log":
                axis.set_minor_formatter(ticker.NullFormatter())
        if integers:
            axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))

    def image(self, axes, pixels, **options):
        """Shows a matrix without ticks and frame."""
        axes.imshow(pixels, interpolation="nearest", **{"cmap": "gray_r"} | options)
        axes.set(xticks=[], yticks=[])
        axes.grid(False)
        for spine in axes.spines.values():
            spine.set_visible(False)

    def save(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.figure.savefig(path, metadata={"Date": None})
        pyplot.close(self.figure)
