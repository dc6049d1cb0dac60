#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every story of stories/*.scenario live and simulated; every shipped case by a short variant of it; paths of several
firewalls; and what the firewalls recorded, through the engine again. TAP. Arguments choose stories by regex."""
import concurrent.futures
import glob
import os
import re
import sys
import tempfile
import time

from netns import small_tables
from stories_cases import LIVE, VIRTUAL
from story_run import HERE, events, idlewall, in_time_only, lab, replayed, simulated_outcome, words

TOGETHER = 20  # they sleep
LIMIT = re.compile(r"^firewall (\S+) named (\S+) tcp-established (\d+)s", re.M)


def name_of(path):
    return os.path.basename(path)[:-len(".scenario")]


def path_of(name):
    return os.path.join(HERE, "stories", name + ".scenario")


def verify(path, directory):
    """(wrong, notes). Once more is allowed where only times differed: a busy machine is late."""
    notes = []
    for attempt in "1", "2":
        record = os.path.join(directory, name_of(path) + attempt)
        os.mkdir(record)
        status, out, err = lab("--verify", "--record", record, path)
        if status == 0 and re.search(r"^[1-9]\d* events, live and simulated alike$", out, re.M):
            return [], notes, record
        if attempt == "2" or status != 1 or not in_time_only(out):
            break
        notes += ["played twice, the first time differed in time:"] + [line for line in out.splitlines() if line.startswith("!")]
    shown = [line for line in out.splitlines() if line.startswith("!")] + err.splitlines() + [f"status {status}"]
    return shown[:60], notes, record


def story(path, directory):
    wrong, notes, record = verify(path, directory)
    with open(path) as file:
        firewalls = len(re.findall(r"^firewall ", file.read(), re.M))
    if not wrong and firewalls:
        recordings, packets, wrong = replayed(record)
        notes.append(f"{packets} packets in {recordings} recordings: the same verdicts again")
        if recordings < firewalls:
            wrong.append(f"{recordings} recordings of {firewalls} firewalls")
        if packets == 0:
            wrong.append("no packets in the recordings")
    return wrong, notes


def several(path):
    """The live run's own report names the firewall that was first to forget, and it is the one with the shortest limit."""
    status, out, err = lab("-o", "json", path)
    if status != 0:
        return [f"status {status}"] + err.splitlines(), None
    live, simulated = events(out)[1], simulated_outcome(path)
    wrong = []
    with open(path) as file:
        text = file.read()
    limits = {name: int(limit) for _, name, limit in LIMIT.findall(text)}
    shortest = min(limits, key=limits.get)
    idle = int(re.search(r"keepalive (\d+)", text).group(1))
    named = shortest if limits[shortest] <= idle else None
    if words(live, names=True) != words(simulated, names=True):
        wrong += [f"live {words(live, names=True)}", f"simulated {words(simulated, names=True)}"]
    first = live["outcomes"][0]
    if first["forgotten_by"] != named:
        wrong.append(f"{first['forgotten_by']} forgot first, and not {named}")
    if named and (first["timeout_s"], first["timeout_name"]) != (limits[named], "tcp-established"):
        wrong.append(f"after {first['timeout_name']} {first['timeout_s']}")
    if named and named not in live["text"]:
        wrong.append(f"the report does not name {named}: {live['text']}")
    return wrong, None


def variant(case, short, sets):
    """Both end in the same way, without regard to how long it takes."""
    one, other = words(simulated_outcome(case, sets)), words(simulated_outcome(path_of(short)))
    return [] if one == other else [f"{case}: {one}", f"{short}: {other}"]


def case(name):
    """(wrong, the story that stands for it) of a shipped case."""
    if name in LIVE and name in VIRTUAL:
        return ["it is in both tables"], None
    if name in LIVE:
        return variant(name, *LIVE[name]), LIVE[name][0]
    if name not in VIRTUAL:
        return ["no live story, and not among those that are virtual only (stories_cases.py)"], None
    short, sets, why = VIRTUAL[name]
    status, out, err = idlewall("lab", name)
    wrong = [] if (status, out) == (2, "") else [f"idlewall lab {name}: status {status}", out]
    wrong += [f"it does not say why: {part!r} is not in {err!r}" for part in why if part not in err]
    return wrong + (variant(name, short, sets) if sets is not None else []), short


def guarded(function, *args):
    """(wrong, ...) of it; one that breaks is wrong as well, and the others go on."""
    try:
        return function(*args)
    except Exception as error:
        return [repr(error)], None


def shipped():
    return [line.split()[0] for line in idlewall("simulate", "--list")[1].splitlines() if line.strip()]


def main():
    small_tables()
    chosen = [path for path in sorted(glob.glob(path_of("*")))
              if not sys.argv[1:] or any(re.search(a, name_of(path)) for a in sys.argv[1:])]
    paths = [path for path in chosen if len(re.findall(r"^firewall ", open(path).read(), re.M)) > 1]
    names = sorted(set(shipped()) | set(LIVE) | set(VIRTUAL)) if not sys.argv[1:] else []
    print(f"1..{len(chosen) + len(paths) + len(names)}", flush=True)
    failed = number = 0

    def tell(what, wrong, notes=()):
        nonlocal failed, number
        number += 1
        failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {number} - {what}")
        for line in [*notes, *wrong]:
            print(f"# {line}"[:300], flush=True)

    started, good, known = time.monotonic(), set(), set(shipped())
    with tempfile.TemporaryDirectory() as directory, concurrent.futures.ThreadPoolExecutor(TOGETHER) as pool, \
            concurrent.futures.ThreadPoolExecutor(1) as beside:
        played = [(path, pool.submit(guarded, story, path, directory)) for path in chosen]
        long = [(path, pool.submit(guarded, several, path)) for path in paths]
        cases = [(name, beside.submit(guarded, case, name)) for name in names if name in known]
        for path, future in played:
            wrong, notes = future.result()
            good |= set() if wrong else {name_of(path)}
            tell(f"{name_of(path)}: live as simulated", wrong, notes or [])
        for path, future in long:
            tell(f"{name_of(path)}: the shortest limit rules", future.result()[0])
        for name, future in cases:
            wrong, stands = future.result()
            if stands and stands not in good:
                wrong = wrong + [f"{stands} is not alike, or no such story"]
            tell(f"case {name}: {'live' if name in LIVE else 'virtual only, live in its place'} {stands}", wrong)
    for name in sorted(set(names) - known):
        tell(f"case {name}", ["no such case is shipped"])
    print(f"# {time.monotonic() - started:.1f} s")
    return 1 if failed else 0


sys.exit(main())
