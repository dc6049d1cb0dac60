# SPDX-License-Identifier: GPL-2.0-or-later
"""Random scripts for the differential test: from a seed and a number, always the same ones.

Most walk about as two TCPs would that lose, repeat and mistake things; some are pure noise.
"""
import random

from differential_packet import (ACK, CWR, ECE, FIN, MSS, PSH, RST, SACK_OK, SERVER_PORT, SYN, TIMESTAMP, URG, Packet,
                                 Tuple, sack, scale)

LONGEST = 9.0  # seconds of silence in one script
BAD_FLAGS = (0, FIN, SYN | FIN, SYN | RST, FIN | RST, PSH, URG, SYN | FIN | ACK, RST | FIN | ACK, PSH | URG,
             SYN | RST | ACK, FIN | PSH | URG, 0x3F, SYN | ACK | URG, RST | URG)
# Nothing that two TCPs would agree on, but whole; and what runs past its end.
ODD_OPTIONS = (b"\xfe\x04\x01\x02", b"\x03\x04\x01\x07", b"\x00\x03\x03\x07", b"\x03\x03", b"\x05\x0a" + bytes(8),
               b"\x04\x03\x01", b"\x05\x0b" + bytes(9) + b"\x01")
MALFORMED = (b"\x03\x00\x01\x01", b"\x05\x0b" + bytes(6), b"\x08", b"\x04\x09\x01\x01")


class Script:
    """A list of packets between two hosts that exist nowhere."""

    def __init__(self, name, number, packets, family=4, port=SERVER_PORT):
        self.name, self.packets = name, packets
        self.how = number, family, port
        self.tuple = Tuple(number, family, port)
        self.origin = {"c": 0, "s": 0}
        for side in "cs":
            own = [p.seq for p in packets if p.side == side and p.proto == "tcp"]
            if own:
                self.origin[side] = own[0]


    def elsewhere(self, by):
        """The same script with other ports, where nothing is left of it."""
        number, family, port = self.how
        return Script(self.name, number + by, self.packets, family, port)


class End:
    def __init__(self, r):
        self.start = r.choice((r.getrandbits(32), r.getrandbits(32), 0xFFFFFFFF - r.randrange(3000), r.randrange(3)))
        self.next = self.start  # the next number it sends
        self.seen = 0           # the next number of its peer's that it expects
        self.win = r.choice((64000, 64000, 65535, 29200, 8192, 1024, 200, 1, 0))
        self.offer = r.choice((b"", MSS, MSS + SACK_OK, MSS + SACK_OK + TIMESTAMP + scale(7),
                               MSS + SACK_OK + TIMESTAMP + scale(r.choice((0, 2, 10, 14, 15, 255))), scale(3),
                               MSS + scale(7) + SACK_OK, r.choice(ODD_OPTIONS)))
        self.stamps = TIMESTAMP in self.offer


def other(side):
    return "s" if side == "c" else "c"


class Walk:
    """Two ends and the packets they have sent so far."""

    def __init__(self, r):
        self.r = r
        self.end = {"c": End(r), "s": End(r)}
        self.packets = []
        self.silence = 0

    def gap(self):
        r = self.r
        kind = r.random()
        if kind < 0.74 or self.silence > LONGEST:
            return 0
        wait = r.uniform(0.4, 0.9) if kind < 0.82 else r.uniform(1.05, 3.6)
        self.silence += wait
        return round(wait, 2)

    def put(self, side, flags, seq=None, ack=None, **more):
        me = self.end[side]
        options = more.pop("options", TIMESTAMP if me.stamps and not flags & SYN else b"")
        self.packets.append(Packet(side, self.gap(), flags=flags, seq=me.next if seq is None else seq,
                                   ack=(me.seen if flags & ACK else 0) if ack is None else ack,
                                   win=more.pop("win", me.win), options=options, **more))

    def sends(self, side, count):
        """The sender's next number moves on, and its peer has seen it."""
        self.end[side].next += count
        self.end[other(side)].seen = self.end[side].next

    # What an end may do. Each puts one packet.

    def syn(self, side, why=""):
        length = self.r.choice((0, 0, 0, 0, 0, 20))
        self.put(side, SYN | self.r.choice((0, 0, 0, ECE | CWR, URG)), seq=self.end[side].start,
                 options=self.end[side].offer, length=length, why=why)
        self.end[side].next = self.end[side].start
        self.sends(side, 1 + length)

    def synack(self, side):
        self.put(side, SYN | ACK, seq=self.end[side].start, options=self.end[side].offer)
        self.end[side].next = self.end[side].start
        self.sends(side, 1)

    def ack(self, side):
        self.put(side, ACK | self.r.choice((0, 0, 0, ECE, URG)))

    def data(self, side):
        length = self.r.choice((1, 10, 100, 1000, 1400))
        self.put(side, ACK | self.r.choice((0, PSH, PSH)), length=length)
        self.sends(side, length)

    def fin(self, side):
        length = self.r.choice((0, 0, 0, 50))
        self.put(side, FIN | ACK | self.r.choice((0, 0, PSH, URG)), length=length)
        self.sends(side, 1 + length)

    def reset(self, side):
        self.put(side, RST | self.r.choice((0, ACK)), win=0, why="exact")

    def reset_near(self, side):
        self.put(side, RST | self.r.choice((0, ACK)), seq=self.end[side].next + self.r.choice((-1, 1, 5, 100, 1000)),
                 win=0, why="not exact")

    def reset_far(self, side):
        self.put(side, RST | self.r.choice((0, ACK)), seq=self.end[side].next + self.r.choice((-100000, -2000, 200000, 1 << 30, 1 << 31)),
                 win=0, why="far off")

    def reset_zero(self, side):
        self.put(side, RST | self.r.choice((0, ACK, ACK)), seq=0, ack=self.r.choice((0, self.end[side].seen)), win=0,
                 why="answers a SYN")

    def reset_train(self, side):
        self.data(side)
        self.reset(side)

    def again(self, side):
        if not self.packets:
            return self.syn(side)
        old = self.r.choice(self.packets[-6:])
        self.packets.append(Packet(**{**vars(old), "gap": self.gap(), "why": "again"}))

    def stubborn(self, side):
        """One segment again and again: tcp_max_retrans."""
        self.data(side)
        for _ in range(self.r.randrange(2, 6)):
            self.packets.append(Packet(**{**vars(self.packets[-1]), "gap": self.gap(), "why": "again"}))

    def challenge(self, side):
        self.put(side, ACK, why="challenge or duplicate")

    def probe(self, side):
        self.put(side, ACK, seq=self.end[side].next - 1, length=self.r.choice((0, 1)), why="keepalive")
        if self.r.random() < 0.6:
            self.ack(other(side))

    def shut(self, side):
        self.put(side, ACK, win=0, why="zero window")

    def beyond(self, side):
        far = self.r.choice((1, 100, 1400, 40000, 70000, 1 << 20, 1 << 31))
        self.put(side, ACK, seq=self.end[side].next + far, length=self.r.choice((0, 10, 1400)), why="ahead")

    def behind(self, side):
        far = self.r.choice((2, 100, 1400, 40000, 64000, 70000, 1 << 20, 1 << 30))
        self.put(side, self.r.choice((ACK, ACK, FIN | ACK)), seq=self.end[side].next - far,
                 length=self.r.choice((0, 10, 1400)), why="behind")

    def unseen(self, side):
        self.put(side, self.r.choice((ACK, ACK, FIN | ACK)), ack=self.end[side].seen + self.r.choice((1, 2, 500, 70000, 1 << 30)),
                 why="acknowledges what was never sent")

    def stale(self, side):
        self.put(side, self.r.choice((ACK, ACK, FIN | ACK)), ack=self.end[side].seen - self.r.choice((1, 500, 65999, 66001, 70000, 1 << 30)),
                 why="old acknowledgement")

    def selective(self, side):
        seen = self.end[side].seen
        first = self.r.choice((-1000, -500, 0, 100, 5000))
        blocks = [(seen + first, seen + first + self.r.choice((10, 500, 1000)))]
        if self.r.random() < 0.3:
            blocks.append((seen + 3000, seen + 4000))
        options = sack(*blocks)
        if self.r.random() < 0.5:
            options = TIMESTAMP + options
        self.put(side, ACK, ack=seen - self.r.choice((0, 500, 1000)), options=options)

    def new_syn(self, side):
        self.end[side].start = (self.end[side].next + self.r.choice((1, 1000, 64000, 1 << 20, 1 << 31))) & 0xFFFFFFFF
        self.syn(side, "a new one")

    def new_synack(self, side):
        self.end[side].start = (self.end[side].next + self.r.choice((0, 1, 64000, 1 << 20))) & 0xFFFFFFFF
        self.synack(side)

    def lost_gap(self, side):
        """Data that never came by, then more of it."""
        self.sends(side, self.r.choice((100, 1400, 20000, 64000)))
        self.data(side)

    def window(self, side):
        self.end[side].win = self.r.choice((0, 1, 100, 500, 4000, 65535))
        self.put(side, ACK, why="window changes")

    def bad(self, side):
        self.put(side, self.r.choice(BAD_FLAGS), why="bad flags")

    def broken(self, side):
        self.put(side, self.r.choice((ACK, ACK, SYN, RST | ACK, FIN | ACK)), length=self.r.choice((0, 30)),
                 broken=self.r.choice(("checksum", "checksum", "offset", "short")))

    def odd_options(self, side):
        self.put(side, ACK, options=self.r.choice(ODD_OPTIONS), length=self.r.choice((0, 30)))

    def unreachable(self, side):
        self.packets.append(Packet(side, self.gap(), "error", quotes=other(side), seq=self.end[other(side)].next))

    def noise(self, side):
        r = self.r

        def number(base):
            return r.choice((base, base, base + 1, base - 1, base + r.randrange(70000), base - r.randrange(70000),
                             r.getrandbits(32), 0)) & 0xFFFFFFFF
        flags = r.choice((SYN, SYN, SYN | ACK, ACK, ACK, FIN | ACK, RST, RST | ACK, r.getrandbits(8)))
        length = r.choice((0, 0, 0, 1, 500))
        seq = number(self.end[side].next)
        self.put(side, flags, seq=seq, ack=number(self.end[side].seen), win=r.choice((0, 1, 1000, 65535)), length=length,
                 options=r.choice((b"", TIMESTAMP, MSS + scale(4), SACK_OK, r.choice(ODD_OPTIONS))))
        if r.random() < 0.5:  # half of the time its peer believes it
            self.end[side].next = seq
            self.sends(side, length + bool(flags & SYN) + bool(flags & FIN))

    # How a script begins.

    def handshake(self, side):
        self.syn(side)
        if self.r.random() < 0.15:
            self.again(side)
        self.synack(other(side))
        if self.r.random() < 0.15:
            self.again(side)
        self.ack(side)

    def simultaneous(self, side):
        self.syn(side)
        self.syn(other(side))
        for one in self.r.sample("cs", self.r.choice((1, 2, 2))):
            self.r.choice((self.synack, self.synack, self.ack))(one)

    def middle(self, side):
        for me, peer in (("c", "s"), ("s", "c")):
            self.end[me].seen = self.end[peer].next
        self.r.choice((self.ack, self.data, self.data, self.fin, self.probe, self.reset, self.synack))(side)

    def close(self, side):
        order = self.r.choice(("normal", "normal", "crossed", "half", "all at once"))
        self.fin(side)
        if order == "crossed":
            self.fin(other(side))
            self.ack(side)
            self.ack(other(side))
        elif order == "all at once":
            self.fin(other(side))
            self.ack(side)
        else:
            self.ack(other(side))
            if order == "half":
                self.data(other(side))
                self.ack(side)
            else:
                self.fin(other(side))
                self.ack(side)


SENSIBLE = {
    Walk.data: 14, Walk.ack: 10, Walk.fin: 6, Walk.again: 6, Walk.reset: 3, Walk.reset_near: 3, Walk.reset_far: 2,
    Walk.reset_zero: 1, Walk.reset_train: 1, Walk.challenge: 3, Walk.probe: 4, Walk.shut: 2, Walk.beyond: 3,
    Walk.behind: 3, Walk.unseen: 2, Walk.stale: 2, Walk.selective: 3, Walk.new_syn: 4, Walk.syn: 2, Walk.synack: 2,
    Walk.new_synack: 2, Walk.lost_gap: 2, Walk.window: 2, Walk.bad: 2, Walk.broken: 1, Walk.odd_options: 1,
    Walk.unreachable: 1, Walk.noise: 2, Walk.stubborn: 2, Walk.close: 4,
}
REOPEN = {Walk.new_syn: 8, Walk.syn: 3, Walk.synack: 4, Walk.new_synack: 4, Walk.ack: 5, Walk.challenge: 4, Walk.reset: 4,
          Walk.reset_zero: 3, Walk.data: 4, Walk.fin: 3, Walk.again: 4, Walk.noise: 1, Walk.reset_far: 1}
RESETS = {Walk.reset: 5, Walk.reset_near: 8, Walk.reset_far: 4, Walk.reset_zero: 3, Walk.reset_train: 4, Walk.data: 6,
          Walk.ack: 6, Walk.challenge: 5, Walk.new_syn: 3, Walk.fin: 2, Walk.lost_gap: 2, Walk.stale: 1, Walk.again: 3}
WINDOWS = {Walk.data: 10, Walk.beyond: 8, Walk.behind: 8, Walk.unseen: 5, Walk.stale: 5, Walk.selective: 6, Walk.shut: 4,
           Walk.window: 6, Walk.lost_gap: 5, Walk.ack: 8, Walk.again: 4, Walk.probe: 3, Walk.stubborn: 2, Walk.fin: 1}
QUIET = {Walk.data: 5, Walk.ack: 6, Walk.probe: 6, Walk.again: 2, Walk.shut: 3, Walk.stubborn: 4, Walk.fin: 3}
ROOT = {Walk.noise: 1}

#        how it begins                  what follows                                   how often
THEMES = (
    ((Walk.handshake,),                 (SENSIBLE,),                                   24),
    ((Walk.handshake, Walk.close),      (REOPEN, SENSIBLE),                            12),
    ((Walk.handshake, Walk.data),       (RESETS,),                                     12),
    ((Walk.handshake, Walk.data),       (WINDOWS,),                                    12),
    ((Walk.handshake,),                 (QUIET,),                                      6),
    ((Walk.handshake, Walk.reset),      (REOPEN,),                                     4),
    ((Walk.syn,),                       (SENSIBLE, RESETS, REOPEN),                    8),
    ((Walk.simultaneous,),              (SENSIBLE, RESETS, REOPEN),                    5),
    ((Walk.middle,),                    (SENSIBLE, WINDOWS, RESETS, REOPEN, QUIET),    12),
    ((),                                (ROOT,),                                       5),
)


def weighted(r, table):
    return r.choices(list(table), list(table.values()))[0]


def tcp_packets(r):
    walk = Walk(r)
    start, follow, _ = r.choices(THEMES, [t[2] for t in THEMES])[0]
    side = r.choice("cccccs")
    for act in start:
        act(walk, side)
        side = r.choice("cs") if act is Walk.handshake else side
    actions = r.choice(follow)
    length = len(walk.packets) + r.randrange(3, 11)
    while len(walk.packets) < length:
        weighted(r, actions)(walk, r.choice("cs"))
    return walk.packets[:24]


def plain_packets(r, proto):
    walk = Walk(r)
    packets = []
    first = r.choice("cccs")
    for at in range(r.randrange(3, 10)):
        side = first if at == 0 or r.random() < 0.5 else other(first)
        p = Packet(side, walk.gap(), proto, length=r.choice((0, 1, 10, 500)))
        if r.random() < 0.06:
            p.broken = "checksum"
        if proto == "echo":
            p.reply = (side != first) if r.random() < 0.85 else r.random() < 0.5
            p.number = r.choice((0, 0, 0, 0, 0, 0, 30000))
        packets.append(p)
    return packets


def make(seed, number, place=None):
    """Script `number` of `seed`. place: its number among all that run beside it, by which it gets its ports."""
    r = random.Random(f"{seed}:{number}")
    family = 6 if r.random() < 0.1 else 4
    kind = r.random()
    packets = tcp_packets(r) if kind < 0.88 else plain_packets(r, "udp" if kind < 0.95 else "echo")
    return Script(f"{seed}:{number}", number if place is None else place, packets, family)
