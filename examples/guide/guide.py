"""All PyTorch code of docs/guide.md; main.cpp is the same in LibTorch.

usage: guide.py [DATA_DIRECTORY [EPOCHS [MODEL]]]   (defaults: data/mnist 15)

DATA_DIRECTORY holds the four IDX files of MNIST, uncompressed. MODEL is a file of
mnist-train, which is evaluated at the end. A test compares this file with the guide.
"""

import math
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

data = sys.argv[1] if len(sys.argv) > 1 else "data/mnist"
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 15
batch_size, learning_rate = 32, 0.001
torch.manual_seed(0)

# What does the network see?
def read(name, header):
    path = f"{data}/{name}-ubyte"
    return torch.from_numpy(np.fromfile(path, np.uint8)[header:])

images = read("train-images-idx3", 16).reshape(-1, 784) / 255
labels = read("train-labels-idx1", 8).long()
test_images = read("t10k-images-idx3", 16).reshape(-1, 784) / 255
test_labels = read("t10k-labels-idx1", 8).long()
print("images:", list(images.shape), "first label:", labels[0].item())

# What is a network?
def make_network():
    return nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(),
        nn.Linear(256, 128), nn.ReLU(),
        nn.Linear(128, 10))

model = make_network()
count = sum(p.numel() for p in model.parameters())
print("parameters:", count)

# How wrong is an answer?
x, y = images[:32], labels[:32]
p = model(x).softmax(dim=1)
loss = -p.gather(1, y[:, None]).log().mean()
same = F.cross_entropy(model(x), y)
print(f"loss by hand {loss:.4f}, by cross_entropy {same:.4f}")

# How does a network learn?
optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
loss = F.cross_entropy(model(x), y)
optimizer.zero_grad()  # forget the previous gradient
loss.backward()        # backpropagation
optimizer.step()       # move every weight a little
print(f"before the step {loss:.4f}, after it {F.cross_entropy(model(x), y):.4f}")

# What does the whole training look like?
def train(model, optimizer, epochs):
    model.train()
    for epoch in range(epochs):
        order = torch.randperm(len(images))
        for batch in order.split(batch_size):
            logits = model(images[batch])
            loss = F.cross_entropy(logits, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

train(model, optimizer, epochs)

# How good is it? Which digits does it confuse?
def evaluate(model):
    model.eval()
    with torch.no_grad():
        answers = model(test_images).argmax(dim=1)
    correct = (answers == test_labels).sum().item()
    accuracy = 100 * correct / len(test_labels)
    print(f"test accuracy {accuracy:.2f} %")
    pairs = 10 * test_labels + answers
    confusion = pairs.bincount(minlength=100).reshape(10, 10)
    confusion.fill_diagonal_(0)
    truth, answer = divmod(confusion.argmax().item(), 10)
    print(f"most often, {truth} was taken for {answer}")

evaluate(model)

# Why does the loss jump from step to step?
with torch.no_grad():
    each = F.cross_entropy(model(x), y, reduction="none")
print(f"losses from {each.min():.4f} to {each.max():.4f}")

# How large a minibatch?
for size in (1, 32, 4096):
    steps = len(torch.arange(len(images)).split(size))
    print(size, "images per step:", steps, "steps")

# Can several minibatches be processed at once?
def gradient(first, last):
    model.zero_grad()
    logits = model(images[first:last])
    F.cross_entropy(logits, labels[first:last]).backward()
    return model[0].weight.grad.clone()

both = gradient(0, 64)
mean = (gradient(0, 32) + gradient(32, 64)) / 2
print(f"largest difference {(both - mean).abs().max():.1e}")

# Does the order matter?
shuffled = torch.randperm(len(labels))
as_in_files = torch.arange(len(labels))
sorted_by_digit = labels.argsort()
print("sorted by digit:", labels[sorted_by_digit[:5]].tolist())

# How large should the steps be?
def set_learning_rate(epoch):
    cosine = math.cos(math.pi * epoch / epochs)
    for group in optimizer.param_groups:
        group["lr"] = learning_rate * (1 + cosine) / 2

set_learning_rate(epochs // 2)
print(f"learning rate halfway {optimizer.param_groups[0]['lr']:.5f}")

# Can training get stuck?
def halfway(first, second):
    middle = make_network()
    with torch.no_grad():
        both = zip(first.parameters(), second.parameters())
        for m, (a, b) in zip(middle.parameters(), both):
            m.copy_((a + b) / 2)
    return middle

other = make_network()
train(other, torch.optim.Adam(other.parameters(), lr=learning_rate), epochs)
for network in (model, other, halfway(model, other)):
    print(f"loss {F.cross_entropy(network(test_images), test_labels):.3f}")

# Why is there something between the layers?
a, b = nn.Linear(784, 256), nn.Linear(256, 10)
weight = b.weight @ a.weight
bias = b.weight @ a.bias + b.bias
difference = b(a(x)) - F.linear(x, weight, bias)
print(f"two layers and one differ by {difference.abs().max():.1e}")

# Which activation?
z = torch.tensor([-4.0, 0.0, 4.0], requires_grad=True)
z.sigmoid().sum().backward()
print("slopes of the sigmoid:", [round(slope, 3) for slope in z.grad.tolist()])

# Why does the gradient vanish?
for name, p in model.named_parameters():
    print(name, f"{p.grad.norm():.4f}")

# How many units are inactive?
hidden = model[:2](test_images)
inactive = (hidden == 0).float().mean().item()
print(f"inactive: {100 * inactive:.0f} %")

# Which shape should the network have?
for a, b in ((256, 128), (128, 256), (229, 229)):
    count = 785 * a + (a + 1) * b + (b + 1) * 10
    print(a, b, count)

# What has the first layer learned?
weights = model[0].weight.detach().reshape(256, 28, 28)
importance = weights.abs().mean(dim=0)
print(f"center {importance[14, 14]:.4f}, corner {importance[0, 0]:.4f}")

# How do I notice that it learns by heart?
regularized = nn.Sequential(
    nn.Linear(784, 256), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(256, 128), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(128, 10))
regularized.train()  # dropout is on
regularized.eval()   # dropout is off

# Can one image become many?
image = images[0].reshape(28, 28)
shifted = image.roll(shifts=(1, -2), dims=(0, 1))
print("moved by one row and two columns:", list(shifted.shape))

# Does it work with clothes?
clothes = nn.Sequential(
    nn.Linear(784, 512), nn.ReLU(),
    nn.Linear(512, 256), nn.ReLU(),
    nn.Linear(256, 10))
count = sum(p.numel() for p in clothes.parameters())
print("parameters:", count)

# What if it does not learn?
fresh = make_network()
for pixels in (x, 255 * x):
    first = F.cross_entropy(fresh(pixels), y)
    print(f"first loss {first:.2f}, expected {math.log(10):.2f}")

# How do I use the network elsewhere?
def load(path):
    trained = make_network()
    state = torch.load(path, weights_only=True)
    trained.load_state_dict(state)
    return trained

if len(sys.argv) > 3:
    print(f"{sys.argv[3]}: ", end="")
    evaluate(load(sys.argv[3]))
