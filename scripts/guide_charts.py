"""The guide's charts of measurements: one function for each picture, which draws it in one language."""

import statistics

import numpy
from matplotlib import ticker

from guide_measure import measured
from guide_runs import accuracies, curve, find_runs
from guide_style import BLUE, COLORS, GRAY, GREEN, INK, RED, VIOLET


def band(axes, runs, key, factor=1, **options):
    """Draws the mean over runs of a metric by epoch, and the range between the runs."""
    values = factor * numpy.array([curve(run, key) for run in runs])
    epochs = numpy.arange(1, values.shape[1] + 1)
    (line,) = axes.plot(epochs, values.mean(0), **options)
    axes.fill_between(epochs, values.min(0), values.max(0), color=line.get_color(), alpha=0.2, linewidth=0)
    return line


def dots(axes, positions, groups, color):
    """Draws each run's value as a dot, and a line through the means."""
    axes.plot(positions, [statistics.mean(group) for group in groups], color=color)
    for position, group in zip(positions, groups):
        axes.plot([position] * len(group), group, "o", color=color, alpha=0.6)


def loss(picture):
    axes = picture.axes(height=3)
    probability = numpy.linspace(0.0005, 1, 800)
    axes.plot(probability, -numpy.log(probability), color=BLUE)
    for p in (0.9, 0.5, 0.1, 0.01, 0.001):
        axes.plot(p, -numpy.log(p), "o", color=RED)
        text = picture.number(-numpy.log(p), "{:.1f}")
        axes.annotate(text, (p, -numpy.log(p)), xytext=(7, 3), textcoords="offset points", color=INK, fontsize=9)
    picture.label(axes, x=picture.say("probability that the network gives to the right digit",
                                      "вероятность, которую сеть приписывает верной цифре"),
                  y=picture.say("loss", "потери"))


def valley(picture):
    data = measured("training")["valley"]
    rates, losses = numpy.array(data["rates"]), numpy.array(data["losses"])
    axes = picture.axes(height=3)
    axes.plot(rates, losses, color=BLUE)
    best = int(losses.argmin())
    marks = [(0, picture.say("start", "начало"), GRAY, (-4, 16)),
             (3, picture.say("step too short", "шаг слишком мал"), VIOLET, (10, 5)),
             (best, picture.say("lowest loss", "минимум"), GREEN, (-40, -18)),
             (len(rates) - 4, picture.say("step too long", "шаг слишком велик"), RED, (-125, 2))]
    for index, text, color, offset in marks:
        axes.plot(rates[index], losses[index], "o", color=color, markersize=7)
        axes.annotate(text, (rates[index], losses[index]), xytext=offset, textcoords="offset points", color=color)
    axes.margins(x=0.04, y=0.2)
    picture.label(axes, x=picture.say("learning rate", "скорость обучения"),
                  y=picture.say("loss after the step", "потери после шага"))


def training(picture):
    runs = find_runs()[:3]
    left, right = picture.axes(2)
    for axes, metric, factor in ((left, "loss", 1), (right, "accuracy", 100)):
        band(axes, runs, f"train_{metric}", factor, color=BLUE, label=picture.say("training images", "обучающие"))
        band(axes, runs, f"validation_{metric}", factor, color=RED, label=picture.say("held-out images", "отложенные"))
    left.legend(title=picture.say(None, "изображения"))
    epoch = picture.say("epoch", "эпоха")
    picture.label(left, picture.say("loss", "потери"), epoch, integers=True)
    picture.label(right, picture.say("accuracy, %", "точность, %"), epoch, integers=True)


def batch_losses(picture):
    losses = numpy.array(measured("training")["batch_losses"])
    window = 100
    mean = numpy.convolve(losses, numpy.ones(window) / window, mode="valid")
    axes = picture.axes(height=3)
    axes.plot(numpy.arange(1, len(losses) + 1, 3), losses[::3], color="#9CC3DD", linewidth=0.6,
              label=picture.say("one minibatch", "один минибатч"))
    axes.plot(numpy.arange(window, len(losses) + 1), mean, color=RED,
              label=picture.say("mean of the last 100", "среднее за последние 100"))
    axes.axhline(numpy.log(10), color=GRAY, linestyle=":", linewidth=1)
    axes.annotate("ln 10", (len(losses), numpy.log(10)), xytext=(0, 3), textcoords="offset points",
                  color=GRAY, ha="right")
    axes.legend(loc="center right")
    picture.label(axes, x=picture.say("step of the first epoch", "шаг первой эпохи"),
                  y=picture.say("loss of the minibatch", "потери на минибатче"))


def batch_size(picture):
    sizes = [1, 8, 32, 128, 512, 4096, 50000]
    left, right = picture.axes(2)
    dots(left, sizes, [accuracies(batch=size)[:3] for size in sizes], BLUE)
    times = measured("epoch_times")
    right.plot(list(map(int, times)), list(times.values()), "o-", color=RED)
    right.set_yscale("log")
    size = picture.say("images in a minibatch", "изображений в минибатче")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xlim(0.7, 100000)
    picture.label(left, picture.say("accuracy after 15 epochs, %", "точность после 15 эпох, %"), size)
    picture.label(right, picture.say("time of an epoch (32 images: 1)", "время эпохи (32 изображения: 1)"), size)
    right.yaxis.set_major_locator(ticker.FixedLocator([0.5, 1, 2, 4, 8, 16, 32]))


def order(picture):
    axes = picture.axes(height=3)
    data = "build/experiments/sorted"
    band(axes, find_runs()[:3], "validation_accuracy", 100, color=BLUE,
         label=picture.say("shuffled in every epoch", "перемешаны в каждой эпохе"))
    band(axes, find_runs(order="fixed", data=data), "validation_accuracy", 100, color=RED,
         label=picture.say("sorted by digit", "рассортированы по цифрам"))
    axes.set_ylim(0, 102)
    axes.legend(loc="center right")
    picture.label(axes, picture.say("accuracy on held-out images, %", "точность на отложенных изображениях, %"),
                  picture.say("epoch", "эпоха"), integers=True)


def learning_rate(picture):
    axes = picture.axes(height=3.2)
    for rate, color in zip((0.00001, 0.0001, 0.001, 0.01, 0.1), (GRAY, VIOLET, GREEN, BLUE, RED)):
        runs = find_runs(lr=rate)[:3]
        line = band(axes, runs, "train_loss", color=color)
        last = statistics.mean(curve(run, "train_loss")[-1] for run in runs)
        axes.annotate(picture.number(rate, "{:.5f}").rstrip("0"), (15, last), xytext=(6, -3),
                      textcoords="offset points", color=line.get_color())
    axes.set_yscale("log")
    axes.set_xlim(1, 16.5)
    picture.label(axes, picture.say("training loss by learning rate",
                                    "потери на обучающей выборке при разной скорости обучения"),
                  picture.say("epoch", "эпоха"))
    axes.set_xticks(range(1, 16, 2))


def between(picture):
    rows = numpy.array(measured("between"))
    left, right = picture.axes(2)
    for axes, column, color in ((left, 1, BLUE), (right, 2, RED)):
        axes.plot(rows[:, 0], rows[:, column], color=color)
        axes.plot(rows[[0, -1], 0], rows[[0, -1], column], "o", color=color, markersize=6)
    picture.label(left, picture.say("loss on the test images", "потери на тестовых изображениях"))
    picture.label(right, picture.say("accuracy, %", "точность, %"))
    for axes in (left, right):
        axes.set_xticks([0, 0.5, 1], [picture.say("first\nnetwork", "первая\nсеть"),
                                      picture.say("halfway", "посередине"), picture.say("second\nnetwork", "вторая\nсеть")])


def folds(picture):
    data = measured("folds")
    panels = picture.axes(2, sharey=True)
    titles = {"identity": picture.say("8 units without ReLU", "8 нейронов без ReLU"),
              "relu": picture.say("8 units with ReLU", "8 нейронов с ReLU")}
    for axes, (name, title) in zip(panels, titles.items()):
        axes.plot(data["x"][::4], data["target"][::4], "o", color=GRAY, markersize=3,
                  label=picture.say("training data", "обучающие данные"))
        best = min(data[name], key=lambda fit: fit["loss"])
        axes.plot(data["x"], best["y"], color=RED, label=picture.say("the network's output", "выход сети"))
        picture.label(axes, title, "x", "y")
    panels[0].legend()


def activations(picture):
    x = numpy.linspace(-5, 5, 1001)
    sigmoid = 1 / (1 + numpy.exp(-x))
    curves = {"ReLU": (numpy.maximum(0, x), (x > 0) * 1.0, BLUE), "tanh": (numpy.tanh(x), 1 - numpy.tanh(x) ** 2, GREEN),
              "sigmoid": (sigmoid, sigmoid * (1 - sigmoid), RED)}
    left, right = picture.axes(2)
    for name, (values, slopes, color) in curves.items():
        label = picture.say(name, "сигмоида") if name == "sigmoid" else name
        left.plot(x, values, color=color, label=label)
        right.plot(x, slopes, color=color, label=label)
    left.set_ylim(-1.4, 3)
    left.legend(loc="upper left")
    right.axhline(0.25, color=RED, linestyle=":", linewidth=1)
    right.annotate(picture.number(0.25), (-5, 0.25), xytext=(0, 3), textcoords="offset points", color=RED)
    picture.label(left, picture.say("activation", "функция активации"), "z")
    picture.label(right, picture.say("slope of the activation", "её производная"), "z")


def gradients(picture):
    axes = picture.axes(height=3.2)
    names = {"identity": picture.say("no activation", "без активации"), "relu": "ReLU", "sigmoid": picture.say("sigmoid", "сигмоида")}
    for (activation, name), color in zip(names.items(), (GRAY, BLUE, RED)):
        runs = find_runs(hidden=[64] * 6, epochs=1, limit=10320, activation=activation)
        norms = numpy.array([[norm for layer, norm in curve(run, "gradient_norm")[-1].items()
                              if layer.endswith("weight")] for run in runs])
        layers = numpy.arange(1, norms.shape[1] + 1)
        axes.plot(layers, norms.mean(0), color=color, label=name)
        axes.plot(layers, norms.T, "o", color=color, alpha=0.6)
    axes.set_yscale("log")
    axes.legend(loc="lower right")
    picture.label(axes, picture.say("norm of the gradient after ten steps", "норма градиента после десяти шагов"),
                  picture.say("layer, from input to output", "слой, от входа к выходу"), integers=True)


def shapes(picture):
    shapes_ = [[], [128], [128, 256], [229, 229], [256, 128]]
    axes = picture.axes(height=3.2)
    for row, hidden in enumerate(shapes_[1:]):
        values = accuracies(hidden=hidden)[:3]
        widths = [784, *hidden, 10]
        count = sum(a * b + b for a, b in zip(widths, widths[1:]))
        axes.plot(values, [row] * len(values), "o", color=BLUE, alpha=0.6)
        axes.plot(statistics.mean(values), row, "|", color=RED, markersize=16, markeredgewidth=2)
        axes.annotate(picture.number(count, "{:,}"), (1.01, row), xycoords=("axes fraction", "data"), va="center",
                      color=GRAY, fontsize=9)
    axes.annotate(picture.say("parameters", "параметров"), (1.01, 1.02), xycoords="axes fraction", color=GRAY, fontsize=9)
    axes.set_ylim(-0.6, len(shapes_) - 1.4)
    picture.label(axes, picture.say("accuracy of three runs and their mean, %", "точность трёх запусков и их среднее, %"))
    axes.set_yticks(range(len(shapes_) - 1), ["-".join(map(str, [784, *hidden, 10])) for hidden in shapes_[1:]])


def overfitting(picture):
    left, right = picture.axes(2, height=3.1)
    curves = [({}, BLUE, picture.say("no regularization", "без регуляризации")), ({"dropout": [0.5]}, GREEN, "dropout " + picture.number(0.5)),
              ({"rotation": 10, "translation": 1, "elastic": 0.8}, RED, picture.say("augmentation", "аугментация"))]
    for options, color, name in curves:
        runs = find_runs(limit=12000, epochs=60, **options)
        band(left, runs, "train_loss", color=color, linestyle="--", linewidth=1.1)
        band(left, runs, "validation_loss", color=color)
        band(right, runs, "validation_accuracy", 100, color=color, label=name)
    left.plot([], [], color=GRAY, label=picture.say("held-out images", "отложенные"))
    left.plot([], [], color=GRAY, linestyle="--", linewidth=1.1, label=picture.say("training images", "обучающие"))
    left.set_ylim(0, 1)
    right.set_ylim(85, 98)
    left.legend()
    right.legend(loc="lower right")
    epoch = picture.say("epoch", "эпоха")
    picture.label(left, picture.say("loss", "потери"), epoch)
    picture.label(right, picture.say("accuracy on held-out images, %", "точность на отложенных, %"), epoch)


def first_steps(picture):
    losses = measured("first_steps")
    left, right = picture.axes(2, height=3.2)
    curves = [(left, "rate 1", RED, picture.say("too high: 1", "слишком высокая: 1")),
              (left, "rate 0.000001", VIOLET, picture.say("too low: 0.000001", "слишком низкая: 0,000001")),
              (left, "healthy", GREEN, picture.say("just right: 0.001", "в самый раз: 0,001")),
              (right, "pixels up to 255", RED, picture.say("pixels not divided by 255", "пиксели не поделены на 255")),
              (right, "mixed labels", VIOLET, picture.say("labels mixed up", "метки перепутаны")),
              (right, "healthy", GREEN, picture.say("no mistake", "ошибок нет"))]
    for axes, name, color, label in curves:
        axes.plot(numpy.arange(1, len(losses[name]) + 1), losses[name], color=color, linewidth=1.2, label=label)
    for axes, top in ((left, 9e5), (right, 300)):
        axes.axhline(numpy.log(10), color=GRAY, linestyle=":", linewidth=1)
        axes.annotate("ln 10", (200, numpy.log(10)), xytext=(0, 3), textcoords="offset points", color=GRAY, ha="right")
        axes.set_yscale("log")
        axes.set_ylim(top=top)
        axes.legend(loc="upper right")
    right.set_yticks([0.01, 0.1, 1, 10, 100])
    step = picture.say("step", "шаг")
    picture.label(left, picture.say("loss by learning rate", "потери при разной скорости обучения"), step)
    picture.label(right, picture.say("loss by mistake in the data", "потери при ошибках в данных"), step)


CHARTS = (loss, valley, training, batch_losses, batch_size, order, learning_rate, between, folds, activations,
          gradients, shapes, overfitting, first_steps)
