#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Explore every race of this folder to its end, two at a time.

What lives here: the runner and its two outputs, TAP and the table of docs/exploring.md.
What does not: the races, which are the scenarios beside it, and those with a planted bug (tools/bugs --explore).
"""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LAST = re.compile(r"^states=(\d+) schedules=(\S+) violations=(\d+) complete=(yes|no)$")


def explore(tdxsim, path, options):
    """(last line's match or None, exit status, seconds, output) of one exploration."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run([tdxsim, "explore", *options, path], cwd=scratch, capture_output=True, text=True)
    lines = done.stdout.rstrip("\n").split("\n")
    return LAST.match(lines[-1]), done.returncode, time.monotonic() - began, done.stdout + done.stderr


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0],
                                epilog="Options behind -- go to tdxsim explore: run.py build/tools/tdxsim -- --preemptions 2")
    p.add_argument("tdxsim", help="the program")
    p.add_argument("races", nargs="*", help="names of races (accept-convert); default: all")
    p.add_argument("--at-once", type=int, default=2, metavar="N", help="so many explorations at a time (2)")
    p.add_argument("--markdown", action="store_true", help="the table of docs/exploring.md instead of TAP")
    mine, theirs = sys.argv[1:], []
    if "--" in mine:
        cut = mine.index("--")
        mine, theirs = mine[:cut], mine[cut + 1:]
    args = p.parse_args(mine)

    tdxsim = os.path.abspath(args.tdxsim)
    names = args.races or sorted(f[:-4] for f in os.listdir(HERE) if f.endswith(".scn"))
    unknown = [n for n in names if not os.path.isfile(os.path.join(HERE, n + ".scn"))]
    if unknown or not names:
        sys.exit("tests/races/run.py: no such race: %s" % " ".join(unknown or ["any"]))

    if args.markdown:
        print("| race | states | schedules | complete | seconds |\n|---|---|---|---|---|")
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(args.at_once) as pool:
        jobs = [pool.submit(explore, tdxsim, os.path.join(HERE, n + ".scn"), theirs) for n in names]
        for i, (name, job) in enumerate(zip(names, jobs), 1):
            last, status, seconds, output = job.result()
            good = bool(last) and status == 0 and last.group(3) == "0" and last.group(4) == "yes"
            bad += not good
            if args.markdown:
                row = (last.group(1), last.group(2), last.group(4)) if last else ("-", "-", "exit %d" % status)
                print("| `%s` | %s | %s | %s | %.1f |" % (name, *row, seconds), flush=True)
                continue
            print("%s %d - %s: %s" % ("ok" if good else "not ok", i, name,
                                      last.group(0) if last else "exit %d" % status), flush=True)
            if not good:
                print("".join("# %s\n" % line for line in output.split("\n")[-40:]), end="", flush=True)
    if not args.markdown:
        print("1..%d" % len(names))
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
