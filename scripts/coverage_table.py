"""Sums llvm-cov's summary (JSON on standard input) by module of src; see coverage.sh."""

import json
import pathlib
import sys

KINDS = ("lines", "branches")


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    modules = {}
    for file in json.load(sys.stdin)["data"][0]["files"]:
        try:
            path = pathlib.Path(file["filename"]).relative_to(root)
        except ValueError:
            continue
        if path.parts[0] not in ("src", "include"):
            continue
        folder = path.parent.relative_to("src" if path.parts[0] == "src" else "include/mnist")
        sums = modules.setdefault(str(folder), {kind: [0, 0] for kind in KINDS})
        for kind in KINDS:
            sums[kind][0] += file["summary"][kind]["covered"]
            sums[kind][1] += file["summary"][kind]["count"]
    total = {kind: [sum(sums[kind][i] for sums in modules.values()) for i in (0, 1)] for kind in KINDS}
    print("| module | lines | | branches | |\n|---|---|---|---|---|")
    for name, sums in [*sorted(modules.items()), ("all", total)]:
        cells = []
        for covered, count in (sums[kind] for kind in KINDS):
            cells.append(f"{100 * covered / max(count, 1):.1f} % | {covered:,} of {count:,}")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
