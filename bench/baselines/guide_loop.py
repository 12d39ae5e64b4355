"""The textbook PyTorch loop: a DataLoader and one eager step per minibatch. It uses the fastest data
set for a DataLoader: a TensorDataset, converted to f32 once."""

import torch
from common import EpochTimer, load, parse_arguments, print_accuracy
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    layers = []
    for inputs, outputs in zip(arguments.widths, arguments.widths[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    model = nn.Sequential(*layers[:-1]).to(arguments.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    criterion = nn.CrossEntropyLoss()
    images, labels = map(torch.from_numpy, load(arguments.data))
    loader = DataLoader(TensorDataset(images, labels), batch_size=arguments.batch, shuffle=True)
    for _ in range(arguments.epochs):
        with EpochTimer() as timer:
            model.train()
            total = 0.0
            for data, target in loader:
                optimizer.zero_grad()
                data, target = data.to(arguments.device), target.to(arguments.device)
                loss = criterion(model(data), target)
                loss.backward()
                optimizer.step()
                total += loss.item()
            timer.loss = total / len(loader)
    print_accuracy(arguments.data, lambda images: model(torch.from_numpy(images).to(arguments.device)).argmax(1).cpu())


if __name__ == "__main__":
    main()
