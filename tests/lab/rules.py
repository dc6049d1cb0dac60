#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon's own rules: put in, taken out, found again; the operator's stay as they are."""
import os
import re
import signal
import socket
import subprocess

import tap
from gateway import DAEMON, Gateway
from lab import equal, eventually, read, say, write
from tap import each, need, test

POLICY = "fail {fail}\nadopt-at-start 1min\ndefault use linux-nf-conntrack\n"
OPERATORS = (("iptables", "-t", "mangle", "-A", "FORWARD", "-m", "mark", "--mark", "0x7", "-j", "ACCEPT"),
             ("iptables", "-t", "mangle", "-N", "idlewall_mine"),
             ("iptables", "-A", "FORWARD", "-p", "tcp", "--dport", "6666", "-j", "DROP"),
             ("ip6tables", "-t", "mangle", "-A", "PREROUTING", "-p", "udp", "-j", "ACCEPT"),
             ("nft", "add", "table", "inet", "operator"),
             ("nft", "add", "chain", "inet", "operator", "c", "{ type filter hook forward priority 5; }"),
             ("nft", "add", "rule", "inet", "operator", "c", "tcp", "dport", "7777", "drop"))


def everything(space):
    """All rules of the namespace, without counters and the date."""
    text = "".join(space.run(*c).stdout for c in (["iptables-save"], ["ip6tables-save"], ["nft", "list", "ruleset"]))
    return [re.sub(r"\[\d+:\d+\]|counter packets \d+ bytes \d+", "", line) for line in text.splitlines()
            if line and not line.startswith("#")]


def jumps(gateway):
    """Rules of ours that bring packets to the queue, for IPv4."""
    text = gateway.space.run("iptables", "-t", "mangle", "-S").stdout
    return [line for line in text.splitlines() if "NFQUEUE" in line]


def settled(space):
    """The rules as they are, once iptables has made its empty base chains: it never takes those out again."""
    for family in (4, 6):
        for chain in ("FORWARD", "INPUT", "OUTPUT"):
            for verb in ("-A", "-D"):
                space.iptables("-t", "mangle", verb, chain, "-m", "mark", "--mark", "0x9", "-j", "ACCEPT", family=family)
    return everything(space)


def operators(lab):
    for command in OPERATORS:
        lab.firewall.run(*command)
    return settled(lab.firewall)


@test("the operator's rules are left alone, and still decide")
def untouched(lab):
    before = operators(lab)
    gateway = lab.gateway(POLICY.format(fail="open"))
    assert jumps(gateway), "no rule in mangle"
    during = everything(lab.firewall)
    missing = [line for line in before if line not in during]
    equal(missing, [], "operator's rules while it runs")
    say(*lab.connect(5000), b"through the queue")
    equal(len(gateway.flows()), 1)
    for port in (6666, 7777):
        client = lab.client_socket()
        client.settimeout(0.7)
        lab.listen(port)
        try:
            client.connect(("198.51.100.2", port))
            raise AssertionError(f"port {port} is open although the operator drops it")
        except TimeoutError:
            pass
    gateway.stop()
    equal(everything(lab.firewall), before, "afterwards")


@each("kill -9 of the daemon, fail", "open", "closed")
def killed(lab, fail):
    before = operators(lab)
    gateway = lab.gateway(POLICY.format(fail=fail))
    client, server = lab.connect()
    one = everything(lab.firewall)
    pids = gateway.processes()
    assert len(pids) >= 2, f"a parent and a worker: {pids}"
    os.kill(pids[0], signal.SIGKILL)
    gateway.process.wait(5)
    eventually("the worker ends with its parent", lambda: not any(os.path.exists(f"/proc/{p}") for p in pids), 5)
    if fail == "open":
        say(client, server, b"traffic goes on")
    else:
        equal((write(client), read(server, 1)), ("ok", "nothing"), "traffic while nobody decides")
    # A second one on the same queue finds the rules and takes them over, instead of adding its own to them.
    second = lab.gateway(POLICY.format(fail=fail))
    equal(sorted(everything(lab.firewall)), sorted(one), "with the successor")
    if fail == "closed":
        read(server, 3)
    say(client, server, b"adopted by the successor")
    equal(len(second.flows()), 1)
    second.stop()
    equal(everything(lab.firewall), before, "afterwards")


@each("kill -9 of the worker, fail", "open", "closed")
def worker_killed(lab, fail):
    before = operators(lab)
    gateway = lab.gateway(POLICY.format(fail=fail))
    client, server = lab.connect()
    os.kill(gateway.processes()[1], signal.SIGKILL)
    assert gateway.process.wait(10) != 0, "the parent calls it a success"
    if fail == "open":
        equal(everything(lab.firewall), before, "rules afterwards")
        say(client, server, b"traffic goes on")
    else:
        equal((write(client), read(server, 1)), ("ok", "nothing"), "traffic while nobody decides")
        # Closed on purpose, until somebody decides again.
        lab.gateway(POLICY.format(fail=fail)).stop()
        equal(everything(lab.firewall), before, "rules after a successor")


@each("kill -9 of the", "client", "server")
def end_killed(lab, end):
    gateway = lab.gateway(POLICY.format(fail="open"))
    listen = ("import socket,time\ns=socket.create_server(('198.51.100.2',5000))\nc=s.accept()[0]\n"
              "c.sendall(b'x')\nprint(c.recv(9),flush=True)\ntime.sleep(60)")
    connect = ("import socket,time\nc=socket.create_connection(('198.51.100.2',5000))\nc.sendall(b'y')\n"
               "print(c.recv(9),flush=True)\ntime.sleep(60)")
    server = lab.keep_process(lab.server.popen("python3", "-c", listen, stdout=subprocess.PIPE))
    eventually("listening", lambda: lab.server.run("ss", "-Hltn").stdout)
    client = lab.keep_process(lab.client.popen("python3", "-c", connect, stdout=subprocess.PIPE))
    equal((client.stdout.readline(), server.stdout.readline()), (b"b'x'\n", b"b'y'\n"))
    equal(gateway.flow()["state"], "ESTABLISHED")
    (client if end == "client" else server).kill()
    # The dead process's kernel says FIN or RST in its name: the flow leaves ESTABLISHED.
    eventually("noticed", lambda: [f for f in gateway.flows() if f["state"] != "ESTABLISHED"] or not gateway.flows())


@test("--rules none puts none in, and works with the operator's own")
def none(lab):
    before = settled(lab.firewall)
    gateway = lab.gateway(POLICY.format(fail="open"), extra=("--rules", "none", "--queue", "5"))
    equal(everything(lab.firewall), before)
    lab.firewall.iptables("-t", "mangle", "-A", "FORWARD", "-m", "mark", "!", "--mark", "0x40000000/0x40000000",
                          "-j", "NFQUEUE", "--queue-num", "5")
    client, server = lab.connect()
    gateway.tool("kill", "tcp")
    equal((read(client), read(server)), ("ECONNRESET", "ECONNRESET"))
    lab.firewall.iptables("-t", "mangle", "-F", "FORWARD")


@test("a queue that is taken: refused, and its owner goes on undisturbed")
def taken(lab):
    gateway = lab.gateway(POLICY.format(fail="open"))
    pair = lab.connect()
    one = everything(lab.firewall)
    second = Gateway(lab.firewall, lab.directory, POLICY.format(fail="open"), name="second")
    lab.gateways.insert(0, second)
    assert second.process.wait(10) == 3, second.log()
    assert second.log().strip(), "it says nothing"
    lab.gateways.remove(second)
    equal(sorted(everything(lab.firewall)), sorted(one))
    say(*pair, b"undisturbed")
    equal(len(gateway.flows()), 1)


@test("two daemons on two queues, one ends, the other's rules stay")
def two(lab):
    first = lab.gateway(POLICY.format(fail="open"), extra=("--queue", "3"))
    second = Gateway(lab.firewall, lab.directory, POLICY.format(fail="open"), name="second", extra=("--queue", "4"))
    lab.gateways.append(second)
    second.wait_ready()
    lab.gateways.remove(second)
    lab.gateways.insert(0, second)
    both = len(jumps(first))
    second.process.send_signal(signal.SIGTERM)
    equal(second.process.wait(10), 0)
    equal(len(jumps(first)), both - 1)
    lab.connect()
    equal(len(first.flows()), 1)
    lab.gateways.remove(second)


@test("several queues share the flows")
def balanced(lab):
    gateway = lab.gateway(POLICY.format(fail="open"), extra=("--queue", "0:1"))
    for address in range(10, 26):
        lab.client.ip(f"addr add 192.0.2.{address}/24 dev eth0")
    listener = lab.listen()
    pairs = []
    for address in range(10, 26):
        with lab.client:
            client = lab.keep(socket.socket())
        client.settimeout(5)
        client.bind((f"192.0.2.{address}", 0))
        client.connect(("198.51.100.2", 5000))
        pairs.append((client, lab.keep(listener.accept()[0])))
    equal(len(gateway.flows()), 16)
    equal(len({f["id"] for f in gateway.flows()}), 16, "ids")
    gateway.tool("kill", "tcp")
    for client, server in pairs:
        equal((read(client), read(server)), ("ECONNRESET", "ECONNRESET"))


@test("--hook local without --scope is refused")
def no_scope(lab):
    done = lab.server.run(DAEMON, "--profile", "linux-nf-conntrack", "--hook", "local", "--control",
                          lab.directory + "/c", check=False)
    equal(done.returncode, 2)
    assert "--scope" in done.stderr, done.stderr


@each("--hook local --scope, on the", "server", "client")
def local(lab, end):
    space = lab.server if end == "server" else lab.client
    before = settled(space)
    gateway = Gateway(space, lab.directory, POLICY.format(fail="open"),
                      extra=("--hook", "local", "--scope", "tcp/5000,udp/5000-5010"))
    lab.gateways.append(gateway)
    gateway.wait_ready()
    inside, outside = lab.connect(5000), lab.connect(5001)
    equal([f["server_port"] for f in gateway.flows()], [5000])
    equal(gateway.flow()["client"], "192.0.2.2")
    gateway.tool("kill", "tcp")
    equal((read(inside[0]), read(inside[1])), ("ECONNRESET", "ECONNRESET"))
    say(*outside, b"out of scope")
    gateway.stop()
    equal(everything(space), before)


@test("rules by nft where the kernel can queue from there")
def nft(lab):
    need(lab, "nft-queue")
    gateway = lab.gateway(POLICY.format(fail="open"))
    text = lab.firewall.run("nft", "list", "ruleset").stdout
    assert "priority -150" in text and re.search(r"queue .*bypass", text), text
    say(*lab.connect(), b"through nft's queue")
    equal(len(gateway.flows()), 1)


tap.main(jobs=4)
