# SPDX-License-Identifier: GPL-2.0-or-later
"""The differences from the kernel that are meant: docs/kernel-differences.md gives their reasons.

Each has a script that shows it, which must go on differing, and says which differences of other scripts
are the same one. There may be ten at most.
"""
import itertools

from differential_packet import ACK, MSS, SACK_OK, SERVER_PORT, SYN, Packet, malformed, scale

COPIED = 256  # bytes of a packet that idlewalld sees: COPY_RANGE of nfqueue.c
C, S = 1000, 500000  # where the two sides' sequence numbers start


class Known:
    """rules: the timeouts that show it, where those of the random scripts do not."""

    def __init__(self, name, packets, matches, port=SERVER_PORT, rules=()):
        self.name, self.packets, self.matches, self.port, self.rules = name, packets, matches, port, dict(rules)


def last(play):
    """The packet, and what the two made of it, after which a script was given up."""
    step, kernel, ours, _ = play.log[-1]
    return play.script.packets[step], kernel, ours


def states(seen):
    return [e.state for e in seen.entries]


def syn_sent2(play):
    _, kernel, ours = last(play)
    if play.difference == "time left":
        return states(kernel) == states(ours) == ["SYN_SENT2"]
    if len(play.log) < 2:
        return False
    # It ran out here and not there.
    _, kernel, ours, then = play.log[-2]
    return states(kernel) == states(ours) == ["SYN_SENT2"] and play.log[-1][3] - then >= ours.entries[0].left


def uncopied_checksum(play):
    p, kernel, ours = last(play)
    head = {"tcp": 20 + len(p.options), "udp": 8, "echo": 8}.get(p.proto, 0)
    head += 20 if play.script.tuple.family == 4 else 40
    return (play.difference == "verdict" and p.broken == "checksum" and head + p.length > COPIED and
            not kernel.passed and ours.passed)


def malformed_options(play):
    p, kernel, ours = last(play)
    return (play.difference == "verdict" and p.proto == "tcp" and malformed(p.options) and kernel.passed and
            not ours.passed)


def long_handshake(play):
    _, kernel, ours = last(play)
    return play.difference == "time left" and states(kernel) == states(ours) in (["SYN_SENT"], ["SYN_RECV"])


def server_port(play):
    _, kernel, ours = last(play)
    return (play.difference == "state" and play.script.tuple.port["s"] < 1024 and states(kernel) == states(ours) and
            [e.open for e in kernel.entries] == ["s"] and [e.open for e in ours.entries] == ["c"])


def bare_syn(play):
    """Was there a SYN with options, then another one from the same side without any?"""
    step, kernel, ours, _ = play.log[-1]
    syns = [p for p in play.script.packets[:step] if p.proto == "tcp" and p.flags & SYN]
    bare = any(p.options and not q.options and p.side == q.side for p, q in itertools.combinations(syns, 2))
    return play.difference == "verdict" and bare and kernel.passed and not ours.passed


def other_icmp(play):
    p, kernel, ours = last(play)
    return play.difference == "verdict" and p.proto == "icmp" and not kernel.passed and ours.passed


OFFER = MSS + SACK_OK + scale(7)
KNOWN = [
    Known("SYN_SENT2 lasts as long as SYN_SENT",
          # With a window of 0 the kernel would take tcp-max-retrans for it, and it has none before the first ACK.
          [Packet("c", flags=SYN, seq=C), Packet("s", flags=ACK, seq=S, ack=C - 100), Packet("s", flags=SYN, seq=S)],
          syn_sent2),
    Known("checksums beyond the copied bytes are not verified",
          [Packet("c", proto="udp", length=500, broken="checksum")], uncopied_checksum),
    Known("TCP options that contradict themselves are malformed",
          [Packet("c", flags=SYN, seq=C, options=b"\x03\x00\x01\x01")], malformed_options),
    Known("a SYN without options takes back those of the SYN before it",
          [Packet("c", flags=SYN, seq=C, win=1000, options=OFFER), Packet("c", flags=SYN, seq=C + 5000, win=1000),
           Packet("s", flags=SYN | ACK, seq=S, ack=C + 5001, win=1000, options=OFFER),
           Packet("c", flags=ACK, seq=C + 5001, ack=S + 1, win=1000),
           # Within what the window is if it is scaled.
           Packet("s", flags=ACK, seq=S + 100000, ack=C + 5001, win=1000, length=10)], bare_syn),
    Known("a long handshake is not cut to tcp-max-retrans",
          [Packet("c", flags=SYN, seq=C)], long_handshake, rules={"tcp-syn-sent": 3, "tcp-max-retrans": 1}),
    Known("a flow picked up from a server's port belongs to the other side",
          [Packet("s", flags=ACK, seq=S, ack=C)], server_port, port=443),
    Known("ICMP that is no query and no error passes",
          [Packet("c", proto="icmp", number=10)], other_icmp),
]


def which(play):
    """The known difference that this one is, or None."""
    return next((k for k in KNOWN if k.matches(play)), None)
