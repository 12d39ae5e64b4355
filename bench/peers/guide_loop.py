"""The guide's own loop: a Dataset, a DataLoader, an eager step a minibatch."""

import torch
from common import EpochTimer, parse_arguments, training_set
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Images(Dataset):
    """One image at a time, scaled to 0..1, as torchvision's MNIST with ToTensor gives them."""

    def __init__(self, images, labels):
        self.images, self.labels = torch.from_numpy(images), torch.from_numpy(labels).long()

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.images[index].float().div(255), self.labels[index]


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    layers = []
    for inputs, outputs in zip(arguments.widths, arguments.widths[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    criterion = nn.CrossEntropyLoss()
    loader = DataLoader(Images(*training_set(arguments.data)), batch_size=arguments.batch, shuffle=True)
    for _ in range(arguments.epochs):
        with EpochTimer() as timer:
            model.train()
            total = 0.0
            for data, target in loader:
                optimizer.zero_grad()
                loss = criterion(model(data.reshape(-1, 784)), target)
                loss.backward()
                optimizer.step()
                total += loss.item()
            timer.loss = total / len(loader)


if __name__ == "__main__":
    main()
