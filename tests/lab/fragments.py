#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Fragments, with the kernel's defragmentation before the queue and without it, in every order."""
import itertools
import socket
import time

import tap
from lab import CLIENT, SERVER, equal, read
from packet import UDP, Wire, fragments, udp
from tap import each

POLICY = 'rule closed match "port 9" drop\ndefault use linux-nf-conntrack\n'
DATA = bytes(range(256)) * 12
ORDERS = list(itertools.permutations(range(3)))


def begin(lab, defragmentation):
    if defragmentation == "on":
        # Any use of conntrack in the namespace makes the kernel put fragments together before FORWARD.
        for family in (4, 6):
            lab.firewall.iptables("-A", "INPUT", "-m", "conntrack", "--ctstate", "INVALID", "-j", "DROP",
                                  family=family)
    return lab.gateway(POLICY)


def send_all(lab, family, port, ident=1):
    """One datagram of three fragments for each order; returns what was sent last, by order."""
    wire = Wire(lab, "client")
    for ident, order in enumerate(ORDERS, ident):
        body = udp(CLIENT[family], SERVER[family], 30000 + ident, port, bytes([ident]) + DATA)
        pieces = fragments(CLIENT[family], SERVER[family], UDP, body, 1200, ident)
        equal(len(pieces), 3, "fragments")
        for i in order:
            wire.send(pieces[i])


def received(server):
    got = []
    while isinstance(data := read(server, 0.7), bytes):
        equal(data[1:], DATA, "the datagram put together")
        got.append(ORDERS[data[0] - 1])
    return got


@each("defragmentation", *((d, f) for d in ("on", "off") for f in ("IPv4", "IPv6")))
def whole(lab, defragmentation, version):
    family = int(version[-1])
    gateway = begin(lab, defragmentation)
    server = lab.listen(5000, family, socket.SOCK_DGRAM)
    send_all(lab, family, 5000)
    # Without the kernel's help a fragment says nothing of its flow until the first one has been judged.
    want = ORDERS if defragmentation == "on" else [o for o in ORDERS if o[0] == 0]
    equal(sorted(received(server)), want, "orders that arrived")
    status = gateway.status()
    equal(len(gateway.flows()), 6, "flows")
    if defragmentation == "on":
        equal((status["packets_fragment"], status["packets_fragment_lost"]), (0, 0))
    else:
        # Of the other four orders, six fragments come before the first one.
        equal((status["packets_fragment_lost"], status["packets_fragment"]), (6, 6))


@each("a drop holds for every fragment, defragmentation", *((d, f) for d in ("on", "off") for f in ("IPv4", "IPv6")))
def dropped(lab, defragmentation, version):
    family = int(version[-1])
    begin(lab, defragmentation)
    ear = Wire(lab, "server")
    send_all(lab, family, 9)
    time.sleep(0.3)
    equal(ear.heard(0.7), [], "what reached the server's wire")


@each("a second first fragment cannot pull through what was dropped,", "IPv4", "IPv6")
def overlap(lab, version):
    family = int(version[-1])
    begin(lab, "off")
    wire, ear = Wire(lab, "client"), Wire(lab, "server")
    source = (CLIENT[family], SERVER[family])
    bad = fragments(*source, UDP, udp(*source, 30000, 9, DATA), 1200, 7)
    good = fragments(*source, UDP, udp(*source, 30000, 5000, DATA), 1200, 7)
    for piece in (bad[0], good[0], bad[1], bad[2]):
        wire.send(piece)
    # The allowed first fragment may pass; without the rest no host can make a datagram of it.
    assert len(ear.heard(0.7)) <= 1, "later fragments of a dropped datagram came through"


tap.main(jobs=4)
