"""The fastest eager PyTorch loop found: resident tensors, Adam(fused=True), no .item() per minibatch.
BASELINE_COMPILE=1 compiles the forward pass and the loss with torch.compile (CUDA graphs on a GPU)."""

import os

import torch
from common import EpochTimer, parse_arguments, training_set
from torch import nn


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    layers = []
    for inputs, outputs in zip(arguments.widths, arguments.widths[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    model = nn.Sequential(*layers[:-1]).to(arguments.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001, fused=True)
    images, labels = training_set(arguments.data)
    # Converted once: gathering f32 is cheaper than gathering u8 and converting every minibatch.
    images = torch.from_numpy(images).to(arguments.device).float().div_(255)
    labels = torch.from_numpy(labels).to(arguments.device).long()

    def loss_of(data, target):
        return nn.functional.cross_entropy(model(data), target)

    if os.environ.get("BASELINE_COMPILE"):
        loss_of = torch.compile(loss_of, mode="default" if arguments.device == "cpu" else "reduce-overhead")
    for _ in range(arguments.epochs):
        with EpochTimer() as timer:
            minibatches = torch.randperm(len(labels), device=arguments.device).split(arguments.batch)
            total = torch.zeros((), device=arguments.device)
            for indices in minibatches:
                optimizer.zero_grad(set_to_none=True)
                loss = loss_of(images[indices], labels[indices])
                loss.backward()
                optimizer.step()
                total += loss.detach()
            timer.loss = total.item() / len(minibatches)


if __name__ == "__main__":
    main()
