"""Sums gcovr's JSON summary by module of src: coverage_table.py FILE. See coverage.sh."""

import collections
import json
import pathlib
import sys

KINDS = ("line", "branch")


def module_of(filename):
    """Returns the directory of a source file; a public header belongs to the module of its name."""
    parts = pathlib.PurePath(filename).parent.parts
    return "/".join(parts[1:] if parts[0] == "src" else parts[2:])


def main():
    modules = collections.defaultdict(collections.Counter)
    for file in json.loads(pathlib.Path(sys.argv[1]).read_text())["files"]:
        counts = {f"{kind}_{part}": file[f"{kind}_{part}"] for kind in KINDS for part in ("covered", "total")}
        modules[module_of(file["filename"])].update(counts)
        modules["all"].update(counts)
    print("| module | lines | of | branches | of |\n|---|---|---|---|---|")
    for name in sorted(modules, key=lambda name: (name == "all", name)):
        cells = []
        for kind in KINDS:
            covered, total = (modules[name][f"{kind}_{part}"] for part in ("covered", "total"))
            cells.append(f"{100 * covered / max(total, 1):.1f} % | {total:,}")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
