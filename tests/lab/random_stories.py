#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Twenty scenarios with random idle, interval, count, limit, on-expiry and on-late: each is played live first and its timeline
saved; only then is anything simulated, and compared with what was saved. TAP.

    random_stories.py [--seed N]... [--keep DIR]      other seeds; where scenarios and timelines stay"""
import argparse
import collections
import concurrent.futures
import os
import random
import re
import subprocess
import sys
import tempfile
import time

from netns import small_tables
from story_run import BUILD, differences, events, in_time_only, lab

COMPARE = os.path.join(BUILD, "tests/lab/compare_saved")
SEEDS = range(10, 30)  # every on-expiry and on-late is among them
ON_EXPIRY = ("silent", "reset-client", "reset-server", "reset-both", "dcd")
ON_LATE = ("drop", "reset", "reset-client", "reset-server", "icmp", "adopt")

Story = collections.namedtuple("Story", "seed text asked")  # asked: pairs


def scenario(seed):
    """Nothing happens within a tenth of a second of something else, or the wheel's lateness would decide which is first:
    probes come from .2 to .6 of a second, the limit is over at .8; what is sent later starts other series."""
    rng = random.Random(seed)
    expiry, late = rng.choice(ON_EXPIRY + ("silent",) * 3), rng.choice(ON_LATE + ("drop",) * 2)
    limit = rng.randint(2, 4) + 0.6
    idle, interval, count = rng.randint(2, 6), rng.randint(1, 2), rng.randint(1, 3)
    side = rng.choice(("client", "server"))
    extra = " dcd-interval 1s dcd-count 2" if expiry == "dcd" else ""
    lines = [f'title "Random story {seed}"']
    lines += [f"client linux keepalive {idle} {interval} {count}" if side == "client" else "client linux",
              f"firewall linux-nf-conntrack tcp-established {limit}s on-expiry {expiry} on-late {late}{extra}",
              f"server linux keepalive {idle} {interval} {count}" if side == "server" else "server linux",
              "at 0s client connect", "at 0.1s client send 100", "at 0.2s server send 200"]
    if rng.random() < 0.5:
        at = rng.randint(1, 7)
        lines.append(f"at {at + 0.7:.1f}s {rng.choice(('client', 'server'))} send {rng.randint(1, 300)}")
        if late != "adopt" and rng.random() < 0.5:
            lines.append(f"at {at + rng.randint(1, 3) + 0.13:.2f}s {rng.choice(('client', 'server'))} send "
                         f"{rng.randint(1, 300)}")
    lines.append("until 12s")
    asked = (("on-expiry", expiry), ("on-late", late))
    return Story(seed, "\n".join(lines) + "\n", asked)


def paths_of(directory, story):
    return (os.path.join(directory, f"random-{story.seed}.{what}") for what in ("scenario", "live"))


def play(story, directory):
    """Live, and nothing else: (status, what it said on standard error)."""
    path, live = paths_of(directory, story)
    with open(path, "w") as to:
        to.write(story.text)
    status, out, err = lab("-o", "json", path)
    with open(live, "w") as to:
        to.write(out)
    return status, err


def compare(story, directory):
    path, live = paths_of(directory, story)
    done = subprocess.run([COMPARE, path, live], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def again(story, directory):
    status, err = play(story, directory)
    return compare(story, directory) if status == 0 else (3, "", err)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, action="append")
    parser.add_argument("--keep")
    asked = parser.parse_args()
    small_tables()
    stories = [scenario(seed) for seed in asked.seed or SEEDS]
    print(f"1..{len(stories) + 1}", flush=True)
    failed = 0
    with tempfile.TemporaryDirectory() as temporary, concurrent.futures.ThreadPoolExecutor(len(stories)) as pool:
        directory = asked.keep or temporary
        os.makedirs(directory, exist_ok=True)
        played = dict(zip(stories, pool.map(lambda story: play(story, directory), stories)))
        over = time.time()  # every live run is over; the simulator has not run yet
        saved = {story: os.stat(list(paths_of(directory, story))[1]) for story in stories}
        assert all(s.st_mtime <= over for s in saved.values())
        first = {s: compare(s, directory) if played[s][0] == 0 else (3, "", played[s][1]) for s in stories}
        late = {s: pool.submit(again, s, directory) for s in stories if first[s][0] == 1 and in_time_only(first[s][1])}
        kinds = set()
        for number, story in enumerate(stories, 1):
            status, out, err = first[story]
            notes = [line for line in story.text.splitlines() if not line.startswith("title")]
            if story in late:
                notes.append("played twice, the first time differed in time: " + "; ".join(differences(out)))
                status, out, err = late[story].result()
            found = re.search(r"^([1-9]\d*) events, live and simulated alike$", out, re.M)
            good = status == 0 and found
            failed += not good
            kinds |= set(story.asked) if good else set()
            print(f"{'ok' if good else 'not ok'} {number} - seed {story.seed}: {found.group(1) if found else 0} events")
            said = [] if good else [line for line in out.splitlines() if line.startswith("!")] + err.splitlines()
            for line in (notes if not good or story in late else []) + said:
                print("# " + line[:200], flush=True)
    wanted = {("on-expiry", value) for value in ON_EXPIRY} | {("on-late", value) for value in ON_LATE}
    missing = wanted - kinds if not asked.seed else set()
    failed += bool(missing)
    print(f"{'not ok' if missing else 'ok'} {len(stories) + 1} - every on-expiry and on-late was among them")
    for what in sorted(missing):
        print("# not played: " + " ".join(what))
    return 1 if failed else 0


sys.exit(main())
