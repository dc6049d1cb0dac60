# SPDX-License-Identifier: GPL-2.0-or-later
"""What two TCPs may do next, sensible or not: the steps that the random scripts are made of."""
from differential_packet import (ACK, CWR, ECE, FIN, MSS, PSH, RST, SACK_OK, SYN, TIMESTAMP, URG, Packet, sack, scale)

LONGEST = 9.0  # seconds of silence in one script
BAD_FLAGS = (0, 0, 0, FIN, SYN | FIN, SYN | RST, FIN | RST, PSH, URG, SYN | FIN | ACK, RST | FIN | ACK, PSH | URG,
             SYN | RST | ACK, FIN | PSH | URG, 0x3F, SYN | ACK | URG, RST | URG)
# Nothing that two TCPs would agree on, but whole; and what runs past its end.
ODD_OPTIONS = (b"\xfe\x04\x01\x02", b"\x03\x04\x01\x07", b"\x00\x03\x03\x07", b"\x03\x03", b"\x05\x0a" + bytes(8),
               b"\x04\x03\x01", b"\x05\x0b" + bytes(9) + b"\x01")
MALFORMED = (b"\x03\x00\x01\x01", b"\x05\x0b" + bytes(6), b"\x08", b"\x04\x09\x01\x01")


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
        if not self.packets or kind < 0.84 or self.silence > LONGEST:
            return 0
        wait = r.uniform(0.4, 0.9) if kind < 0.91 else r.uniform(1.05, 3.6)
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
        far = self.r.choice((-100000, -2000, 200000, 1 << 30, 1 << 31))
        self.put(side, RST | self.r.choice((0, ACK)), seq=self.end[side].next + far, win=0, why="far off")

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
        self.put(side, self.r.choice((ACK, ACK, FIN | ACK)),
                 ack=self.end[side].seen + self.r.choice((1, 2, 500, 70000, 1 << 30)),
                 why="acknowledges what was never sent")

    def stale(self, side):
        self.put(side, self.r.choice((ACK, ACK, FIN | ACK)),
                 ack=self.end[side].seen - self.r.choice((1, 500, 65999, 66001, 70000, 1 << 30)),
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
        self.put(side, flags, seq=seq, ack=number(self.end[side].seen), win=r.choice((0, 1, 1000, 65535)),
                 length=length, options=r.choice((b"", TIMESTAMP, MSS + scale(4), SACK_OK, r.choice(ODD_OPTIONS))))
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

    def half_open(self, side):
        self.syn(side)
        self.synack(other(side))

    def both_fins(self, side):
        self.fin(side)
        self.fin(other(side))

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
