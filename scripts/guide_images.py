"""The guide's pictures of networks, digits and weights: one function for each."""

import numpy
import torch
from matplotlib import patches, pyplot

from contact_sheet import contact_sheet
from guide_measure import measured
from guide_runs import find_runs, read_split
from guide_style import BLUE, GRAY, GREEN, INK, PAPER, RED


def digit(picture):
    pixels = read_split(split="train")[0][0]
    left, right = picture.axes(2, height=3.6, width_ratios=[1, 1.45])
    picture.image(left, pixels)
    left.set_title(picture.say("28 × 28 pixels", "28 × 28 пикселей"))
    rows, columns = slice(5, 17), slice(8, 22)
    left.add_patch(patches.Rectangle((columns.start - 0.5, rows.start - 0.5), 14, 12, fill=False, color=RED))
    part = pixels[rows, columns]
    picture.image(right, part, vmax=700)  # pale, so that the numbers can be read
    for (y, x), value in numpy.ndenumerate(part):
        right.text(x, y, str(value), ha="center", va="center", fontsize=7.5)
    right.set_title(picture.say("the pixels in the frame as numbers", "пиксели в рамке в виде чисел"))


def layer_positions(count, units):
    """Vertical positions of the drawn units, symmetric about 0, with a gap for those left out."""
    positions = numpy.linspace(1, -1, count + 1 if units > count else count)
    return numpy.delete(positions, count // 2) if units > count else positions


def network(picture):
    axes = picture.axes(height=3.7)
    layers = [(784, 8, GRAY, picture.say("pixels", "пиксели")), (256, 8, BLUE, picture.say("hidden layer", "скрытый слой")),
              (128, 6, BLUE, picture.say("hidden layer", "скрытый слой")),
              (10, 10, RED, picture.say("digits", "цифры"))]
    before = None
    for number, (units, drawn, color, name) in enumerate(layers):
        positions = layer_positions(drawn, units)
        for start in before if before is not None else []:
            for end in positions:
                axes.plot([number - 1, number], [start, end], color="#C9C9C4", linewidth=0.4, zorder=1)
        axes.scatter([number] * len(positions), positions, s=90, color=color, edgecolor=PAPER, zorder=2)
        if units > drawn:
            axes.text(number, 0, "⋮", ha="center", va="center", fontsize=14, zorder=3,
                      bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1})
        axes.text(number, 1.22, picture.number(units), ha="center", fontsize=12, color=color, weight="bold")
        axes.text(number, -1.32, name, ha="center", fontsize=9.5)
        before = positions
    for value, position in enumerate(before):
        axes.text(3.1, position, str(value), va="center", color=RED)
    weights = picture.say("{} weights", "весов: {}")
    for number, count in enumerate((200704, 32768, 1280)):
        axes.text(number + 0.5, 1.22, weights.format(picture.number(count, "{:,}")), ha="center", fontsize=9, color=GRAY)
    axes.set(xlim=(-0.3, 3.4), ylim=(-1.45, 1.4))
    axes.axis("off")


def box(axes, x, y, text, color, width=1.7):
    axes.add_patch(patches.FancyBboxPatch((x - width / 2, y - 0.32), width, 0.64, boxstyle="round,pad=0.04",
                                          facecolor=color, edgecolor="none", alpha=0.16))
    axes.text(x, y, text, ha="center", va="center", fontsize=9)


def arrow(axes, start, end):
    axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": INK, "shrinkA": 0, "shrinkB": 0})


def parallel(picture):
    axes = picture.axes(height=3)
    minibatch = picture.say("minibatch {}", "минибатч {}")
    weights, step = picture.say("weights", "веса"), picture.say("new weights", "новые веса")
    axes.text(0.1, 3.25, picture.say("one computer: each minibatch needs the weights from the one before",
                                   "один компьютер: каждому минибатчу нужны веса, полученные на предыдущем"), fontsize=9.5, color=INK)
    for column, (text, color) in enumerate([(weights, GRAY), (minibatch.format(1), BLUE), (step, GRAY),
                                            (minibatch.format(2), BLUE), (step, GRAY)]):
        box(axes, 1 + 2.2 * column, 2.55, text, color)
        if column:
            arrow(axes, (2.2 * column - 0.3, 2.55), (2.2 * column + 0.1, 2.55))
    axes.text(0.1, 1.65, picture.say("two computers: one step with the mean of two gradients",
                                   "два компьютера: один общий шаг по среднему двух градиентов"), fontsize=9.5, color=INK)
    box(axes, 1, 0.55, weights, GRAY)
    for y, number in ((1.0, 1), (0.1, 2)):
        box(axes, 3.9, y, minibatch.format(number), GREEN)
        arrow(axes, (1.95, 0.55), (2.95, y))
        arrow(axes, (4.85, y), (5.85, 0.55))
    box(axes, 7, 0.55, picture.say("mean of gradients", "средний градиент"), GREEN, 2.1)
    arrow(axes, (8.1, 0.55), (8.9, 0.55))
    box(axes, 9.8, 0.55, step, GRAY)
    axes.set(xlim=(0, 10.9), ylim=(-0.35, 3.5))
    axes.axis("off")


def settings(picture):
    axes = picture.axes(height=3.4)
    heading = {"y": 4.6, "ha": "center", "fontsize": 10.5, "weight": "bold"}
    chosen = [(picture.say("hidden layers", "скрытые слои"), "256, 128"),
              (picture.say("activation", "активация"), "ReLU"),
              (picture.say("optimizer", "оптимизатор"), "Adam"),
              (picture.say("learning rate", "скорость обучения"), picture.number(0.001)),
              (picture.say("batch size", "размер минибатча"), "32"), (picture.say("epochs", "число эпох"), "15"),
              (picture.say("augmentation", "аугментация"), picture.say("none", "нет")), ("seed", "0")]
    axes.text(x=2.2, s=picture.say("you set", "задаёте вы"), color=BLUE, **heading)
    for place, (name, value) in enumerate(chosen):
        box(axes, 1.1 + 2.2 * (place % 2), 3.85 - 0.95 * (place // 2), f"{name}\n{value}", BLUE, 2.02)
    axes.text(x=6.3, s=picture.say("training", "обучение"), color=GRAY, **heading)
    box(axes, 6.3, 2.42, picture.say("{} images\n{} steps", "{} изображений\n{} шагов").format(
        picture.number(60000, "{:,}"), picture.number(28125, "{:,}")), GRAY, 2.3)
    for start in (4.5, 7.55):
        arrow(axes, (start, 2.42), (start + 0.5, 2.42))
    axes.text(x=9.5, s=picture.say("training finds", "находит обучение"), color=RED, **heading)
    weights = numpy.random.default_rng(0).normal(size=(13, 11))
    axes.imshow(weights, cmap="RdBu", vmin=-2.5, vmax=2.5, extent=(8.2, 10.8, 1.05, 4.2), interpolation="nearest", aspect="auto")
    axes.text(9.5, 0.6, picture.say("{} weights and biases", "весов и смещений: {}").format(picture.number(235146, "{:,}")),
              ha="center", fontsize=9)
    axes.set(xlim=(0, 10.9), ylim=(0.35, 5))
    axes.axis("off")


def silent(picture):
    data = measured("silent")
    left, right = picture.axes(2, height=3, width_ratios=[1, 1.4])
    values = numpy.array(data["example"]).reshape(16, 16)
    picture.image(left, numpy.where(values > 0, values, numpy.nan), cmap="Blues", vmin=-1)
    left.set_facecolor("#E9E9E4")
    left.set_title(picture.say("outputs of 256 units for one digit", "256 выходов для одной цифры"))
    names = [picture.say("first layer", "первый слой"), picture.say("second layer", "второй слой")]
    for offset, (state, color, name) in enumerate([("untrained", GRAY, picture.say("before training", "до обучения")),
                                                   ("trained", BLUE, picture.say("after training", "после обучения"))]):
        heights = [100 * numpy.mean(data[f"{state} {layer}"]) for layer in (1, 2)]
        bars = right.bar(numpy.arange(2) + 0.38 * offset - 0.19, heights, 0.34, color=color, label=name)
        right.bar_label(bars, [picture.number(height, "{:.0f}") for height in heights], fontsize=9)
    right.set_ylim(0, 100)
    right.grid(axis="x", visible=False)
    right.legend(loc="upper left", ncols=2)
    picture.label(right, picture.say("inactive units, %", "неактивные нейроны, %"))
    right.set_xticks([0, 1], names)


def first_layer(picture):
    weights = torch.load(find_runs()[0] / "model.pt", weights_only=True)["0.weight"].numpy().reshape(-1, 28, 28)
    chosen = numpy.argsort(-numpy.square(weights).sum((1, 2)))[:24]
    panels = picture.axes(1, height=2.9)
    tiles = [numpy.pad(weights[unit] / abs(weights[unit]).max(), 1, constant_values=numpy.nan) for unit in chosen]
    sheet = numpy.vstack([numpy.hstack(tiles[row * 8 : row * 8 + 8]) for row in range(3)])
    shown = panels.imshow(sheet, cmap="RdBu", vmin=-1, vmax=1, interpolation="nearest")
    panels.axis("off")
    bar = picture.figure.colorbar(shown, ax=panels, shrink=0.8, ticks=[-0.9, 0, 0.9])
    bar.ax.set_yticklabels([picture.say("lowers\nthe sum", "уменьшает\nсумму"), "0", picture.say("raises\nthe sum", "увеличивает\nсумму")])
    bar.outline.set_visible(False)


def confusion(picture):
    counts = numpy.array(measured("evaluation")["confusion"])
    axes = picture.axes(height=4.4)
    errors = numpy.where(numpy.eye(10, dtype=bool), 0, counts)
    picture.image(axes, errors, cmap="Reds", vmax=1.6 * errors.max())
    for (row, column), count in numpy.ndenumerate(counts):
        if count:
            axes.text(column, row, str(count), ha="center", va="center", fontsize=8.5,
                      color=GRAY if row == column else INK)
    axes.set_xticks(range(10), range(10))
    axes.set_yticks(range(10), range(10))
    axes.tick_params(length=0)
    axes.set(xlabel=picture.say("the network's answer", "ответ сети"), ylabel=picture.say("true digit", "настоящая цифра"))


def distorted(picture):
    rows, columns = 4, 11
    width, height, pixels = contact_sheet("recipes/mnist-augmented.toml", rows, columns)
    axes = picture.axes(height=3)
    picture.image(axes, numpy.frombuffer(pixels, numpy.uint8).reshape(height, width))
    axes.axvline(27.5, color=RED)
    axes.text(14, -3, picture.say("original", "оригинал"), ha="center", color=RED, fontsize=9)
    axes.text(28 + 14 * (columns - 1), -3, picture.say("as the network sees it in epochs 1 to 10",
                                                       "таким его видит сеть в эпохах с 1-й по 10-ю"), ha="center", fontsize=9)


CLOTHES = [("T-shirt", "футболка"), ("trouser", "брюки"), ("pullover", "свитер"), ("dress", "платье"), ("coat", "пальто"),
           ("sandal", "сандалии"), ("shirt", "рубашка"), ("sneaker", "кроссовки"), ("bag", "сумка"), ("boot", "ботинки")]


def clothes(picture):
    images, labels = read_split("fashion-mnist")
    panels = picture.axes(10, height=2.2)
    for kind, (axes, names) in enumerate(zip(panels, CLOTHES)):
        picture.image(axes, numpy.vstack(images[numpy.flatnonzero(labels == kind)[:3]]))
        axes.set_title(picture.say(*names), fontsize=8)


IMAGES = (digit, network, settings, parallel, silent, first_layer, confusion, distorted, clothes)
