#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# Every table in docs/dispute.md is what its command prints: runs each one and compares.
#
# Usage: tests/lab/dispute.py TDXSIM [--update]
#        --update puts what is printed now in the place of what stands there.
import difflib
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOC = ROOT / "docs/dispute.md"
BLOCK = re.compile(r"^```console\n\$ (tdxsim (?:[^\n]*\\\n)*[^\n]*)\n(.*?)^```$", re.M | re.S)


def run(tdxsim, command):
    words = shlex.split(command.replace("\\\n", " "))
    env = dict(os.environ, LC_ALL="C")
    done = subprocess.run([tdxsim] + words[1:], cwd=ROOT, env=env, capture_output=True, text=True)
    return done.stdout + done.stderr


def main():
    tdxsim = os.path.realpath(sys.argv[1])
    update = sys.argv[2:] == ["--update"]
    text = DOC.read_text()
    blocks = list(BLOCK.finditer(text))
    bad = 0
    new = text
    for nr, block in enumerate(blocks, 1):
        command, old = block.groups()
        seen = run(tdxsim, command)
        name = " ".join(command.replace("\\\n", " ").split())
        if seen == old:
            print(f"ok {nr} - {name}")
            continue
        if update:
            new = new.replace(block.group(0), f"```console\n$ {command}\n{seen}```", 1)
            print(f"ok {nr} - {name} # updated")
            continue
        bad += 1
        print(f"not ok {nr} - {name}")
        for line in difflib.unified_diff(old.splitlines(), seen.splitlines(), "docs/dispute.md", "now", lineterm=""):
            print("# " + line)
    if update and new != text:
        DOC.write_text(new)
    if bad:
        print("# if that is what it should print: tests/lab/dispute.py TDXSIM --update, and read the words around it again")
    print(f"1..{len(blocks)}")
    return 1 if bad or not blocks else 0


sys.exit(main())
