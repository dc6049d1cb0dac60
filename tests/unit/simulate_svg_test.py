#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The picture of every shipped case: it stands alone, and no two texts lie on each other (svg_check.py); a broken
picture is found. TAP."""
import concurrent.futures
import os
import subprocess
import sys
import tempfile

from svg_check import check

IDLEWALL = sys.argv[1]
SIZE = 4 << 20  # bytes: beyond that no viewer likes a picture
BAD = b'''<svg xmlns="http://www.w3.org/2000/svg" width="50" height="50" viewBox="0 0 50 50">
<text x="5" y="20" font-family="sans-serif" font-size="10">one</text>
<text x="9" y="22" font-family="serif" font-size="10">two</text>
<text x="45" y="40" font-family="sans-serif" font-size="10">three</text><script/></svg>'''


def draw(case):
    with tempfile.TemporaryDirectory() as directory:
        picture = os.path.join(directory, "picture.svg")
        done = subprocess.run([IDLEWALL, "simulate", "--quiet", "--svg", picture, case], capture_output=True, timeout=240)
        if done.returncode != 0:
            return [done.stderr.decode()]
        with open(picture, "rb") as file:
            data = file.read()
    return list(check(data)) + ([f"{len(data)} bytes"] if len(data) > SIZE else [])


def say(number, wrong, what):
    print(f"{'not ok' if wrong else 'ok'} {number} - {what}")
    for line in wrong[:20]:
        print("# " + line.replace("\n", "\n# "))
    sys.stdout.flush()
    return bool(wrong)


def main():
    listed = subprocess.run([IDLEWALL, "simulate", "--list"], capture_output=True, timeout=60, check=True)
    cases = [line.split()[0] for line in listed.stdout.decode().splitlines()]
    print(f"1..{len(cases) + 1}")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for number, (case, future) in enumerate([(c, pool.submit(draw, c)) for c in cases], 1):
            failed += say(number, future.result(), case)
    found = " ".join(check(BAD))
    missed = [part for part in ("a script", "font serif", "outside: 'three'", "lies on") if part not in found]
    failed += say(len(cases) + 1, missed, "a broken picture is found")
    return 1 if failed else 0


sys.exit(main())
