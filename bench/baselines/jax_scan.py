"""JAX: each epoch is one jitted lax.scan over device-resident data, with Adam written by hand."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from common import EpochTimer, load, minibatches, parse_arguments, print_accuracy


def forward(parameters, data):
    for weight, bias in parameters[:-1]:
        data = jax.nn.relu(data @ weight + bias)
    weight, bias = parameters[-1]
    return data @ weight + bias


def loss_of(parameters, data, target):
    scores = jax.nn.log_softmax(forward(parameters, data))
    return -jnp.take_along_axis(scores, target[:, None], 1).mean()


def adam(parameters, gradients, first, second, step):
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
    rate = 0.001 / (1 - 0.9**step)
    scale = 1 / jnp.sqrt(1 - 0.999**step)
    parameters = jax.tree.map(
        lambda p, m, v: p - rate * m / (jnp.sqrt(v) * scale + 1e-8), parameters, first, second)
    return parameters, first, second


@partial(jax.jit, donate_argnums=0)
def epoch(state, images, labels, order):
    def one_step(carry, indices):
        parameters, first, second, step = carry
        step = step + 1
        loss, gradients = jax.value_and_grad(loss_of)(parameters, images[indices], labels[indices])
        return (*adam(parameters, gradients, first, second, step), step), loss

    return jax.lax.scan(one_step, state, order)


def main():
    arguments = parse_arguments()
    rng = np.random.default_rng(0)
    parameters = [
        (jnp.asarray(rng.uniform(-1, 1, (i, o)) / np.sqrt(i), jnp.float32),
         jnp.asarray(rng.uniform(-1, 1, o) / np.sqrt(i), jnp.float32))
        for i, o in zip(arguments.widths, arguments.widths[1:])
    ]
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    state = (parameters, zeros, jax.tree.map(jnp.zeros_like, parameters), jnp.float32(0))
    images, labels = map(jnp.asarray, load(arguments.data))
    for _ in range(arguments.epochs):
        with EpochTimer() as timer:
            losses = []
            for order in minibatches(rng.permutation(len(labels)), arguments.batch):
                state, some_losses = epoch(state, images, labels, order)
                losses.append(some_losses)
            timer.loss = float(np.concatenate(losses).mean())
    print_accuracy(arguments.data, lambda images: forward(state[0], images).argmax(1))


if __name__ == "__main__":
    main()
