#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""docs/rules.md against the tree: each rule has its row, oracles, files, planted bugs and tests named in it exist, and a
planted bug expects to break an oracle of its row. Usage: rules.py TDXSIM; TAP."""
import os
import re
import sys

sys.dont_write_bytecode = True  # nothing appears in the source tree

from series import ROOT, oracles, test_functions, words

LAST = 44
BUGS = os.path.join(ROOT, "tests", "bugs")


def rows():
    """(line number, cells) of the table."""
    with open(os.path.join(ROOT, "docs", "rules.md"), encoding="ascii") as f:
        for n, line in enumerate(f, 1):
            if re.match(r"\| R\d+ ", line):
                yield n, [c.strip() for c in line.strip().strip("|").split("|")]


def expected_oracle(bug):
    """What the planted bug's scenario expects to break; None without such a bug."""
    try:
        with open(os.path.join(BUGS, bug + ".scn"), encoding="ascii") as f:
            text = f.read()
    except FileNotFoundError:
        return None
    found = re.search(r"^expect violation (\S+)", text, re.M)
    planted = os.path.isfile(os.path.join(BUGS, bug + ".patch")) or re.search(r"^# with: ", text, re.M)
    return found and planted and found.group(1)


def problems(tdxsim):
    known, tests, seen = oracles(tdxsim), test_functions(), []
    for n, cells in rows():
        if len(cells) != 4 or not all(cells):
            yield f"line {n}: a row has 4 cells, and none is empty"
            continue
        seen.append(cells[0])
        judges, breakers = words(cells[2]), words(cells[3])
        if not judges or not breakers:
            yield f"line {n}: a row names who judges and what breaks"
        for name in judges:
            if name not in known and not os.path.isfile(os.path.join(ROOT, name)):
                yield f"line {n}: there is no oracle or file {name}"
        for name in breakers:
            if name in tests:
                continue
            broken = expected_oracle(name)
            if not broken:
                yield f"line {n}: there is no planted bug or test {name}"
            elif broken not in judges:
                yield f"line {n}: {name} breaks {broken}, which does not judge this rule"
    for rule in (f"R{i}" for i in range(1, LAST + 1)):
        if seen.count(rule) != 1:
            yield f"{rule} has {seen.count(rule)} rows"


def main():
    bad = list(problems(sys.argv[1]))
    print("1..1")
    print(("not ok" if bad else "ok") + " 1 - each rule of docs/rules.md is broken on purpose")
    for line in bad:
        print("# " + line)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
