# SPDX-License-Identifier: GPL-2.0-or-later
"""A capture as tshark sees it and as `idlewall replay` does, connection by connection; and captures by hand."""
import collections
import json
import struct
import subprocess

from pcap import write  # pylint: disable=unused-import # of those who make captures by hand

Packet = collections.namedtuple("Packet", "number source port time keepalive")
FIELDS = ["frame.number", "tcp.stream", "ip.src", "ipv6.src", "tcp.srcport", "frame.time_epoch",
          "tcp.analysis.keep_alive"]
# Nothing is ever late behind it, and whatever there is is let through: what is left is counting.
EVERYTHING = """
profile everything from linux-nf-conntrack { tcp-established never }
default use everything
"""


def need(true, *what):
    if not true:
        raise AssertionError(" ".join(str(w) for w in what))


def nanoseconds(text):
    whole, _, part = str(text).partition(".")
    return int(whole) * 10**9 + int((part + "000000000")[:9])


def tshark_streams(tshark, path):
    """Packets by tcp.stream. What an ICMP error quotes is no packet of its connection."""
    command = [tshark, "-r", path, "-T", "fields", "-Y", "tcp and not icmp and not icmpv6"]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, timeout=120, text=True)
    need(done.returncode == 0, path, "tshark:", done.stderr)
    streams = {}
    for line in done.stdout.splitlines():
        number, stream, v4, v6, port, time, keepalive = line.split("\t")
        streams.setdefault(int(stream), []).append(
            Packet(int(number), v4 or v6, int(port), nanoseconds(time), keepalive != ""))
    return streams


def replay(idlewall, *args, text=None, status=0):
    done = subprocess.run([idlewall, "replay", *args], capture_output=True, timeout=120, input=text, text=True)
    need(done.returncode == status, args, done.returncode, done.stderr)
    return done.stdout


def connections(idlewall, path, *firewall, policy=None):
    firewall = firewall or ("--policy", "-")
    out = replay(idlewall, path, *firewall, "--flows", "-o", "json", text=policy or EVERYTHING)
    lines = [json.loads(line, parse_float=str) for line in out.splitlines()]
    return [line for line in lines if line["type"] == "connection" and line["proto"] == "tcp"]


def facts(packets, client, port):
    """Packets a direction, longest gap and its start, keepalives a direction."""
    mine = [p for p in packets if (p.source, p.port) == (client, port)]
    others = [p for p in packets if (p.source, p.port) != (client, port)]
    gap = max(((b.time - a.time, -a.time) for a, b in zip(packets, packets[1:])), default=(0, -packets[0].time))
    return {"packets": (len(mine), len(others)), "gap": gap[0], "from": -gap[1],
            "keepalives": (sum(p.keepalive for p in mine), sum(p.keepalive for p in others))}


def ours(c):
    return {"packets": (c["client_packets"], c["server_packets"]), "gap": nanoseconds(c["longest_silence_s"]),
            "from": nanoseconds(c["longest_silence_from_s"]),
            "keepalives": (c["client_keepalives"], c["server_keepalives"])}


def compare(idlewall, tshark, path):
    """Everything alike; returns connections, packets and keepalives."""
    streams = tshark_streams(tshark, path)
    found = connections(idlewall, path)
    by_first = {packets[0].number: packets for packets in streams.values()}
    need(sorted(by_first) == sorted(c["first_packet"] for c in found), path, "first packets", sorted(by_first),
         sorted(c["first_packet"] for c in found))
    for c in found:
        theirs = facts(by_first[c["first_packet"]], c["client"], c["client_port"])
        need(theirs == ours(c), path, "packet", c["first_packet"], "tshark", theirs, "replay", ours(c))
    return len(found), sum(map(len, streams.values())), sum(sum(ours(c)["keepalives"]) for c in found)


FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def segment(time, client, flags, seq, ack=0, data=b"", client_port=40000, window=65000,
            total=None):
    """One record of a capture of raw IPv4, checksums left open; total: what the header says instead of its length."""
    ports = (client_port, 5000) if client else (5000, client_port)
    addresses = b"\xc0\x00\x02\x02", b"\xc6\x33\x64\x02"
    source, target = addresses if client else addresses[::-1]
    tcp = struct.pack("!HHIIBBHHH", *ports, seq, ack, 0x50, flags, window, 0, 0) + data
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp) if total is None else total, 0, 0, 64, 6, 0) + source + target + tcp
    nanos = round(time * 10**9)
    return struct.pack("<IIII", nanos // 10**9, nanos % 10**9, len(ip), len(ip)) + ip


def handshake(time=1000, port=40000, isn=0):
    return [segment(time, True, SYN, isn, client_port=port),
            segment(time + .001, False, SYN | ACK, 5000, isn + 1, client_port=port),
            segment(time + .002, True, ACK, isn + 1, 5001, client_port=port)]
