#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's conntrack and idlewalld, packet by packet: the same verdicts and the same states?

Random scripts of packets go through a namespace with nf_conntrack and through one with idlewalld, with the same
timeouts of 1 to 3 s. What differs and is not one of differential_known.py fails, and is shown.
    differential.py [--seed SEED] [--scripts N] [--only K] [--rules loose|strict]
"""
import argparse
import collections
import os
import random
import sys
import time

from differential_bed import OTHERS, TIMEOUTS, Idlewall, Kernel
from differential_known import KNOWN, which
from differential_play import APART, Pair, play
from differential_scripts import Script, make
from gateway import ROOT
from netns import Run

FIXED, SCRIPTS, MORE, PLANTED = "1", 2000, 1000, 200
FAULTS = {"tcp-established": 1, "tcp-time-wait": 1, "tcp-fin-wait": -1, "udp": 1}
DOCUMENT = os.path.join(ROOT, "docs/kernel-differences.md")
SHOWN = 6  # scripts that differ, in full


class Bench:
    """Pairs of firewalls, and the ends they share."""

    def __init__(self):
        self.run = Run("d")
        self.ends = self.run.namespace("ends")
        for name in ("all", "default"):
            self.ends.sysctl(f"net.ipv6.conf.{name}.disable_ipv6", 1)
        processors = sorted(os.sched_getaffinity(0))
        self.daemons = processors[-1]
        os.sched_setaffinity(0, processors[:1])  # what it sends stays in order
        self.pairs = []

    def pair(self, name, timeouts, loose, planted=None):
        kernel = Kernel(self.run, self.ends, f"k-{name}", timeouts, loose)
        ours = Idlewall(self.run, self.ends, f"w-{name}", dict(timeouts, **planted or {}), loose)
        ours.pin(self.daemons)
        self.pairs.append(Pair(name, kernel, ours))
        return self.pairs[-1]

    def close(self):
        for pair in self.pairs:
            pair.kernel.stop()
            pair.ours.stop()
        self.run.cleanup()
        assert not self.run.left(), f"namespaces left: {self.run.left()}"


class Tap:
    def __init__(self):
        self.count, self.good = 0, True

    def say(self, good, name, notes=()):
        self.count += 1
        self.good &= bool(good)
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}")
        for note in notes:
            print(f"# {note}")

    def end(self):
        print(f"1..{self.count}", flush=True)
        return 0 if self.good else 1


def report(tap, pair, seed, title):
    """One line of TAP for the scripts of a seed, and what differed."""
    done = [p for p in pair.done + pair.untimely if p.script.name.startswith(f"{seed}:")]
    untimely = [p for p in done if p.difference == "untimely"]
    met = collections.Counter()
    unknown = []
    for one in done:
        met.update(one.borne)
        if one.difference and one not in untimely:
            known = which(one)
            if known:
                met[known.name] += 1
            else:
                unknown.append(one)
    steps = sum(len(p.log) for p in done)
    notes = [f"seed {seed}: {len(done)} scripts, {steps} packets compared, {len(unknown)} differ"]
    notes += [f"known: {count} x {name}" for name, count in met.most_common()]
    if untimely:
        notes.append(f"{len(untimely)} not judged, the machine was too slow: {untimely[0].script.name} ...")
    unknown.sort(key=lambda p: len(p.log))
    for one in unknown[:SHOWN]:
        number = one.script.name.split(":")[1]
        notes += ["", f"again: differential.py --seed {seed} --only {number} --rules {pair.name}"] + one.tell()
    tap.say(not unknown and len(untimely) * 100 <= len(done), title, notes)


def known_differences(tap, pairs):
    plays = {p.script.name: p for pair in pairs for p in pair.done + pair.untimely}
    for known in KNOWN:
        one = plays[known.name]
        found = which(one) if one.difference else None
        tap.say(found is known, f"known difference: {known.name}",
                [] if found is known else ["it is gone, or another one: docs/kernel-differences.md"] + one.tell())
    tap.say(len(KNOWN) <= 10, "no more than ten kinds of known differences")
    with open(DOCUMENT) as lines:
        listed = [line.split(" | ")[0][2:] for line in lines if line.startswith("| ")][2:]
    tap.say(listed == [known.name for known in KNOWN], "docs/kernel-differences.md lists just these", listed)


def suite():
    started, chance = time.monotonic(), str(random.SystemRandom().randrange(10**6))
    print(f"# seeds: {FIXED} and {chance}", flush=True)
    bench, tap = Bench(), Tap()
    pairs = [bench.pair("loose", TIMEOUTS, True), bench.pair("strict", OTHERS, False)]
    for pair in pairs:
        pair.add(make(FIXED, n) for n in range(SCRIPTS))
        pair.add(make(chance, n, SCRIPTS + n) for n in range(MORE))
    special = []
    for n, known in enumerate(KNOWN):
        if known.rules or not special:
            rules = known.rules or dict.fromkeys(TIMEOUTS, 3)  # long enough for a slow machine
            special.append(bench.pair(f"known{n}", dict(TIMEOUTS, **rules), True))
        pair = special[-1 if known.rules else 0]
        pair.add([Script(known.name, n, known.packets, 4, known.port)])
    planted = []
    for wrong, by in FAULTS.items():
        planted.append(bench.pair(f"planted{len(planted)}", TIMEOUTS, True, {wrong: TIMEOUTS[wrong] + by}))
        planted[-1].add(make(FIXED, n) for n in range(PLANTED))
    play(bench.pairs)
    for pair, loose in zip(pairs, (1, 0)):
        for seed in (FIXED, chance):
            report(tap, pair, seed, f"random scripts, seed {'fixed' if seed == FIXED else 'random'}, tcp_loose={loose}")
    known_differences(tap, special)
    for (wrong, by), pair in zip(FAULTS.items(), planted):
        found = [p for p in pair.done if p.difference and not which(p)]
        tap.say(found, f"a planted fault is found: {wrong} {by:+d} s",
                [f"by {len(found)} of {PLANTED} scripts"])
    bench.close()
    print(f"# took {time.monotonic() - started:.0f} s")
    return tap.end()


def by_hand(options):
    bench, tap = Bench(), Tap()
    for name, timeouts, loose in (("loose", TIMEOUTS, True), ("strict", OTHERS, False)):
        if options.rules in (None, name):
            bench.pair(name, timeouts, loose)
    numbers = range(options.scripts) if options.only is None else [options.only]
    for pair in bench.pairs:
        pair.add(make(options.seed, n) for n in numbers)
    play(bench.pairs)
    for pair in bench.pairs:
        if options.only is not None:
            print("\n".join(pair.name + " " + line for one in pair.done for line in one.tell()))
        report(tap, pair, options.seed, pair.name)
    bench.close()
    return tap.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed")
    parser.add_argument("--scripts", type=int, default=SCRIPTS)
    parser.add_argument("--only", type=int, metavar="K")
    parser.add_argument("--rules", choices=("loose", "strict"))
    options = parser.parse_args()
    if options.scripts > APART:
        parser.error(f"at most {APART} scripts")
    if os.geteuid() != 0:
        print("1..0\nBail out! the live tests need root")
        return 1
    if options.seed is None and (options.only is not None or options.rules):
        options.seed = FIXED
    return by_hand(options) if options.seed else suite()


if __name__ == "__main__":
    sys.exit(main())
