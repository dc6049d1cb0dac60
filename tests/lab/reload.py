#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Reloads, restarts and adoption: what lives on, and what a fault must not change."""
import re
import signal
import time

import tap
from lab import equal, eventually, read, say, write
from tap import each, test


def policy(limit, late="drop", more=""):
    return f"""
    {more}
    late-memory 1s 100
    profile short from linux-nf-conntrack {{
        tcp-established {limit}
        on-late {late}
    }}
    default use short
    """


@each("reload by", "command", "SIGHUP")
def reload(lab, way):
    gateway = lab.gateway(policy("1h"))
    old = lab.connect(5000)
    before = gateway.flow()
    gateway.write_policy(policy("2h"))
    if way == "command":
        equal(gateway.reload().returncode, 0)
    else:
        gateway.process.send_signal(signal.SIGHUP)
    eventually("reloaded", lambda: gateway.status()["reloads"] == 1)
    new = lab.connect(5001)
    say(*old, b"the old one lives on")
    time.sleep(0.3)  # until its ACK is there, tcp-unacknowledged is the limit
    limits = {f["server_port"]: f["timeout_s"] for f in gateway.flows()}
    equal(limits, {5000: 3600, 5001: 7200})
    equal(gateway.flow("tcp port 5000")["id"], before["id"])
    equal(gateway.status()["policies"], 2)
    say(*new, b"so does the new one")
    gateway.tool("forget", "tcp port 5000")
    eventually("the old policy is let go", lambda: gateway.status()["policies"] == 1, 5)


@test("a faulty policy: every fault with its place, and nothing changes")
def faulty(lab):
    gateway = lab.gateway(policy("1h"))
    pair = lab.connect(5000)
    faults = policy("0", more="max-flows many\nfail perhaps")
    gateway.write_policy(faults)
    done = gateway.reload()
    assert done.returncode in (1, 3), done
    places = re.findall(re.escape(gateway.policy_path) + r":\d+:\d+: ", done.stdout + done.stderr)
    equal(len(places), 3, done.stdout + done.stderr)
    gateway.process.send_signal(signal.SIGHUP)
    eventually("said on stderr as well", lambda: gateway.policy_path + ":" in gateway.log())
    say(*pair, b"unharmed")
    lab.connect(5001)
    equal([f["timeout_s"] for f in gateway.flows()], [3600, 3600])
    status = gateway.status()
    equal((status["reloads"], status["reloads_failed"], status["policies"]), (0, 2, 1))


@test("a policy that is gone or not text, and a good one after it")
def unreadable(lab):
    import os
    gateway = lab.gateway(policy("1h"))
    os.unlink(gateway.policy_path)
    assert gateway.reload().returncode != 0
    with open(gateway.policy_path, "wb") as to:
        to.write(bytes(range(256)) * 100)
    assert gateway.reload().returncode != 0
    gateway.write_policy(policy("2h"))
    equal(gateway.reload().returncode, 0)
    lab.connect()
    equal(gateway.flow()["timeout_s"], 7200)


@test("adopt-at-start: a restart does not kill what it meets")
def adopt(lab):
    text = policy("1h", more="adopt-at-start 1min")
    first = lab.gateway(text)
    quiet, talking = lab.connect(5000), lab.connect(5001)
    first.stop()
    say(*talking, b"nobody is watching")
    second = lab.gateway(text)
    for pair, client_first in ((quiet, True), (talking, False)):
        one, other = pair if client_first else reversed(pair)
        say(one, other, b"adopted")
        say(other, one, b"both ways")
    flows = second.flows()
    equal([f["state"] for f in flows], ["ESTABLISHED", "ESTABLISHED"])
    equal([f["guessed"] for f in flows], [True, True])


@test("adopt-at-start is over after its time")
def adopt_over(lab):
    text = policy("1h", late="reset", more="adopt-at-start 500ms")
    first = lab.gateway(text)
    client, _ = lab.connect()
    first.stop()
    second = lab.gateway(text)
    time.sleep(0.8)
    equal((write(client), read(client, 1)), ("ok", "ECONNRESET"))
    equal(second.flows(), [])


@each("stops cleanly on", "SIGTERM", "SIGINT")
def stops(lab, name):
    gateway = lab.gateway(policy("1h"))
    client, server = lab.connect()
    assert gateway.rules(), "no rules while it runs"
    gateway.stop(getattr(signal, name))
    say(client, server, b"plain forwarding again")


tap.main(jobs=4)
