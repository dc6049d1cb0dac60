#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Stories with real servers and clients in the lab (programs/*.scenario): from the first silence on they go as the
simulator says; and field case 1 with an IMAP server over TLS, its processes counted. TAP."""
import concurrent.futures
import glob
import os
import statistics
import subprocess
import sys
import time

from netns import small_tables

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("IDLEWALL_BUILD", os.path.join(HERE, "../../build"))
IDLEWALL = os.path.join(BUILD, "tools/idlewall")
ENV = dict(os.environ, IDLEWALL=os.path.join(BUILD, "middlebox/live/idlewalld"))
TOGETHER = 5


def verify(path):
    done = subprocess.run([IDLEWALL, "lab", "--verify", path], capture_output=True, env=ENV, timeout=120,
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def play(path):
    """Programs start slowly on a busy machine: once more is allowed, and said."""
    first = verify(path)
    if "not installed" in first[2]:
        return 3, first[2].splitlines()
    if first[0] == 0:
        return 0, []
    again = verify(path)
    said = [line for text in first[1:] + again[1:] for line in text.splitlines() if not line.startswith("  ")]
    return again[0], (["played twice"] if again[0] == 0 else said[:40])


def sessions(space, word):
    """How many processes in that namespace hold a socket that is ESTABLISHED, by sock_diag."""
    done = subprocess.run(["ip", "netns", "exec", space, "ss", "-tnpH", "state", "established", "sport", "=", ":993"],
                          capture_output=True, text=True)
    return sum(word in line for line in done.stdout.splitlines())


def imap(keepalive):
    """Sessions on the server at the end: the client was cut off once, and has connected again."""
    path = os.path.join(HERE, "programs", f"imapd-{keepalive}.scenario")
    lab = subprocess.Popen([IDLEWALL, "lab", "--outcome", path], env=ENV, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    seen = []
    while lab.poll() is None:
        seen.append(sessions(f"idlewall-{lab.pid}-server", "imap"))
        time.sleep(0.2)
    counts = [n for n in seen if n > 0]
    late = counts[3 * len(counts) // 4:]  # the story's last quarter; at its very end the lab is taken down
    return (max(counts, default=0), statistics.mode(late) if late else 0), lab.stdout.read()


def main():
    small_tables()
    paths = sorted(glob.glob(os.path.join(HERE, "programs", "*.scenario")))
    print(f"1..{len(paths) + 1}", flush=True)
    failed = number = 0
    with concurrent.futures.ThreadPoolExecutor(TOGETHER) as pool:
        on, off = pool.submit(imap, "keepalive"), pool.submit(imap, "off")
        for path, future in [(p, pool.submit(play, p)) for p in paths]:
            status, said = future.result()
            number += 1
            failed += status != 0
            print(f"{'not ok' if status else 'ok'} {number} - {os.path.basename(path)[:-9]}")
            for line in said:
                print("# " + line, flush=True)
        (with_most, with_last), said_on = on.result()
        (without_most, without_last), said_off = off.result()
    # Two sessions while the old one is not known to be dead; with keepalive its process ends.
    right = (with_most, with_last, without_most, without_last) == (2, 1, 2, 2)
    failed += not right
    print(f"{'ok' if right else 'not ok'} {number + 1} - IMAP sessions: {with_most}, then {with_last} with keepalive, "
          f"{without_most}, then {without_last} without")
    if not right:
        print("# " + (said_on + said_off).replace("\n", "\n# "))
    return 1 if failed else 0


sys.exit(main())
