#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Real captures, by tcpdump, of ssh, psql and redis-cli sessions left idle: `idlewall replay` beside tshark, and what
it says of a firewall with a limit of six seconds."""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "unit"))
import tap  # noqa: E402
from gateway import TOOL as IDLEWALL  # noqa: E402
from lab import equal, eventually  # noqa: E402
from replay_tshark import compare, connections, nanoseconds, tshark_streams  # noqa: E402
from servers import SOFTWARE  # noqa: E402
from tap import each  # noqa: E402

TSHARK = "/usr/bin/tshark"
LIMIT = 6
POLICY = f"""
profile short from linux-nf-conntrack {{
    tcp-established {LIMIT}s
    tcp-unacknowledged {LIMIT}s
    tcp-max-retrans {LIMIT}s
    on-late drop
}}
default use short
"""


def capture(lab, software, keepalive, silence):
    """An exchange, a silence, an exchange, and the end of the client; the capture's path."""
    path = f"{lab.directory}/{software}.pcap"
    start, port = SOFTWARE[software]
    log = open(f"{lab.directory}/tcpdump.log", "w+")
    dump = lab.keep_process(lab.client.popen("tcpdump", "-i", "eth0", "-n", "-U", "--immediate-mode", "-Z", "root",
                                             "-w", path, "tcp", "port", str(port), stderr=log))
    eventually("tcpdump listens", lambda: "listening on" in open(log.name).read(), 20)
    session = start(lab, keepalive)
    session.exchange()
    equal(session.read(silence), "", "read in the silence")
    session.exchange()
    session.process.stdin.close()
    session.ended(10)
    eventually("both ends are closed", lambda: lab.sockets(port)[1] in (None, "TIME-WAIT"), 20)
    dump.send_signal(signal.SIGINT)
    dump.wait(20)
    return path


def main_connection(path):
    """The one that was left idle: start_server() and client programs may have tried others."""
    return max(connections(IDLEWALL, path, policy=POLICY), key=lambda c: c["client_packets"])


@each("left idle:", *SOFTWARE)
def idle(lab, software):
    path = capture(lab, software, None, LIMIT + 3)
    found, packets, keepalives = compare(IDLEWALL, TSHARK, path)
    assert found >= 1 and packets > 10 and keepalives == 0, (found, packets, keepalives)
    c = main_connection(path)
    equal(c["outcome"], "broken", "the outcome")
    assert nanoseconds(c["late_silence_s"]) > LIMIT * 10**9, c
    stream = next(s for s in tshark_streams(TSHARK, path).values() if s[0].number == c["first_packet"])
    before, late = next((a, b) for a, b in zip(stream, stream[1:]) if b.time - a.time > LIMIT * 10**9)
    equal((c["late_packet"], nanoseconds(c["late_at_s"])), (late.number, late.time), "the first late packet")
    equal(nanoseconds(c["late_silence_s"]), late.time - before.time, "the silence before it")


@each("with keepalive:", *SOFTWARE)
def keepalive(lab, software):
    path = capture(lab, software, 3, LIMIT + 4)
    _, _, keepalives = compare(IDLEWALL, TSHARK, path)
    assert keepalives >= 2, keepalives
    c = main_connection(path)
    equal(c["outcome"], "saved", "the outcome")
    assert c["server_keepalives"] >= 2 and c["server_keepalives_answered"] >= 1, c
    assert 3 <= float(c["server_keepalive_interval_s"]) < 3 * 9 / 8 + 1, c
    assert nanoseconds(c["longest_silence_without_keepalives_s"]) > LIMIT * 10**9, c


tap.main(jobs=6)
