# SPDX-License-Identifier: GPL-2.0-or-later
"""The simulator's endpoints against this kernel's sockets: short stories, played by both.

Packets must be the same, in the same order: who sent them, flags, relative sequence and acknowledgement numbers,
lengths; and what the applications got. Times may differ by what the timer wheel leaves open within one run: an eighth
of the time since the packet before, and 50 ms.
"""
import concurrent.futures
import itertools
import os
import re
import subprocess
import sys
import threading
import time
import traceback

from endpoint_stand import SIDES, Segments, Stand, Story
from endpoint_stories import SEGMENTS, STORIES
from netns import Run

BUILT = os.path.join(os.environ.get("IDLEWALL_BUILD", "build"), "tests", "lab")
SLACK = 0.05
QUIET = 0.035  # longer away from the wire: disturbed
output = threading.Lock()
numbers = itertools.count(1)


class Simulated:
    """What the simulator says, in the manner of Stand."""

    def __init__(self, program, *argv, **options):
        done = subprocess.run([os.path.join(BUILT, program), *argv], capture_output=True, text=True, timeout=60, **options)
        if done.returncode:
            raise AssertionError(done.stderr.strip() or f"{program}: status {done.returncode}")
        self.packets, self.app, self.looks = [], [], {}
        for line in done.stdout.splitlines():
            kind, t, side, *rest = line.split()
            t = float(t)
            if kind == "packet":
                flags, seq, ack, length, window = rest
                self.packets.append((t, side, flags, int(seq), int(ack), int(length), window == "zero"))
            elif kind == "app":
                self.app.append((t, side, " ".join(rest[:-1]), rest[-1]))
            else:
                self.looks.setdefault(t, {})[side] = tuple(rest)


def shown(packet):
    t, side, flags, seq, ack, length, zero = packet[:7]
    return f"{t:8.3f} {side} {flags:3} seq {seq} ack {ack} len {length}{' win 0' if zero else ''}" + \
        (f" {packet[7]}" if len(packet) > 7 else "")


def side_by_side(left, right):
    lines = [f"{'kernel':60} simulator"]
    for i in range(max(len(left), len(right))):
        lines.append(f"{shown(left[i]) if i < len(left) else '-':60} {shown(right[i]) if i < len(right) else '-'}")
    return "\n".join(lines)


def key(packet, masked):
    _, side, flags, seq, ack, length, zero = packet[:7]
    # PSH depends on how the kernel cut its buffers, and says nothing about time
    return side, flags.replace("P", ""), *(() if masked else (seq, ack, length)), zero


def near(a, b):
    return abs(a - b) <= max(a, b) / 8 + SLACK


def gaps(packets, i):
    """Since the packet before, and since this side's packet before: one of them is what the timer was armed by."""
    own = [p[0] for p in packets[:i] if p[1] == packets[i][1]]
    return packets[i][0] - packets[max(i - 1, 0)][0], packets[i][0] - (own[-1] if own else 0)


def compare_packets(kernel, model, story):
    def chosen(packets):
        return [p for p in packets if p[0] >= story.get("since", 0)][:story.get("first")]

    kernel, model = chosen(kernel), chosen(model)
    masked = story.get("masked", False)
    if [key(p, masked) for p in kernel] != [key(p, masked) for p in model]:
        return "other packets\n" + side_by_side(kernel, model)
    for i, (left, right) in enumerate(zip(kernel, model)):
        if not near(left[0], right[0]) and not any(map(near, gaps(kernel, i), gaps(model, i))):
            return f"packet {i + 1} at another time\n" + side_by_side(kernel, model)
    return None


def compare_app(kernel, model):
    def of(events, side):
        return [(t, what, str(value)) for t, s, what, value in events
                if s == side and what in ("connected", "accepted", "eof", "error")]

    for side in SIDES:
        left, right = of(kernel, side), of(model, side)
        if [e[1:] for e in left] != [e[1:] for e in right] or not all(near(a[0], b[0]) for a, b in zip(left, right)):
            return f"{side}'s application got something else\nkernel    {left}\nsimulator {right}"
        total = [sum(int(v) for _, s, what, v in events if s == side and what == "read") for events in (kernel, model)]
        if total[0] != total[1]:
            return f"{side}'s application read {total[0]} bytes, in the simulator {total[1]}"
    return None


STATES = {"ESTAB": "ESTABLISHED", "FIN-WAIT-1": "FIN_WAIT_1", "FIN-WAIT-2": "FIN_WAIT_2", "CLOSE-WAIT": "CLOSE_WAIT",
          "LAST-ACK": "LAST_ACK", "TIME-WAIT": "TIME_WAIT", "SYN-SENT": "SYN_SENT", "SYN-RECV": "SYN_RECV"}


def compare_looks(kernel, model):
    for t, seen in kernel:
        for side in SIDES:
            state, timer, count = seen[side]
            left, right = (STATES.get(state, state), timer, str(count)), model[t][side]
            if left != right:
                return f"{side}'s socket at {t} s: kernel {left}, simulator {right}"
    return None


def play(run, make, sides):
    number = run.number()
    spaces = {side: run.namespace(f"{number}-{side}") for side in sides}
    try:
        stand = make(spaces)
        stand.play()
    finally:
        for space in spaces.values():
            space.delete()
    return stand


def attempt_story(run, story):
    stand = play(run, lambda spaces: Stand(Story(story["text"]), spaces), SIDES)
    path = run.path(f"{run.number()}.scenario")
    with open(path, "w") as to:
        to.write(story["text"])
    model = Simulated("simulate_story", path, *map(str, stand.story.looks))
    return stand, compare_packets(stand.packets, model.packets, story) or compare_app(stand.app, model.app) or \
        compare_looks(stand.looks, model.looks)


def attempt_segments(run, script):
    stand = play(run, lambda spaces: Segments(script, spaces), ["server"])
    model = Simulated("simulate_segments", input=script + "\n")
    difference = compare_packets(stand.packets, model.packets, {}) or compare_app(stand.app, model.app)
    return stand, difference and script + "\n" + difference


def perform(run, name, attempt, what):
    notes, started = [], time.monotonic()
    try:
        # A machine under load moves one timer past another: what differs is played again, and counts when it differs
        # a second time in a run that nothing disturbed.
        calm = 0
        for _ in range(5):
            stand, difference = attempt(run, what)
            calm += stand.stall < QUIET
            if not difference or calm == 2:
                break
            notes.append(f"different, having looked away for {stand.stall * 1000:.0f} ms at most: played again")
        if difference:
            notes += difference.splitlines()
    except BaseException:
        difference = True
        notes += traceback.format_exc().splitlines()
    known = what.get("known") if isinstance(what, dict) else None
    if known and not difference:
        notes.append("the same now: it is known no longer")
    good = bool(difference) == bool(known)
    with output:  # numbered in the order in which they end: so TAP wants it
        print(f"{'ok' if good else 'not ok'} {next(numbers)} - {name}{f', known to differ: {known}' if known else ''}")
        for note in notes:
            print(f"# {note}")
        print(f"# took {time.monotonic() - started:.1f} s", flush=True)
    return good


def main():
    if os.geteuid() != 0:
        print("1..0\nBail out! the live tests need root")
        sys.exit(1)
    run = Run("e")
    tests = [(name, attempt_story, story) for name, story in STORIES.items()]
    tests += [(name, attempt_segments, script) for name, script in SEGMENTS.items()]
    chosen = [t for t in tests if not sys.argv[1:] or any(re.search(a, t[0]) for a in sys.argv[1:])]
    print(f"1..{len(chosen)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        done = [pool.submit(perform, run, *item) for item in chosen]
        good = all([d.result() for d in done])
    run.cleanup()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
