#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A queue flooded at full speed, a full table, ten thousand reloads: everything is as before afterwards.

Bounded, between namespaces. Figures are compared within one run; the tests run one at a time.
"""
import os
import re
import signal
import threading
import time

import tap
from lab import CLIENT, SERVER, equal, eventually, say
from packet import SYN, TCP, UDP, Volley, Wire, ipv4, tcp, udp
from tap import each, test


def measure(gateway):
    """What must not grow: resident memory, descriptors, rules, and sockets of the namespace."""
    time.sleep(0.3)  # the last control client's end is still on its way
    rss, descriptors = 0, 0
    for pid in gateway.processes():
        with open(f"/proc/{pid}/status") as lines:
            rss += next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
        descriptors += len(os.listdir(f"/proc/{pid}/fd"))
    listed = {kind: len(gateway.space.run("ss", "-Han" + kind).stdout.splitlines()) for kind in "tuw0x"}
    return {"rss": rss, "descriptors": descriptors, "rules": sorted(re.sub(r"packets \d+ bytes \d+", "", r) for r in gateway.rules()), "sockets": listed}


def as_before(gateway, before, room=1.15):
    """Memory may have grown by the ratio, once; everything else must be equal."""
    def same():
        after = measure(gateway)
        return all(after[k] == before[k] for k in before if k != "rss")
    try:
        eventually("as before", same, 10)
    except AssertionError:
        after = measure(gateway)
        for key in before:
            if key != "rss":
                equal(after[key], before[key], key)
    rss = measure(gateway)["rss"]
    assert rss <= before["rss"] * room, f"resident memory grew from {before['rss']} to {rss} kB"


class Flood:
    """Packets from the client's side as fast as one thread can send them."""

    def __init__(self, lab, packets):
        wire = Wire(lab, "client")
        wire.ear.close()
        self.volley, self.sent, self.over = Volley(wire, packets), 0, False
        self.thread = threading.Thread(target=self.send)

    def send(self):
        while not self.over:
            self.volley.fire()
            self.sent += self.volley.count

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.over = True
        self.thread.join()


def packets(count, source="192.0.2.2", port=53):
    return [ipv4(source, SERVER[4], UDP, udp(source, SERVER[4], 1024 + i, port, b"flood")) for i in range(count)]


@test("the queue flooded at full speed, with new flows all the time")
def flooded(lab):
    gateway = lab.gateway("max-flows 20000\nlate-memory 1s 1000\nprofile short from linux-nf-conntrack {\n udp 1s\n}\ndefault use short\n")
    client, server = lab.connect()
    lab.server.iptables("-A", "INPUT", "-p", "udp", "-j", "DROP")
    # The first flood brings memory to its peak, the second must not need more.
    for attempt in range(2):
        with Flood(lab, packets(60000)) as flood:
            time.sleep(1.5)
            # However fast the daemon is, it must also get over a moment without the processor.
            os.kill(gateway.processes()[1], signal.SIGSTOP)
            time.sleep(0.5)
            os.kill(gateway.processes()[1], signal.SIGCONT)
            time.sleep(1)
            started = time.monotonic()
            status = gateway.ask({"command": "status", "output": "json"}, 20)
            took = time.monotonic() - started
        equal(status.status, 0)
        assert took < 5, f"status took {took:.1f} s under load"
        eventually("the flood's flows expired", lambda: gateway.status()["flows"] <= 1, 20)
        say(client, server, b"unharmed")
        if attempt == 0:
            before = measure(gateway)
    status = gateway.status()
    seen = status["accepted"] + status["dropped"]
    lost = status["queue_dropped"] + status["user_dropped"]
    print(f"# sent about {flood.sent} in the second flood; {seen} judged, {lost} lost by the queue")
    assert status["peak_flows"] <= 20000, status
    assert lost > 0, f"the queue never overflowed, so this tested nothing: {status}"
    assert status["packets_full"] > 0, status
    as_before(gateway, before)


def syns(count):
    for i in range(count):
        yield ipv4(CLIENT[4], SERVER[4], TCP, tcp(CLIENT[4], SERVER[4], 1024 + i % 60000, 6000 + i // 60000, SYN, i))


@each("a table filled to max-flows, on-full", "drop-new", "evict-oldest", "evict-unassured")
def full(lab, on_full):
    gateway = lab.gateway(f"max-flows 2000\non-full {on_full}\nprofile short from linux-nf-conntrack {{\n"
                          " tcp-syn-sent 3s\n}\ndefault use short\n")
    lab.server.iptables("-A", "INPUT", "-p", "tcp", "--dport", "6000", "-j", "DROP")
    client, server = lab.connect()
    before = measure(gateway)
    wire = Wire(lab, "client")
    for n, syn in enumerate(syns(6000)):
        wire.send(syn)
        if n % 200 == 0:
            time.sleep(0.005)
    time.sleep(0.3)
    status = gateway.status()
    equal((status["flows"], status["peak_flows"]), (2000, 2000))
    newcomer = lab.client_socket()
    newcomer.settimeout(0.7)
    listener = lab.listen(5001)
    try:
        newcomer.connect((SERVER[4], 5001))
        got = "connected"
    except TimeoutError:
        got = "nothing"
    equal(got, "nothing" if on_full == "drop-new" else "connected", "a new connection")
    if on_full == "drop-new":
        assert status["packets_full"] >= 3900, status
    else:
        assert status["ended_resources"] >= 3900, status
    if on_full != "evict-oldest":  # there the established one was the oldest
        say(client, server, b"the assured one lives")
    eventually("the half-open ones expired", lambda: gateway.status()["flows"] <= 3, 10)
    fresh = lab.client_socket()
    fresh.connect((SERVER[4], 5001))
    newcomer.close()
    listener.close()
    as_before(gateway, before, 1.3)


@test("a million-flow reset storm is limited by inject-rate")
def storm(lab):
    gateway = lab.gateway("inject-rate 1000\nprofile loud from linux-nf-conntrack {\n tcp-syn-sent 1d\n"
                          " on-expiry reset-both\n}\ndefault use loud\n")
    lab.server.iptables("-A", "INPUT", "-p", "tcp", "--dport", "6000", "-j", "DROP")
    wire = Wire(lab, "client")
    for n, syn in enumerate(syns(2000)):
        wire.send(syn)
        if n % 200 == 0:
            time.sleep(0.005)
    eventually("all are there", lambda: gateway.status()["flows"] >= 1900)
    started = time.monotonic()
    asked = threading.Thread(target=lambda: gateway.ask({"command": "kill", "filter": "tcp"}, 30))
    asked.start()
    time.sleep(1)
    pair = lab.connect()
    say(*pair, b"served meanwhile")
    asked.join()
    took = time.monotonic() - started
    eventually("all are gone", lambda: gateway.status()["flows"] <= 1, 30)
    injected = gateway.status()["injected"]
    assert injected >= 1900, injected
    assert injected / (time.monotonic() - started) < 2200, f"{injected} in {took:.1f} s"


@test("ten thousand reloads, a third of them faulty")
def reloads(lab):
    good = [f"max-flows 10000\nprofile p from linux-nf-conntrack {{\n tcp-established {n}s\n}}\n"
            f"rule r match \"tcp port {n}\" use p\ndefault use p\n" for n in (100, 200)]
    bad = ("default use nobody\n", "profile p {", "rule r match \"tcp and\" drop\ndefault use aws-nat-gateway\n")
    gateway = lab.gateway(good[0])
    client, server = lab.connect()
    done = {0: 0, 1: 0}

    def reload(n):
        faulty = n % 3 == 2
        gateway.write_policy(bad[n // 3 % 3] if faulty else good[n % 2])
        answer = gateway.ask({"command": "reload"})
        assert (answer.status == 0) != faulty, (n, answer.status, answer.messages)
        done[faulty] += 1

    for n in range(1000):
        reload(n)
    before = measure(gateway)
    for n in range(1000, 11000):
        reload(n)
        if n % 1000 == 0:
            say(client, server, b"unharmed")
    print(f"# {done[0]} good, {done[1]} faulty")
    status = gateway.status()
    equal((status["reloads"], status["reloads_failed"]), (done[0], done[1]))
    assert status["policies"] <= 2, status
    lab.connect(5001)
    as_before(gateway, before)


tap.main(jobs=1)
