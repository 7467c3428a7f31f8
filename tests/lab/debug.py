#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The debugger by its command line, as TAP: the sessions of docs/debugging.md, scripts, a terminal.

What lives here: what a user types and reads. What does not: that backward is the same as forward, which
tests/lab/test_debug.c checks at every step.

Usage: tests/lab/debug.py TDXSIM [--update]     (--update writes the sessions of the document again)
"""
import os
import pty
import re
import select
import shlex
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
DOC = os.path.join(ROOT, "docs", "debugging.md")
PROMPT = "(tdxsim) "
SESSION = re.compile(r"```session\n\$ tdxsim (debug [^\n]*)\n(.*?)```\n", re.S)

tdxsim = os.path.abspath(sys.argv[1])
tmp = tempfile.TemporaryDirectory()
count = bad = 0


def check(what, good, text=""):
    global count, bad
    count += 1
    bad += not good
    print("%sok %d - %s" % ("" if good else "not ", count, what))
    if not good:
        print("".join("# %s\n" % line for line in text.split("\n")[:60]), end="")


def debug(args, commands):
    """Output and exit status of a script; paths are relative to the source, files land in the scratch folder."""
    args = [os.path.join(ROOT, a) if a.startswith("tests/") else a for a in args]
    p = subprocess.run([tdxsim, "debug"] + args, input="".join(c + "\n" for c in commands), cwd=tmp.name,
                       capture_output=True, text=True)
    return p.stdout + p.stderr, p.returncode


def run(path, *args):
    p = subprocess.run([tdxsim, "run"] + list(args) + [path], cwd=tmp.name, capture_output=True, text=True)
    return p.stdout, p.returncode


def commands_of(body):
    return [line[len(PROMPT):] for line in body.split("\n") if line.startswith(PROMPT)]


def session(match):
    out, status = debug(shlex.split(match.group(1))[1:], commands_of(match.group(2)))
    return out, status


def update():
    text = open(DOC).read()
    text = SESSION.sub(lambda m: "```session\n$ tdxsim %s\n%s```\n" % (m.group(1), session(m)[0]), text)
    open(DOC, "w").write(text)


def test_document():
    for m in SESSION.finditer(open(DOC).read()):
        out, status = session(m)
        check("docs/debugging.md: %s" % m.group(1), out == m.group(2) and status == 0, out)
    out, status = run("by-hand.replay")
    check("the replay of the document breaks its rule", status == 4 and "bounded-spin broke" in out, out)


SPLIT = "tests/scenarios/demo-split.scn"
SPIN = ["--set", "gmem.toshared_refs=SPIN", "tests/scenarios/race-memory-failure.scn"]


def entry(out, nth):
    """The nth answer to "print sept": its last line, where the walk ends."""
    answers = re.findall(r"\(tdxsim\) print sept .*\n((?:S-EPT .*\n)+)", out)
    return answers[nth].rstrip("\n").split("\n")[-1]


def test_back_over_a_call():
    out, status = debug([SPLIT], ["break leaf TDH.MEM.PAGE.DEMOTE", "continue", "print sept 0x80002000", "next",
                                  "print sept 0x80002000", "reverse-next", "print sept 0x80002000", "next",
                                  "print sept 0x80002000", "reverse-stepi 3", "print sept 0x80002000"])
    before, after, again = entry(out, 0), entry(out, 1), entry(out, 2)
    check("before the DEMOTE: one leaf of 2M, blocked", " 2M: blocked, leaf" in before, out)
    check("after it: a leaf of 4K", " 4K: mapped, leaf" in after, out)
    check("back over the call the entry is as it was", before == again and status == 0, out)
    check("and forward again as it became", entry(out, 3) == after, out)
    check("some scheduling points back it is as before the call", entry(out, 4) == before, out)


def test_breakpoints():
    cases = [
        ("leaf TDH.MEM.TRACK", r"next: host, at call"),
        ("leaf TDG.MEM.PAGE.ACCEPT", r"tdcall > .*leaf=TDG.MEM.PAGE.ACCEPT"),
        ("leaf TDH.VP.ENTER by vcpu1", r"next: vcpu1, at call"),
        ("lock mmu_lock", r"lock \. name=mmu_lock"),
        ("gfn 0x80002", r"gpa=0x80000000|gfn=0x80000"),
        ("gpa slot0+8K", r"gpa=0x80000000|gfn=0x80000"),
        ("actor vcpu1", r"next: vcpu1, "),
        ("line 18", r"op=host: convert 0x80002000 4K shared"),
        ("step 100", r"^step 100,"),
    ]
    for what, want in cases:
        out, status = debug([SPLIT], ["break " + what, "continue"])
        stop = out[out.rfind("(tdxsim) continue"):]
        check("break %s" % what, "breakpoint 1, " + what in stop and re.search(want, stop, re.M) and not status, out)
    out, status = debug(["tests/scenarios/demote-busy-healed.scn"], ["break status TDX_OPERAND_BUSY", "continue"])
    check("break status", "breakpoint 1, status" in out and "status=TDX_OPERAND_BUSY" in out and not status, out)
    out, status = debug(SPIN, ["break oracle bounded-spin", "break line 11", "c", "actor host1", "c"])
    check("break oracle", "breakpoint 1, oracle bounded-spin" in out and "rule bounded-spin broke" in out, out)
    out, status = debug([SPLIT], ["b step 50", "b step 60", "d 1", "c", "i b", "d", "i b"])
    check("delete and info breakpoints", "step 60," in out and "hit 1 times" in out and "no breakpoints" in out, out)
    out, status = debug([SPLIT], ["b step 50", "stepi 80", "reverse-stepi 80", "b step 30", "stepi 40", "reverse-stepi 40", "stepi 80"])
    stops = re.findall(r"^step (\d+),", out, re.M)
    check("a breakpoint ends a move that counts", stops == ["0", "50", "0", "30", "0", "30"], out)


def test_faults():
    path = os.path.join(tmp.name, "maybe.scn")
    open(path, "w").write("inject busy leaf=TDH.MEM.PAGE.DEMOTE maybe\nvcpu0: accept slot0 2M\n"
                          "host: convert slot0 4K shared\n")
    script = ["break leaf TDH.MEM.PAGE.DEMOTE", "c", "stepi", "where", "info choice"]
    out, status = debug([path], script + ["fault yes", "break fault busy", "c", "save fault.replay"])
    check("a fault that may fire is asked about", "host asks whether busy fires; next: no" in out, out)
    check("and can be told to", "next: yes" in out and "breakpoint 2, fault busy" in out and not status, out)
    out, _ = run("fault.replay", "--trace", "fault.trace")
    check("the replay file has it", "schedule" in open(os.path.join(tmp.name, "fault.replay")).read() and
          "rt:fault . site=busy" in open(os.path.join(tmp.name, "fault.trace")).read(), out)
    out, status = debug([path], ["fault yes"])
    check("nobody asks at the beginning", "nobody asks about a fault here" in out and status == 2, out)


def test_moves():
    out, status = debug([SPLIT], ["line 3", "where", "finish", "reverse-finish", "until", "reverse-until", "step 4",
                                  "reverse-step 4", "reverse-line", "goto 1", "goto 400", "start", "run", "run",
                                  "reverse-continue"])
    check("all moves", status == 0 and "the run is over" in out and "the beginning of the run" in out, out)
    out, _ = debug([SPLIT], ["goto 77", "where", "goto 300", "goto 77", "where"])
    wheres = re.findall(r"\(tdxsim\) where\n(.*)\n", out)
    check("goto goes to the same place from both sides", len(wheres) == 2 and wheres[0] == wheres[1], out)
    out, _ = debug(["--seed", "3"] + ["tests/scenarios/race-accept-convert.scn"], ["info schedule", "c"])
    check("a random run is played", len(re.findall(r"^> +\d+ (host|vcpu\d)$", out, re.M)) > 20, out)


def test_tables():
    out, status = debug([SPLIT], ["break leaf TDH.MEM.PAGE.DEMOTE", "c", "print sept slot0 2097152", "print mirror slot0",
                                  "print lpage slot0", "print pamt slot0", "print folio slot0", "print attr slot0+8K",
                                  "print data slot0", "print tlb vcpu0", "print stat kicks", "print td", "info threads",
                                  "info trace 3", "list", "info locks"])
    for want in ("1 x 2M  blocked", "mirror 0x80000000 4K: leaf", "lpage_info 2M: count", "PAMT 0x", "folio of pages",
                 "is private", "0x80000000: 0x", "translations that vcpu0", "kicks ", "HKID", "* host",
                 "=>", "holds invalidate_lock(W)"):
        check("tables: %s" % want, want in out and status == 0, out)


def test_mistakes():
    cases = [("brek leaf X", 'did you mean "break"'), ("re", "is the beginning of"), ("break leaf TDH.NO", "expected a leaf"),
             ("break leaf TDH.MEM.PAGE.DEMOT", 'did you mean "TDH.MEM.PAGE.DEMOTE"'), ("break line 1", "expected a line with an action"),
             ("break leaf TDG.MEM.PAGE.ACEPT", 'did you mean "TDG.MEM.PAGE.ACCEPT"'), ("break status NO", "expected a status"), ("break oracle no", "expected a rule"), ("break", "expected break leaf"),
             ("break actor vcpu9", "expected an actor"), ("break step 1 for", "by ACTOR"), ("delete 7", "no breakpoint 7"),
             ("print sept", "expected print sept ADDRESS"), ("print sept nowhere", "expected an address"),
             ("print nothing", "expected print"), ("info", "expected info"), ("stepi 0", "how often"),
             ("goto", "goto STEP"), ("actor", "expected an actor"), ("save", "save FILE"), ("print tlb host", "no vCPU"),
             ("save /no/such/folder/x", "No such file"), ("print stat zzz", "no statistic"), ("info trace x", "a number"),
             ("print mirror slot0", "not built here"), ("fault perhaps", "fault yes or fault no"), ("help foo", "expected a command")]
    for line, want in cases:
        out, status = debug([SPLIT], [line, "where"])
        check("%s: %s" % (line, want), want in out and status == 2 and out.rstrip("\n").split("\n")[-1].startswith("step 0,"), out)
    out, status = debug(["tests/no-such.scn"], [])
    check("no such file", status == 2, out)
    out, status = debug([SPLIT, "--schedule", "x", "--seed", "1"], [])
    check("no schedule with a seed", status == 2, out)
    out, status = debug([SPLIT], ["", "# a comment", "help", "help next", "quit", "not reached"])
    check("comments, help, quit", status == 0 and "not reached" not in out and "reverse-continue, rc" in out, out)


def test_terminal():
    """Typed lines are not echoed by us, an empty one repeats a move, and a mistake is no failure."""
    parent, child = pty.openpty()
    env = dict(os.environ, TERM="dumb")
    p = subprocess.Popen([tdxsim, "debug", os.path.join(ROOT, SPLIT)], stdin=child, stdout=child, stderr=child, env=env,
                         cwd=tmp.name)
    os.close(child)
    out = b""

    def expect(text):
        nonlocal out
        while text not in out and select.select([parent], [], [], 20)[0]:
            try:
                out += os.read(parent, 4096)
            except OSError:
                break
        return text in out

    good = expect(b"(tdxsim)")
    for typed, want in ((b"stepi 5\n", b"step 5,"), (b"\n", b"step 10,"), (b"bogus\n", b"expected a command"),
                        (b"reverse-stepi\n", b"step 9,")):
        os.write(parent, typed)
        good = expect(want) and good
    os.write(parent, b"quit\n")
    status = p.wait(timeout=20)
    os.close(parent)
    check("a terminal", good and status == 0, out.decode("utf-8", "replace"))


if len(sys.argv) > 2 and sys.argv[2] == "--update":
    update()
    sys.exit(0)
for name, fn in sorted(globals().items()):
    if name.startswith("test_"):
        fn()
print("1..%d" % count)
sys.exit(bad != 0)
