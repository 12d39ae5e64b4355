"""Computes the numbers of goldens.json without the project's code: random numbers, images, a training run.

Philox and what is drawn from it, distorted digits in double precision, 20 training steps in numpy, and the bytes in the stored
files. The test compares the results with goldens.json; tests/train/goldens_test.cpp compares the C++ code with the same file.
`independent.py --print` prints the file's content.
"""

import json
import math
import pathlib
import sys
import unittest
import zlib

try:
    import numpy
except ImportError:
    print("needs the Python package numpy: skipped")
    sys.exit(77)

from programs import SUBSET, read_split, tensor_bytes

FOLDER = pathlib.Path(__file__).parent
FILE = FOLDER / "goldens.json"
U64, F32 = numpy.uint64, numpy.float32
INITIALIZATION, SHUFFLE, VALIDATION_SPLIT, AUGMENTATION, DROPOUT = 1, 2, 3, 4, 5


def crc32(array, dtype):
    return zlib.crc32(numpy.ascontiguousarray(array, dtype).tobytes())


def blocks(seed, purpose, epoch, indices):
    """Philox 4x32-10 of Salmon et al. (SC 2011): four words for each index, u64 [count, 4]."""
    low, shift = U64(0xFFFFFFFF), U64(32)
    indices = numpy.asarray(indices, U64)
    words = [indices & low, indices >> shift, numpy.full_like(indices, epoch), numpy.full_like(indices, purpose)]
    key = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        first, second = U64(0xD2511F53) * words[0], U64(0xCD9E8D57) * words[2]
        words = [(second >> shift) ^ words[1] ^ U64(key[0]), second & low,
                 (first >> shift) ^ words[3] ^ U64(key[1]), first & low]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return numpy.stack(words, axis=1)


def words(seed, purpose, epoch, first, count):
    """`count` consecutive words of a stream, from word `first` of a multiple of 4."""
    return blocks(seed, purpose, epoch, numpy.arange(first // 4, (first + count + 3) // 4)).ravel()[:count]


def uniform(bits):
    return (bits >> U64(8)).astype(numpy.float64) / 2**24


def permutation(seed, purpose, epoch, count):
    """Fisher-Yates; the number below `bound` is the high word of 64 random bits times `bound`."""
    bounds = numpy.arange(count, 1, -1, dtype=U64)
    drawn = blocks(seed, purpose, epoch, bounds)
    chosen = (drawn[:, 1] * bounds + (drawn[:, 0] * bounds >> U64(32))) >> U64(32)
    order = list(range(count))
    for bound, other in zip(bounds.tolist(), chosen.tolist()):
        order[bound - 1], order[other] = order[other], order[bound - 1]
    return order


def initial_parameters(widths, seed, he=False):
    """Weight and bias of each layer, f32."""
    parameters = []
    for layer, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        for stream, shape in ((2 * layer, (outputs, inputs)), (2 * layer + 1, (outputs,))):
            count = math.prod(shape)
            if he:
                pairs = uniform(words(seed, INITIALIZATION, stream, 0, 2 * count)).reshape(-1, 2).tolist()
                values = [0.0 if len(shape) == 1 else math.sqrt(2 / inputs) * math.sqrt(-2 * math.log(1 - u)) *
                          math.cos(2 * math.pi * v) for u, v in pairs]
            else:
                bound = F32(1) / numpy.sqrt(F32(inputs))
                values = bound * (2 * uniform(words(seed, INITIALIZATION, stream, 0, count)) - 1).astype(F32)
            parameters.append(numpy.array(values, F32).reshape(shape))
    return parameters


def kept(probability, seed, layer, step, tile, units):
    """Dropout's masks, u32 [units]: bit e keeps the unit for example e of 32."""
    numerator = round((1 - probability) * 2**16)
    indices = (layer << 40 | tile << 20) + numpy.arange(units)
    bits = blocks(seed, DROPOUT, step, (indices[:, None] * 4 + numpy.arange(4)).ravel()).reshape(units, 16)
    numbers = ((bits[:, :, None] >> numpy.arange(32, dtype=U64) & U64(1)) << numpy.arange(16, dtype=U64)[:, None])
    smaller = numbers.sum(axis=1) < numerator  # [units, 32]
    return (smaller.astype(U64) << numpy.arange(32, dtype=U64)).sum(axis=1)


class Distortion:
    """One distorted image in double precision, and how far its pixels are from being rounded differently."""

    def __init__(self, options, image, seed, epoch, index):
        self.options = {"rotation": 0, "translation": 0, "scaling": 0, "shear": 0, "elastic": 0,
                        "elastic-smoothness": 4, "flip": 0, "erasing": 0, "fade-augment": 0, "epochs": 1} | options
        # What fades out has this strength in the middle of the epoch.
        faded = self.options["fade-augment"] * self.options["epochs"]
        left = self.options["epochs"] - epoch + 0.5
        for name in ("rotation", "translation", "scaling", "shear", "elastic", "erasing"):
            self.options[name] *= min(left / faded, 1) if faded else 1
        self.words = iter(words(seed, AUGMENTATION, epoch, index * 4 * 2**20, 2000))
        self.margin = 1.0
        side = image.shape[0]
        center = numpy.full(2, (side - 1) / 2)
        matrix, shift = self.affine()
        target = numpy.stack(numpy.meshgrid(numpy.arange(side), numpy.arange(side)), axis=-1)  # (x, y) of [y, x]
        source = (target - center) @ matrix.T + center + shift
        if self.options["elastic"] > 0:
            source = source + self.elastic(side)
        exact = self.interpolated(image.astype(numpy.float64), source)
        self.margin = min(self.margin, numpy.abs(exact % 1 - 0.5).min())
        self.pixels = numpy.rint(exact).astype(numpy.uint8)
        if self.options["erasing"] > 0:
            self.erase(side)

    def uniform(self, low, high):
        return low + (high - low) * float(uniform(numpy.array([next(self.words)]))[0])

    def either_way(self, name):
        return self.uniform(-self.options[name], self.options[name])

    def affine(self):
        """Rotation times shear times scale, mirrored by chance; and the shift."""
        angle = math.radians(self.either_way("rotation"))
        slant = math.tan(math.radians(self.either_way("shear")))
        scale = [1 / (1 + self.either_way("scaling")) for _ in range(2)]
        shift = numpy.array([self.either_way("translation") for _ in range(2)])
        mirror = -1 if self.uniform(0, 1) < self.options["flip"] else 1
        rotation = numpy.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        shear = numpy.array([[1, slant], [0, 1]])
        return numpy.diag([mirror, 1]) @ rotation @ shear @ numpy.diag(scale), shift

    def normal(self):
        first, second = int(next(self.words)), int(next(self.words))
        total = sum(part / 2**16 for word in (first, second) for part in (word & 0xFFFF, word >> 16))
        return (total - 2) * math.sqrt(3)

    def elastic(self, side):
        """Cubic B-splines between random control points, scaled to a variance of 1 at each pixel."""
        spacing = self.options["elastic-smoothness"] * math.sqrt(3)
        points = int((side - 1) / spacing) + 4
        distance = numpy.abs(numpy.arange(side)[:, None] / spacing - (numpy.arange(points) - 1))
        weights = numpy.where(distance < 1, 2 / 3 - distance**2 * (1 - distance / 2),
                              numpy.clip(2 - distance, 0, None)**3 / 6)
        weights /= numpy.sqrt((weights**2).sum(axis=1, keepdims=True))
        control = [[self.options["elastic"] * self.normal() for _ in range(points**2)] for _ in range(2)]
        return numpy.stack([weights @ numpy.reshape(c, (points, points)) @ weights.T for c in control], axis=-1)

    @staticmethod
    def interpolated(image, source):
        side = image.shape[0]
        padded = numpy.pad(image, 2)  # blank outside of the image
        x, y = numpy.clip(source[..., 0], -1, side) + 2, numpy.clip(source[..., 1], -1, side) + 2
        left, top = numpy.floor(x).astype(int), numpy.floor(y).astype(int)
        right_part, bottom_part = x - left, y - top
        upper = padded[top, left] * (1 - right_part) + padded[top, left + 1] * right_part
        lower = padded[top + 1, left] * (1 - right_part) + padded[top + 1, left + 1] * right_part
        return upper * (1 - bottom_part) + lower * bottom_part

    def erase(self, side):
        if self.uniform(0, 1) >= self.options["erasing"]:
            return
        area = self.uniform(0.02, 0.33) * side * side
        aspect = math.exp(self.uniform(-math.log(3.3), math.log(3.3)))
        exact = [math.sqrt(area * aspect), math.sqrt(area / aspect)]
        width, height = (min(max(round(length), 1), side) for length in exact)
        corner = [self.uniform(0, side - width + 1), self.uniform(0, side - height + 1)]
        self.margin = min(self.margin, *(abs(length % 1 - 0.5) for length in exact),
                          *(min(c % 1, 1 - c % 1) for c in corner))
        left, top = map(int, corner)
        self.pixels[top:top + height, left:left + width] = 0


DISTORTIONS = [{"rotation": 20}, {"translation": 2}, {"scaling": 0.2}, {"shear": 20}, {"elastic": 1},
               {"elastic": 1, "elastic-smoothness": 8}, {"flip": 1}, {"erasing": 1},
               {"rotation": 10, "translation": 1, "scaling": 0.1, "shear": 5, "elastic": 0.8, "flip": 1, "erasing": 1},
               {"rotation": 20, "translation": 2, "scaling": 0.2, "shear": 20, "elastic": 1, "flip": 1, "erasing": 1,
                "fade-augment": 1, "epochs": 3}]


def distorted_digits():
    """For each distortion, the first digit of which no pixel is so close to a tie that single precision could round
    it differently."""
    images = read_split(SUBSET, "train")[0].reshape(-1, 28, 28)
    digits = []
    for options in DISTORTIONS:
        index, result = next((i, d) for i in range(1000)
                             if (d := Distortion(options, images[i], 0, 1, i)).margin > 0.004)
        digits.append({"options": options, "index": index, "crc32": crc32(result.pixels, numpy.uint8)})
    return digits


def training_run():
    """20 steps of AdamW with everything but augmentation; losses, and the L2 norm of each averaged parameter."""
    seed, lr, decay, clip, smoothing, ema, dropout = 4, 0.001, 0.01, 0.5, 0.1, 0.9, (0.1, 0.2, 0.5)
    images, labels = read_split(SUBSET, "train")
    parameters = [p.astype(numpy.float64) for p in initial_parameters([784, 16, 12, 10], 0)]
    first = [numpy.zeros_like(p) for p in parameters]
    second = [numpy.zeros_like(p) for p in parameters]
    averages = [p.copy() for p in parameters]
    losses = []
    for step in range(1, 21):
        rows = slice(32 * (step - 1), 32 * step)
        values, inputs, factors = images[rows] / 255, [], []
        for layer, probability in enumerate(dropout):
            masks = kept(probability, seed, layer, step, 0, values.shape[1])
            keep = (masks >> numpy.arange(32, dtype=U64)[:, None] & U64(1)) / (round((1 - probability) * 2**16) / 2**16)
            factors.append(keep * (values > 0))
            inputs.append(values * keep)
            values = inputs[-1] @ parameters[2 * layer].T + parameters[2 * layer + 1]
            if layer < 2:
                values = numpy.maximum(values, 0)
        shifted = values - values.max(axis=1, keepdims=True)
        log_softmax = shifted - numpy.log(numpy.exp(shifted).sum(axis=1, keepdims=True))
        target = smoothing / 10 + (1 - smoothing) * numpy.eye(10)[labels[rows]]
        losses.append(-(target * log_softmax).sum() / 32)
        deltas, gradients = (numpy.exp(log_softmax) - target) / 32, []
        for layer in (2, 1, 0):
            gradients = [deltas.T @ inputs[layer], deltas.sum(axis=0), *gradients]
            deltas = deltas @ parameters[2 * layer] * factors[layer]
        norm = math.sqrt(sum((g**2).sum() for g in gradients))
        for i, gradient in enumerate(gradients):
            gradient = gradient * min(1, clip / (norm + 1e-6))
            first[i] = 0.9 * first[i] + 0.1 * gradient
            second[i] = 0.999 * second[i] + 0.001 * gradient**2
            root = numpy.sqrt(second[i] / (1 - 0.999**step)) + 1e-8
            parameters[i] = (1 - lr * decay) * parameters[i] - lr * first[i] / (1 - 0.9**step) / root
            if step % 8 == 0:
                averages[i] += (1 - min(ema, step / (step + 10))**8) * (parameters[i] - averages[i])
    return {"losses": losses, "norms": [float(numpy.linalg.norm(a)) for a in averages]}


def goldens():
    flat = lambda parameters: numpy.concatenate([p.ravel() for p in parameters])
    widths = [784, 256, 128, 10]
    masks = [kept(0.3, 0, 1, step, tile, 100) for step in (1, 2) for tile in (0, 1)]
    return {
        "initial weights": crc32(flat(initial_parameters(widths, 0)), "<f4"),
        "initial weights of he": crc32(flat(initial_parameters(widths, 0, he=True)), "<f4"),
        "permutation": crc32(permutation(0, SHUFFLE, 1, 60000), "<i8"),
        "validation": crc32(sorted(permutation(0, VALIDATION_SPLIT, 0, 60000)[:5000]), "<i8"),
        "dropout masks": crc32(numpy.concatenate(masks), "<u4"),
        "distorted digits": distorted_digits(),
        "training": training_run(),
        "stored model": zlib.crc32(tensor_bytes(FOLDER / "model.safetensors")),
        "stored checkpoint": zlib.crc32(tensor_bytes(FOLDER / "checkpoint.safetensors")),
    }


class Goldens(unittest.TestCase):
    def test_the_stored_numbers_are_those_computed_here(self):
        stored, computed = json.loads(FILE.read_text()), goldens()
        for results in (stored, computed):  # sums in a different order differ in the last digits
            results["training"] = {k: [round(x, 9) for x in v] for k, v in results["training"].items()}
        self.assertEqual(stored, computed)


if __name__ == "__main__":
    if sys.argv[1:] == ["--print"]:
        print(json.dumps(goldens(), indent=2))
    else:
        unittest.main()
