"""The fastest eager PyTorch loop found: resident tensors, Adam(fused=True), no .item() per minibatch.
--compile MODE compiles the forward pass and the loss with torch.compile."""

import torch
from common import EpochTimer, load, parse_arguments, print_accuracy
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
    images, labels = (torch.from_numpy(array).to(arguments.device) for array in load(arguments.data))

    def loss_of(data, target):
        return nn.functional.cross_entropy(model(data), target)

    if arguments.compile:
        # The short last minibatch is compiled by itself, so that the others keep their fixed shape.
        loss_of = torch.compile(loss_of, mode=arguments.compile, dynamic=False)
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
    print_accuracy(arguments.data, lambda images: model(torch.from_numpy(images).to(arguments.device)).argmax(1).cpu())


if __name__ == "__main__":
    main()
