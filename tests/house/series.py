#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""docs/series.md against the tree: no cell is empty, all patches are there, and every file, scenario, rule and test that it
names exists. Usage: series.py TDXSIM; TAP."""
import os
import re
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


def rows():
    """(line number, cells) of every row of a table."""
    with open(os.path.join(ROOT, "docs", "series.md"), encoding="ascii") as f:
        for n, line in enumerate(f, 1):
            if line.startswith("|") and not line.startswith(("|---", "| patch |", "| change |")):
                yield n, [c.strip() for c in line.strip().strip("|").split("|")]


def words(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_functions():
    found = set()
    for d, _, files in os.walk(os.path.join(ROOT, "tests")):
        for name in files:
            if name.endswith(".c"):
                with open(os.path.join(d, name), encoding="ascii") as f:
                    found.update(re.findall(r"^static void (test_\w+)\(", f.read(), re.M))
    return found


def oracles(tdxsim):
    out = subprocess.run([tdxsim, "list", "oracles"], check=True, capture_output=True, text=True).stdout
    return {line.split()[1] for line in out.splitlines() if line.strip()}


def problems(tdxsim):
    rules = oracles(tdxsim) | test_functions()
    seen = []
    for n, cells in rows():
        if len(cells) != 5 or not all(cells):
            yield f"line {n}: a row has 5 cells, and none is empty"
            continue
        seen.append(cells[0])
        for name in words(cells[2]):
            if not os.path.isfile(os.path.join(ROOT, name)):
                yield f"line {n}: there is no file {name}"
        for name in words(cells[3]):
            if not os.path.isfile(os.path.join(ROOT, "tests", "scenarios", name + ".scn")):
                yield f"line {n}: there is no scenario {name}"
        if not words(cells[2]) or not words(cells[4]):
            yield f"line {n}: a row names a file and a rule"
        for name in words(cells[4]):
            if name not in rules:
                yield f"line {n}: there is no rule or test {name}"
    for patch in (f"p{i:02}" for i in range(1, 25)):
        if seen.count(patch) != 1:
            yield f"{patch} has {seen.count(patch)} rows"


def main():
    bad = list(problems(sys.argv[1]))
    print("1..1")
    print(("not ok" if bad else "ok") + " 1 - docs/series.md names what is there")
    for line in bad:
        print("# " + line)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
