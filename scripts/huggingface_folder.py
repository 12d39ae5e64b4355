#!/usr/bin/env python3
"""Writes a model as a Hugging Face repository: model.safetensors, config.json and a model card.

    scripts/huggingface_folder.py --model model.pt --data data/mnist --out digits

The card states the accuracy that mnist-eval measures on the test split of --data. Check it, add a license,
and upload the folder with huggingface-cli upload.
"""

import argparse
import json
import pathlib
import struct
import subprocess

from accuracy_gate import wilson_interval

MODULES = {"relu": "nn.ReLU()", "tanh": "nn.Tanh()", "sigmoid": "nn.Sigmoid()", "identity": "nn.Identity()"}

CARD = """---
library_name: pytorch
pipeline_tag: image-classification
tags:
- mnist
model-index:
- name: {name}
  results:
  - task:
      type: image-classification
    dataset:
      type: {data}
      name: {data}
      split: test
    metrics:
    - type: accuracy
      value: {accuracy:.4f}
---

# {name}

A multilayer perceptron, {shape}, {activation}, trained by {program}.

Accuracy on the {examples:,} test images of `{data}`: {percent:.2f} % (95 % interval {low:.2f} to {high:.2f}),
loss {loss:.4f}.

## Use

```python
from safetensors.torch import load_file
from torch import nn

model = nn.Sequential({layers})
model.load_state_dict(load_file("model.safetensors"))
```

The input is a batch of images, f32 [count, {inputs}], row by row, pixels from 0 (background) to 1 (ink). The
output is the logits of the classes {classes}.

## Training

{options}

## Limitations

The accuracy holds for images prepared like those of the dataset: centered, of the same size, light on dark.
Others must be prepared first, as `mnist-predict` does. The network assigns one of its classes to any input.
"""


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="model.pt")
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("data/mnist"))
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder to write")
    return parser.parse_args()


def read_info(path):
    """Returns what mnist-export recorded about the network in a .safetensors file."""
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    return json.loads(json.loads(content[8:8 + size])["__metadata__"]["mnist"])


def card_text(name, data, info, evaluation):
    widths = [info["shape"]["inputs"], *info["shape"]["hidden"], info["shape"]["classes"]]
    linear = [f"nn.Linear({inputs}, {outputs})" for inputs, outputs in zip(widths, widths[1:])]
    low, high = wilson_interval(evaluation["correct"], evaluation["examples"])
    options = (info.get("training") or {}).get("options") or {"options": "unknown"}
    return CARD.format(
        name=name, data=data, shape="-".join(map(str, widths)), activation=info["activation"],
        program=info["program"], accuracy=evaluation["accuracy"], examples=evaluation["examples"],
        percent=100 * evaluation["accuracy"], low=100 * low, high=100 * high, loss=evaluation["loss"],
        layers=f", {MODULES[info['activation']]}, ".join(linear), inputs=widths[0],
        classes=", ".join(info["class_names"]),
        options="\n".join(f"- `{key}`: {json.dumps(value)}" for key, value in options.items()))


def main():
    arguments = parse_arguments()
    arguments.out.mkdir(parents=True, exist_ok=True)
    weights = arguments.out / "model.safetensors"
    subprocess.run(["mnist-export", "--model", arguments.model, "--to", "safetensors", "--out", weights], check=True)
    evaluation = json.loads(subprocess.run(
        ["mnist-eval", "--model", arguments.model, "--data", arguments.data, "--json"], check=True,
        stdout=subprocess.PIPE).stdout)
    info = read_info(weights)
    config = {"model_type": "mlp", **info["shape"], "activation": info["activation"],
              "id2label": dict(enumerate(info["class_names"]))}
    (arguments.out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    name = arguments.out.resolve().name
    (arguments.out / "README.md").write_text(card_text(name, arguments.data.resolve().name, info, evaluation))


if __name__ == "__main__":
    main()
