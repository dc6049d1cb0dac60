# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets made by hand, and the wires that carry and watch them: AF_PACKET at the ends of the lab."""
import ctypes
import socket
import struct
import time

ETH_IP, ETH_IPV6, ETH_ALL = 0x0800, 0x86DD, 0x0003
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
PACKET_OUTGOING = 4


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def address(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def sealed(src, dst, proto, segment, at):
    """The transport segment with its checksum filled in at that offset."""
    pseudo = address(src) + address(dst) + struct.pack("!IxxxB", len(segment), proto)
    if ":" not in src and proto == ICMP:
        pseudo = b""
    value = checksum(pseudo + segment[:at] + b"\0\0" + segment[at + 2:])
    if value == 0 and proto == UDP:
        value = 0xFFFF
    return segment[:at] + struct.pack("!H", value) + segment[at + 2:]


def tcp(src, dst, sport, dport, flags, seq=0, ack=0, data=b"", window=64000):
    head = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, 5 << 4, flags, window, 0, 0)
    return sealed(src, dst, TCP, head + data, 16)


def udp(src, dst, sport, dport, data=b""):
    return sealed(src, dst, UDP, struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data, 6)


def echo(src, dst, number, sequence=1, data=b"lab", reply=False):
    kinds = (128, 129) if ":" in src else (8, 0)
    head = struct.pack("!BBHHH", kinds[reply], 0, 0, number, sequence)
    return sealed(src, dst, ICMPV6 if ":" in src else ICMP, head + data, 2)


def ipv4(src, dst, proto, data, ident=1, offset=0, more=False, total=None, options=b""):
    words = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH", 4 << 4 | words, 0, words * 4 + len(data) if total is None else total, ident,
                       (0x2000 if more else 0) | offset // 8, 64, proto, 0) + address(src) + address(dst) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + data


def ipv6(src, dst, proto, data, total=None):
    return struct.pack("!IHBB", 6 << 28, len(data) if total is None else total, proto, 64) + address(src) + \
        address(dst) + data


def ip(src, dst, proto, data):
    return (ipv6 if ":" in src else ipv4)(src, dst, proto, data)


def fragments(src, dst, proto, data, size, ident):
    """The IP packet cut into fragments of at most size bytes of its payload (a multiple of eight)."""
    cut = []
    for offset in range(0, len(data), size):
        piece, more = data[offset:offset + size], offset + size < len(data)
        if ":" in src:
            head = struct.pack("!BBHI", proto, 0, offset | more, ident)
            cut.append(ipv6(src, dst, 44, head + piece))
        else:
            cut.append(ipv4(src, dst, proto, piece, ident, offset, more))
    return cut


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("len", ctypes.c_size_t)]


class Msghdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("namelen", ctypes.c_uint), ("iov", ctypes.POINTER(Iovec)),
                ("iovlen", ctypes.c_size_t), ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t),
                ("flags", ctypes.c_int), ("pad", ctypes.c_int),
                ("count", ctypes.c_size_t)]  # struct mmsghdr's msg_len, and what fills it up


class Volley:
    """Many packets, ready to be sent again and again with as little of Python as possible (sendmmsg)."""
    BATCH = 512
    libc = ctypes.CDLL(None, use_errno=True)

    def __init__(self, wire, packets):
        name = struct.pack("=HHiHBB8s", socket.AF_PACKET, socket.htons(ETH_IP), wire.index, 0, 0, 6, wire.gateway)
        self.fd, self.count = wire.out.fileno(), len(packets)
        self.iovecs = [Iovec(p, len(p)) for p in packets]
        self.messages = (Msghdr * len(packets))(*(
            Msghdr(name, len(name), ctypes.pointer(i), 1, None, 0, 0, 0, 0) for i in self.iovecs))

    def fire(self):
        size = ctypes.sizeof(Msghdr)
        for at in range(0, self.count, self.BATCH):
            self.libc.sendmmsg(self.fd, ctypes.byref(self.messages, at * size), min(self.BATCH, self.count - at), 0)


class Wire:
    """The eth0 of an end of the lab: sends IP packets to the firewall, and hears all that comes from it."""

    def __init__(self, lab, end):
        space = lab.client if end == "client" else lab.server
        link = lab.firewall.run("ip", "-o", "link", "show", "dev", f"to-{end}").stdout
        self.gateway = bytes.fromhex(link.split("link/ether ")[1].split()[0].replace(":", ""))
        with space:
            self.index = socket.if_nametoindex("eth0")
            self.out = lab.keep(socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0))
            self.ear = lab.keep(socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_ALL)))
            self.ear.bind(("eth0", ETH_ALL))
        self.ear.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
        self.ear.settimeout(0.05)

    def send(self, packet, kind=None):
        if kind is None:
            kind = ETH_IPV6 if packet[0] >> 4 == 6 else ETH_IP
        self.out.sendto(packet, ("eth0", kind, 0, 0, self.gateway))

    def heard(self, seconds=0.5, want=None):
        """IP packets that came in, without those of neighbour discovery and the like."""
        got, end = [], time.monotonic() + seconds
        while time.monotonic() < end and (want is None or len(got) < want):
            try:
                data, (_, kind, direction, _, _) = self.ear.recvfrom(65536)
            except TimeoutError:
                continue
            if direction == PACKET_OUTGOING or kind not in (ETH_IP, ETH_IPV6):
                continue
            if kind == ETH_IPV6 and (data[6] == ICMPV6 and data[40] >= 130 or data[6] == 0 and data[40] == ICMPV6):
                continue
            got.append(data)
        return got
