#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What happens at the limit (on-expiry), and to a packet that comes after it (on-late)."""
import json
import socket
import time

import tap
from lab import close_hard, equal, eventually, read, say, write
from tap import each, test

LIMIT = 1.5
IP_RECVERR, IPV6_RECVERR = 11, 25


def policy(on_expiry="silent", on_late="drop", more=""):
    return f"""
    profile short from linux-nf-conntrack {{
        tcp-established {LIMIT}s
        tcp-unacknowledged {LIMIT}s
        tcp-max-retrans {LIMIT}s
        on-expiry {on_expiry}
        on-late {on_late}
        {more}
    }}
    default use short
    """


def expired_pair(lab, gateway, family=4):
    pair = lab.connect(family=family)
    eventually("the entry is gone", lambda: not gateway.flows(), LIMIT + 3)
    return pair


@each("on-expiry", *((e, f) for e in ("silent", "reset-both", "reset-client", "reset-server") for f in (4, 6)))
def on_expiry(lab, action, family):
    lab.gateway(policy(on_expiry=action))
    client, server = lab.connect(family=family)
    last = time.monotonic()
    told = {"silent": (), "reset-both": (client, server), "reset-client": (client,), "reset-server": (server,)}
    equal(read(told[action][0] if told[action] else client, LIMIT - 0.4), "nothing", "before the limit")
    for end in told[action]:
        equal(read(end, 2), "ECONNRESET", "at the limit")
    if told[action]:
        took = time.monotonic() - last
        assert LIMIT - 0.3 < took < LIMIT + 1, f"reset {took:.2f} s after the last packet"
    for end in (client, server):
        if end not in told[action]:
            equal(read(end, 1.5), "nothing", "the end that is not told")
    want = tuple(None if end in told[action] else "ESTAB" for end in (client, server))
    equal(lab.sockets(), want, "what ss says")


@each("on-late drop", 4, 6)
def late_drop(lab, family):
    gateway = lab.gateway(policy())
    client, server = expired_pair(lab, gateway, family)
    equal((write(client), read(client, 2)), ("ok", "nothing"), "the client")
    equal((write(server), read(server, 2)), ("ok", "nothing"), "the server")
    equal(lab.sockets(), ("ESTAB", "ESTAB"))
    equal(gateway.flows(), [], "the table after late packets")


@each("on-late reset, first word from the", ("client", 4), ("server", 4), ("client", 6), ("server", 6))
def late_reset(lab, first, family):
    gateway = lab.gateway(policy(on_late="reset"))
    client, server = expired_pair(lab, gateway, family)
    one, other = (client, server) if first == "client" else (server, client)
    equal(write(one), "ok")
    equal(read(one, 1), "ECONNRESET", "the end that spoke")
    equal(read(other, 1), "nothing", "the end that did not")
    equal(write(other), "ok")
    equal(read(other, 1), "ECONNRESET", "once it speaks")


@each("on-late", ("reset-client", 4), ("reset-server", 4), ("reset-client", 6), ("reset-server", 6))
def late_one_side(lab, action, family):
    # Late packets are judged alike whether their flow is remembered or not: the port says who is the server.
    gateway = lab.gateway("server-ports 5000\n" + policy(on_late=action))
    client, server = expired_pair(lab, gateway, family)
    told, ignored = (client, server) if action == "reset-client" else (server, client)
    equal((write(ignored), read(ignored, 1.5)), ("ok", "nothing"), "the side that is dropped")
    equal((write(told), read(told, 1)), ("ok", "ECONNRESET"), "the side that is answered")


@each("on-late icmp", 4, 6)
def late_icmp(lab, family):
    gateway = lab.gateway(policy(on_late="icmp"))
    client, _ = lab.connect(family=family)
    if family == 4:
        client.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    else:
        client.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
    eventually("the entry is gone", lambda: not gateway.flows(), LIMIT + 3)
    equal(write(client), "ok")
    # RFC 1122 makes it a soft error, so only a socket that asked for it is told at once.
    equal(read(client, 1), "EHOSTUNREACH" if family == 4 else "EACCES")
    assert gateway.status()["late"] > 0


@each("on-late adopt, first word from the", ("client", 4), ("server", 4), ("client", 6), ("server", 6))
def late_adopt(lab, first, family):
    gateway = lab.gateway(policy(on_late="adopt"))
    client, server = expired_pair(lab, gateway, family)
    one, other = (client, server) if first == "client" else (server, client)
    say(one, other, b"still there?")
    say(other, one, b"yes")
    flow = gateway.flow()
    # Neither port says who opened it: the sender of the first packet seen counts as client.
    equal((flow["guessed"], flow["client_port"]), (True, one.getsockname()[1]))


@test("on-late adopt only where the rules let it open a flow")
def late_adopt_rules(lab):
    gateway = lab.gateway(policy(on_late="adopt"))
    client, server = lab.connect()
    gateway.write_policy(policy(on_late="adopt").replace("default", 'rule no match "tcp port 5000" drop\n default'))
    equal(gateway.reload().returncode, 0)
    say(client, server, b"opened under the old policy")
    eventually("the entry is gone", lambda: not gateway.flows(), LIMIT + 3)
    equal((write(client), read(server, 1.5)), ("ok", "nothing"))


@each("a new SYN on the forgotten 5-tuple is a new flow", 4, 6)
def reuse(lab, family):
    gateway = lab.gateway(policy())
    client, server = lab.connect(family=family, client_port=40000)
    first = gateway.flow()["id"]
    eventually("the entry is gone", lambda: not gateway.flows(), LIMIT + 3)
    close_hard(client)  # its reset is late and dropped
    close_hard(server)
    eventually("both sockets gone", lambda: lab.sockets() == (None, None))
    client, server = lab.connect(family=family, client_port=40000)
    say(client, server, b"new")
    assert gateway.flow()["id"] != first


@test("traffic restarts the idle time, in both directions")
def refresh(lab):
    gateway = lab.gateway(policy())
    client, server = lab.connect()
    first = gateway.flow()["id"]
    for one, other in ((client, server), (server, client)):
        for _ in range(3):
            time.sleep(LIMIT - 0.6)
            say(one, other, b"ping")
    equal(gateway.flow()["id"], first)


@test("refresh server: the client's packets and ACKs do not restart the idle time")
def refresh_server(lab):
    gateway = lab.gateway(policy(more="refresh server"))
    client, server = lab.connect()
    # What the server would say is lost before it reaches the firewall, so that only the client is heard.
    lab.server.iptables("-A", "OUTPUT", "-p", "tcp", "--sport", "5000", "-j", "DROP")
    end = time.monotonic() + LIMIT + 1
    while time.monotonic() < end and gateway.flows():
        write(client, b"news")
        time.sleep(0.1)
    equal(gateway.flows(), [], "the table")


@test("a late packet is reported: which flow, expired when, late by how much, under which rule")
def report(lab):
    text = policy(on_late="reset").replace("default", 'rule oracle match "tcp port 1521" use short\n default')
    gateway = lab.gateway(text)
    events = lab.keep_process(gateway.tool_start("events", "-o", "json"))
    time.sleep(0.3)
    client, _ = lab.connect(port=1521)
    flow = gateway.flow()
    time.sleep(LIMIT + 1)
    write(client, b"too late!")
    equal(read(client, 1), "ECONNRESET")
    time.sleep(0.3)
    events.terminate()
    seen = [json.loads(line) for line in events.communicate(timeout=5)[0].splitlines()]
    equal([e["kind"] for e in seen if e["kind"] != "update"], ["new", "expired", "late"])
    expired, late = seen[-2:]
    equal((expired["id"], expired["reason"], expired["reason_name"]), (flow["id"], 1, "idle timeout"))
    equal((late["id"], late["remembered"], late["rule"], late["profile"]), (flow["id"], True, "oracle", "short"))
    equal((late["side"], late["len"], late["action"]), ("client", 9, "reset sender"))
    assert abs(late["expired_t_s"] - expired["t_s"]) < 0.2, (late, expired)
    assert 0.7 < late["late_by_s"] < 1.8, late
    assert abs(late["t_s"] - late["expired_t_s"] - late["late_by_s"]) < 0.001, late
    assert abs(late["wall_s"] - time.time()) < 3, late
    equal(late["flags"], "P.")


@test("--speed divides the durations and reports product time")
def speed(lab):
    gateway = lab.gateway(policy().replace(f"{LIMIT}s", "120s"), speed=60)
    client, _ = lab.connect()
    flow = gateway.flow()
    equal(flow["timeout_s"], 120)
    assert 60 < flow["remaining_s"] <= 120 and abs(flow["remaining_s"] + flow["idle_s"] - 120) < 0.01, flow
    started = time.monotonic()
    eventually("the entry is gone", lambda: not gateway.flows(), 4)
    assert 1 < time.monotonic() - started < 3
    equal((write(client), read(client, 1)), ("ok", "nothing"))


tap.main(jobs=6)
