# SPDX-License-Identifier: GPL-2.0-or-later
"""Random scripts for the differential test: from a seed and a number, always the same ones.

Most walk about as two TCPs would that lose, repeat and mistake things; some are pure noise.
"""
import random

from differential_packet import SERVER_PORT, Packet, Tuple
from differential_walk import Walk, other


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


SENSIBLE = {
    Walk.data: 14, Walk.ack: 10, Walk.fin: 6, Walk.again: 6, Walk.reset: 3, Walk.reset_near: 3, Walk.reset_far: 2,
    Walk.reset_zero: 1, Walk.reset_train: 1, Walk.challenge: 3, Walk.probe: 4, Walk.shut: 2, Walk.beyond: 3,
    Walk.behind: 3, Walk.unseen: 2, Walk.stale: 2, Walk.selective: 3, Walk.new_syn: 4, Walk.syn: 2, Walk.synack: 2,
    Walk.new_synack: 2, Walk.lost_gap: 2, Walk.window: 2, Walk.bad: 2, Walk.broken: 1, Walk.odd_options: 1,
    Walk.unreachable: 1, Walk.noise: 2, Walk.stubborn: 2, Walk.close: 4,
}
REOPEN = {Walk.new_syn: 8, Walk.syn: 3, Walk.synack: 4, Walk.new_synack: 4, Walk.ack: 5, Walk.challenge: 4,
          Walk.reset: 4, Walk.reset_zero: 3, Walk.data: 4, Walk.fin: 3, Walk.again: 4, Walk.noise: 1, Walk.reset_far: 1}
RESETS = {Walk.reset: 5, Walk.reset_near: 8, Walk.reset_far: 4, Walk.reset_zero: 3, Walk.reset_train: 4, Walk.data: 6,
          Walk.ack: 6, Walk.challenge: 5, Walk.new_syn: 3, Walk.fin: 2, Walk.lost_gap: 2, Walk.stale: 1, Walk.again: 3}
WINDOWS = {Walk.data: 10, Walk.beyond: 8, Walk.behind: 8, Walk.unseen: 5, Walk.stale: 5, Walk.selective: 6,
           Walk.shut: 4, Walk.window: 6, Walk.lost_gap: 5, Walk.ack: 8, Walk.again: 4, Walk.probe: 3,
           Walk.stubborn: 2, Walk.fin: 1}
QUIET = {Walk.data: 5, Walk.ack: 6, Walk.probe: 6, Walk.again: 2, Walk.shut: 3, Walk.stubborn: 4, Walk.fin: 3}
NOISE = {Walk.noise: 1}

#        how it begins                  what follows                                   how often
THEMES = (
    ((Walk.handshake,),                 (SENSIBLE,),                                   24),
    ((Walk.handshake, Walk.close),      (REOPEN, SENSIBLE),                            12),
    ((Walk.handshake, Walk.data),       (RESETS,),                                     12),
    ((Walk.handshake, Walk.data),       (WINDOWS,),                                    12),
    ((Walk.handshake, Walk.both_fins),  (REOPEN, SENSIBLE, RESETS),                    6),
    ((Walk.half_open,),                 (SENSIBLE, RESETS, REOPEN, WINDOWS),           6),
    ((Walk.handshake,),                 (QUIET,),                                      6),
    ((Walk.handshake, Walk.reset),      (REOPEN,),                                     4),
    ((Walk.syn,),                       (SENSIBLE, RESETS, REOPEN),                    8),
    ((Walk.simultaneous,),              (SENSIBLE, RESETS, REOPEN),                    7),
    ((Walk.middle,),                    (SENSIBLE, WINDOWS, RESETS, REOPEN, QUIET),    12),
    ((),                                (NOISE,),                                       5),
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
    for at in range(r.randrange(3, 12)):
        side = first if at == 0 or r.random() < 0.5 else other(first)
        # Seldom long: UDP becomes a stream when it has lived for 2 s.
        gap = round(r.uniform(0.3, 0.8), 2) if at and r.random() < 0.5 else walk.gap()
        p = Packet(side, gap, proto, length=r.choice((0, 1, 10, 500)))
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
