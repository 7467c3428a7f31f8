#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The explorer beside SPIN, in one run: the same protocol, a split of huge pages under two vCPUs.

What lives here: running both and the table. What does not: the two models, bench/split.pml (an abstraction) and
bench/split.scn (the real code), which ask for the same: enter, accept or access, exit; BLOCK, TRACK, kick, DEMOTE.

Usage: bench/spin.py TDXSIM [STATES]     STATES bounds the explorer (300000)
Exit status 77: no spin here (apt-get install spin).
"""
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def timed(command, cwd):
    """Output and processor seconds of @command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit("bench/spin.py: %s: exit status %d\n%s" % (" ".join(command), done.returncode, done.stdout[-2000:]))
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def number(pattern, text):
    return float(re.search(pattern, text, re.M).group(1))


def spin(scratch, options):
    """(states, transitions, seconds, bytes a state) of SPIN's verifier."""
    timed(["spin", "-a", os.path.join(HERE, "split.pml")], scratch)
    timed(["gcc", "-w", "-O2", "-DSAFETY", *options, "-o", "pan", "pan.c"], scratch)
    out, seconds = timed(["./pan", "-m1000000"], scratch)
    states = number(r"^ *(\d+) states, stored", out)
    return states, number(r"^ *(\d+) transitions", out), seconds, \
        number(r"^ *([\d.]+)\s+actual memory usage for states", out) * 1048576 / states


def explore(tdxsim, scratch, states):
    out, seconds = timed([tdxsim, "explore", "--max-states", str(states), os.path.join(HERE, "split.scn")], scratch)
    return number(r"states=(\d+) schedules", out), number(r"transitions=(\d+)", out), seconds, \
        number(r"bytes-per-state=(\d+)", out)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    if not shutil.which("spin"):
        print("skipped: no spin here (apt-get install spin)")
        return 77
    tdxsim, most = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) == 3 else 300000
    print("%-40s %10s %12s %12s %12s %7s" % ("", "states", "states/s", "transitions", "trans./s", "B/state"))
    with tempfile.TemporaryDirectory() as scratch:
        rows = [("SPIN, every transition", spin(scratch, ["-DNOREDUCE"])),
                ("SPIN, partial-order reduction", spin(scratch, [])),
                ("tdxsim explore, the real code", explore(tdxsim, scratch, most))]
    for name, (states, transitions, seconds, size) in rows:
        print("%-40s %10d %12d %12d %12d %7d" %
              (name, states, states / seconds, transitions, transitions / seconds, size))
    per_second = [transitions / seconds for _, (_, transitions, seconds, _) in rows]
    print("explore makes %.2f of SPIN's transitions a second (aim: 0.33)" % (per_second[2] / per_second[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
