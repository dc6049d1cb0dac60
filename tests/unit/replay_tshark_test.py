#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets, longest gaps and keepalives of `idlewall replay` beside tshark's, on the captures of every shipped case; and
each difference that is meant (docs/replay.md), on captures made to show it. TAP."""
import os
import subprocess
import sys

import one_by_one
from pcap import elsewhere, read, write
from replay_tshark import (ACK, FIN, PSH, RST, SYN, compare, connections, facts, handshake, need, ours, segment,
                           tshark_streams)

IDLEWALL, TSHARK = map(os.path.abspath, sys.argv[1:3])
S = 10**9


def simulate(case, directory):
    done = subprocess.run([IDLEWALL, "simulate", case, "--write-pcap", directory, "--quiet"], capture_output=True,
                          timeout=120, text=True, cwd="/")
    return done.returncode == 0


def cases(where):
    """Every case that is a single story: all their captures as one, each in a network of its own."""
    done = subprocess.run([IDLEWALL, "simulate", "--list"], capture_output=True, timeout=60, text=True, check=True)
    stories, records = 0, []
    for case in [line.split()[0] for line in done.stdout.splitlines()]:
        directory = os.path.join(where, case)
        os.mkdir(directory)
        if not simulate(case, directory):
            continue
        stories += 1
        for name in sorted(os.listdir(directory)):
            records.append(elsewhere(read(os.path.join(directory, name)), len(records) + 1))
    path = os.path.join(where, "all.pcap")
    write(path, [record for _, record in sorted(sum(records, []), key=lambda r: r[0])])
    connections, packets, keepalives = compare(IDLEWALL, TSHARK, path)
    need(stories > 16 and connections >= len(records) > 50 and packets > 1000 and keepalives > 100, stories,
         len(records), connections, packets, keepalives)
    return f"{stories} stories, {len(records)} captures, {packets} packets, {keepalives} keepalives"


def both(where, segments, *firewall, policy=None):
    path = os.path.join(where, "by-hand.pcap")
    write(path, segments)
    streams = tshark_streams(TSHARK, path)
    return streams, connections(IDLEWALL, path, *firewall, policy=policy)


def alike_by_hand(where):
    """The handmade captures are no reason for a difference."""
    path = os.path.join(where, "by-hand.pcap")
    write(path, handshake() + [
        segment(1003, True, ACK | PSH, 1, 5001, b"ask"), segment(1003.1, False, ACK, 5001, 4),
        segment(1060, False, ACK, 5000, 4), segment(1060.1, True, ACK, 4, 5001),
        segment(1090, True, ACK, 3, 5001, b"x"), segment(1090.1, False, ACK, 5001, 4)])
    need(compare(IDLEWALL, TSHARK, path) == (1, 9, 2), compare(IDLEWALL, TSHARK, path))


def no_total_length(where):
    """What a host hands to its network card to cut up: IPv4's length is the captured one."""
    path = os.path.join(where, "by-hand.pcap")
    write(path, handshake() + [
        segment(1003, True, ACK | PSH, 1, 5001, bytes(9000), total=0), segment(1003.1, False, ACK, 5001, 9001),
        segment(1060, False, ACK, 5000, 9001, total=0), segment(1060.1, True, ACK, 9001, 5001)])
    need(compare(IDLEWALL, TSHARK, path) == (1, 7, 1), compare(IDLEWALL, TSHARK, path))


def out_of_window(where):
    """A segment far outside of the window is counted, but does not end a silence."""
    streams, found = both(where, handshake() + [segment(1030, True, ACK, 1 << 30, 5001, b"stray"),
                                                segment(1070, True, ACK | PSH, 1, 5001, b"ask")])
    theirs = facts(streams[0], "192.0.2.2", 40000)
    need(theirs["gap"] == 40 * S, theirs)
    need(len(found) == 1 and ours(found[0])["packets"] == theirs["packets"] == (4, 1), found)
    need(ours(found[0])["gap"] == 1070 * S - 1000002 * S // 1000, ours(found[0]))


def syn_again(where):
    """A SYN that is sent again does not restart its timeout."""
    segments = [segment(t, True, SYN, 0) for t in (1000, 1001, 1003)]
    streams, found = both(where, segments + [segment(1004, False, SYN | ACK, 5000, 1), segment(1004.1, True, ACK, 1, 5001)])
    theirs = facts(streams[0], "192.0.2.2", 40000)
    need(theirs["gap"] == 2 * S, theirs)
    need(ours(found[0])["packets"] == theirs["packets"] == (4, 1), found)
    need(ours(found[0])["gap"] == 4 * S, ours(found[0]))


def late_probe(where):
    """A probe that comes too late belongs to no entry: it is the late packet, not a keepalive."""
    streams, found = both(where, handshake() + [segment(1400, True, ACK, 0, 5001), segment(1400.1, False, ACK, 5001, 1)],
                          "--profile", "aws-nat-gateway")
    theirs = facts(streams[0], "192.0.2.2", 40000)
    need(theirs["keepalives"] == (1, 0), theirs)
    need(ours(found[0])["keepalives"] == (0, 0), found)
    need((found[0]["outcome"], found[0]["late_packet"]) == ("broken", streams[0][3].number), found)
    need(ours(found[0])["packets"] == theirs["packets"], found)


def capture_begins(where):
    """A probe that is the first packet of its side in the capture: nobody can know what came before it."""
    streams, found = both(where, [segment(1000, False, ACK, 5000, 1), segment(1000.1, True, ACK, 1, 5001),
                                  segment(1060, False, ACK, 5000, 1), segment(1060.1, True, ACK, 1, 5001)])
    need(len(found) == len(streams) == 1 and found[0]["midstream"], found)
    need(ours(found[0])["gap"] == facts(streams[0], "198.51.100.2", 5000)["gap"], found)


def reused_ports(where):
    """A new SYN on the same ports is another connection, for both."""
    end = [segment(1010, True, ACK | FIN, 1, 5001), segment(1010.1, False, ACK | FIN, 5001, 2),
           segment(1010.2, True, ACK, 2, 5002)]
    streams, found = both(where, handshake() + end + handshake(2000, isn=777000) + [
        segment(2010, False, RST | ACK, 5001, 777001)])
    need([p[0].number for p in streams.values()] == [1, 7], streams)
    need(sorted(c["first_packet"] for c in found) == [1, 7], found)


TESTS = [cases, alike_by_hand, no_total_length, out_of_window, syn_again, late_probe, capture_begins, reused_ports]


one_by_one.run(TESTS, directory=True)
