#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The control socket, and clients that mean harm or do not care."""
import json
import os
import random
import stat
import time

import tap
from lab import CLIENT, SERVER, equal, eventually, say
from packet import UDP, Wire, ipv4, udp
from tap import test

POLICY = "profile short from linux-nf-conntrack {\n udp 1s\n}\ndefault use short\n"


@test("the socket is 0660")
def mode(lab):
    gateway = lab.gateway(POLICY)
    equal(stat.S_IMODE(os.stat(gateway.control).st_mode), 0o660)


@test("requests that make no sense get a message and status 2")
def nonsense(lab):
    gateway = lab.gateway(POLICY)
    for request in (b"", b"\0", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b'{"command":1}', b'{"command":"dance"}',
                    b'{"command":"list","colour":"red"}', b'{"command":"list","filter":7}',
                    b'{"command":"list","filter":"tcp and and"}', b'{"command":"list","filter":"tcp[13] = 2"}',
                    b'{"command":"list","state":"HUNGRY"}', b'{"command":"list","output":"pdf"}',
                    b'{"command":"list","idle_over_s":-1}', b'{"command":"list","idle_over_s":1e400}',
                    b'{"command":"wait"}', b'{"command":"wait","for":"christmas"}',
                    b'{"command":"kill","from":"client"}', b'{"command":"block","from":"nobody"}',
                    b'{"command":"list"}{"command":"list"}', b'{"command":"list","command":"kill"}',
                    b'{"command":"list"}\0', b"[" * 60000, b'{"command":"' + b"x" * 60000 + b'"}',
                    b'{"command":"list","filter":"' + b"(" * 30000 + b'"}'):
        if not request:
            continue  # an empty message is the end of the stream
        answer = gateway.ask(request)
        equal(answer.status, 2, f"{request[:60]!r}: {answer.messages}")
        assert answer.messages and not answer.data, (request[:60], answer.messages)
    equal(gateway.ask({"command": "status"}).status, 0)


@test("random bytes, broken JSON, and clients that vanish")
def garbage(lab):
    gateway = lab.gateway(POLICY)
    seed = random.randrange(1 << 32)
    print(f"# seed {seed}")
    rng = random.Random(seed)
    good = json.dumps({"command": "list", "filter": "tcp port 80", "output": "json", "id": 3}).encode()
    for i in range(400):
        request = bytearray(good) if i % 2 else bytearray(rng.randbytes(rng.randrange(1, 3000)))
        for _ in range(rng.randrange(1, 4)):
            request[rng.randrange(len(request))] = rng.randrange(256)
        with gateway.open_control() as sock:
            sock.send(request)
            if rng.random() < 0.5:
                sock.recv(65536)
    with gateway.open_control() as sock:
        try:
            sock.send(b"x" * 200000)
            sock.recv(65536)
        except OSError:
            pass
    say(*lab.connect(), b"unharmed")
    eventually("the clients are gone", lambda: gateway.status()["clients"] <= 1)


@test("many clients that say nothing, or never read")
def idle_clients(lab):
    gateway = lab.gateway(POLICY)
    wire = Wire(lab, "client")
    held = []
    try:
        for _ in range(100):
            held.append(lab.keep(gateway.open_control(2)))
    except OSError:
        pass  # it may refuse more than it can serve
    for sock in held[:30]:
        sock.send(b'{"command":"events","output":"json"}')
    for sock in held[30:60]:
        sock.send(b'{"command":"list","output":"json"}')
    for i in range(20000):
        wire.send(ipv4(CLIENT[4], SERVER[4], UDP, udp(CLIENT[4], SERVER[4], 1024 + i % 60000, 53, b"q")))
    for sock in held[60:]:
        sock.close()
    say(*lab.connect(), b"unharmed")
    started = time.monotonic()
    status = gateway.ask({"command": "status", "output": "json"})
    equal(status.status, 0)
    assert time.monotonic() - started < 2, "the idle ones hold up the others"
    for sock in held:
        sock.close()
    eventually("the clients are gone", lambda: gateway.status()["clients"] <= 1)


@test("a reader of events that is too slow loses some, and is told how many")
def slow(lab):
    gateway = lab.gateway(POLICY)
    wire = Wire(lab, "client")
    sock = lab.keep(gateway.open_control())
    sock.send(b'{"command":"events","output":"json"}')
    time.sleep(0.3)
    count = 30000
    for i in range(count):
        wire.send(ipv4(CLIENT[4], SERVER[4], UDP, udp(CLIENT[4], SERVER[4], 1024 + i, 53, b"q")))
    time.sleep(0.5)
    eventually("all expired", lambda: gateway.status()["flows"] == 0, 15)
    opened = gateway.status()["opened"]
    text = b""
    sock.settimeout(2.5)  # the daemon looks at its clients at least once a second
    try:
        while message := sock.recv(1 << 20):
            equal(message[:1], b"D")
            text += message[1:]
    except TimeoutError:
        pass
    seen = [json.loads(line) for line in text.splitlines()]
    lost = sum(e["count"] for e in seen if e["type"] == "lost")
    assert lost > 0, f"nothing was lost of {opened} flows"
    got = sum(1 for e in seen if e["type"] == "event")
    # Each flow is one new and one expired event; a few may still be waiting for the reader to catch up.
    equal(got + lost, 2 * opened, "events seen and lost")


@test("a client that leaves in the middle of an answer")
def leaves(lab):
    gateway = lab.gateway(POLICY.replace("1s", "1min"))
    wire = Wire(lab, "client")
    for i in range(5000):
        wire.send(ipv4(CLIENT[4], SERVER[4], UDP, udp(CLIENT[4], SERVER[4], 1024 + i, 53, b"q")))
    eventually("the flows are there", lambda: gateway.status()["flows"] > 1000)
    for _ in range(20):
        with gateway.open_control() as sock:
            sock.send(b'{"command":"list","output":"json"}')
            sock.recv(65536)
    count = gateway.status()["flows"]
    equal(len(gateway.flows()), count)


tap.main(jobs=3)
