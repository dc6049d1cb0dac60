#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`idlewall kill`: both ends must accept the reset, whatever the firewall can know of their state."""
import socket
import threading
import time

import tap
from lab import SERVER, equal, eventually, read, say, write
from tap import each, test

# on-late drop, so that no end's own reset can come to the firewall's help.
POLICY = "profile p from linux-nf-conntrack {\n on-late drop\n}\ndefault use p\n"
# idlewall kill through the control socket: within the 40 ms of a delayed ACK there is no time for a process.
KILL = {"command": "kill", "filter": "tcp port 5000"}


def gone(lab, port=5000):
    eventually("both sockets gone", lambda: lab.sockets(port) == (None, None))


@each("established", "IPv4", "IPv6")
def established(lab, version):
    gateway = lab.gateway(POLICY)
    client, server = lab.connect(family=int(version[-1]))
    done = gateway.tool("kill", "tcp port 5000")
    assert "1" in done.stdout + done.stderr, done
    equal(read(client), "ECONNRESET", "client")
    equal(read(server), "ECONNRESET", "server")
    gone(lab)
    equal(gateway.flows(), [], "the table")


@each("established, never a byte sent", "IPv4", "IPv6")
def unused(lab, version):
    gateway = lab.gateway(POLICY)
    client, server = lab.connect(family=int(version[-1]), hello=False)
    gateway.tool("kill", "tcp port 5000")
    equal((read(client), read(server)), ("ECONNRESET", "ECONNRESET"))
    gone(lab)


@each("both ends blocked in read", "IPv4")
def blocked(lab, version):
    gateway = lab.gateway(POLICY)
    pair = lab.connect()
    got = {}
    readers = [threading.Thread(target=lambda e=e, s=s: got.update({e: read(s, 5)})) for e, s in enumerate(pair)]
    for reader in readers:
        reader.start()
    time.sleep(0.2)
    gateway.tool("kill", "tcp port 5000")
    for reader in readers:
        reader.join()
    equal(got, {0: "ECONNRESET", 1: "ECONNRESET"})


@each("delayed ACK, data from", ("client", 4), ("server", 4), ("client", 6), ("server", 6))
def delayed_ack(lab, side, family):
    gateway = lab.gateway(POLICY)
    for attempt in range(8):
        client, server = lab.connect(family=family)
        sender, receiver = (client, server) if side == "client" else (server, client)
        for _ in range(12):  # until the receiver expects to answer, and so delays its ACKs
            say(sender, receiver, b"ping")
            say(receiver, sender, b"pong")
        time.sleep(0.1)
        other = "server_packets" if side == "client" else "client_packets"
        before = gateway.flow("tcp port 5000")[other]
        with gateway.open_control() as control:
            say(sender, receiver, b"no answer to this")
            flow = gateway.ask({"command": "list", "output": "json", "filter": "tcp port 5000"}).objects()[0]
            answer = gateway.ask(KILL)
        equal(answer.status, 0, str(answer.messages))
        equal((read(client), read(server)), ("ECONNRESET", "ECONNRESET"))
        gone(lab)
        if flow[other] == before:
            return
        print(f"# attempt {attempt}: the ACK came too early")
    raise AssertionError("never saw the ACK delayed")


@each("data lost beyond the firewall, on its way to the",
      *((side, family, challenge) for side in ("server", "client") for family in (4, 6)
        for challenge in ("with challenge ACKs", "without")))
def data_lost(lab, side, family, challenge):
    gateway = lab.gateway(POLICY)
    client, server = lab.connect(family=family)
    space, sender = (lab.server, client) if side == "server" else (lab.client, server)
    space.iptables("-A", "INPUT", "-p", "tcp", "--tcp-flags", "PSH", "PSH", "-j", "DROP", family=family)
    equal(write(sender, b"x" * 1000), "ok")
    time.sleep(0.3)
    if challenge == "without":  # then the very first resets must do
        space.iptables("-A", "OUTPUT", "-p", "tcp", "-j", "DROP", family=family)
    gateway.tool("kill", "tcp port 5000")
    equal(read(client), "ECONNRESET", "client")
    equal(read(server), "ECONNRESET", "server")
    gone(lab)


@each("several segments lost beyond the firewall", 4, 6)
def much_lost(lab, family):
    gateway = lab.gateway(POLICY)
    client, server = lab.connect(family=family)
    lab.server.iptables("-A", "INPUT", "-p", "tcp", "!", "--tcp-flags", "RST", "RST", "-j", "DROP",
                        family=family)
    for _ in range(5):
        write(client, b"x" * 700)
        time.sleep(0.02)
    gateway.tool("kill", "tcp port 5000")  # before any of it gets there after all, sent again
    equal((read(client), read(server)), ("ECONNRESET", "ECONNRESET"))
    gone(lab)


@each("what nobody can know but from a challenge ACK, at the", ("server", 4), ("server", 6), ("client", 4), ("client", 6))
def challenged(lab, side, family):
    gateway = lab.gateway(POLICY)
    client, server = lab.connect(family=family)
    space, sender, receiver = (lab.server, client, server) if side == "server" else (lab.client, server, client)
    sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # One segment arrives, its ACK is lost before the firewall; the next one is lost beyond it. What the receiver expects
    # is now neither the last ACK nor the highest end that the firewall saw.
    space.iptables("-A", "OUTPUT", "-p", "tcp", "-j", "DROP", family=family)
    say(sender, receiver, b"one")
    space.iptables("-A", "INPUT", "-p", "tcp", "--tcp-flags", "PSH", "PSH", "-j", "DROP", family=family)
    equal(write(sender, b"two"), "ok")
    time.sleep(0.1)
    space.iptables("-F", "OUTPUT", family=family)
    gateway.tool("kill", "tcp port 5000")
    equal((read(client), read(server)), ("ECONNRESET", "ECONNRESET"))
    gone(lab)


@each("SYN_SENT", 4, 6)
def syn_sent(lab, family):
    gateway = lab.gateway(POLICY)
    lab.server.iptables("-A", "INPUT", "-p", "tcp", "--syn", "-j", "DROP", family=family)
    client = lab.client_socket(family)
    got = []

    def connect():
        try:
            client.connect((SERVER[family], 5000))
            got.append("connected")
        except OSError as e:
            got.append(type(e).__name__)

    connecting = threading.Thread(target=connect)
    connecting.start()
    ask = {"command": "list", "output": "json", "filter": "tcp port 5000"}
    flow = eventually("the flow is SYN_SENT", lambda: gateway.ask(ask).objects())[0]
    equal(flow["state"], "SYN_SENT")
    equal(gateway.ask(KILL).status, 0)
    connecting.join(0.7)  # the SYN is sent again after a second: it must not need that
    equal(got, ["ConnectionRefusedError"])
    gone(lab)


@each("CLOSE_WAIT at the", ("client", 4), ("server", 4), ("client", 6), ("server", 6))
def close_wait(lab, side, family):
    gateway = lab.gateway(POLICY)
    client, server = lab.connect(family=family)
    waiter, closer = (client, server) if side == "client" else (server, client)
    closer.shutdown(socket.SHUT_WR)
    want = ("CLOSE-WAIT", "FIN-WAIT-2") if side == "client" else ("FIN-WAIT-2", "CLOSE-WAIT")
    eventually("half closed", lambda: lab.sockets() == want)
    equal(gateway.flow()["state"], "CLOSE_WAIT")
    gateway.tool("kill", "tcp port 5000")
    equal(read(closer), "ECONNRESET", "the end that closed")
    equal(read(waiter), "EOF", "read at the end in CLOSE_WAIT")
    equal(write(waiter), "EPIPE", "write at the end in CLOSE_WAIT")
    gone(lab)


@test("one of several, by filter and by port")
def chosen(lab):
    gateway = lab.gateway(POLICY)
    pairs = {port: lab.connect(port) for port in (5000, 5001, 5002)}
    gateway.tool("kill", "tcp dst port 5001")
    equal((read(pairs[5001][0]), read(pairs[5001][1])), ("ECONNRESET", "ECONNRESET"))
    for port in (5000, 5002):
        say(*pairs[port], b"still here")
    equal(sorted(f["server_port"] for f in gateway.flows()), [5000, 5002])


@test("in the middle of a bulk transfer")
def bulk(lab):
    gateway = lab.gateway(POLICY)
    client, server = lab.connect()
    stop = time.monotonic() + 10
    got = []

    def drain():
        while True:
            data = read(server, 5)
            if not isinstance(data, bytes):
                got.append(data)
                return

    def pour():
        while time.monotonic() < stop:
            done = write(client, b"x" * 65536)
            if done != "ok":
                got.append(done)
                return

    threads = [threading.Thread(target=drain), threading.Thread(target=pour)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    gateway.tool("kill", "tcp port 5000")
    for thread in threads:
        thread.join(8)
    assert sorted(got) in (["ECONNRESET", "ECONNRESET"], ["ECONNRESET", "EPIPE"]), got
    gone(lab)


tap.main(jobs=4)
