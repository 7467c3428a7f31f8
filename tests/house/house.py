#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The house rules, as tests: each rule is a function that yields what breaks it; the output is TAP.

What lives here: rules that a text scan can decide (floors, licence lines, banned calls, format, ASCII, size).
What does not: anything that needs the program to run.
"""
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
ROOMS = ("sim/rt", "tdx", "mmu", "gmem", "sim/lab", "tools")

# Who may include whom (docs/design.md). A room may always include itself.
BELOW = {
    "sim/rt": (),
    "tdx": ("sim/rt",),
    "mmu": ("sim/rt", "tdx/seam.h", "gmem/gmem.h"),
    "gmem": ("sim/rt", "mmu/policy.h", "mmu/kvm_vm.h"),
    "sim/lab": ("sim/rt", "tdx", "mmu", "gmem"),
    "tools": ("sim/rt", "tdx", "mmu", "gmem", "sim/lab"),
}

# Functions whose result depends on the machine, or that don't know the size of what they write to.
BANNED = (
    "time gettimeofday clock clock_gettime localtime gmtime rand srand random srandom drand48 rand_r getrandom arc4random "
    "strcpy strcat sprintf vsprintf gets strtok strncpy strncat atoi atol atof scanf sscanf fscanf alloca tmpnam mktemp"
).split()
BANNED_RE = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(BANNED))
INCLUDE_RE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
MACHINE_RE = re.compile(r"/work/|/root/|/home/\w|file:///")
# Spelled in halves, so that a plain search for these words finds only work that is left.
UNFINISHED_RE = re.compile(r"\b(%s)\b" % "|".join(("TO" "DO", "FIX" "ME", "X" "XX", "HA" "CK")))
MAX_LINES = 900


def tracked():
    """Every file of the project: what git knows, or in an unpacked copy what lies there."""
    try:
        out = subprocess.run(["git", "-c", "safe.directory=*", "-C", ROOT, "ls-files", "-z"], check=True,
                             capture_output=True).stdout.decode()
        names = [n for n in out.split("\0") if n]
    except (subprocess.CalledProcessError, FileNotFoundError):
        names = [os.path.relpath(os.path.join(d, f), ROOT) for d, dirs, files in os.walk(ROOT) for f in files
                 if not os.path.relpath(d, ROOT).startswith(("build", ".git"))]
    return sorted(n for n in names if os.path.isfile(os.path.join(ROOT, n)))


def text_of(name):
    with open(os.path.join(ROOT, name), "rb") as f:
        return f.read()


def room_of(name):
    return next((r for r in ROOMS if name.startswith(r + "/")), None)


def is_data(name):
    return name.startswith(("tests/vectors/", "tests/fuzz/")) or name.endswith((".xz", ".zst", ".gz", ".bin", ".png"))


def is_code(name):
    return name.endswith((".c", ".h", ".S"))


def without_comments(text):
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', lambda m: re.sub(r"[^\n]", " ", m.group(0)), text, flags=re.S)


def rule_no_include_climbs_a_floor(files):
    for name in files:
        room = room_of(name)
        if not room or not is_code(name):
            continue
        for inc in INCLUDE_RE.findall(text_of(name).decode("utf-8", "replace")):
            if room_of(inc) in (None, room):
                continue
            if not inc.startswith(BELOW[room]):
                yield "%s includes %s" % (name, inc)


def rule_every_file_names_its_licence(files):
    for name in files:
        if is_data(name) or name in ("LICENSE", ".gitignore") or name.endswith((".scn", ".md", ".patch")):
            continue
        if b"SPDX-License-Identifier: GPL-2.0-only" not in text_of(name)[:400]:
            yield name


def rule_no_banned_function(files):
    for name in files:
        if not is_code(name) or name.startswith("bench/"):
            continue
        for i, line in enumerate(without_comments(text_of(name).decode("utf-8", "replace")).split("\n"), 1):
            m = BANNED_RE.search(line)
            if m:
                yield "%s:%d: %s()" % (name, i, m.group(1))


def rule_ascii_only(files):
    for name in files:
        if is_data(name):
            continue
        for i, line in enumerate(text_of(name).split(b"\n"), 1):
            if any(c > 126 or (c < 32 and c != 9) for c in line):
                yield "%s:%d" % (name, i)
                break


def rule_no_machine_path(files):
    for name in files:
        if is_data(name) or name == "tests/house/house.py":
            continue
        for i, line in enumerate(text_of(name).decode("utf-8", "replace").split("\n"), 1):
            if MACHINE_RE.search(line):
                yield "%s:%d: %s" % (name, i, line.strip()[:80])


def rule_nothing_unfinished(files):
    for name in files:
        if is_code(name) or name.endswith((".py", ".sh")):
            for i, line in enumerate(text_of(name).decode("utf-8", "replace").split("\n"), 1):
                if UNFINISHED_RE.search(line):
                    yield "%s:%d" % (name, i)


def rule_one_room_a_file(files):
    for name in files:
        if is_code(name):
            lines = text_of(name).count(b"\n")
            if lines > MAX_LINES:
                yield "%s has %d lines (at most %d)" % (name, lines, MAX_LINES)


def rule_no_global_state(files):
    """A world holds all mutable state: no file-scope variable that is not const, outside tests, bench and tools."""
    scope = ("sim/rt/", "tdx/", "mmu/", "gmem/", "sim/lab/")
    decl = re.compile(r"^(?:static\s+)?(?!const\b|typedef\b|extern\b|struct\s+\w+\s*[{;]|enum\b|union\b|return\b|#)"
                      r"(?:_Thread_local\s+|__thread\s+)?(?:struct\s+|unsigned\s+)?\w+\s+\**(\w+)(?:\[[^\]]*\])*\s*(?:=[^=]|;)")
    for name in files:
        # The variables of a kernel are a kernel's; each world has a copy of them (docs/ktree.md).
        if not name.startswith(scope) or not name.endswith(".c") or name.startswith("mmu/compat/tree/kernel/"):
            continue
        for i, line in enumerate(without_comments(text_of(name).decode("utf-8", "replace")).split("\n"), 1):
            m = decl.match(line)
            if m and "const" not in line and "__thread" not in line and "_Thread_local" not in line:
                yield "%s:%d: %s" % (name, i, line.strip())


def rule_format(files):
    """clang-format as .clang-format says it; skipped, and said so, where the program is missing."""
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if not tool:
        raise LookupError("no clang-format")
    names = [n for n in files if n.endswith((".c", ".h"))]
    for n in range(0, len(names), 40):
        out = subprocess.run([tool, "--dry-run"] + names[n:n + 40], cwd=ROOT, capture_output=True, text=True).stderr
        for bad in sorted(set(re.findall(r"^(\S+?):\d+:\d+: warning", out, re.M))):
            yield bad + " (run clang-format -i on it)"


def main():
    files = tracked()
    rules = [(k[5:].replace("_", " "), v) for k, v in globals().items() if k.startswith("rule_")]
    print("1..%d" % len(rules))
    bad = 0
    for i, (title, rule) in enumerate(rules, 1):
        try:
            found = list(rule(files))
        except LookupError as e:
            print("ok %d - %s # SKIP %s" % (i, title, e))
            continue
        print("%s %d - %s" % ("not ok" if found else "ok", i, title))
        for f in found:
            print("# " + f)
        bad += bool(found)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
