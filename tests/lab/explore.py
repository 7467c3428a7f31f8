#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
#
# What tdxsim explore promises, on small scenarios: the same totals for any number of jobs, from one run to the next, and across kills; shards that add up;
# a replay file that breaks the same rule at the same step; checkpoints of something else refused.
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

TDXSIM = os.path.abspath(sys.argv[1])
HERE = os.path.dirname(os.path.abspath(__file__))
HOLDS = os.path.join(HERE, "explore", "write-convert.scn")
BREAKS = os.path.join(HERE, "explore", "kick.scn")
STUCK = os.path.join(HERE, "explore", "pinned.scn")
LONG = os.path.join(HERE, "..", "races", "accept-two-levels.scn")
EXCUSED = os.path.join(HERE, "explore", "excused.scn")
TRIES = os.path.join(HERE, "explore", "tries.scn")
ONE_CPU = os.path.join(HERE, "explore", "one-cpu.scn")
KILLS = 10
# A sanitizer leaves addresses of its own on the stacks, which differ from process to process: there hashes are not compared, nor checkpoints resumed.
SANITIZED = "sanitized" in sys.argv[2:]

failed = False
number = 0


def test(name, good, why=""):
    global failed, number
    number += 1
    print(f"{'ok' if good else 'not ok'} {number} - {name}", flush=True)
    if not good:
        failed = True
        for line in why.splitlines():
            print("# " + line)


def explore(*args):
    if SANITIZED:
        args = [a for a in args if a != "--rests"]
    return subprocess.run([TDXSIM, "explore", *args], capture_output=True, text=True)


def totals(text):
    line = text.strip().splitlines()[-1]
    return dict(re.findall(r"(\w+)=(\S+)", line))


def same_for_jobs():
    one = explore(HOLDS, "--rests")
    test("a scenario that holds is explored whole", one.returncode == 0 and totals(one.stdout)["complete"] == "yes",
         one.stdout + one.stderr)
    for jobs in ("2", "5"):
        many = explore(HOLDS, "--rests", "--jobs", jobs)
        test(f"--jobs {jobs} gives the same report", many.stdout == one.stdout, many.stdout + many.stderr)
    again = explore(HOLDS, "--rests")
    test("so does another run at other addresses", again.stdout == one.stdout, again.stdout)
    plain = explore(HOLDS, "--rests", "--no-reduction")
    test("--no-reduction finds the same ends", SANITIZED or rests(plain.stdout) == rests(one.stdout) != [], plain.stdout)
    deep = explore(HOLDS, "--rests", "--mode", "dfs")
    # Not the same names: what is dead in a frame, and was read from what is no state, tells some states apart.
    same = all(totals(deep.stdout)[k] == totals(one.stdout)[k] for k in ("schedules", "violations", "complete"))
    test("depth first finds the same schedules", same, deep.stdout)


def rests(text):
    return [line for line in text.splitlines() if line.startswith("rest ")]


def shards_add_up(scenario, count, *args):
    whole = totals(explore(scenario, *args).stdout)
    parts = [totals(explore(scenario, "--shard", f"{i}/{count}", *args).stdout) for i in range(count)]
    for what in ("schedules", "violations"):
        is_sum = sum(float(p[what]) for p in parts)
        want = float(whole[what])
        test(f"{what} of {count} shards add up", abs(is_sum - want) <= 1e-6 * want, f"{parts}\n{whole}")


def preemptions():
    counts = [totals(explore(HOLDS, "--preemptions", str(n)).stdout) for n in range(4)]
    test("a bound on preemptions says that it left something out", all(c["complete"] == "no" for c in counts), str(counts))
    grows = [float(c["schedules"]) for c in counts]
    test("without preemptions there is one schedule, with more there are more",
         grows[0] == 1 and grows == sorted(set(grows)), str(counts))
    enough = totals(explore(BREAKS, "--preemptions", "200", "--all").stdout)
    test("a bound that nothing meets is complete", enough["complete"] == "yes", str(enough))
    few = explore(HOLDS, "--max-states", "100")
    test("--max-states is told", totals(few.stdout)["states"] == "100" and "stopped by --max-states" in few.stdout, few.stdout)


def replay(folder):
    path = os.path.join(folder, "kick.replay")
    run = explore(BREAKS, "--replay", path)
    test("an expectation that can fail is status 1", run.returncode == 1 and totals(run.stdout)["violations"] != "0", run.stdout)
    one = subprocess.run([TDXSIM, "run", path], capture_output=True, text=True)
    two = subprocess.run([TDXSIM, "run", "--schedule", path, BREAKS], capture_output=True, text=True)
    test("the replay breaks it again", one.returncode == 1, one.stdout)
    test("so does its schedule with the scenario", two.returncode == 1, two.stdout)


def stuck(folder):
    path = os.path.join(folder, "pinned.replay")
    run = explore(STUCK, "--all", "--replay", path)
    count = totals(run.stdout)
    test("a wait for what never comes is status 5, and told as a deadlock", run.returncode == 5 and "\nbroken: deadlock, " in run.stdout,
         run.stdout + run.stderr)
    test("every schedule ends in it", count["violations"] == count["schedules"] != "0" and count["complete"] == "yes", run.stdout)
    again = subprocess.run([TDXSIM, "run", path], capture_output=True, text=True)
    test("the replay waits for the same", again.returncode == 5 and "waits for folio reference to go" in again.stdout, again.stdout)
    look = explore(STUCK, "--all", "--set", "gmem.toshared_refs=CHECK_EAGAIN")
    test("under a policy that does not wait no schedule does", look.returncode == 0 and totals(look.stdout)["violations"] == "0",
         look.stdout + look.stderr)


def one_cpu(folder):
    path = os.path.join(folder, "one-cpu.replay")
    run = explore(ONE_CPU, "--replay", path)
    test("a vCPU may be preempted long before a slice of time is over", run.returncode == 1 and totals(run.stdout)["violations"] != "0",
         run.stdout)
    again = subprocess.run([TDXSIM, "run", path], capture_output=True, text=True)
    test("the replay preempts it at the same place", again.returncode == 1, again.stdout)


# What a report of many steps ago excuses at the end of a schedule is excused there, as in a run.
def tries():
    few = explore("--preemptions", "2", TRIES)
    depth = int(re.search(r"depth=(\d+)", few.stdout).group(1))
    test("tries that the module refuses are no new states", few.returncode == 0 and depth < 1000, few.stdout + few.stderr)


def excused():
    run = explore(EXCUSED)
    test("a page that KVM could not take back is no violation at the end",
         run.returncode == 0 and totals(run.stdout)["complete"] == "yes", run.stdout + run.stderr)


def kept(folder):
    path = os.path.join(folder, "kept.replay")
    explore(BREAKS, "--replay", path)
    with open(path, "rb") as f:
        before = f.read()
    again = explore(path)
    with open(path, "rb") as f:
        test("a replay file that is explored is not written over", f.read() == before, again.stdout)
    test("what breaks it goes beside it", "kept-again.replay" in again.stdout and os.path.exists("kept-again.replay"), again.stdout)
    same = explore(path, "--replay", path)
    with open(path, "rb") as f:
        test("not by --replay either", f.read() == before and same.returncode == 1 and "this is the scenario" in same.stderr, same.stderr)


# Statistics that an expectation asks for tell states apart; more of them than there is room for are no search.
def statistics(folder):
    names = subprocess.run([TDXSIM, "list", "stats"], capture_output=True, text=True).stdout.split("\n")
    path = os.path.join(folder, "stats.scn")
    with open(HOLDS, encoding="ascii") as f:
        text = f.read()
    with open(path, "w", encoding="ascii") as f:
        f.write(text + "".join(f"expect stat {line.split()[0]} >= 0\n" for line in names[:60] if line.strip()))
    run = explore(path)
    test("more statistics than fit are told", run.returncode == 2 and "different statistics" in run.stderr, run.stdout + run.stderr)


# A choice has a byte, and a state room for some of them: more actors are no search.
def actors(folder):
    path = os.path.join(folder, "actors.scn")
    with open(path, "w", encoding="ascii") as f:
        for td in "ab":
            f.write(f"td {td} vcpus=32\ngmem g{td} size=2M backing=4k\nslot {td}.0 gpa=0x80000000 size=2M gmem=g{td}+0\n")
        f.write("parallel {\n")
        f.write("".join(f"{td}.vcpu{i}: accept {td}.slot0+{4 * i}K 4K\n" for td in "ab" for i in range(32)))
        f.write("}\n")
    run = explore(path, "--max-states", "10")
    test("more actors than fit are told", run.returncode == 2 and "66 actors" in run.stderr, f"{run.returncode}\n{run.stdout}{run.stderr}")


# Kills at moments all over the search, then on to the end: nothing is lost or done twice.
def killed(folder, jobs):
    path = os.path.join(folder, f"killed{jobs}")
    args = [TDXSIM, "explore", HOLDS, "--rests", "--checkpoint", path, "--checkpoint-ms", "1", "--jobs", str(jobs)]
    began = time.monotonic()
    whole = subprocess.run(args, capture_output=True, text=True)
    length = time.monotonic() - began
    os.unlink(path)
    chance = random.Random(jobs)
    kills = 0
    for k in range(KILLS):
        run = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            run.wait(length * chance.uniform(0.02, 0.15))
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()
            kills += 1
    last = subprocess.run(args, capture_output=True, text=True)
    test(f"killed {KILLS} times and gone on, --jobs {jobs}: the same report", kills > 2 and last.stdout == whole.stdout,
         f"{kills} kills\n{whole.stdout[-300:]}\n{last.stdout[-300:]}\n{last.stderr}")
    return path


def interrupt(args, path):
    """Ctrl-C as soon as the search has begun, which is when there is a checkpoint; the finished process and its output."""
    run = subprocess.Popen([TDXSIM, "explore", *args, "--checkpoint", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not os.path.exists(path) and run.poll() is None:
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate()
    return run.returncode, out, err


def interrupted(folder):
    status, out, err = interrupt([LONG, "--jobs", "2"], os.path.join(folder, "long"))
    test("an interrupt ends the search with what it has covered",
         status == 0 and totals(out).get("complete") == "no" and "\nnot complete: stopped by an interrupt\n" in out, out + err)
    if not SANITIZED:
        path = os.path.join(folder, "interrupted")
        whole = explore(HOLDS).stdout
        interrupt([HOLDS, "--checkpoint-ms", "1000000000"], path)
        test("and goes on from there", explore(HOLDS, "--checkpoint", path).stdout == whole, whole)


def mistakes():
    nowhere = explore(HOLDS, "--checkpoint", "no/such/folder/c")
    test("a checkpoint that can't be written is told before the search",
         nowhere.returncode == 2 and "can't be written" in nowhere.stderr and "complete=" not in nowhere.stdout,
         nowhere.stdout + nowhere.stderr)
    none = explore(HOLDS, "--max-states", "0")
    test("no states are no search", none.returncode == 2 and "expected 1 or more" in none.stderr, none.stderr)
    with open("alone.scn", "w") as f:
        f.write("vcpu0: accept slot0 2M\n")
    alone = explore("alone.scn")
    test("without a parallel block there is one schedule, and it says why",
         alone.returncode == 0 and "one schedule: " in alone.stdout and totals(alone.stdout)["schedules"] == "1", alone.stdout)


def refused(path):
    other = explore(BREAKS, "--checkpoint", path)
    test("a checkpoint of another scenario is refused", other.returncode == 2 and "another scenario" in other.stderr, other.stderr)
    other = explore(HOLDS, "--checkpoint", path, "--preemptions", "1")
    test("one of other options too", other.returncode == 2 and "other options" in other.stderr, other.stderr)
    with open(path, "r+b") as f:
        f.seek(1000)
        byte = f.read(1)
        f.seek(1000)
        f.write(bytes([byte[0] ^ 1]))
    broken = explore(HOLDS, "--checkpoint", path)
    test("one that is damaged too", broken.returncode == 2 and "no whole checkpoint" in broken.stderr, broken.stderr)


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    same_for_jobs()
    mistakes()
    shards_add_up(HOLDS, 3)
    shards_add_up(BREAKS, 4, "--all")
    preemptions()
    replay(folder)
    stuck(folder)
    one_cpu(folder)
    if not SANITIZED:
        tries()
    excused()
    kept(folder)
    statistics(folder)
    actors(folder)
    interrupted(folder)
    if not SANITIZED:
        killed(folder, 2)
        refused(killed(folder, 1))
print(f"1..{number}")
sys.exit(failed)
