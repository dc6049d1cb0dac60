#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures, by tcpdump, at both ends of connections through a firewall with a limit of some seconds: what `idlewall
replay --at` says of them, beside what the firewall was told to do."""
import json
import os
import re
import signal
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "unit"))
import tap  # noqa: E402
from gateway import TOOL as IDLEWALL  # noqa: E402
from lab import equal, eventually, read, say, write  # noqa: E402
from tap import each, test  # noqa: E402

LIMIT = 4
AHEAD = 3 * 3600  # of the server's clock


def policy(**lines):
    return "profile short from linux-nf-conntrack {\n" + "".join(
        f"    {name.replace('_', '-')} {value}\n" for name, value in
        dict(dict.fromkeys(("tcp_established", "tcp_unacknowledged", "tcp_max_retrans"), f"{LIMIT}s"),
             **lines).items()) + "}\ndefault use short\n"


class Dumps:
    """tcpdump at both ends."""

    def __init__(self, lab):
        self.paths, self.processes = {}, []
        for name, space in (("client", lab.client), ("server", lab.server)):
            path = self.paths[name] = f"{lab.directory}/{name}.pcap"
            with open(path + ".log", "w") as log:
                self.processes.append(lab.keep_process(space.popen(
                    "tcpdump", "-i", "eth0", "-n", "-U", "--immediate-mode", "-Z", "root", "-s", "128", "-w", path,
                    "ip or tcp or icmp6", stderr=log)))
            eventually("tcpdump listens", lambda: "listening on" in open(path + ".log").read(), 20)

    def stop(self):
        time.sleep(0.3)
        for process in self.processes:
            process.send_signal(signal.SIGINT)
            process.wait(20)
        with open(self.paths["server"], "r+b") as file:
            moved(file)

    def ask(self, *args, status=0):
        done = subprocess.run([IDLEWALL, "replay", "--at", "client", self.paths["client"], "--at", "server",
                               self.paths["server"], *args], capture_output=True, text=True, timeout=60)
        equal((done.returncode, done.stderr), (status, ""), "status and messages")
        return done.stdout

    def objects(self, status=0):
        found = [json.loads(line) for line in self.ask("-o", "json", "--fail-on-broken", status=status).splitlines()]
        return found[0], {kind: [o for o in found if o["type"] == kind] for kind in (
            "place", "places-server", "places-connection", "places-event")}


def moved(file):
    """The server's clock is three hours ahead."""
    file.seek(24)
    while header := file.read(16):
        seconds, fraction, caplen, length = struct.unpack("<IIII", header)
        file.seek(-16, 1)
        file.write(struct.pack("<IIII", seconds + AHEAD, fraction, caplen, length))
        file.seek(caplen, 1)


def connect(lab, silences, family=4):
    return [lab.connect(5000 + i, family) for i in range(len(silences))]


def pauses(lab, writer, *silences, ends=None):
    """Connections silent for so long each, at the same time, and then a word of one end. Those whose word arrived."""
    ends = ends or connect(lab, silences)
    start, arrived = time.monotonic(), []
    for i in sorted(range(len(silences)), key=lambda i: silences[i]):
        time.sleep(max(0, start + silences[i] - time.monotonic()))
        sender, receiver = ends[i] if writer == "client" else ends[i][::-1]
        write(sender)
        if read(receiver, 0.5) == b"anybody there?":
            arrived.append(i)
    time.sleep(1.5)  # for retransmissions
    return arrived


def bounds(summary, arrived):
    equal((summary["forgotten"], summary["connections"]), (4 - len(arrived), 4), "forgotten, of all")
    assert len(arrived) < 4 and arrived, arrived
    assert summary["survived_s"] < LIMIT <= summary["forgotten_s"], summary
    assert summary["survived_s"] > LIMIT / 2 and summary["forgotten_s"] < LIMIT * 3, summary
    assert abs(summary["clock_ahead_s"] - AHEAD) < 0.005, summary


@each("dropped without a word, sent by the", "client", "server")
def dropped(lab, writer):
    lab.gateway(policy(on_late="drop"))
    dumps = Dumps(lab)
    arrived = pauses(lab, writer, 1, 3, 5, 6)
    dumps.stop()
    summary, found = dumps.objects(1)
    bounds(summary, arrived)
    equal((summary["resets_from_nobody"], summary["icmp_from_between"]), (0, 0))
    equal({(e["what"], e["place"]) for e in found["places-event"]}, {("lost", writer)})
    lost = {p["name"]: p["lost_packets"] for p in found["place"]}
    assert lost.pop(writer) >= 4, found["place"]  # each of two words and a retransmission
    equal([p["hops"] for p in found["place"]], [1, 1], "hops")


@each("answered with a reset, sent by the", "client", "server")
def reset(lab, writer):
    lab.gateway(policy(on_late="reset"))
    dumps = Dumps(lab)
    arrived = pauses(lab, writer, 1, 3, 5, 6)
    dumps.stop()
    summary, found = dumps.objects(1)
    bounds(summary, arrived)
    equal(summary["resets_from_nobody"], 4 - len(arrived), "resets from nobody")
    resets = [e for e in found["places-event"] if e["what"] == "reset"]
    equal({(e["place"], e["side"], e["ttl"], e["usual_ttl"]) for e in resets},
          {(writer, "server" if writer == "client" else "client", 64, 63)}, "where, in whose name, TTLs")
    text = dumps.ask()
    assert re.search(r"Something between them forgot \d connections after a silence of 3\.\d+ s to 5\.\d+ s:", text), text
    assert "who never sent it. Made elsewhere: its TTL is 64, that of its fellows 63" in text, text


@test("answered with an ICMP error")
def icmp(lab):
    lab.gateway(policy(on_late="icmp"))
    dumps = Dumps(lab)
    arrived = pauses(lab, "server", 1, 3, 5, 6)
    dumps.stop()
    summary, found = dumps.objects(1)
    bounds(summary, arrived)
    assert summary["icmp_from_between"] >= 2, summary
    equal({(e["place"], e["from"], e["icmp_type"], e["icmp_code"], e["ttl"], e["usual_ttl"]) for e in
           found["places-event"] if e["what"] == "icmp"}, {("server", "192.0.2.2", 3, 13, 64, 63)}, "ICMP errors")
    assert "from 192.0.2.2, who never sent it. Made elsewhere: its TTL is 64, that of its fellows 63" in dumps.ask()


def each_server(found, arrived):
    """Each connection has a server of its own."""
    for server in found["places-server"]:
        lived = int(server["server"].rpartition(":")[2]) - 5000 in arrived
        equal((server["connections"], server["forgotten"], server["forgotten_sooner"]), (1, not lived, 0), server)
        assert (server["survived_s"] if lived else LIMIT) <= LIMIT <= (LIMIT if lived else server["forgotten_s"]), server


@test("IPv6: answered with an ICMP error")
def ipv6(lab):
    lab.gateway(policy(on_late="icmp"))
    dumps, silences = Dumps(lab), (1, 3, 5, 6)
    arrived = pauses(lab, "server", *silences, ends=connect(lab, silences, 6))
    dumps.stop()
    summary, found = dumps.objects(1)
    bounds(summary, arrived)
    each_server(found, arrived)
    assert summary["icmp_from_between"] >= 2, summary
    equal({(e["place"], e["from"], e["icmp_type"], e["icmp_code"], e["ttl"], e["usual_ttl"]) for e in
           found["places-event"] if e["what"] == "icmp"}, {("server", "2001:db8:1::2", 1, 1, 64, 63)}, "ICMP errors")
    equal([p["hops"] for p in found["place"]], [1, 1], "hops")
    assert "[2001:db8:1::2]:" in dumps.ask()


@each("translated addresses, and captures that begin later: IPv", 4, 6)
def translated(lab, family):
    lab.firewall.run({4: "iptables", 6: "ip6tables"}[family], "-w", "-t", "nat", "-A", "POSTROUTING", "-o", "to-server",
                     "-p", "tcp", "-j", "MASQUERADE", "--to-ports", "20000-20099")
    lab.gateway(policy(on_late="drop"))
    silences = (1, 3, 5, 6)
    ends = connect(lab, silences, family)
    dumps = Dumps(lab)
    for client, server in ends:
        say(server, client, b"running")
        say(client, server, b"still")
    arrived = pauses(lab, "client", *silences, ends=ends)
    dumps.stop()
    summary, found = dumps.objects(1)
    bounds(summary, arrived)
    each_server(found, arrived)
    equal(summary["translated"], 4, "translated")
    names = [ends[i][0].getsockname()[:2] for i in range(4) if i not in arrived]
    inside, outside = ("192.0.2.2:%d", "198.51.100.1:") if family == 4 else ("[2001:db8:1::2]:%d", "[2001:db8:2::1]:")
    equal(sorted(c["client"] for c in found["places-connection"]), sorted(inside % port for _, port in names), "clients")
    equal({(c["second_client"].startswith(outside + "200"), c["guessed"]) for c in found["places-connection"]},
          {(True, True)}, "their names at the server")


@test("both ends reset when the time is over")
def on_expiry(lab):
    lab.gateway(policy(on_expiry="reset-both"))
    dumps = Dumps(lab)
    arrived = pauses(lab, "client", 1, 3, 7, 8)
    time.sleep(LIMIT)  # the first two expire as well
    dumps.stop()
    summary, found = dumps.objects(1)
    equal(arrived, [0, 1])
    equal((summary["connections"], summary["forgotten"], summary["resets_from_nobody"]), (4, 4, 8))
    assert 3 <= summary["survived_s"] < LIMIT <= summary["forgotten_s"] < LIMIT * 1.5, summary
    equal({e["what"] for e in found["places-event"]}, {"reset"})


@test("nothing wrong: sessions that begin, pause, carry a lot and end")
def nothing(lab):
    lab.gateway(policy(tcp_established="1h", tcp_unacknowledged="1h"))
    dumps = Dumps(lab)
    arrived = pauses(lab, "server", 1, 2, 5, 6)
    equal(arrived, [0, 1, 2, 3])
    client, server = lab.connect(5100)
    client.settimeout(20)
    for sender, receiver in ((client, server), (server, client)):
        for _ in range(16):  # more than one packet holds, with or without offloading
            say(sender, receiver, bytes(60000))
    client.close()
    equal(read(server), "EOF")
    server.close()
    dumps.stop()
    summary, found = dumps.objects()
    equal((summary["connections"], summary["fine"]), (5, 5), "fine, of all")
    equal([(p["lost_packets"], p["not_captured"], p["only_here"]) for p in found["place"]], [(0, 0, 0)] * 2)
    equal(found["places-event"], [])
    assert summary["survived_s"] > 5 and summary["forgotten_s"] is None, summary
    assert "Nothing between them broke a connection" in dumps.ask()


tap.main(jobs=4)
