#!/usr/bin/env python3
"""Measures what the guide reports and mnist-train does not print: scripts/guide_measure.py [NAME ...].

Runs after the sweeps of scripts/experiments.sh, which calls it; first_steps, folds and training need only
the dataset. Keeps each result in build/experiments/NAME.json and does not measure it again.
"""

import argparse
import copy
import json
import resource
import subprocess
import sys
import tempfile

import torch
from torch import nn
from torch.nn import functional

from guide_runs import BIN, RESULTS, ROOT, find_runs, read_split


def network():
    return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))


def tensors(split):
    images, labels = read_split(split=split)
    return torch.from_numpy(images.reshape(-1, 784) / 255.0).float(), torch.from_numpy(labels).long()


def trained(run):
    model = network()
    model.load_state_dict(torch.load(run / "model.pt", weights_only=True))
    return model


def loss_of(model, images, labels):
    return functional.cross_entropy(model(images), labels)


def gradient(model, images, labels):
    """The gradient with respect to all parameters, as one vector."""
    gradients = torch.autograd.grad(loss_of(model, images, labels), model.parameters())
    return torch.cat([part.flatten() for part in gradients])


def batch_losses(model, images, labels, size=32, rate=0.001):
    """Trains for one epoch; returns the loss of each minibatch."""
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    losses = []
    for batch in torch.randperm(len(images)).split(size):
        loss = loss_of(model, images[batch], labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def gradient_noise(model, images, labels, draws=50):
    """The mean cosine between the gradient of a minibatch and that of all images, by its size."""
    whole = gradient(model, images, labels)
    cosines = {}
    for size in (1, 8, 32, 128, 512, 4096):
        batches = [torch.randint(len(images), (size,)) for _ in range(draws)]
        cosines[size] = sum(torch.cosine_similarity(gradient(model, images[b], labels[b]), whole, 0).item()
                            for b in batches) / draws
    return cosines


def valley(model, images, labels):
    """The loss after a step of plain gradient descent from `model`, by learning rate."""
    rates = list(range(41))
    direction = torch.autograd.grad(loss_of(model, images, labels), model.parameters())
    losses = []
    with torch.no_grad():
        for rate in rates:
            moved = copy.deepcopy(model)
            for parameter, slope in zip(moved.parameters(), direction):
                parameter -= rate * slope
            losses.append(loss_of(moved, images, labels).item())
    return {"rates": rates, "losses": losses}


def training(seed=0):
    """One epoch in PyTorch: what happens from one minibatch to the next."""
    torch.manual_seed(seed)
    images, labels = tensors("train")
    model = network()
    slope = valley(model, images[:10000], labels[:10000])
    losses = batch_losses(model, images, labels)
    return {"batch_losses": losses, "gradient_noise": gradient_noise(model, images, labels), "valley": slope}


@torch.no_grad()
def silent():
    """The fraction of units whose ReLU is 0 on the test images, before and after training."""
    images, _ = tensors("t10k")
    torch.manual_seed(0)
    models = {"untrained": [network() for _ in range(3)], "trained": [trained(run) for run in find_runs()]}
    result = {}
    for name, group in models.items():
        hidden = [(model[:2](images), model[:4](images)) for model in group]
        for number in range(2):
            layers = [layers[number] for layers in hidden]
            result[f"{name} {number + 1}"] = [(layer == 0).float().mean().item() for layer in layers]
            result[f"{name} {number + 1} always"] = [(layer == 0).all(0).float().mean().item() for layer in layers]
    result["example"] = models["trained"][0][:2](images[:1])[0].tolist()
    return result


@torch.no_grad()
def between(points=41):
    """Loss and accuracy on the test images along the straight line between two trained networks."""
    images, labels = tensors("t10k")
    first, second = [trained(run) for run in find_runs()][:2]
    middle, rows = network(), []
    for point in range(points):
        fraction = point / (points - 1)
        for m, a, b in zip(middle.parameters(), first.parameters(), second.parameters()):
            m.copy_(a.lerp(b, fraction))
        logits = middle(images)
        rows.append([fraction, functional.cross_entropy(logits, labels).item(),
                     100 * (logits.argmax(1) == labels).float().mean().item()])
    return rows


def fitted(model, x, target, steps=3000):
    """Trains a network on a curve; returns its loss and the values that it learned."""
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(steps):
        loss = functional.mse_loss(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {"loss": loss.item(), "y": model(x)[:, 0].tolist()}


def folds(units=8, seeds=5):
    """Fits a curve with one hidden layer, without activation and, from several seeds, with ReLU."""
    x = torch.linspace(-3, 3, 121)[:, None]
    target = torch.sin(2 * x) + 0.3 * x
    result = {"x": x[:, 0].tolist(), "target": target[:, 0].tolist()}
    for name, activation, count in (("identity", nn.Identity(), 1), ("relu", nn.ReLU(), seeds)):
        result[name] = []
        for seed in range(count):
            torch.manual_seed(seed)
            model = nn.Sequential(nn.Linear(1, units), activation, nn.Linear(units, 1))
            result[name].append(fitted(model, x, target))
    return result


def evaluation():
    """What mnist-eval reports for a network that was trained on all images."""
    model = find_runs(validation=0)[0] / "model.pt"
    return json.loads(subprocess.run([BIN / "mnist-eval", "--model", model, "--json"], check=True, capture_output=True,
                                     text=True, cwd=ROOT).stdout)


def processor_seconds(batch, examples):
    """Processor time of mnist-train on one thread: one epoch of so many examples, and what it does besides."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([BIN / "mnist-train", "--epochs", "1", "--batch", str(batch), "--limit", str(examples), "--threads",
                        "1", "--no-test", "--quiet", "--out", f"{directory}/model.pt"], check=True, capture_output=True, cwd=ROOT)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def epoch_times(rounds=3):
    """Processor time of an epoch, by minibatch size, relative to minibatches of 32. The least of several rounds."""
    examples = {1: 5000, 8: 30000, 32: 60000, 512: 60000, 60000: 60000}
    times = {}
    for _ in range(rounds):
        besides = processor_seconds(32, 32)
        for batch, count in examples.items():
            times.setdefault(batch, []).append((processor_seconds(batch, count) - besides) / count)
    return {batch: min(values) / min(times[32]) for batch, values in times.items()}


def first_steps(steps=200, seed=0):
    """The loss of each of the first minibatches: of a run as it should be, and of runs with one fault."""
    images, labels = tensors("train")
    images, labels = images[: 32 * steps], labels[: 32 * steps]
    mixed = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))]
    cases = {"healthy": (images, labels, 0.001), "rate 1": (images, labels, 1), "rate 0.000001": (images, labels, 0.000001),
             "pixels up to 255": (255 * images, labels, 0.001), "mixed labels": (images, mixed, 0.001)}
    losses = {}
    for name, (inputs, targets, rate) in cases.items():
        torch.manual_seed(seed)
        losses[name] = batch_losses(network(), inputs, targets, rate=rate)
    return losses


MEASUREMENTS = (training, silent, between, folds, evaluation, epoch_times, first_steps)


def measured(name):
    return json.loads((RESULTS / f"{name}.json").read_text())


def print_summary():
    noise = measured("training")["gradient_noise"]
    print("cosine with the whole gradient: " + ", ".join(f"{n} images {c:.2f}" for n, c in noise.items()))
    for name, values in measured("silent").items():
        if name != "example":
            print(f"silent, {name}: " + " ".join(f"{100 * value:.1f}" for value in values))
    print("time of an epoch, 32 images = 1: " + ", ".join(f"{n} {t:.2f}" for n, t in measured("epoch_times").items()))
    print("a curve and 8 units with ReLU, loss by seed: "
          + " ".join(f"{fit['loss']:.3f}" for fit in measured("folds")["relu"]))
    rows = measured("between")
    print("between two networks, loss and accuracy:", rows[0][1:], rows[len(rows) // 2][1:], rows[-1][1:])
    for name, losses in measured("first_steps").items():
        print(f"first steps, {name}: loss {losses[0]:.2f}, at most {max(losses):.2f}, "
              f"mean of the last 20 {sum(losses[-20:]) / 20:.2f}")


def main():
    measurements = {measure.__name__: measure for measure in MEASUREMENTS}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a measurement; default: all, and a summary")
    names = parser.parse_args().names
    torch.set_num_threads(1)
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name in names or measurements:
        if name not in measurements:
            sys.exit(f"unknown measurement '{name}'; expected {', '.join(measurements)}")
        path = RESULTS / f"{name}.json"
        if not path.exists():
            unfinished = path.with_suffix(".tmp")
            unfinished.write_text(json.dumps(measurements[name]()))
            unfinished.rename(path)
    if not names:
        print_summary()


if __name__ == "__main__":
    main()
