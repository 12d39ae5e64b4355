"""Errors of scripts/sweep.py: one line each, and an exit code."""


class SweepError(Exception):
    """A failure: exit code 1."""

    exit_code = 1


class UsageError(SweepError):
    """An invalid command line: exit code 2."""

    exit_code = 2
