#!/usr/bin/env python3
"""Fails unless an accuracy is above a limit with 95 % confidence.

    mnist-eval --model model.pt --json | scripts/accuracy_gate.py --at-least 97

Reads mnist-eval's JSON from standard input. The lower end of the 95 % Wilson interval is compared with the limit,
so a network that reached it only because the test set was lucky does not pass. Exits with 3 below the limit, like
mnist-eval.
"""

import argparse
import json
import math
import sys


def wilson_interval(correct, examples, z=1.959963984540054):
    """Returns the 95 % confidence interval of a fraction (Wilson 1927)."""
    share, scale = correct / examples, 1 + z * z / examples
    center = share + z * z / (2 * examples)
    half = z * math.sqrt(share * (1 - share) / examples + z * z / (4 * examples * examples))
    return (center - half) / scale, (center + half) / scale


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--at-least", type=float, required=True, metavar="PERCENT")
    limit = parser.parse_args().at_least
    evaluation = json.load(sys.stdin)
    low, high = (100 * end for end in wilson_interval(evaluation["correct"], evaluation["examples"]))
    passed = low >= limit
    print(f"accuracy {100 * evaluation['accuracy']:.2f} % (95 % interval {low:.2f} to {high:.2f}): "
          f"{'passes' if passed else 'below'} the limit of {limit:g} %")
    sys.exit(0 if passed else 3)


if __name__ == "__main__":
    main()
