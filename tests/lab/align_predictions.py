#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What `idlewall align` predicts beside what happens: each way in which a firewall forgets, sockets on both sides of the rule."""
import errno
import json
import select
import socket
import time

import tap
from gateway import TOOL
from lab import SERVER, equal
from tap import each

LIMIT = 20
UNTIL = 50
# idle, interval, count. (15 + 1) * 9/8 and (12 + 4) * 9/8 are 18, (14 + 2) * 9/8 too: within an eighth of the limit.
KEEPALIVE = [None, (15, 1, 5), (14, 2, 5), (12, 4, 5), (24, 2, 4), (30, 2, 3), (40, 1, 2)]
OPTIONS = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)


def connect(lab, listener, keepalive):
    with lab.client:
        sock = lab.keep(socket.create_connection((SERVER[4], 5000), 5))
    peer = lab.keep(listener.accept()[0])
    if keepalive:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in zip(OPTIONS, keepalive):
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
    sock.send(b"x")
    peer.recv(1)
    return sock


def predictions(lab, gateway):
    done = lab.client.run(TOOL, "align", "--table", gateway.control, "-o", "json", check=False)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, {o["local_port"]: o for o in found if o["type"] == "connection"}


def watch(socks, since):
    """port -> (what the socket got, when)"""
    seen = {}
    poll = select.poll()
    by_fd = {sock.fileno(): (port, sock) for port, sock in socks.items()}
    for fd in by_fd:
        poll.register(fd, select.POLLIN)
    while time.monotonic() - since < UNTIL:
        for fd, _ in poll.poll(200):
            port, sock = by_fd[fd]
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            seen[port] = (errno.errorcode.get(code, "EOF"), time.monotonic() - since)
            poll.unregister(fd)
    return seen


@each("predicted and seen:", ("silent", "drop"), ("silent", "reset"), ("silent", "icmp"), ("silent", "adopt"),
      ("reset-both", "drop"), ("reset-client", "reset"))
def predicted_and_seen(lab, on_expiry, on_late):
    gateway = lab.gateway(f"adopt-at-start none\nprofile short {{ tcp-established {LIMIT}s\n on-expiry {on_expiry}\n"
                          f" on-late {on_late} }}\ndefault use short\n")
    listener = lab.listen()
    socks = {}
    for keepalive in KEEPALIVE:
        sock = connect(lab, listener, keepalive)
        socks[sock.getsockname()[1]] = sock
    since = time.monotonic()
    status, predicted = predictions(lab, gateway)
    equal(sorted(predicted), sorted(socks), "sockets that were found")
    equal(status, int(any(o["verdict"] == "will break" for o in predicted.values())), "exit status")
    kinds = [o["verdict"] for o in predicted.values()]
    equal(kinds.count("safe") >= 3, True, f"safe ones among {kinds}")
    seen = watch(socks, since)
    for port, prediction in predicted.items():
        what, when = seen.get(port, ("nothing", 0))
        if prediction["verdict"] != "will break":
            equal(what, "nothing", prediction["reason"])
            continue
        end = prediction["client_end"]
        equal(what, end["sees"], prediction["reason"])
        low, high = end["after_s"]
        equal(low - 0.5 <= when <= high + 1.5, True, f"{when:.1f} s is within {low} to {high}: {prediction['reason']}")


tap.main(jobs=6)
