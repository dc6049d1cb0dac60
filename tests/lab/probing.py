#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Dead connection detection asks real sockets, and keepalives of real sockets are seen as they pass."""
import json
import socket
import time

import tap
from lab import eventually, equal, read, say
from tap import each, test

LIMIT = 1.5


def policy(more=""):
    return f"""
    adopt-at-start none
    profile asks from cisco-asa {{
        tcp-established {LIMIT}s
        on-expiry dcd
        dcd-interval 500ms
        dcd-count 2
        dcd-then reset-both
        on-late drop
        {more}
    }}
    default use asks
    """


@each("dcd: both ends live, so the connection does, far beyond the limit;", *((t, f) for t in ("timestamps", "none") for f in (4, 6)))
def alive(lab, timestamps, family):
    for end in (lab.client, lab.server):
        end.sysctl("net.ipv4.tcp_timestamps", int(timestamps == "timestamps"))
    gateway = lab.gateway(policy())
    client, server = lab.connect(family=family)
    first = gateway.flow()["id"]
    equal(read(client, 3 * LIMIT), "nothing")
    say(client, server, b"still there")
    say(server, client, b"me too")
    equal(gateway.flow()["id"], first, "the same entry")
    assert gateway.status()["probes"] >= 4, gateway.status()
    assert gateway.flow()["longest_idle_s"] >= LIMIT


@each("dcd-answers swallow: the other end never sees them; IPv", 4, 6)
def swallow(lab, family):
    gateway = lab.gateway(policy("dcd-answers swallow"))
    client, server = lab.connect(family=family)
    eventually("two rounds are answered", lambda: gateway.status()["packets_probe"] >= 4, 3 * LIMIT + 2)
    flow = gateway.flow()
    equal((flow["client_packets"] + flow["server_packets"]) >= 8, True)
    say(client, server, b"still there")


@each("dcd: a vanished", *((e, f) for e in ("server", "client") for f in (4, 6)))
def vanished(lab, end, family):
    lab.gateway(policy())
    client, server = lab.connect(family=family)
    last = time.monotonic()
    space, left = (lab.server, client) if end == "server" else (lab.client, server)
    space.iptables("-A", "INPUT", "-p", "tcp", "-j", "DROP", family=family)
    equal(read(left, LIMIT + 3), "ECONNRESET", "the end that is left")
    took = time.monotonic() - last
    # Probes at the limit and half a second later, the end half a second after the second.
    assert LIMIT + 0.7 < took < LIMIT + 2, f"{took:.2f} s"


@test("dcd: the events say who was asked, and that nobody answered")
def events(lab):
    gateway = lab.gateway(policy())
    watch = gateway.tool_start("events", "-o", "json")
    time.sleep(0.3)
    lab.connect()
    lab.server.iptables("-A", "INPUT", "-p", "tcp", "-j", "DROP")
    eventually("the entry is gone", lambda: not gateway.flows(), LIMIT + 4)
    time.sleep(0.3)
    watch.terminate()
    seen = [json.loads(line) for line in watch.communicate(timeout=5)[0].splitlines()]
    probed = [e for e in seen if e["action"] == "probed"]
    equal(len(probed), 2)
    equal([e["side"] for e in probed], [None, None])
    assert 0.3 < probed[1]["t_s"] - probed[0]["t_s"] < 0.8, probed
    equal((seen[-1]["kind"], seen[-1]["reason"]), ("expired", 1))


@each("keepalives of the", *((e, f) for e in ("client", "server") for f in (4, 6)))
def keepalives(lab, end, family):
    gateway = lab.gateway(profile="cisco-asa")
    client, server = lab.connect(family=family)
    sock = client if end == "client" else server
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    eventually("three are seen", lambda: gateway.flow().get(f"{end}_keepalives", 0) >= 3, 6)
    flow = gateway.flow()
    assert flow[f"{end}_keepalives_answered"] >= flow[f"{end}_keepalives"] - 1, flow
    # Kernels come late, by up to an eighth, and never early.
    assert 1 <= flow[f"{end}_keepalive_interval_s"] < 1.4, flow
    equal(round(flow[f"{end}_keepalive_margin_s"] + flow[f"{end}_keepalive_interval_s"], 6), 3600)
    other = "server" if end == "client" else "client"
    assert f"{other}_keepalives" not in flow, flow
    assert f"{end}-keepalive 1" in gateway.tool("list").stdout


@test("what is bridged passes beside the queue, and the daemon says so")
def bridged(lab):
    lab.firewall.ip("link add br0 type bridge", "link add port0 type veth peer name port1", "link set port0 master br0",
                    "link set br0 up", "link set port0 up")
    lab.firewall.sysctl("net.bridge.bridge-nf-call-iptables", 0)
    assert "br_netfilter is off" in lab.gateway(policy()).log()


tap.main(jobs=6)
