"""What bench/compare.py measures: the command of each entry, and what it adds to the environment."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
BASELINES = ROOT / "bench/baselines"
# What bench/setup.sh installs.
PYTHON = ROOT / "build/bench-venv/bin/python"
OPENBLAS = ROOT / "build/bench-openblas/libopenblas.so.0"

# Name: script and flags. Those of PyTorch also run with --device cuda.
PYTORCH = {
    "PyTorch, DataLoader": ["guide_loop.py"],
    "PyTorch, resident tensors": ["resident.py"],
    "PyTorch, torch.compile": ["resident.py", "--compile", "reduce-overhead"],
    "PyTorch, max-autotune": ["resident.py", "--compile", "max-autotune"],
}
OTHERS = {
    "JAX": ["jax_scan.py"],
    "Keras": ["keras_fit.py"],
    "MLX": ["mlx_compiled.py"],
    "scikit-learn": ["sklearn_mlp.py"],
}


def entries(arguments):
    """Maps each entry's name to its command, without the flags that all entries have, and its environment."""
    device = ["--device", arguments.device]
    found = {}
    for engine in arguments.engines.split(","):
        found[f"mnist-train, {engine}"] = [arguments.build / "bin/mnist-train", "--engine", engine, *device], {}
    for name, (script, *flags) in PYTORCH.items():
        found[name] = [sys.executable, BASELINES / script, *flags, *device], {}
    if arguments.device == "cpu":
        found["LibTorch C++ example"] = [arguments.build / "bench/cpp_example"], {}
        for name, (script, *flags) in OTHERS.items():
            preload = {"LD_PRELOAD": str(OPENBLAS)} if name == "MLX" and OPENBLAS.exists() else {}
            found[name] = [PYTHON, BASELINES / script, *flags], preload
    wanted = arguments.only.split(",")
    return {name: entry for name, entry in found.items() if any(part in name for part in wanted)}
