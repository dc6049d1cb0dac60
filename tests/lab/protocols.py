#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""ICMP echo, UDP, other protocols, rules, and packets that no honest host sends."""
import random
import socket
import struct
import time

import tap
from lab import CLIENT, FAMILY, SERVER, equal, eventually, read, say, write
from packet import ACK, ICMP, ICMPV6, PSH, SYN, TCP, UDP, Wire, checksum, echo, ip, ipv4, ipv6, tcp, udp
from tap import each, test

POLICY = """
profile short from linux-nf-conntrack {
    udp 2500ms
    udp-stream 4s
    icmp 1500ms
    icmpv6 1500ms
    generic 1500ms
    on-late drop
}
rule closed match "port 9" drop
rule refused match "port 10" reject
rule outside match "src net 198.51.100.0/24 or src net 2001:db8:2::/64" drop
default use short
"""


@each("ICMP echo", 4, 6)
def ping(lab, family):
    gateway = lab.gateway(POLICY)
    client, server = Wire(lab, "client"), Wire(lab, "server")
    proto = ICMP if family == 4 else ICMPV6
    client.send(ip(CLIENT[family], SERVER[family], proto, echo(CLIENT[family], SERVER[family], 77)))
    answer = client.heard(2, 1)
    equal(len(answer), 1, "echo replies")
    flow = gateway.flow()
    equal((flow["proto"], flow["state"], flow["client"]), ("icmp" if family == 4 else "icmpv6", "REPLIED",
                                                          CLIENT[family]))
    equal((flow["timeout_name"], flow["timeout_s"]), ("icmp" if family == 4 else "icmpv6", 1.5))
    eventually("expired", lambda: not gateway.flows(), 3)
    late = gateway.status()["late"]
    server.send(ip(SERVER[family], CLIENT[family], proto, echo(SERVER[family], CLIENT[family], 77, reply=True)))
    equal(client.heard(1), [], "an echo reply that came too late")
    equal(gateway.status()["late"], late + 1)


@each("UDP", 4, 6)
def datagrams(lab, family):
    gateway = lab.gateway(POLICY)
    server = lab.listen(5000, family, socket.SOCK_DGRAM)
    client = lab.client_socket(family, socket.SOCK_DGRAM)
    client.sendto(b"question", (SERVER[family], 5000))
    data, back = server.recvfrom(100)
    equal(data, b"question")
    flow = gateway.flow()
    equal((flow["state"], flow["timeout_name"], flow["timeout_s"]), ("UNREPLIED", "udp", 2.5))
    eventually("expired without a reply", lambda: not gateway.flows(), 5)
    # The server's answer would now open a flow of its own, which the rules do not let it do.
    server.sendto(b"too late", back)
    equal(read(client, 0.5), "nothing")
    client.sendto(b"again", (SERVER[family], 5000))
    equal(server.recvfrom(100)[0], b"again")
    server.sendto(b"answer", back)
    equal(read(client, 1), b"answer")
    flow = gateway.flow()
    equal((flow["state"], flow["assured"]), ("REPLIED", False))
    # As in the kernel, only what is answered and older than two seconds counts as a stream.
    for pause, name in ((1.2, "udp"), (1.2, "udp-stream")):
        time.sleep(pause)
        client.sendto(b"more", (SERVER[family], 5000))
        equal(server.recvfrom(100)[0], b"more")
        flow = gateway.flow()
        equal((flow["timeout_name"], flow["assured"]), (name, name == "udp-stream"))
    flow = gateway.flow()
    equal((flow["timeout_name"], flow["timeout_s"]), ("udp-stream", 4))
    time.sleep(2)
    equal(len(gateway.flows()), 1, "a stream outlives the limit of a single datagram")
    eventually("the stream expired", lambda: not gateway.flows(), 4)


@test("an ICMP error for a flow passes, one for no flow is late")
def icmp_error(lab):
    gateway = lab.gateway(POLICY)
    client = lab.client_socket(kind=socket.SOCK_DGRAM)
    client.connect((SERVER[4], 4999))
    client.send(b"nobody listens")
    equal(read(client, 2), "ECONNREFUSED")
    late = gateway.status()["late"]
    quoted = ipv4(CLIENT[4], SERVER[4], UDP, udp(CLIENT[4], SERVER[4], 1111, 2222, b"x"))
    error = struct.pack("!BBHI", 3, 3, 0, 0) + quoted
    wire, ear = Wire(lab, "server"), Wire(lab, "client")
    value = checksum(error)
    wire.send(ipv4(SERVER[4], CLIENT[4], ICMP, error[:2] + struct.pack("!H", value) + error[4:]))
    equal(ear.heard(0.7), [], "an error that quotes no flow")
    equal(gateway.status()["late"], late + 1)


@test("another protocol is a generic flow")
def generic(lab):
    gateway = lab.gateway(POLICY)
    client, server = Wire(lab, "client"), Wire(lab, "server")
    client.send(ipv4(CLIENT[4], SERVER[4], 253, b"experiment"))
    equal(len(server.heard(2, 1)), 1)
    equal(gateway.flow()["timeout_name"], "generic")
    eventually("expired", lambda: not gateway.flows(), 3)


@each("rules: drop, reject, and who may open, over", 4, 6)
def rules(lab, family):
    gateway = lab.gateway(POLICY)
    tries = {}
    for port in (9, 10):
        tries[port] = lab.client_socket(family)
        tries[port].settimeout(1)
        try:
            tries[port].connect((SERVER[family], port))
            tries[port] = "connected"
        except OSError as e:
            tries[port] = type(e).__name__
    equal(tries, {9: "TimeoutError", 10: "ConnectionRefusedError"})
    with lab.client:
        listener = lab.keep(socket.socket(FAMILY[family]))
    listener.bind((CLIENT[family], 5000))
    listener.listen()
    with lab.server:
        outsider = lab.keep(socket.socket(FAMILY[family]))
    outsider.settimeout(1)
    try:
        outsider.connect((CLIENT[family], 5000))
        raise AssertionError("the outside opened a flow")
    except TimeoutError:
        pass
    say(*reversed(lab.connect(family=family)), b"answers pass")
    assert gateway.status()["packets_rule"] >= 3


@test("IPv6 extension headers do not hide a TCP connection")
def extension_headers(lab):
    gateway = lab.gateway(POLICY)
    client, server = Wire(lab, "client"), Wire(lab, "server")
    lab.server.iptables("-A", "INPUT", "-p", "tcp", "-j", "DROP", family=6)
    padding = struct.pack("!BBBB4x", 60, 0, 1, 4)  # hop-by-hop with PadN, then destination options
    options = struct.pack("!BBBB4x", TCP, 0, 1, 4)
    for port in (5000, 9):
        syn = tcp(CLIENT[6], SERVER[6], 40001, port, SYN, 1000)
        client.send(ipv6(CLIENT[6], SERVER[6], 0, padding + options + syn))
    heard = [p for p in server.heard(1) if p[6] == 0]
    equal(len(heard), 1, "SYNs that came through")
    flow = gateway.flow("tcp")
    equal((flow["proto"], flow["client_port"], flow["server_port"]), ("tcp", 40001, 5000))


def hostile(rng, family):
    """A valid packet, then spoilt: cut, overwritten, lengthened."""
    src, dst = CLIENT[family], SERVER[family]
    proto, body = rng.choice([
        (TCP, tcp(src, dst, rng.randrange(65536), rng.randrange(65536), rng.randrange(256), rng.randrange(1 << 32),
                  rng.randrange(1 << 32), b"x" * rng.randrange(30))),
        (UDP, udp(src, dst, rng.randrange(65536), rng.randrange(65536), b"y" * rng.randrange(30))),
        (ICMP if family == 4 else ICMPV6, echo(src, dst, rng.randrange(65536))),
        (rng.randrange(256), rng.randbytes(rng.randrange(60)))])
    packet = bytearray(ip(src, dst, proto, body))
    for _ in range(rng.randrange(4)):
        packet[rng.randrange(len(packet))] = rng.randrange(256)
    # Addresses and version stay, or the packet would not be forwarded to us at all.
    packet[0] = packet[0] & 0x0F | family << 4
    keep = ip(src, dst, proto, body)
    low, high = (12, 20) if family == 4 else (8, 40)
    packet[low:high] = keep[low:high]
    if rng.random() < 0.3:
        del packet[rng.randrange(high, len(packet) + 1):]
    if family == 4:
        packet[8] = 64
        words = packet[0] & 15
        if 5 <= words and words * 4 <= len(packet):
            packet[10:12] = b"\0\0"
            packet[10:12] = struct.pack("!H", checksum(bytes(packet[:words * 4])))
    else:
        packet[7] = 64
    return bytes(packet)


@each("spoilt packets cannot slip past a drop, nor hurt; on-invalid", *((i, f) for i in ("drop", "pass") for f in (4, 6)))
def spoilt(lab, on_invalid, family):
    gateway = lab.gateway(f"profile p from linux-nf-conntrack {{\n on-invalid {on_invalid}\n}}\n"
                          'rule all match "ip or ip6" drop\ndefault use p\n')
    client, server = Wire(lab, "client"), Wire(lab, "server")
    seed = random.randrange(1 << 32)
    print(f"# seed {seed}")
    rng = random.Random(seed)
    for _ in range(3000):
        client.send(hostile(rng, family))
    time.sleep(0.5)
    status = gateway.status()
    through = [p for p in server.heard(0.5)]
    # What may pass by design is ICMP that belongs to no flow: router and neighbour messages.
    proto = [p[9] if family == 4 else p[6] for p in through]
    assert all(p in (ICMP, ICMPV6, 0, 43, 60) for p in proto), (seed, through)
    equal(gateway.flows(), [])
    equal(gateway.process.poll(), None)
    # The kernel itself drops most IPv6 packets whose lengths contradict each other.
    assert status["packets_malformed"] + status["packets_truncated"] > (50 if family == 4 else 5), status
    assert status["packets_checksum"] > 50, status
    assert status["packets_rule"] > 100, status


@each("segments beyond the window are counted, and on-invalid decides:", "drop", "pass")
def out_of_window(lab, on_invalid):
    gateway = lab.gateway(f"profile p from linux-nf-conntrack {{\n on-invalid {on_invalid}\n}}\ndefault use p\n")
    wire, ear = Wire(lab, "client"), Wire(lab, "server")
    client, server = lab.connect(client_port=40000)
    seq, ack = struct.unpack("!II", ear.heard(0.3)[-1][24:32])
    for _ in range(3):
        wire.send(ipv4(CLIENT[4], SERVER[4], TCP,
                       tcp(CLIENT[4], SERVER[4], 40000, 5000, PSH | ACK, seq + 50000000, ack, b"evil")))
    equal(len(ear.heard(0.5)), 0 if on_invalid == "drop" else 3, "what came through")
    equal(gateway.status()["packets_invalid"], 3)
    say(client, server, b"unharmed")


tap.main(jobs=4)
