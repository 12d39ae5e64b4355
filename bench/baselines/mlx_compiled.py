"""MLX on the CPU: one compiled training step per minibatch, as MLX's documentation recommends.

Not equal: MLX has no loop inside a compiled function, so every minibatch is a call from Python. Its package brings
the unoptimized reference BLAS; compare.py preloads the OpenBLAS that bench/setup.sh fetches."""

from functools import partial

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from common import EpochTimer, load, minibatches, parse_arguments, print_accuracy


def main():
    arguments = parse_arguments()
    mx.set_default_device(mx.cpu)
    layers = []
    for inputs, outputs in zip(arguments.widths, arguments.widths[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    # Other frameworks always correct the bias of the moments.
    optimizer = optim.Adam(learning_rate=0.001, betas=(0.9, 0.999), eps=1e-8, bias_correction=True)
    images, labels = map(mx.array, load(arguments.data))
    state = [model.state, optimizer.state]

    def loss_of(data, target):
        return nn.losses.cross_entropy(model(data), target, reduction="mean")

    @partial(mx.compile, inputs=state, outputs=state)
    def step(indices):
        loss, gradients = nn.value_and_grad(model, loss_of)(images[indices], labels[indices])
        optimizer.update(model, gradients)
        return loss

    mx.eval(images, labels, model.parameters())
    rng = np.random.default_rng(0)
    for _ in range(arguments.epochs):
        with EpochTimer() as timer:
            losses = []
            for part in minibatches(rng.permutation(len(labels)).astype(np.int32), arguments.batch):
                for indices in mx.array(part):
                    losses.append(step(indices))
                    mx.async_eval(losses[-1], state)
            timer.loss = mx.stack(losses).mean().item()
    print_accuracy(arguments.data, lambda images: model(mx.array(images)).argmax(1))


if __name__ == "__main__":
    main()
