#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`idlewall align` on a host with PostgreSQL, sshd, redis, Dovecot, nginx and HAProxy: what it predicts beside what happens
to idle sessions of real clients; and whether all is well once its lines stand in the files it names."""
import collections
import json
import os
import re
import time

import tap
from advised import SOFTWARE, Host
from gateway import TOOL
from lab import equal
from tap import each

LIMIT = 20
UNTIL = 36  # idle for so long; probes of what will break come before
IDLE = 27   # after what was advised is set: longer than the limit and an eighth
# Of the server's namespace, as an administrator may have set them: too late for the firewall, early enough to see it.
SYSTEM = {"time": 24, "intvl": 2, "probes": 2}
KINDS = [("silent", "drop"), ("silent", "reset"), ("reset-both", "drop"), ("silent", "icmp")]
HEARTBEAT = {"sshd", "dovecot"}  # what is advised for them goes inside the session


def start(lab, on_expiry, on_late):
    gateway = lab.gateway(f"adopt-at-start none\nprofile short {{ tcp-established {LIMIT}s\n on-expiry {on_expiry}\n"
                          f" on-late {on_late} }}\ndefault use short\n")
    for name, value in SYSTEM.items():
        lab.server.sysctl("net.ipv4.tcp_keepalive_" + name, value)
    return gateway, Host(lab)


def align(lab, gateway, argv=()):
    """Status, what it says of each connection by the client's port, its advice by software."""
    peers = os.path.join(lab.directory, "client-sockets")
    with open(peers, "w") as to:
        to.write(lab.client.run("ss", "-tanoie").stdout)
    done = lab.server.run(TOOL, "align", "--table", gateway.control, "--peer-sockets", peers, "-o", "json", *argv,
                          check=False)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return (done.returncode, {o["peer_port"]: o for o in found if o["type"] == "connection"},
            {o["software"]: o for o in found if o["type"] == "advice" and o["here"]})


def ports(lab, side):
    """The client's ports of the connections that one end has."""
    socks = [sock for sock in (lab.client if side == "client" else lab.server).ss() if sock.state == "ESTAB"]
    return {int((sock.local if side == "client" else sock.peer).rsplit(":", 1)[1]) for sock in socks}


def predicted_port(lab, session):
    """The client's port of a session's connection, by its process."""
    line = lab.client.run("ss", "-Htnp").stdout
    found = re.search(rf":(\d+)\s+\S+\s+users:.*pid={session.process.pid},", line)
    return int(found[1]) if found else None


def watch(lab, since, seconds):
    """(client's port, side) -> when that end lost its socket"""
    there = {side: ports(lab, side) for side in ("client", "server")}
    gone = {}
    while time.monotonic() - since < seconds:
        time.sleep(0.2)
        for side, first in there.items():
            for port in first - ports(lab, side):
                gone.setdefault((port, side), time.monotonic() - since)
    return gone


def compare(port, predicted, gone, took):
    """Each end sees what was predicted, when it was: so long after the last packet. took: align's look was so long ago, at
    most, when the watch began."""
    silent = predicted["limit_s"] - predicted["forgotten_in_s"]
    for side in ("client", "server"):
        end, when = predicted[f"{side}_end"], gone.get((port, side))
        low, high = end.get("after_s", (UNTIL, None))
        if end["sees"] == "nothing" or low >= UNTIL:
            equal(when, None, f"the {side} notices nothing: {predicted}")
        else:
            equal(when is not None and low - 0.5 - took <= when + silent <= high + 2, True,
                  f"the {side}'s socket is gone after {silent:.1f} and {when} s, within {low} to {high}: {predicted}")


@each("idle sessions, predicted and seen:", *KINDS)
def predicted_and_seen(lab, on_expiry, on_late):
    gateway, host = start(lab, on_expiry, on_late)
    host.start()
    # (15 + 2 * 1) * 9/8 and (13 + 2 * 2) * 9/8 are 19.1: safe, within an eighth of the limit.
    sessions = host.connect() + host.connect((15, 1, 5)) + [host.software["postgresql"].connect((13, 2, 4))]
    time.sleep(0.3)
    began = time.monotonic()
    status, predicted, _ = align(lab, gateway)
    since = time.monotonic()
    equal(sorted(predicted), sorted(ports(lab, "client")), "connections that were found")
    equal(status, 1, "exit status")
    gone = watch(lab, since, UNTIL)
    flows = {flow["client_port"] for flow in gateway.flows()}
    verdicts = collections.Counter()
    for port, o in predicted.items():
        verdicts[o["verdict"]] += 1
        if o["verdict"] == "will break":
            compare(port, o, gone, since - began)
            if o["process"] == "postgres":
                host.postgresql_said(o["server_end"]["sees"])
        elif o["verdict"] == "never noticed":
            equal([side for p, side in gone if p == port], [], f"nobody notices {o}")
            equal(port in flows, False, f"the firewall has forgotten {o}")
        elif o["verdict"] == "safe":
            equal([side for p, side in gone if p == port], [], f"it is safe: {o}")
            equal(port in flows, True, f"the firewall still has {o}")
    print("#", dict(verdicts))
    equal(verdicts["safe"] == 2 and verdicts["at risk"] >= 2 and verdicts["will break"] >= 2, True,
          "\n".join(str(o) for o in predicted.values()))
    for session in (sessions[6], sessions[12]):
        session.exchange()
    for session in sessions[4:6]:  # nobody noticed; who writes does, if the firewall says anything
        port = predicted_port(lab, session)
        if predicted.get(port, {}).get("verdict") == "never noticed":
            # Any other error comes when Linux gives up sending, a quarter of an hour later.
            reset = predicted[port]["client_end"]["on_write"] == "ECONNRESET"
            equal(session.writes(3), reset, f"an end at once: {predicted[port]}")


@each("what is advised, set and restarted:", *KINDS[:3])
def advised_and_set(lab, on_expiry, on_late):
    gateway, host = start(lab, on_expiry, on_late)
    host.software["dovecot"].waits = True
    host.start()
    host.connect()
    _, before, advice = align(lab, gateway)
    equal(sorted(advice), sorted(SOFTWARE), "software with advice")
    equal("safe" in {o["verdict"] for o in before.values()}, False, "nothing is safe before")
    host.stop()
    for name, what in advice.items():
        host.set(name, what["lines"])
    host.start()
    sessions = host.connect()
    time.sleep(0.3)
    since = time.monotonic()
    _, after, _ = align(lab, gateway)
    for port, o in after.items():
        if o["server_end"]["software"] not in HEARTBEAT:
            told, end = advice[o["server_end"]["software"]], o["server_end"]
            equal(o["verdict"], "safe", f"{o}")
            equal((end["idle_s"], end["interval_s"], end["count"]),
                  ([told["idle_s"]] * 2, [told["interval_s"]] * 2, told["count"]), f"what was advised is set: {o}")
    gone = watch(lab, since, IDLE)
    equal(gone, {}, f"who lost a socket: {[(after.get(port), side) for port, side in gone]}")
    for session in sessions:
        session.exchange()
    equal(re.findall(r"'late': [1-9]", str(gateway.status())), [], "late packets")


if __name__ == "__main__":
    tap.main(jobs=7)
