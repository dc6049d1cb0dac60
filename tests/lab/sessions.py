#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Unmodified ssh, psql and redis-cli sessions, left idle past a firewall's limit of ten seconds."""
import tap
from lab import equal
from servers import SOFTWARE
from tap import each

LIMIT = 10
# Kernels send a keepalive up to an eighth late: 5 s is 5.7 s at worst, two of them are still below the limit.
KEEPALIVE = 5
POLICY = """
profile short from linux-nf-conntrack {{
    tcp-established {limit}s
    tcp-unacknowledged {limit}s
    tcp-max-retrans {limit}s
    on-expiry silent
    on-late {late}
}}
default use short
"""
# What each program prints on ECONNRESET: ssh tries to say goodbye on the dead socket and reports that;
# libpq has a sentence of its own.
RESET_WORDS = {
    "ssh": "client_loop: send disconnect: Broken pipe",
    "psql": "server closed the connection unexpectedly",
    "redis-cli": "Connection reset by peer",
}


def begin(lab, software, late, keepalive=None):
    gateway = lab.gateway(POLICY.format(limit=LIMIT, late=late))
    start, port = SOFTWARE[software]
    session = start(lab, keepalive)
    session.exchange()
    return gateway, session, port


@each("silent:", *SOFTWARE)
def silent(lab, software):
    gateway, session, port = begin(lab, software, "drop")
    equal(session.read(2 * LIMIT), "", "read during twice the limit")
    equal(gateway.flows(f"tcp port {port}"), [], "the firewall's entry")
    equal(lab.sockets(port), ("ESTAB", "ESTAB"), "what both ends believe")
    session.ask()
    equal(session.read(5), "", "the answer to a write")
    equal(session.ended(0), None, "the client's exit")
    sock = lab.client.ss("dport", "=", f":{port}")[0]
    assert sock.send_q > 0 and sock.timer.startswith("on,"), f"nothing is being retransmitted: {sock}"
    equal(lab.server.ss("sport", "=", f":{port}")[0].recv_q, 0, "bytes that reached the server")
    assert gateway.status()["late"] > 0


@each("reset:", *SOFTWARE)
def reset(lab, software):
    gateway, session, port = begin(lab, software, "reset")
    equal(session.read(LIMIT + 1.5), "", "read past the limit")
    resets = lab.client.tcp("EstabResets")
    session.ask()
    words = RESET_WORDS[software]
    said = session.read(1, words)
    assert words in said, f"not within a second: {words!r}, but {said!r}"
    equal(lab.client.tcp("EstabResets") - resets, 1, "resets of an established connection")
    equal(lab.client.ss("dport", "=", f":{port}"), [], "the client's sockets")


@each("keepalive below the limit:", *SOFTWARE)
def keepalive(lab, software):
    gateway, session, port = begin(lab, software, "drop", KEEPALIVE)
    first = gateway.flow(f"tcp port {port}")
    equal(session.read(3 * LIMIT), "", "read during three times the limit")
    session.exchange(2)
    flow = gateway.flow(f"tcp port {port}")
    equal(flow["id"], first["id"], "the flow's id")
    assert KEEPALIVE - 1 < flow["longest_idle_s"] < KEEPALIVE * 9 / 8 + 1, flow


tap.main(jobs=9)
