# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests of a script: some at a time, each with a lab of its own; TAP on stdout."""
import concurrent.futures
import itertools
import os
import re
import sys
import threading
import time
import traceback

from lab import Lab
from netns import Run

HERE = os.path.dirname(os.path.abspath(__file__))

tests = []  # (name, function), in the order of the file
output = threading.Lock()
numbers = itertools.count(1)


class Skip(Exception):
    pass


def test(name):
    def add(function):
        tests.append((name, function))
        return function
    return add


def each(name, *cases):
    """A test a case: the function gets the case after the lab."""
    def add(function):
        for case in cases:
            shown = " ".join(str(c) for c in case) if isinstance(case, tuple) else str(case)
            arguments = case if isinstance(case, tuple) else (case,)
            tests.append((f"{name} {shown}", lambda lab, a=arguments: function(lab, *a)))
        return function
    return add


def features():
    """skips.txt: what a kernel may lack, how that is found out, and which tests then skip."""
    found = {}
    with open(os.path.join(HERE, "skips.txt")) as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                name, probe = line.split(None, 1)
                found[name] = probe.strip()
    return found


def need(lab, feature):
    """Skips the test where the kernel lacks the feature; one that skips.txt does not name fails."""
    probe = features()[feature]
    if lab.firewall.run("sh", "-c", probe, check=False).returncode != 0:
        raise Skip(f"kernel lacks {feature}: {probe}")


def perform(run, name, function):
    lab, verdict, notes = None, "ok", []
    started = time.monotonic()
    try:
        lab = Lab(run)
        function(lab)
        for gateway in lab.gateways:
            gateway.stop()
    except Skip as skip:
        name += f" # SKIP {skip}"
    except BaseException:
        verdict = "not ok"
        notes = [line[:600] for line in traceback.format_exc().splitlines()]
        for gateway in lab.gateways if lab else []:
            gateway.destroy()
            notes += ["-- idlewalld said:"] + gateway.log().splitlines()[-60:]
    if lab:
        for gateway in lab.gateways:
            gateway.destroy()
        lab.close()
    with output:
        number = next(numbers)
        print(f"{verdict} {number} - {name}")
        for note in notes:
            print(f"# {note}")
        print(f"# took {time.monotonic() - started:.1f} s", flush=True)
    return verdict == "ok"


def main(jobs=4):
    """Runs the tests of the script, some at a time, each in a lab of its own. Arguments choose by regex."""
    if os.geteuid() != 0:
        print("1..0\nBail out! the live tests need root")
        sys.exit(1)
    run = Run("t")
    chosen = [t for t in tests if not sys.argv[1:] or any(re.search(a, t[0]) for a in sys.argv[1:])]
    print(f"1..{len(chosen)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        done = [pool.submit(perform, run, *t) for t in chosen]
        good = all([d.result() for d in done])
    if run.left():
        good = False
        print(f"# namespaces left: {run.left()}")
    run.cleanup()
    sys.exit(0 if good else 1)
