#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Bulk transfers: segments of up to 64 KiB go through the queue whole, and every byte arrives."""
import hashlib
import threading

import tap
from lab import equal
from tap import each

SIZE = 48 << 20
BLOCK = bytes(i * 7 & 255 for i in range(1 << 20))


def pour(sock, digest):
    for _ in range(SIZE // len(BLOCK)):
        sock.sendall(BLOCK)
        digest.update(BLOCK)


def drain(sock, digest):
    left = SIZE
    while left:
        data = sock.recv(1 << 18)
        assert data, "end of file"
        digest.update(data)
        left -= len(data)


@each("bulk from the", *((s, f) for s in ("client", "server", "client and the server") for f in ("IPv4", "IPv6")))
def bulk(lab, side, version):
    gateway = lab.gateway("default use linux-nf-conntrack\n")
    client, server = lab.connect(family=int(version[-1]))
    ways = []
    if "client" in side:
        ways.append((client, server))
    if "server" in side:
        ways.append((server, client))
    threads, sums, failed = [], [], []

    def guard(work, *arguments):
        try:
            work(*arguments)
        except Exception as e:
            failed.append(repr(e))

    for source, sink in ways:
        source.settimeout(30)
        sink.settimeout(30)
        sums.append((hashlib.sha1(), hashlib.sha1()))
        threads += [threading.Thread(target=guard, args=(pour, source, sums[-1][0])),
                    threading.Thread(target=guard, args=(drain, sink, sums[-1][1]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(failed, [])
    for sent, got in sums:
        equal(got.hexdigest(), sent.hexdigest(), "what arrived")
    flow = gateway.flow()
    for end in ("client", "server"):
        if end in side:
            assert flow[f"{end}_bytes"] >= SIZE, flow
            # Segments of the size of a frame would be 1448 bytes; whole ones are 20 to 40 times that.
            average = flow[f"{end}_bytes"] / flow[f"{end}_packets"]
            assert average > 8000 or len(ways) == 2 and average > 3000, f"{average:.0f} bytes a packet: {flow}"
    equal(gateway.status()["packets_invalid"], 0, "packets judged out of window")


tap.main(jobs=2)
