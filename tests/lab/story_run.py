# SPDX-License-Identifier: GPL-2.0-or-later
"""Stories played live and simulated, for the tests beside this file."""
import json
import os
import re
import subprocess
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("IDLEWALL_BUILD", os.path.join(HERE, "../../build"))
IDLEWALL = os.path.join(BUILD, "tools/idlewall")
REPLAY = os.path.join(BUILD, "tests/lab/replay_recording")
ENV = dict(os.environ, IDLEWALLD=os.path.join(BUILD, "middlebox/live/idlewalld"))
# A lab takes the processor only while its namespaces are made: not all at the same time.
STAGGER = 0.2
turn = threading.Lock()


def idlewall(*args):
    done = subprocess.run([IDLEWALL, *args], capture_output=True, env=ENV, stdin=subprocess.DEVNULL, timeout=180)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def lab(*args):
    with turn:
        time.sleep(STAGGER)
    return idlewall("lab", *args)


def events(text):
    """What -o json said: the events, and the outcome."""
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines[-1]["type"] == "outcome", lines[-1]
    return lines[:-1], lines[-1]


def differences(text):
    """Why the pairs of --verify that differ do: "8.2s late", "only live", ..."""
    return [line[43:].strip() for line in text.splitlines()
            if line.startswith("!" + 42 * " ") and "simulated: " not in line]


def in_time_only(text):
    found = differences(text)
    return bool(found) and all(re.fullmatch(r"[0-9][^,]* (late|early)", why) for why in found)


def replayed(directory):
    """Puts every recording in there through the engine: how many there were, how many packets, and what differs."""
    paths = sorted(os.path.join(directory, name) for name in os.listdir(directory))
    packets, wrong = 0, []
    for path in paths:
        done = subprocess.run([REPLAY, path], capture_output=True, text=True)
        packets += int(re.search(r"(\d+) packets", done.stdout).group(1)) if done.returncode < 2 else 0
        if done.returncode != 0:
            wrong += [f"{os.path.basename(path)}: {line}" for line in (done.stdout + done.stderr).splitlines()]
    return len(paths), packets, wrong


def side_words(side):
    state = side["state"]
    words = [state if state not in (None, "TIME_WAIT") else "gone"]  # TIME_WAIT is over after a minute
    words += [side["error"]] if side["error"] else []
    return words + [name for name in ("eof", "closed", "gave_up", "believes", "crashed") if side[name]]


def words(outcome, names=False):
    """How it ended, without times: the same for a story and its short variant. Connections that ended alike one after the
    other count as one."""
    ends = []
    for o in outcome["outcomes"]:
        forgotten = o["forgotten_by"] if names else o["forgotten_by"] is not None
        end = {"broken": o["broken"], "forgotten": forgotten, "late": o["late_action"],
               "client": side_words(o["client"]), "server": side_words(o["server"])}
        if ends[-1:] != [end]:
            ends.append(end)
    return ends


def simulated_outcome(what, sets=()):
    args = [arg for s in sets for arg in ("--set", s)]
    status, out, err = idlewall("simulate", "-o", "json", *args, what)
    if status not in (0, 1):  # 1: an expectation of the case that --set has taken away
        raise AssertionError(f"simulate {what}: status {status}: {err}")
    return events(out)[1]
