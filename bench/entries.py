"""The entries of bench/compare.py: the command and environment variables of each."""

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
    """Returns a dict from each entry's name to its command, without the flags that all entries share, and its
    environment variables."""
    device = ["--device", arguments.device]
    all_entries = {}
    for engine in arguments.engines.split(","):
        all_entries[f"mnist-train, {engine}"] = [arguments.build / "bin/mnist-train", "--engine", engine, *device], {}
    for name, (script, *flags) in PYTORCH.items():
        all_entries[name] = [sys.executable, BASELINES / script, *flags, *device], {}
    if arguments.device == "cpu":
        all_entries["LibTorch C++ example"] = [arguments.build / "bench/cpp_example"], {}
        for name, (script, *flags) in OTHERS.items():
            preload = {"LD_PRELOAD": str(OPENBLAS)} if name == "MLX" and OPENBLAS.exists() else {}
            all_entries[name] = [PYTHON, BASELINES / script, *flags], preload
    wanted = arguments.only.split(",")
    return {name: entry for name, entry in all_entries.items() if any(part in name for part in wanted)}
