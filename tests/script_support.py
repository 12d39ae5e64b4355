"""Calls scripts in tests, on machines on which some commands are missing or replaced by stubs."""

import os
import subprocess


def call(*command, **variables):
    """Runs `command` without CMAKE_PREFIX_PATH; returns the subprocess.CompletedProcess."""
    environment = {k: v for k, v in os.environ.items() if k != "CMAKE_PREFIX_PATH"} | variables
    return subprocess.run([*map(str, command)], capture_output=True, text=True, env=environment, timeout=300)


def write_stubs(directory, **stubs):
    """Writes commands into `directory`: each stub is a command's name (_ for -) with its shell code."""
    directory.mkdir(exist_ok=True)
    for name, code in stubs.items():
        path = directory / name.replace("_", "-")
        path.unlink(missing_ok=True)  # a link to the real command, which must not be written through
        path.write_text(f"#!/bin/sh\n{code}\n")
        path.chmod(0o755)


def path_with_stubs(directory, **stubs):
    """Returns PATH preceded by `directory`, in which each stub is a command with that shell code."""
    write_stubs(directory, **stubs)
    return f"{directory}:{os.environ['PATH']}"
