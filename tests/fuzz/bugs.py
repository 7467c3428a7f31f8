#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""How soon the fuzzer finds each planted bug of tests/bugs, from an empty corpus, on one core.

usage: tests/fuzz/bugs.py [--seconds S] [--markdown] [ID]...

Every patch is built apart. "tdxsim fuzz" runs there on the default machine for half of the time, then on the machine
of the bug's scenario (its set-up lines, and nothing else of it). A bug that is a policy is fuzzed with that policy set.
Only a scenario that breaks a rule with the bug and holds without it counts. An hour or two; no test.
"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
BUGS = TOP / "tests" / "bugs"
COUNTS = re.compile(r"^ *(?:(?:\w+\.)?(?:host|vcpu)\d*:|inject )", re.M)  # actions and faults


def run(args, **kw):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **kw)


def build_base(work):
    base = work / "base"
    base.mkdir()
    files = run(["git", "-C", str(TOP), "ls-files"]).stdout.split("\n")
    for name in files:
        if name and (TOP / name).is_file():
            (base / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, base / name)
    options = ["-Dwerror=false", "-Doptimization=2", "-Ddebug=false", "-Dtests=disabled"]
    out = run(["meson", "setup", "build", *options], cwd=base)
    if out.returncode == 0:
        out = run(["ninja", "-C", "build", "tools/tdxsim"], cwd=base)
    if out.returncode:
        sys.exit(out.stdout)
    return base


def build_with(work, base, patch):
    """The program with the patch in it, None if it does not build."""
    tree = work / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(base, tree, symlinks=True)
    with open(patch, encoding="utf-8") as text:
        out = run(["patch", "-p1", "-s", "-f", "--no-backup-if-mismatch"], cwd=tree, stdin=text)
    if out.returncode or run(["ninja", "-C", "build", "tools/tdxsim"], cwd=tree).returncode:
        return None
    return tree / "build" / "tools" / "tdxsim"


def with_policies(text, policies):
    """The scenario with "section.key=value" in every line of that section, or in a new one."""
    lines = text.split("\n")
    for policy in policies:
        section, setting = policy.split(".", 1)
        key = setting.split("=")[0]
        at = [i for i, l in enumerate(lines) if re.match(rf"\s*{section}\s", l)]
        for i in at:
            lines[i] = re.sub(rf"\s{key}=\S+", "", lines[i].split("#")[0]).rstrip() + " " + setting
        if not at:
            lines.insert(0, f"{section} {setting}")
    return "\n".join(lines)


class Hunt:
    """Fuzzing of one bug: what was spent, and the finding."""

    def __init__(self, work, tdxsim, clean, undo):
        self.work, self.tdxsim, self.clean, self.undo = work, tdxsim, clean, undo
        self.seconds, self.runs, self.rule, self.left, self.text = 0.0, 0, None, 0, ""

    def holds_without(self, finding):
        """Whether the scenario holds without the bug: not of the patch, or not of the policy."""
        text = finding.read_text(encoding="utf-8")
        for policy in self.undo:
            text = re.sub(rf"\s{re.escape(policy.split('.', 1)[1])}\b", "", text)
        again = self.work / "again.scn"
        again.write_text(text, encoding="utf-8")
        return run([str(self.clean), "run", str(again)], cwd=self.work).returncode == 0

    def take(self, finding):
        self.text = finding.read_text(encoding="utf-8")
        self.left = len(COUNTS.findall(self.text))
        self.rule = finding.stem.rpartition("-")[0]

    def fuzz(self, args, left):
        """One call, ended by an interrupt when @left CPU seconds are used up: what it said, and the seconds."""
        hertz, used, told = os.sysconf("SC_CLK_TCK"), 0.0, False
        with subprocess.Popen([str(self.tdxsim), "fuzz", *args], cwd=self.work, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as p:
            while True:
                try:
                    return p.communicate(timeout=0.1)[0], used
                except subprocess.TimeoutExpired:
                    fields = pathlib.Path(f"/proc/{p.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
                    used = (int(fields[11]) + int(fields[12])) / hertz
                    if used >= left and not told:
                        p.send_signal(signal.SIGINT)
                        told = True

    def go(self, seconds, machine):
        corpus, out = self.work / "corpus", self.work / "out"
        seen, left, runs = set(), seconds, 0
        for d in corpus, out:
            shutil.rmtree(d, ignore_errors=True)
            d.mkdir()
        while left > 0:
            said, used = self.fuzz(["--seed", "1", "--findings", str(len(seen) + 1), "--corpus", str(corpus),
                                    "--out", str(out), "--known", str(TOP / "tests" / "scenarios"), *machine], left)
            left -= used
            counted = re.search(r"^runs=(\d+)", said, re.M)
            runs = int(counted.group(1)) if counted else runs
            new = [f for f in sorted(out.glob("*.scn"), key=lambda p: p.stat().st_mtime_ns) if f not in seen]
            good = next((f for f in new if self.holds_without(f)), None)
            if good or (out / "crash-input").exists() or not new:
                break
            seen.update(new)
        self.seconds += seconds - left
        self.runs += runs
        if good:
            self.take(good)
        elif (out / "crash-input").exists():
            self.rule = "crash"
        return bool(self.rule)


def hunt(work, base, scn, seconds):
    name = scn.stem
    patch = scn.with_suffix(".patch")
    clean = base / "build" / "tools" / "tdxsim"
    text = scn.read_text(encoding="utf-8")
    policies = [w for l in re.findall(r"^# with: *(.*)", text, re.M) for w in l.split()]
    tdxsim = build_with(work, base, patch) if patch.exists() else clean
    machine = work / "machine.scn"
    machine.write_text(with_policies(text, policies), encoding="utf-8")
    if not tdxsim:
        return name, "does not build", None
    h = Hunt(work, tdxsim, clean, policies)
    if not policies and h.go(seconds / 2, ["--defaults"]):
        return name, "default", h
    if h.go(seconds if policies else seconds / 2, ["--machine", str(machine)]):
        return name, "its own", h
    return name, "not found", h


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seconds", type=int, default=120, help="for each bug (120)")
    p.add_argument("--markdown", action="store_true")
    p.add_argument("--keep", metavar="DIR", help="write the findings there")
    p.add_argument("id", nargs="*")
    o = p.parse_args()
    wanted = {i.lower() for i in o.id}
    row = "| {} | {} | {} | {} | {} | {} | {} |" if o.markdown else "{:4} {:36} {:9} {:>7} {:>8} {:>5} {}"
    print(row.format("id", "bug", "machine", "seconds", "runs", "left", "rule"), flush=True)
    if o.markdown:
        print("|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as tmp:
        work = pathlib.Path(tmp)
        base = build_base(work)
        for scn in sorted(BUGS.glob("*.scn")):
            bug, name = scn.stem.split("-", 1)
            if "." in name or (wanted and bug not in wanted):
                continue
            _, machine, h = hunt(work, base, scn, o.seconds)
            spent = (f"{h.seconds:.1f}", h.runs, h.left or "-", h.rule or "-") if h else ("-", "-", "-", "-")
            print(row.format(bug.upper(), name, machine, *spent), flush=True)
            if o.keep and h and h.text:
                (pathlib.Path(o.keep) / f"{scn.stem}.scn").write_text(h.text, encoding="utf-8")


if __name__ == "__main__":
    main()
