#!/usr/bin/env python3
"""Draws docs/pictures/roofline.svg: what the phases of a training step reach of what one core can do.

Measured: the core's ceilings (ceilings.cpp, which bench/run.sh builds) and the phases' times (mnist-train --profile).
Counted, with the masks of training images and of a trained network's activations: the multiply-adds that the kernels
do, which skip groups of inputs that are all zero, and 20 operations of Adam for each weight. Bytes are those of weights
and moments, each once per phase: what does not stay in the L2 cache from one phase to the next; activations and images
count as none. Needs numpy and matplotlib; run it on an otherwise idle machine.
"""

import argparse
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy

import machine
from baselines.common import read_idx
from threads import ROOT, TILE, Steps

sys.path.insert(0, str(ROOT / "scripts"))
from guide_style import BLUE, GRAY, GREEN, INK, RED, VIOLET, Picture  # noqa: E402

HIDDEN = "256,128"
OUTPUTS = 16  # of the last layer: 10, in a multiple of a cache line
SIZES = {"L2": 512 << 10, "L3": 4 << 20}  # bytes of an array that fits this cache, but not the one above it
FLOAT, MOMENTS = 4, 2
ADAM = 20  # without two estimates, of a square root and of a reciprocal
COLORS = {"first layer, forward": BLUE, "other layers, forward": GREEN, "gradients of units": VIOLET,
          "first layer, gradients and Adam": RED, "other layers, gradients and Adam": "#B8860B"}


def trained_network(arguments, batch):
    """Weights and biases after the run whose phases are timed."""
    with tempfile.TemporaryDirectory() as name:
        path = pathlib.Path(name) / "model.safetensors"
        subprocess.run([arguments.program, "--data", arguments.data, "--limit", str(arguments.limit), "--epochs", "1",
                        "--hidden", HIDDEN, "--batch", str(batch), "--threads", "1", "--device", "cpu", "--no-test",
                        "--quiet", "--out", path], check=True, capture_output=True)
        data = path.read_bytes()
    (size,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + size])
    return {name: numpy.frombuffer(data[8 + size:], numpy.float32, numpy.prod(entry["shape"]),
                                   entry["data_offsets"][0]).reshape(entry["shape"])
            for name, entry in header.items() if name != "__metadata__"}


def layer_inputs(images, network):
    """Which inputs of each layer are not zero: [examples, inputs]."""
    values, masks = images / numpy.float32(255), [images != 0]
    for layer in ("0", "2"):
        values = numpy.maximum(values @ network[f"{layer}.weight"].T + network[f"{layer}.bias"], 0)
        masks.append(values > 0)
    return masks


def groups(masks, size):
    """Inputs for which a kernel multiplies that takes `size` at a time: all of a group unless all are zero."""
    return size * int(masks.reshape(len(masks), -1, size).any(2).sum())


def count_work(masks, width, first, group):
    """Multiply-adds of one minibatch in a layer of `width` outputs: forward, gradients of units, and of weights."""
    if not first and len(masks) > TILE and 2 * masks.sum() >= masks.size:  # dense products
        return numpy.full(3, masks.size * width)
    units = 0 if first else int(masks.sum())  # the kernel takes four examples at a time; we do not count repetitions
    return numpy.array([groups(masks, group), units, groups(masks, 2)]) * width


def count_phases(arguments, batch, group):
    """Operations of each phase, and bytes of weights and moments, per minibatch."""
    images = read_idx(arguments.data, "train-images-idx3-ubyte").reshape(-1, 784)[:arguments.limit // batch * batch]
    layers = layer_inputs(images, trained_network(arguments, batch))
    widths = [*map(int, HIDDEN.split(",")), OUTPUTS]
    counts = numpy.array([numpy.mean([count_work(part, width, number == 0, group)
                                      for part in numpy.split(masks, len(masks) // batch)], axis=0)
                          for number, (masks, width) in enumerate(zip(layers, widths))])
    # Adam skips pairs of pixels that have always been zero.
    active = groups(layers[0].any(0, keepdims=True), 2)
    weights = numpy.array([active * widths[0], *(a * b for a, b in zip(widths, widths[1:]))])
    adam, updated = ADAM * weights, 2 * (1 + MOMENTS) * FLOAT * weights
    operations = 2 * counts
    return {"first layer, forward": (operations[0, 0], FLOAT * weights[0]),
            "other layers, forward": (operations[1:, 0].sum(), FLOAT * weights[1:].sum()),
            "gradients of units": (operations[:, 1].sum(), FLOAT * weights[1:].sum()),
            "first layer, gradients and Adam": (operations[0, 2] + adam[0], updated[0]),
            "other layers, gradients and Adam": ((operations[1:, 2] + adam[1:]).sum(), updated[1:].sum())}


def draw(ceilings, points, path):
    picture = Picture("en")
    axes = picture.axes(height=5.4)
    intensity = numpy.geomspace(0.15, 150, 300)
    axes.plot(intensity, numpy.full_like(intensity, ceilings["peak"]), color=INK,
              label=f"f32 multiply-adds: {ceilings['peak']:.0f} GFLOP/s")
    for number, (level, color) in enumerate(zip(SIZES, (GRAY, "#C08A8A"))):
        for kind, style in (("read", "-"), ("update", "--")):
            rate = ceilings[kind][number]
            axes.plot(intensity, numpy.minimum(rate * intensity, ceilings["peak"]), style, linewidth=1.2, color=color,
                      zorder=1, label=f"{level}, {kind}: {rate:.0f} GB/s")
    first, *_ = batches = sorted({batch for batch, _ in points})
    for (batch, phase), (flop_per_byte, gflops) in points.items():
        axes.plot(flop_per_byte, gflops, "osD^"[batches.index(batch)], markersize=7, color=COLORS[phase],
                  markerfacecolor=COLORS[phase] if batch == first else "none", label=phase if batch == first else None)
    axes.set(xscale="log", yscale="log", ylim=(15, 150), xticks=[0.2, 1, 5, 20, 100], yticks=[20, 50, 100])
    marks = " and ".join(f"{batch} ({'filled' if batch == first else 'hollow'})" for batch in batches)
    picture.label(axes, f"784-{HIDDEN.replace(',', '-')}-10 on one core, minibatches of {marks}",
                  "operations per byte of weights and moments", "GFLOP/s")
    picture.figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    picture.save(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/bin/mnist-train")
    parser.add_argument("--ceilings", type=pathlib.Path, default=ROOT / "build/release/bench/ceilings")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "data/mnist")
    parser.add_argument("--batch", type=int, nargs="+", default=[32, 128], help="minibatches: 32, 64, 96 or 128")
    parser.add_argument("--limit", type=int, default=12800, help="examples of a run")
    parser.add_argument("--rounds", type=int, default=10, help="runs, of which the fastest counts for each phase")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs/pictures/roofline.svg")
    arguments = parser.parse_args()
    if any(batch % TILE or not 0 < batch <= 128 for batch in arguments.batch):
        parser.error("--batch must be 32, 64, 96 or 128: smaller tiles and sums of microbatches are not counted")
    group = 4 if "AVX-512" in machine.description() else 2
    ceilings = json.loads(subprocess.check_output(["taskset", "-c", "0", arguments.ceilings,
                                                   *map(str, SIZES.values())]))
    print(ceilings)
    print("minibatch | phase | MFLOP | MB | FLOP/byte | us | GFLOP/s")
    points = {}
    steps = Steps(arguments)
    for batch in arguments.batch:
        times = steps.phases(HIDDEN, batch)
        for phase, (operations, size) in count_phases(arguments, batch, group).items():
            points[batch, phase] = operations / size, operations / times[phase] / 1e3
            print(f"{batch} | {phase} | {operations / 1e6:.2f} | {size / 1e6:.2f} | {operations / size:.1f} | "
                  f"{times[phase]:.1f} | {operations / times[phase] / 1e3:.1f}")
    draw(ceilings, points, arguments.out)


if __name__ == "__main__":
    main()
