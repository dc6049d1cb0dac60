#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""expire, forget, block, unblock, wait, list and their filters, on real connections."""
import json
import time

import tap
from lab import equal, eventually, read, say, write
from tap import each, test

POLICY = """
profile quiet from linux-nf-conntrack {
    on-expiry silent
    on-late drop
}
profile loud from quiet {
    on-expiry reset-both
}
rule loud match "tcp port 7000" use loud
default use quiet
"""


@test("forget: silently, and late packets are dropped")
def forget(lab):
    gateway = lab.gateway(POLICY)
    client, server = lab.connect()
    gateway.tool("forget", "tcp port 5000")
    equal(gateway.flows(), [])
    equal((read(client, 1), read(server, 0.2)), ("nothing", "nothing"))
    equal((write(client), read(server, 1)), ("ok", "nothing"))
    equal(lab.sockets(), ("ESTAB", "ESTAB"))


@test("expire: as if the idle time were over")
def expire(lab):
    gateway = lab.gateway(POLICY)
    quiet, loud = lab.connect(5000), lab.connect(7000)
    gateway.tool("expire", "tcp")
    equal((read(loud[0], 2), read(loud[1], 2)), ("ECONNRESET", "ECONNRESET"))
    equal((read(quiet[0], 1), read(quiet[1], 0.2)), ("nothing", "nothing"))
    equal(gateway.flows(), [])
    equal((write(quiet[0]), read(quiet[1], 1)), ("ok", "nothing"))


@each("block, both directions,", 4, 6)
def block(lab, family):
    gateway = lab.gateway(POLICY)
    client, server = lab.connect(family=family)
    gateway.tool("block", "tcp port 5000")
    flow = gateway.flow()
    equal((flow["blocked_client"], flow["blocked_server"]), (True, True))
    equal((write(client, b"up"), write(server, b"down")), ("ok", "ok"))
    equal((read(client, 1), read(server, 1)), ("nothing", "nothing"))
    gateway.tool("unblock", "tcp port 5000")
    equal((read(client, 5), read(server, 5)), (b"down", b"up"), "what was retransmitted")


@each("block --from", "client", "server")
def block_side(lab, side):
    gateway = lab.gateway(POLICY)
    client, server = lab.connect()
    cut, free = (client, server) if side == "client" else (server, client)
    gateway.tool("block", "--from", side, "tcp port 5000")
    flow = gateway.flow()
    equal((flow["blocked_client"], flow["blocked_server"]), (side == "client", side == "server"))
    say(free, cut, b"this way is open")
    equal((write(cut, b"this is not"), read(free, 1)), ("ok", "nothing"))
    gateway.tool("unblock", "--from", side, "tcp port 5000")
    equal(read(free, 5), b"this is not")
    assert gateway.status()["packets_blocked"] > 0


@test("blocked packets do not restart the idle time")
def blocked_idle(lab):
    gateway = lab.gateway(POLICY.replace("on-expiry silent", "on-expiry silent\n tcp-established 1500ms"
                                         "\n tcp-unacknowledged 1500ms\n tcp-max-retrans 1500ms"))
    client, _ = lab.connect()
    gateway.tool("block", "tcp")
    for _ in range(5):
        time.sleep(0.3)
        write(client)
    eventually("the entry is gone", lambda: not gateway.flows(), 2)


@test("wait: for new, late, expired and ended, and a time that is over")
def wait(lab):
    gateway = lab.gateway(POLICY)

    def waiter(kind, seconds="10s"):
        started = gateway.tool_start("wait", "tcp port 5000", "--for", kind, "--timeout", seconds)
        time.sleep(0.4)
        return lab.keep_process(started)

    waiting = waiter("new")
    client, server = lab.connect()
    other = lab.connect(port=5001)
    equal(waiting.wait(5), 0, "new")
    waiting = waiter("expired")
    gateway.tool("expire", "tcp port 5001")
    equal(waiting.poll(), None, "expired, of another flow")
    gateway.tool("expire", "tcp port 5000")
    equal(waiting.wait(5), 0, "expired")
    waiting = waiter("late")
    write(client)
    equal(waiting.wait(5), 0, "late")
    lab.connect(port=5002)
    waiting = waiter("ended", "1s")
    gateway.tool("kill", "tcp port 5002")
    equal(waiting.wait(5), 1, "no such event in time")
    del server, other


@test("list: filters and what it shows")
def listing(lab):
    gateway = lab.gateway(POLICY)
    pairs = {port: lab.connect(port) for port in (5000, 7000)}
    six = lab.connect(port=5006, family=6)
    equal(len(gateway.flows()), 3)
    flow = gateway.flow("tcp port 7000")
    equal((flow["type"], flow["v"], flow["proto"], flow["state"]), ("flow", 1, "tcp", "ESTABLISHED"))
    equal((flow["rule"], flow["profile"], flow["assured"], flow["guessed"]), ("loud", "loud", True, False))
    equal((flow["client"], flow["client_port"]), pairs[7000][0].getsockname())
    equal((flow["server"], flow["server_port"]), ("198.51.100.2", 7000))
    equal((flow["timeout_name"], flow["timeout_s"]), ("tcp-established", 432000))
    assert flow["client_packets"] >= 4 and flow["server_packets"] >= 3, flow
    assert flow["client_bytes"] > 4 * 40 and flow["server_bytes"] > 3 * 40, flow
    equal([f["server_port"] for f in gateway.flows("--rule", "loud")], [7000])
    equal([f["id"] for f in gateway.flows("--id", str(flow["id"]))], [flow["id"]])
    equal(gateway.flows("--state", "SYN_SENT"), [])
    equal(len(gateway.flows("--state", "ESTABLISHED")), 3)
    equal(gateway.flows("--idle-over", "1h"), [])
    equal(gateway.flows("--due-within", "1h"), [])
    equal(len(gateway.flows("--due-within", "6d")), 3)
    equal([f["client"] for f in gateway.flows("ip6")], ["2001:db8:1::2"])
    for form in ("text", "csv", "conntrack"):
        text = gateway.tool("list", "-o", form).stdout
        assert "7000" in text and "ESTABLISHED" in text, (form, text)
    wrong = gateway.tool("list", "tcp[13] = 2", check=False)
    assert wrong.returncode != 0 and wrong.stderr and not wrong.stdout, wrong
    del six


@test("the states of a connection, as they happen")
def states(lab):
    gateway = lab.gateway(POLICY)
    events = lab.keep_process(gateway.tool_start("events", "-o", "json"))
    time.sleep(0.4)
    client, server = lab.connect()
    client.close()
    eventually("CLOSE_WAIT", lambda: gateway.flow()["state"] == "CLOSE_WAIT")
    server.close()
    eventually("TIME_WAIT", lambda: gateway.flow()["state"] == "TIME_WAIT")
    events.terminate()
    seen = [json.loads(line) for line in events.communicate(timeout=5)[0].splitlines()]
    path = [e["state"] for e in seen]
    kept = [s for i, s in enumerate(path) if i == 0 or path[i - 1] != s]
    equal(kept, ["SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT"])


tap.main(jobs=4)
