"""JAX: each epoch is one jitted lax.scan over device-resident data, with Adam written by hand."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from common import EpochTimer, parse_arguments, training_set


def loss_of(parameters, data, target):
    for weight, bias in parameters[:-1]:
        data = jax.nn.relu(data @ weight + bias)
    weight, bias = parameters[-1]
    scores = jax.nn.log_softmax(data @ weight + bias)
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

    state, losses = jax.lax.scan(one_step, state, order)
    return state, losses.mean()


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
    images, labels = training_set(arguments.data)
    images = jnp.asarray(images, jnp.float32) / 255
    labels = jnp.asarray(labels, jnp.int32)
    whole = len(labels) // arguments.batch * arguments.batch
    for _ in range(arguments.epochs):
        with EpochTimer() as timer:
            order = rng.permutation(len(labels))[:whole].reshape(-1, arguments.batch)
            state, loss = epoch(state, images, labels, order)
            timer.loss = float(loss)


if __name__ == "__main__":
    main()
