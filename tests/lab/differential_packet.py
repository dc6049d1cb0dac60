# SPDX-License-Identifier: GPL-2.0-or-later
"""The packets of a differential script: what they are made of, as bytes, and as people read them."""
import dataclasses
import struct

import packet
from packet import ACK, FIN, ICMP, ICMPV6, PSH, RST, SYN, TCP, UDP

URG, ECE, CWR = 32, 64, 128
NOP = b"\1"
TIMESTAMP = NOP + NOP + struct.pack("!BBII", 8, 10, 1000, 2000)
SACK_OK = NOP + NOP + b"\4\2"
MSS = b"\2\4\5\xb4"
SERVER_PORT = 5000
SLOT = 64  # steps a script may have: the rest of an IPv4 id says which script of an address


def scale(shift):
    return NOP + bytes((3, 3, shift))


def sack(*blocks):
    body = b"".join(struct.pack("!II", left & 0xFFFFFFFF, right & 0xFFFFFFFF) for left, right in blocks)
    return NOP + NOP + bytes((5, 2 + len(body))) + body


class Tuple:
    """Whose packets: every script has a client address and port of its own, so that nothing mixes."""
    CLIENTS = 200

    def __init__(self, number, family=4, port=SERVER_PORT):
        self.number, self.family = number, family
        self.host = number % self.CLIENTS + 2
        self.base = number // self.CLIENTS * SLOT
        self.client = f"192.0.2.{self.host}" if family == 4 else f"2001:db8:1::{self.host:x}"
        self.server = "198.51.100.2" if family == 4 else "2001:db8:2::2"
        self.port = {"c": 20000 + number % 40000, "s": port}

    def ends(self, side):
        return (self.client, self.server) if side == "c" else (self.server, self.client)

    def ports(self, side):
        return (self.port["c"], self.port["s"]) if side == "c" else (self.port["s"], self.port["c"])


@dataclasses.dataclass
class Packet:
    side: str                # "c" or "s": who sends it
    gap: float = 0           # seconds of silence before it; 0: as soon as the last one was looked at
    proto: str = "tcp"       # tcp, udp, echo, icmp (of type `number`), error (that quotes a packet of `quotes`)
    flags: int = 0
    seq: int = 0
    ack: int = 0
    win: int = 64000
    options: bytes = b""
    length: int = 0
    reply: bool = False      # of an echo
    number: int = 0          # added to the echo's id; or the ICMP type
    quotes: str = "c"        # of an error: who sent the packet that it quotes
    broken: str = ""         # checksum, offset (data offset too large), short (data offset too small)
    why: str = ""

    def transport(self, t):
        src, dst = t.ends(self.side)
        sport, dport = t.ports(self.side)
        data = bytes(self.length)
        if self.proto == "tcp":
            options = self.options + b"\0" * (-len(self.options) % 4)
            words = 5 + len(options) // 4
            if self.broken == "offset":
                words = 15
            if self.broken == "short":
                words = 4
            head = struct.pack("!HHIIBBHHH", sport, dport, self.seq & 0xFFFFFFFF, self.ack & 0xFFFFFFFF,
                               words << 4, self.flags, self.win, 0, 0)
            whole = packet.sealed(src, dst, TCP, head + options + data, 16)
            return TCP, spoilt(whole, 16) if self.broken == "checksum" else whole
        if self.proto == "udp":
            whole = packet.udp(src, dst, sport, dport, data)
            return UDP, spoilt(whole, 6) if self.broken == "checksum" else whole
        if self.proto == "echo":
            whole = packet.echo(src, dst, t.port["c"] + self.number & 0xFFFF, data=data, reply=self.reply)
            return (ICMP if t.family == 4 else ICMPV6), spoilt(whole, 2) if self.broken == "checksum" else whole
        if self.proto == "icmp":
            proto = ICMP if t.family == 4 else ICMPV6
            return proto, packet.sealed(src, dst, proto, bytes((self.number, 0, 0, 0, 0, 0, 0, 0)) + data, 2)
        return self.error(t)

    def error(self, t):
        src, dst = t.ends(self.quotes)
        sport, dport = t.ports(self.quotes)
        ports = struct.pack("!HHII", sport, dport, self.seq & 0xFFFFFFFF, 0)
        if t.family == 4:
            inner = packet.ipv4(src, dst, TCP, ports, total=40)
            return ICMP, packet.sealed("0.0.0.0", "0.0.0.0", ICMP, b"\3\1\0\0\0\0\0\0" + inner, 2)
        inner = packet.ipv6(src, dst, TCP, ports + bytes(8))
        me, peer = t.ends(self.side)
        return ICMPV6, packet.sealed(me, peer, ICMPV6, b"\1\3\0\0\0\0\0\0" + inner, 2)

    def bytes(self, t, at):
        """The IP packet; at: its place in the script, which it carries as its id or flow label."""
        proto, data = self.transport(t)
        src, dst = t.ends(self.side)
        if t.family == 4:
            return packet.ipv4(src, dst, proto, data, ident=t.base + at)
        whole = packet.ipv6(src, dst, proto, data)
        return struct.pack("!I", 6 << 28 | t.base + at) + whole[4:]

    def show(self, origin):
        """One line, in the manner of packetdrill; numbers relative to the script's own starting points."""
        arrow = {"c": "client >", "s": "server >"}[self.side]
        wait = f"+{self.gap:.2f}" if self.gap else "+0"
        note = "".join([f"  bad {self.broken}" if self.broken else "", f"  # {self.why}" if self.why else ""])
        if self.proto == "udp":
            return f"{wait:6} {arrow} udp ({self.length}){note}"
        if self.proto == "echo":
            return f"{wait:6} {arrow} echo {'reply' if self.reply else 'request'} id +{self.number}{note}"
        if self.proto == "icmp":
            return f"{wait:6} {arrow} icmp type {self.number}{note}"
        if self.proto == "error":
            return f"{wait:6} {arrow} icmp unreachable for the {'client' if self.quotes == 'c' else 'server'}'s{note}"
        letters = "".join(letter for bit, letter in ((SYN, "S"), (FIN, "F"), (RST, "R"), (PSH, "P"), (URG, "U"),
                                                     (ECE, "E"), (CWR, "W"), (ACK, ".")) if self.flags & bit)
        seq = relative(self.seq, origin[self.side])
        other = "s" if self.side == "c" else "c"
        ack = f" ack {relative(self.ack, origin[other])}" if self.flags & ACK or self.ack else ""
        return (f"{wait:6} {arrow} {letters or '-'} {seq}:{seq + self.length}({self.length}){ack} win {self.win}"
                f"{shown_options(self.options, origin[other])}{note}")


def spoilt(data, at):
    return data[:at] + bytes((data[at] ^ 0x5A, data[at + 1] ^ 0xA5)) + data[at + 2:]


def relative(number, origin):
    return (number - origin + 0x80000000) % 0x100000000 - 0x80000000


def shown_options(data, origin):
    said, at = [], 0
    while at < len(data):
        kind = data[at]
        if kind == 1:
            at += 1
            continue
        size = data[at + 1] if at + 1 < len(data) else 0
        body = data[at + 2:at + size]
        if kind == 0 or size < 2 or at + size > len(data):
            said.append(f"bytes {data[at:].hex()}")
            break
        if kind == 2 and size == 4:
            said.append(f"mss {int.from_bytes(body, 'big')}")
        elif kind == 3 and size == 3:
            said.append(f"wscale {body[0]}")
        elif kind == 4 and size == 2:
            said.append("sackOK")
        elif kind == 5 and len(body) % 8 == 0 and body:
            edges = [relative(n, origin) for n in struct.unpack(f"!{len(body) // 4}I", body)]
            said.append("sack " + " ".join(f"{a}:{b}" for a, b in zip(edges[::2], edges[1::2])))
        elif kind == 8 and size == 10:
            said.append("TS")
        else:
            said.append(f"option {kind} {body.hex()}")
        at += size
    return f" <{','.join(said)}>" if said else ""


def malformed(data):
    """Options that run past their end, or whose length cannot be."""
    data += b"\0" * (-len(data) % 4)
    at = 0
    while at < len(data) and data[at] != 0:
        if data[at] == 1:
            at += 1
            continue
        if at + 1 == len(data) or data[at + 1] < 2 or at + data[at + 1] > len(data):
            return True
        at += data[at + 1]
    return False


def whose(frame):
    """(client address's last byte, id) of a packet that came out of a firewall, without its link header."""
    if frame[0] >> 4 == 4:
        inside = frame[15] if frame[12:15] == b"\xc0\0\2" else frame[19]
        return 4, inside, frame[4] << 8 | frame[5]
    label = int.from_bytes(frame[1:4], "big") & 0xFFFFF
    inside = frame[23] if frame[8:16] == b"\x20\1\x0d\xb8\0\1\0\0" else frame[39]
    return 6, inside, label
