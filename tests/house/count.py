#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Adds up what the test runs reported: meson's JUnit files and TAP files, into one closing line.

Prints each failed case, then "N passed, N failed, N skipped". Exits 1 if something failed or nothing ran.
"""
import re
import sys
import xml.etree.ElementTree as ET


def from_junit(path):
    for case in ET.parse(path).getroot().iter("testcase"):
        name = "%s: %s" % (case.get("classname"), case.get("name"))
        if case.find("failure") is not None or case.find("error") is not None:
            yield "failed", name
        elif case.find("skipped") is not None:
            yield "skipped", name
        else:
            yield "passed", name


def from_tap(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            m = re.match(r"(ok|not ok)\b\s*\d*\s*-?\s*(.*)", line)
            if m:
                skip = "# SKIP" in m.group(2)
                yield ("skipped" if skip else "passed" if m.group(1) == "ok" else "failed"), m.group(2)


def main(paths):
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for path in paths:
        try:
            cases = list((from_junit if path.endswith(".xml") else from_tap)(path))
        except (OSError, ET.ParseError) as e:
            cases = [("failed", "%s: no result (%s)" % (path, e))]
        if not cases:
            cases = [("failed", "%s: no test ran" % path)]
        for what, name in cases:
            count[what] += 1
            if what == "failed":
                print("FAILED %s" % name)
    print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % count)
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
