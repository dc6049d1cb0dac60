# SPDX-License-Identifier: GPL-2.0-or-later
"""Plays many scripts at once through both firewalls of a pair, and compares after every packet.

Every round each script that is due puts in one packet; then the marks go through, and both tables are
read. No packet goes in within CLEAR of the moment its entry expires: it waits for a later round.
"""
import collections
import time

from differential_packet import whose

TICK = 0.1
SYN_SENT2 = "SYN_SENT2 lasts as long as SYN_SENT"  # unless it runs out, the script may go on
CLEAR = 0.25   # seconds between a packet and a possible deadline
PAUSE = 0.25   # seconds between packets, so that a look without one in between shows what time is left
BLUR = 0.06    # how far the two may be apart in what time is left, and what the reading takes
SLOW = 0.5     # a round longer than this may have lost an entry before it was looked at
MOST = 500     # packets a round and pair, fewer where that takes long
ATTEMPTS = 6
APART = 5000   # more than there are scripts: where the next attempt of one gets its ports

Seen = collections.namedtuple("Seen", "passed entries")  # what one firewall made of a packet


def shown(seen):
    if seen is None:
        return "-"
    states = []
    for e in seen.entries:
        notes = [] if e.replied else ["unreplied"]
        notes += ["assured"] if e.assured else []
        notes += ["opened by the server"] if e.open == "s" else []
        states.append(" ".join([e.state, f"{e.left:.3g}s", *notes]))
    verdict = {True: "pass", False: "DROP", None: "    "}[seen.passed]
    return f"{verdict} {', '.join(states) or 'no entry'}"


class Play:
    """A script under way, through one pair."""

    def __init__(self, script):
        self.script, self.attempt = script, 0
        self.random = ":" in script.name  # else one of the known differences
        t = script.tuple
        self.keys = [(str(t.family), t.host, t.port["c"])]
        extra = {p.number for p in script.packets if p.proto == "echo" and p.number}
        self.keys += [(str(t.family), t.host, t.port["c"] + n & 0xFFFF) for n in extra]
        self.frames = [p.bytes(t, at) for at, p in enumerate(script.packets)]
        self.begin()

    def begin(self):
        self.at, self.due, self.deadlines = 0, 0, []
        self.log = []         # (step, kernel's Seen, idlewall's Seen, when)
        self.difference = None
        self.borne = set()    # known differences that go by again
        self.skew = 0         # seconds that idlewalld may have got its last packet later than the kernel
        self.stream_at = 0    # UDP turns into a stream when it is 2 s old: a deadline as well
        self.sent_at = 0

    def ended(self):
        return self.at == len(self.script.packets)

    def over(self, now):
        return self.difference or self.ended() and now > self.sent_at + PAUSE

    def clear(self, now):
        return all(abs(now - moment) > CLEAR for moment in [*self.deadlines, self.stream_at])

    def tell(self):
        """The script with what each made of it, a line a packet."""
        lines = [f"script {self.script.name}, IPv{self.script.tuple.family}, client port {self.script.tuple.port['c']}"]
        for step, kernel, ours, _ in self.log:
            lines.append(f"{step + 1:3} {self.script.packets[step].show(self.script.origin)}")
            lines.append(f"        kernel   {shown(kernel)}")
            lines.append(f"        idlewall {shown(ours)}")
        if self.difference:
            lines.append(f"        ^ {self.difference}")
        return lines


class Pair:
    """The kernel and idlewalld with the same timeouts, and the scripts that go through them."""

    def __init__(self, name, kernel, ours):
        self.name, self.kernel, self.ours = name, kernel, ours
        self.live, self.done, self.untimely = [], [], []
        self.most = MOST

    def add(self, scripts):
        self.live += [Play(s) for s in scripts]

    def round(self, number, base):
        """One packet of each script that is due, and what became of it."""
        start = time.monotonic()
        due = [play for play in self.live if not play.ended() and play.due <= start and play.clear(start)]
        due.sort(key=lambda play: play.at == 0)  # what has begun goes on, what has not waits
        sent = {}
        for play in due[:self.most]:
            p, t = play.script.packets[play.at], play.script.tuple
            for firewall in (self.kernel, self.ours):
                firewall.send(p.side, t.family, play.frames[play.at])
            sent[t.family, t.host, t.base + play.at] = play
        for firewall in (self.kernel, self.ours):
            firewall.mark(number)
        came = {}
        for firewall in (self.kernel, self.ours):
            out = collections.Counter()
            for side, data in firewall.caught(number):
                play = sent.get(whose(data))
                assert play, f"{firewall.name}: a packet from nowhere: {data.hex()}"
                assert play.script.packets[play.at].side == side, f"{firewall.name}: sent back: {data.hex()}"
                want = play.frames[play.at]
                skip = 12 if play.script.tuple.family == 4 else 8  # all but the hop limit and the checksum over it
                assert data[:7] == want[:7] and data[skip:] == want[skip:], f"changed: {data.hex()}, {want.hex()}"
                out[id(play)] += 1
                assert out[id(play)] == 1, f"{firewall.name}: came out twice: {data.hex()}"
            came[firewall] = out
        end = time.monotonic()
        theirs, ours = self.kernel.read(), self.ours.read()
        took = time.monotonic() - start
        for play in sent.values():
            if took > SLOW or any(start - 0.05 - play.skew < moment < end + 0.05
                                  for moment in [*play.deadlines, play.stream_at]):
                play.difference = "untimely"
            play.sent_at, play.skew = start, end - start
        self.most = max(self.most // 2, 20) if took > SLOW / 2 else min(self.most + 20, MOST)
        self.look(sent, came, *theirs, *ours)

    def look(self, sent, came, theirs, k0, k1, ours, w0, w1):
        stepped = {id(p) for p in sent.values()}
        middle, width = (w0 + w1) / 2, max(k1 - k0, w1 - w0)
        for play in self.live:
            if play.difference == "untimely":
                continue
            kernel = sorted(sum((theirs.get(k, []) for k in play.keys), []))
            mine = sorted(sum((ours.get(k, []) for k in play.keys), []))
            if id(play) in stepped:
                seen = (Seen(came[self.kernel][id(play)] == 1, kernel), Seen(came[self.ours][id(play)] == 1, mine))
                play.log.append((play.at, *seen, play.sent_at))
                play.at += 1
                if play.at < len(play.script.packets):
                    play.due = play.sent_at + max(PAUSE, play.script.packets[play.at].gap)
                if seen[0].passed != seen[1].passed:
                    play.difference = "verdict"
            elif not play.log:
                continue
            # An entry that is about to go, or just went, may be seen by one and not by the other.
            blur = BLUR + width + play.skew
            if not any(min(k0, w0) - blur < d < max(k1, w1) + blur for d in play.deadlines):
                play.difference = play.difference or self.judge(play, kernel, mine, (k0 + k1) / 2 - middle, blur)
                if play.difference and id(play) not in stepped:
                    play.log.append((play.at - 1, Seen(None, kernel), Seen(None, mine), w0))
            just_over = [d for d in play.deadlines if w1 - 2 * CLEAR < d <= w1]
            play.deadlines = [middle + e.left for e in mine] + just_over
            if mine and play.script.packets[0].proto == "udp":
                play.stream_at = middle - mine[0].age + 2
        for play in [p for p in self.live if p.over(w1)]:
            self.live.remove(play)
            if play.difference != "untimely":
                self.done.append(play)
            elif play.attempt + 1 == ATTEMPTS:
                self.untimely.append(play)
            else:
                again = Play(play.script.elsewhere(APART))
                again.attempt, again.due = play.attempt + 1, w1 + 1
                self.live.append(again)

    @staticmethod
    def judge(play, kernel, ours, ahead, blur):
        found = compare(kernel, ours, ahead, blur)
        if found == "time left" and [e.state for e in ours] == ["SYN_SENT2"] and play.random:
            play.borne.add(SYN_SENT2)
            return None
        return found


def compare(kernel, ours, ahead, blur):
    """What differs between the two tables' entries of a script, or None. ahead: the kernel's was read later by this."""
    if [e[:3] for e in kernel] != [e[:3] for e in ours]:
        return "state"
    if [e.assured for e in kernel] != [e.assured for e in ours]:
        return "assured"
    for k, w in zip(kernel, ours):
        left = w.left - ahead
        if not k.left - blur <= left < k.left + 1 + blur:  # the kernel shows whole seconds
            return "time left"
    return None


def play(pairs, rounds=10000):
    """Until all is over."""
    for number in range(rounds):
        started = time.monotonic()
        for pair in pairs:
            if pair.live:
                pair.round(number, started)
        if not any(pair.live for pair in pairs):
            return
        rest = started + TICK - time.monotonic()
        if rest > 0:
            time.sleep(rest)
    raise AssertionError("no end of rounds")
