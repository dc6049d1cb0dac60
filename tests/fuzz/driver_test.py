#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The fuzz driver finds a planted fault, keeps the input, and gives the same with the same seed."""

import os
import resource
import subprocess
import sys
import tempfile


def run(*args):
    return subprocess.run([sys.argv[1], *args], capture_output=True, text=True, timeout=60)


def main():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    number = 0
    bad = 0

    def report(fine, text):
        nonlocal number, bad
        number += 1
        bad += not fine
        print("ok" if fine else "not ok", number, "-", text)

    print("1..6")
    with tempfile.TemporaryDirectory() as where:
        kept = [os.path.join(where, name) for name in ("one", "two")]
        found = [run("--seconds", "30", "--seed", "7", "--crash", path) for path in kept]
        report(all(r.returncode < 0 for r in found), "a planted fault ends the run by a signal")
        report(all(os.path.exists(p) and p in r.stderr for p, r in zip(kept, found)),
               "its input is in the file that is named")
        inputs = [open(path, "rb").read() for path in kept if os.path.exists(path)]
        report(len(inputs) == 2 and inputs[0] == inputs[1] and inputs[0][:3] == b"bad",
               "the same seed finds the same input")
        again = run("--runs", "0", "--crash", os.path.join(where, "three"), kept[0])
        report(again.returncode < 0, "the file alone shows it again")
        report(run("--runs", "0").returncode == 0, "without it nothing is found")
        report(run("--runs", "0", os.path.join(where, "none")).returncode == 3,
               "a missing example is an error")
    return bad > 0


sys.exit(main())
