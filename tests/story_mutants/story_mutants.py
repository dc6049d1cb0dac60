#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Does `lab --verify` find a wrong rule out? A story is played by an `idlewall` whose simulator has one rule broken, with the
kernel's sockets and a sound idlewalld: it must end with 1, for the right reason; and with 0 where nothing is broken. TAP.
Arguments: for each mutant the program, its story, what must differ, its name."""
import concurrent.futures
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../lab"))
from netns import small_tables  # pylint: disable=wrong-import-position
BUILD = os.environ.get("IDLEWALL_BUILD", os.path.join(HERE, "../../build"))
SOUND = os.path.join(BUILD, "tools/idlewall")
ENV = dict(os.environ, IDLEWALLD=os.path.join(BUILD, "middlebox/live/idlewalld"))


def verify(program, story):
    path = os.path.join(HERE, "../lab/stories", story + ".scenario")
    done = subprocess.run([program, "lab", "--verify", path], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env=ENV, timeout=100, check=False)
    return done.returncode, [line for line in done.stdout.splitlines() if line.startswith("!")] + done.stderr.splitlines()


def sound(story):
    """Once more is allowed: a busy machine is late."""
    status, lines = verify(SOUND, story)
    return (0, []) if status == 0 else verify(SOUND, story)


def wrong(program, story, why):
    """The expected difference must be there; what else differs follows from it, or from a busy machine."""
    status, lines = verify(program, story)
    if status == 1 and any(why in line for line in lines):
        return 0, []
    return 1, [f"status {status}, and nowhere `{why}`"] + lines


def main():
    small_tables()
    given = [sys.argv[i:i + 4] for i in range(1, len(sys.argv), 4)]
    stories = sorted({story for _, story, _, _ in given})
    print(f"1..{len(given) + len(stories)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        done = [(f"sound: {story}", pool.submit(sound, story)) for story in stories]
        done += [(f"{name}: {why}", pool.submit(wrong, program, story, why)) for program, story, why, name in given]
    failed = 0
    for number, (name, result) in enumerate(done, 1):
        status, lines = result.result()
        failed += status != 0
        print(f"{'ok' if status == 0 else 'not ok'} {number} - {name}")
        for line in lines if status else []:
            print(f"# {line}")
    sys.exit(failed > 0)


main()
