#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""--record: Wireshark opens it, and the engine gives the same verdicts to it again."""
import os
import socket
import time

import tap
from gateway import BUILD
from lab import close_hard, equal, read, say, write
from tap import test

REPLAY = os.path.join(BUILD, "tests/lab/replay_recording")
POLICY = """
profile short from linux-nf-conntrack {
    tcp-established 1s
    tcp-unacknowledged 1s
    tcp-max-retrans 1s
    udp 1s
    on-late reset
}
rule closed match "port 9" drop
default use short
"""


def traffic(lab, gateway):
    """Something of everything: flows, late packets, drops, a kill, a block, a bulk transfer."""
    for family in (4, 6):
        client, server = lab.connect(5000 + family, family)
        blocked = lab.connect(5100 + family, family)
        gateway.tool("block", f"tcp port {5100 + family}")
        write(blocked[0])
        killed = lab.connect(5200 + family, family)
        gateway.tool("kill", f"tcp port {5200 + family}")
        equal(read(killed[0]), "ECONNRESET")
        for _ in range(20):
            say(client, server, b"x" * 50000)
        time.sleep(1.5)
        write(client)
        equal(read(client, 1), "ECONNRESET")
        datagram = lab.client_socket(family, socket.SOCK_DGRAM)
        for port in (9, 53):
            datagram.sendto(b"question", (server.getsockname()[0], port))
        close_hard(server)


@test("opens in tcpdump and tshark, and holds every packet")
def opens(lab):
    path = os.path.join(lab.directory, "record.pcapng")
    gateway = lab.gateway(POLICY, extra=("--record", path))
    traffic(lab, gateway)
    status = gateway.status()
    gateway.stop()
    judged = status["accepted"] + status["dropped"]
    count = len(lab.client.run("tcpdump", "-nr", path).stdout.splitlines())
    # A retransmission or two may have come between the count and the end.
    assert judged <= count <= judged + 40, (judged, count)
    shown = lab.client.run("tshark", "-r", path, "-T", "fields", "-e", "frame.number", "-e", "ip.src", "-e", "ipv6.src")
    equal(len([line for line in shown.stdout.splitlines() if "192.0.2." in line or "198.51" in line or
               "2001:db8" in line]), count, "packets that tshark shows")


@test("replayed through the engine it gives exactly the same verdicts")
def replay(lab):
    path = os.path.join(lab.directory, "record.pcapng")
    gateway = lab.gateway(POLICY, extra=("--record", path))
    traffic(lab, gateway)
    gateway.stop()
    done = lab.client.run(REPLAY, path, gateway.policy_path, check=False)
    print("# " + done.stdout.strip().replace("\n", "\n# "))
    equal(done.returncode, 0, done.stdout + done.stderr)
    # Another policy must give other verdicts, or the comparison shows nothing.
    gateway.write_policy(POLICY.replace("drop", "use short").replace("1s", "1h"))
    done = lab.client.run(REPLAY, path, gateway.policy_path, check=False)
    equal(done.returncode, 1, done.stdout + done.stderr)


tap.main(jobs=2)
